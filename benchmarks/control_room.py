"""How long an officer waits at the control room of a full province, over real HTTP.

1. A database of its own with 10,000 devices (states, faults, proofs, a past) and
   `--plays` play records; what is written by SQL is what the gateway would write.
2. The web server as it runs in service; the technician of the province signs in.
3. Each page is asked for many times, one after the other, whole and as a person gets
   it: the map (page and facts), the list (silent first, filtered, searched, far
   back), one device after the other, today. p95 of each.
"""

import argparse
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _bench
from nguon.demo.client import JSON, Client
from nguon.demo.stack import Stack

LIMIT_MS = 300.0
WARM_UP = 3
# Pages without a promise, which may be slow, are asked for less often.
FEW = 20


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    with run_database(arguments.database) as address:
        stack = Stack(
            folder / "stack",
            database_url=address,
            devices=0,
            agents=0,
            boards=0,
            servers=("web",),
            say=_bench.say,
        )
        with stack:
            return _measure(stack, arguments)


@contextlib.contextmanager
def run_database(kind: str) -> Iterator[str | None]:
    """Yield the address of a PostgreSQL; None means SQLite."""
    if kind == "sqlite":
        yield None
        return
    from tests.postgresql import run_cluster

    with run_cluster() as address:
        yield address


def _measure(stack: Stack, arguments: argparse.Namespace) -> dict[str, Any]:
    began = time.monotonic()
    os.environ |= stack.env | {
        "DJANGO_SETTINGS_MODULE": "nguon.web.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }
    import django

    django.setup()
    facts = _fill(arguments)
    _bench.say(f"filled in {time.monotonic() - began:.0f} s: {facts}")
    if arguments.serve:
        _bench.say(f"{stack.web_url} tung / {stack.password}; Enter ends")
        sys.stdin.readline()
    found = {
        who: Room(stack.login(who)).run(arguments.rounds) for who in ("tung", "admin")
    }
    # The slowest of the two: who sees one province, and who sees all.
    p95 = {
        page: max(found[who][page]["p95"] for who in found) for page in found["tung"]
    }
    promised = ("map", "list", "device", "today")
    return {
        "bench": "control-room",
        "database": arguments.database,
        **facts,
        "rounds": arguments.rounds,
        "p95_ms": p95,
        "by_officer_ms": found,
        "limits": {"p95_ms": LIMIT_MS},
        "passed": all(p95[page] <= LIMIT_MS for page in promised),
    }


def _fill(arguments: argparse.Namespace) -> dict[str, int]:
    """Write the crowd; return how much there is of what."""
    from django.utils import timezone

    from benchmarks import _crowd
    from nguon.fleet.models import Device, DeviceEvent, SignalChange

    at, began = timezone.now(), time.monotonic()
    _crowd.make_devices(arguments.devices, at)
    _crowd.make_past(at)
    whole = _crowd.make_programme(at)
    before, empty_mb = time.monotonic(), _crowd.size_mb()
    _bench.say(f"devices and their past are there after {before - began:.0f} s")
    plays = _crowd.make_plays(arguments.plays, whole, at)
    _crowd.tidy()
    return {
        "devices": Device.objects.count(),
        "plays": plays,
        "plays_loaded_s": round(time.monotonic() - before),
        "plays_mb": _crowd.size_mb() - empty_mb,
        "events": DeviceEvent.objects.count(),
        "signal_changes": SignalChange.objects.count(),
    }


class Room:
    """One officer at the control room."""

    def __init__(self, web: Client) -> None:
        self._web = web
        told = web.ask("/thiet-bi/?trang=7")
        self._devices = [row["device"] for row in told["devices"]]
        communes = web.ask("/thiet-bi/ban-do/")["communes"]
        _bench.check(len(communes) > 100, "the map has too few communes")
        self._unit = communes[0]["unit"]
        self._broadcast = web.ask("/nhat-ky/")["plays"][0]["broadcast_uid"]

    def run(self, rounds: int) -> dict[str, dict[str, float]]:
        """Return the times of each kind of page, ms."""
        lists = (
            "/thiet-bi/",
            "/thiet-bi/?tinh_trang=silent",
            "/thiet-bi/?loi=lost&noi=khong",
            "/thiet-bi/?tim=mau+7",
            "/thiet-bi/?hang=An+Kh%C3%AA&bang_chung=4",
            "/thiet-bi/?bang_chung=0",
            "/thiet-bi/?trang=180",
            f"/thiet-bi/?xa={self._unit}",
        )
        devices = [f"/thiet-bi/{uid}/?ngay=7" for uid in self._devices]
        return {
            "map": self._time(["/thiet-bi/ban-do/"], rounds),
            "map_data": self._time(["/thiet-bi/ban-do/"], rounds, JSON),
            "commune": self._time([f"/thiet-bi/ban-do/?xa={self._unit}"], rounds),
            "list": self._time(lists, rounds),
            "device": self._time(devices, rounds),
            "today": self._time(["/"], rounds),
            "plays": self._time(
                [f"/nhat-ky/?thiet_bi={uid}" for uid in self._devices], rounds
            ),
            "log": self._time(["/nhat-ky/"], min(rounds, FEW)),
            "live": self._time([f"/phat/{self._broadcast}/"], min(rounds, FEW)),
        }

    def _time(
        self, paths: Any, rounds: int, headers: dict[str, str] | None = None
    ) -> dict[str, float]:
        taken = []
        for number, path in enumerate(itertools.islice(itertools.cycle(paths), rounds)):
            began = time.perf_counter()
            answer = self._web.get(path, headers)
            took = (time.perf_counter() - began) * 1000
            _bench.check(answer.status == 200, f"{path}: {answer.status}")
            if number >= min(WARM_UP, rounds - 1):
                taken.append(took)
        return _bench.distribution(taken)


if __name__ == "__main__":
    sys.exit(
        _bench.run(
            str(__doc__),
            measure,
            devices=10_000,
            rounds=100,
            options=(
                ("--plays", {"type": int, "default": 20_000_000}),
                (
                    "--database",
                    {"choices": ("postgresql", "sqlite"), "default": "postgresql"},
                ),
                (
                    "--serve",
                    {"action": "store_true", "help": "wait before measuring, to look"},
                ),
            ),
        )
    )
