"""A power cut, a broken line, a repair: from the device to the technician's screen.

The real gateway and worker, virtual devices that fail on request, one real agent.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nguon.demo.client import Client
from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server]

KNOWN_SECONDS = 5.0


class Swarm:
    """The virtual devices, asked to fail over their control port."""

    def __init__(self, stack: Stack) -> None:
        port = int((stack.folder / "simulator" / "control-port").read_text())
        self._line = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self._line.makefile("rwb")

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        self._file.write(json.dumps({"do": what, **more}).encode() + b"\n")
        self._file.flush()
        told: dict[str, Any] = json.loads(self._file.readline())
        return told

    def close(self) -> None:
        self._file.close()
        self._line.close()


def wait(check: Callable[[], Any], *, seconds: float, every: float = 0.1) -> Any:
    """Return what a check finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(every)


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, database_url: str | None
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("faults")
    with Stack(folder, database_url, devices=20, agents=1, boards=0) as running:
        yield running


@pytest.fixture
def swarm(stack: Stack) -> Iterator[Swarm]:
    found = Swarm(stack)
    yield found
    found.ask("mend", count=20)
    found.close()


def silent(tung: Client) -> list[str]:
    told = tung.ask("/thiet-bi/?tinh_trang=silent")
    return [row["device"] for row in told["devices"]]


def prove_all(tung: Client) -> None:
    """Have all, the real agent too, sound a test tone: then none is new any more.

    A speaker refuses the tone until its commune's first plan tells it its hours,
    so whoever is still new is asked again.
    """

    def asked_again() -> bool:
        rows = tung.ask("/thiet-bi/")["devices"]
        new = [row for row in rows if row["health"] == "new"]
        for row in new:
            tung.tell(f"/thiet-bi/{row['device']}/thu/")
        return not new

    wait(asked_again, seconds=90, every=4.0)
    assert tung.ask("/thiet-bi/")["counts"]["health_active"] == 21


def test_a_power_cut_is_one_incident_within_seconds_and_a_repair_proves_itself(
    stack: Stack, swarm: Swarm
) -> None:
    tung = stack.login("tung")
    prove_all(tung)
    assert silent(tung) == []

    # Eight devices of the commune go dark at once.
    swarm.ask("fail", fault="cut", count=8)
    cut = time.monotonic()
    wait(lambda: len(silent(tung)) == 8, seconds=20)
    took = time.monotonic() - cut
    assert took <= KNOWN_SECONDS, f"known after {took:.1f} s"
    (incident,) = wait(lambda: tung.ask("/thiet-bi/su-co/")["incidents"], seconds=5)
    assert incident["size"] == 8
    swarm.ask("mend", count=8)
    wait(lambda: not silent(tung), seconds=30)
    (incident,) = tung.ask("/thiet-bi/su-co/")["incidents"]
    assert incident["closed_at"]

    # A broken line is told at once, not with the next beat.
    swarm.ask("fail", fault="line_open", first=4, count=1)
    (device,) = wait(lambda: silent(tung), seconds=30)
    made = tung.tell(f"/thiet-bi/{device}/phieu-sua/", task="Nối dây loa")
    own = f"/thiet-bi/sua-chua/{made['order']}/"
    tung.tell(own + "bat-dau/")
    swarm.ask("mend", first=4, count=1)
    done = tung.tell(own + "xong/", cause=["line"], cost="50.000")
    assert (done["state"], done["tests"]) == ("done", 1)
    # It rehearses its next day by itself, agrees, and only then is in service.
    rehearsal = wait(
        lambda: (
            (told := tung.ask(f"/thiet-bi/{device}/dien-tap/"))["ended_at"] and told
        ),
        seconds=60,
    )
    assert (rehearsal["state"], rehearsal["differences"]) == ("agreed", [])
    order = wait(
        lambda: (told := tung.ask(own))["state"] == "verified" and told, seconds=30
    )
    assert order["ended_at"] > order["done_at"]
    wait(lambda: not silent(tung), seconds=10)

    # The real agent, too: its own program computes the same day.
    (agent,) = [
        row["device"]
        for row in tung.ask("/thiet-bi/")["devices"]
        if not row["simulated"]
    ]
    made = tung.tell(f"/thiet-bi/{agent}/phieu-sua/", task="Thay nguồn")
    own = f"/thiet-bi/sua-chua/{made['order']}/"
    tung.tell(own + "bat-dau/")
    tung.tell(own + "xong/", cause=["power"])
    rehearsal = wait(
        lambda: (told := tung.ask(f"/thiet-bi/{agent}/dien-tap/"))["ended_at"] and told,
        seconds=60,
    )
    assert (rehearsal["state"], rehearsal["differences"]) == ("agreed", [])
