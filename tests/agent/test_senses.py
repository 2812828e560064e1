"""The senses put drivers together; each may fail by itself, none is guessed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from nguon.agent.drivers.host import Host, kind_of
from nguon.agent.player import Ending, Onset
from nguon.agent.senses import Senses
from nguon.core import beats

ROUTES = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "wwan0\t00000000\t0102A8C0\t0003\t0\t0\t700\t00000000\n"
    "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\n"
)
COUNTERS = (
    "Inter-|   Receive   |  Transmit\n face |bytes packets|bytes packets\n"
    "  eth0: 900000000 1 0 0 0 0 0 0 900000000 1 0 0 0 0 0 0\n"
    " wwan0: 310000000 1 0 0 0 0 0 0 12000000 1 0 0 0 0 0 0\n"
)


class Line:
    """A simulated driver: a wire that the test cuts."""

    name = "line"

    def __init__(self) -> None:
        self.told: Mapping[str, object] = {"line": "ok", "colour": "red"}
        self.broken = False

    def read(self) -> Mapping[str, object]:
        if self.broken:
            raise OSError("no such chip")
        return self.told


class Time:
    """A monotonic clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def board(tmp_path: Path) -> Host:
    """Return a board with a thermometer, a cable and a modem."""
    for name, text in (
        ("sys/class/thermal/thermal_zone0/temp", "48312\n"),
        ("proc/net/route", ROUTES),
        ("proc/net/dev", COUNTERS),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Host(storage=tmp_path, root=tmp_path)


def test_a_board_knows_its_disk_heat_and_network(board: Host) -> None:
    found = dict(board.read())

    assert isinstance(found.pop("storage_free_mb"), int)
    assert found == {"temperature_c": 48, "network": "ethernet", "data_used_mb": 322}


def test_a_bare_machine_leaves_out_what_it_has_not(tmp_path: Path) -> None:
    assert set(Host(storage=tmp_path, root=tmp_path).read()) == {"storage_free_mb"}


@pytest.mark.parametrize(
    ("name", "kind"), [("enp3s0", "ethernet"), ("wwan0", "4g"), ("lo", "")]
)
def test_an_interface_is_known_by_its_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_a_broken_sense_silences_no_other(board: Host) -> None:
    line = Line()
    senses = Senses([line, board], monotonic=Time())

    assert senses.read()["line"] == "ok"
    assert "colour" not in senses.read()
    line.broken = True

    found = senses.read()
    assert "line" not in found
    assert found["temperature_c"] == 48


def test_a_cut_line_is_news_until_it_is_told() -> None:
    line = Line()
    senses = Senses([line], monotonic=Time())
    senses.read()
    assert not senses.has_news()

    line.told = {"line": "open"}

    assert senses.has_news()
    senses.read()
    assert not senses.has_news()


def test_only_a_sound_with_a_level_is_a_proof_and_ages() -> None:
    clock = Time()
    senses = Senses([], monotonic=clock)

    def end(ms: int, energy: float) -> Ending:
        return Ending("k", 0.0, 0.0, ms, energy, 48_000, complete=True)

    assert not senses.sounded(Onset("k", 0.0, 0))
    assert not senses.sounded(end(100, 48_000 * 6_000.0**2))
    assert not senses.sounded(end(2_000, 0.0))
    assert senses.sounded(end(2_000, 48_000 * 6_000.0**2))
    clock.now += 90

    assert senses.read()["evidence"] == {beats.DECODED: 90}
