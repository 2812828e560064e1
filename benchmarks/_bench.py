"""What benches share: the frame around one, the swarm's control port, waiting."""

import argparse
import json
import math
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nguon.demo.client import Client, UnexpectedAnswerError
from nguon.demo.processes import StackError
from nguon.demo.stack import Stack


class NotMeasuredError(Exception):
    """What was to be measured did not really happen; the message says what."""


def say(text: str) -> None:
    """Tell progress, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def distribution(values: Iterable[float]) -> dict[str, float]:
    """Return p50, p95, p99, max and n of some numbers, in tenths."""
    ordered = sorted(values)
    if not ordered:
        raise NotMeasuredError("a distribution of nothing")

    def at(share: float) -> float:
        return round(ordered[max(0, math.ceil(share * len(ordered)) - 1)], 1)

    return {
        "p50": at(0.5),
        "p95": at(0.95),
        "p99": at(0.99),
        "max": round(ordered[-1], 1),
        "n": len(ordered),
    }


def check(happened: object, what: str) -> None:
    """Raise NotMeasuredError unless something really happened."""
    if not happened:
        raise NotMeasuredError(what)


def wait(
    ready: Callable[[], object],
    what: str,
    *,
    seconds: float = 60.0,
    every: float = 0.05,
) -> None:
    """Ask until something has happened. Raises NotMeasuredError when it has not."""
    until = time.monotonic() + seconds
    while not ready():
        check(time.monotonic() < until, what)
        time.sleep(every)


def run(
    description: str,
    measure: Callable[[argparse.Namespace, Path], dict[str, Any]],
    *,
    devices: int = 2000,
    rounds: int = 20,
    options: Iterable[tuple[str, dict[str, Any]]] = (),
    days: int = 0,
) -> int:
    """Run one bench in a temporary folder; print its JSON; return the exit status.

    `options` are arguments of this bench alone, as argparse takes them.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--devices", type=int, default=devices)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--days", type=int, default=days)
    parser.add_argument("--json", action="store_true", help="the output is always JSON")
    parser.add_argument("--keep", type=Path, help="a folder to keep instead")
    for name, how in options:
        parser.add_argument(name, **how)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nguon-bench-") as folder:
        place = arguments.keep or Path(folder)
        try:
            found = measure(arguments, place)
        except (NotMeasuredError, StackError, UnexpectedAnswerError) as error:
            say(f"không đo được: {str(error)[:300]} … {str(error)[-300:]}")
            return 1
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    if not found["passed"]:
        say("đo được nhưng không đạt")
        return 1
    return 0


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    row = next(row for row in text.splitlines() if row.startswith("VmRSS"))
    return round(int(row.split()[1]) / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has spent, in seconds."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Swarm:
    """The simulated devices, asked over their control port."""

    def __init__(self, home: Path) -> None:
        port = int((home / "control-port").read_text())
        self._line = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._file = self._line.makefile("rwb")

    def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask one question."""
        self._file.write(json.dumps({"do": what, **more}).encode() + b"\n")
        self._file.flush()
        told: dict[str, Any] = json.loads(self._file.readline())
        return told

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._line.close()

    def wait_quiet(self, *, seconds: float = 120.0) -> None:
        """Wait until nothing sounds and every event is stored on the server."""

        def quiet() -> bool:
            told = self.ask("counts")
            return not told["unsent_events"] and not told["sounding"]

        wait(quiet, "the swarm does not come to rest", seconds=seconds, every=0.25)


class Desk:
    """Lan writes and sends, Minh approves: over HTTP, as their browsers do."""

    def __init__(self, stack: Stack) -> None:
        self.home = str(stack.world["home"])
        self.lan: Client = stack.login("lan")
        self.minh: Client = stack.login("minh")

    def send(self, *, kind: str, title: str, body: str, **timing: str) -> str:
        """Write a bulletin and send it; return the uid of its broadcast."""
        made = self.lan.tell("/ban-tin/moi/", unit=self.home, kind=kind)
        uid = made["bulletin_uid"]
        klass = "emergency" if kind == "drill" else kind
        self.lan.tell(
            f"/ban-tin/{uid}/luu/",
            revision=made["revision"],
            title=title,
            body=body,
            klass=klass,
            field="5",
            languages="vi",
            languages_sent="1",
        )
        sent = self.lan.tell(
            f"/ban-tin/{uid}/phat/", **{"timing": "now", "units": self.home, **timing}
        )
        return str(sent["broadcast_uid"])

    def wait_ready(self, uid: str) -> str:
        """Wait until a broadcast can be approved; return the hash to approve."""
        seen: dict[str, Any] = {}

        def ready() -> bool:
            seen.update(self.minh.ask(f"/duyet/{uid}/"))
            return bool(seen["state"] == "waiting")

        wait(ready, "no sound to approve", every=0.1)
        return str(seen["sha256"])

    def approve(self, uid: str, sha256: str) -> float:
        """Approve; return when the request was sent (ms since 1970)."""
        asked = time.time() * 1000
        self.minh.tell(f"/duyet/{uid}/phat/", sha256=sha256)
        return asked
