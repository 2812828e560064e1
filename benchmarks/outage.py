"""Seventy-two hours without any network: devices play alone, and tell all of it after.

1. Everything runs for real: virtual devices and two real agents, bulletins for every
   day (`--programme`: the whole week of the demo), every sound of the three days there.
2. Every process is killed. The devices come back alone; their clocks leap from one
   planned item to the next (`_later`), and they sound each in its own time. One agent
   is killed (`kill -9`) in the middle of sounds and between them; the other lives on.
3. The servers come back with clocks three days later. Each device tells what it has
   kept; every planned item of every device must have its record, once, in order.
"""

import argparse
import contextlib
import itertools
import json
import os
import sqlite3
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import _bench
from nguon.agent.store import MAX_REFUSED_WAITING
from nguon.demo.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
DAILY = ("05:30", "11:00", "17:00", "17:01")
SOUND, SILENCE = "in a sound", "in silence"
# Which share of the outage is over when the agent is killed, and in what.
KILLS = ((0.1, SOUND), (0.35, SILENCE), (0.5, SOUND), (0.8, SILENCE))
SOUNDING = "SELECT count(*) FROM play WHERE started_at > 0 AND outcome = ''"
PATIENCE_S, OUTAGE_S = 180.0, 1_200.0
# Three days of a busy speaker, with all its documents, on its small disk.
STORE_MB = 8.0

AIRINGS = """
SELECT count(*) FROM schedule_airing
WHERE starts_at BETWEEN ? AND ? AND withdrawn_at IS NULL
"""
PREPARED = """
SELECT d.uid, p.item, p.planned_at, p.started_at, p.outcome
FROM schedule_playrecord p JOIN fleet_device d ON d.id = p.device_id
WHERE p.planned_at BETWEEN ? AND ? AND p.prepared_at IS NOT NULL
ORDER BY d.uid, p.planned_at, p.item
"""


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=arguments.devices,
        agents=2,
        boards=0,
        programme=arguments.programme,
        say=_bench.say,
    )
    with stack:
        if not arguments.programme:
            _release_daily(stack)
        return Outage(stack, arguments.hours).run()


def _release_daily(stack: Stack) -> None:
    """Release short bulletins for every day, two of them side by side."""
    desk = _bench.Desk(stack)
    today = datetime.now(tz=LOCAL).date()
    for hour in DAILY:
        uid = desk.send(
            kind="normal",
            title=f"Bản tin {hour}",
            body="Mời bà con họp.",
            timing="daily",
            time_of_day=hour,
            first_date=str(today),
            last_date=str(today + timedelta(days=7)),
        )
        desk.approve(uid, desk.wait_ready(uid))


class Outage:
    """Three days of a stack whose devices are alone."""

    def __init__(self, stack: Stack, hours: float) -> None:
        self.stack = stack
        self.seconds = hours * 3600
        self.hours = hours
        self.devices = stack.devices + stack.agents
        self.alone = [name for name in stack.programs if name not in stack.servers]

    def run(self) -> dict[str, Any]:
        """Prepare, cut, live through it, come back, count."""
        began = datetime.now(tz=UTC)
        span = (began + timedelta(seconds=60), began + timedelta(hours=self.hours))
        planned = self._wait_prepared(span)
        for name in [*self.stack.servers, *self.alone]:
            self.stack.kill(name)
        _bench.say(f"alone, with {len(planned)} plays on {self.devices} devices")
        self._leave_alone({moment for _uid, _item, moment, *_more in planned})
        self._live_through()
        kept = [self._kept(number) for number in range(self.stack.agents)]
        _bench.say(f"kept by the agents: {kept}")
        self._come_back()
        return self._sum_up(planned, self._wait_told(span), kept)

    # --- before ----------------------------------------------------------------------

    def _wait_prepared(self, span: tuple[datetime, datetime]) -> list[tuple[Any, ...]]:
        """Wait until every device holds every sound of the span; return the plays."""
        swarm = _bench.Swarm(self.stack.folder / "simulator")
        swarm.wait_quiet()

        def all_here() -> bool:
            ((airings,),) = self._rows(AIRINGS, span)
            return bool(airings) and len(self._rows(PREPARED, span)) == (
                airings * self.devices
            )

        _bench.wait(all_here, "not every sound is on every device", every=0.5)
        swarm.wait_quiet()
        swarm.close()
        return self._rows(PREPARED, span)

    def _rows(self, query: str, span: tuple[datetime, datetime]) -> list[Any]:
        path = self.stack.folder / "nguon.sqlite3"
        form = "%Y-%m-%d %H:%M:%S"
        values = [f"{moment:{form}}" for moment in span]
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
            return database.execute(query, values).fetchall()

    # --- alone -----------------------------------------------------------------------

    def _leave_alone(self, moments: set[str]) -> None:
        """Start the devices with clocks that leap over what is silent."""
        path = self.stack.folder / "nguon.sqlite3"
        with contextlib.closing(sqlite3.connect(path)) as database:
            (longest,) = database.execute(
                "SELECT max(duration_ms) FROM fleet_media"
            ).fetchone()
        for name in self.alone:
            how = {
                "until_s": self.seconds,
                "progress": str(self._progress(name)),
                "moments": sorted({_milliseconds(moment) for moment in moments}),
                "hold_ms": longest + 2_000,
            }
            self._shift(name, how)
            self.stack.programs[name].start()

    def _shift(self, name: str, how: dict[str, Any]) -> None:
        """Have a process run at another time from its next start on."""
        program = self.stack.programs[name]
        path = self.stack.folder / f"later-{name}.json"
        path.write_text(json.dumps(how), encoding="utf-8")
        python, m, *rest = program.command
        command = [python, m, "benchmarks._later", str(path), *rest]
        if "--wav" in command:
            # Three days of silence are no file.
            command[command.index("--wav") :] = ["--null"]
        program.command = command
        paths = [program.env["PYTHONPATH"], str(ROOT)]
        program.env = {**program.env, "PYTHONPATH": os.pathsep.join(paths)}

    def _progress(self, name: str) -> Path:
        return self.stack.folder / f"ahead-{name}"

    def _live_through(self) -> None:
        """Wait for the end of the outage; meanwhile kill one agent now and then.

        Both kills in a sound need one after their share of it: half of the outage has
        to be longer than the night between two bulletins.
        """
        victim, kills = self.stack.agent_name(0), list(KILLS)
        patience = time.monotonic() + OUTAGE_S
        while kills or not all(self._ahead(n) >= self.seconds for n in self.alone):
            _bench.check(time.monotonic() < patience, "the outage does not end")
            dead = [n for n in self.alone if not self.stack.programs[n].running]
            _bench.check(not dead, f"died alone: {dead}")
            if kills and self._is_time(victim, *kills[0]):
                self.stack.kill(victim)
                _bench.say(f"killed {victim} {kills.pop(0)[1]}")
                self.stack.programs[victim].start()
            time.sleep(0.1)

    def _is_time(self, victim: str, share: float, when: str) -> bool:
        if self._ahead(victim) < share * self.seconds:
            return False
        return when == SILENCE or bool(self._ask(0, SOUNDING))

    def _ahead(self, name: str) -> float:
        path = self._progress(name)
        return float(path.read_text()) if path.exists() else 0.0

    def _ask(self, number: int, query: str) -> int:
        """Ask the store of a real agent, as any other process may read it."""
        path = self.stack.agent_home(number) / "store.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as store:
            return int(store.execute(query).fetchone()[0])

    def _kept(self, number: int) -> dict[str, float]:
        home = self.stack.agent_home(number)
        size = sum(path.stat().st_size for path in home.glob("store.sqlite3*"))
        return {
            "events": self._ask(number, "SELECT count(*) FROM event"),
            "refused": self._ask(
                number, "SELECT count(*) FROM event WHERE type = 'refused'"
            ),
            "mb": round(size / 2**20, 2),
        }

    # --- after -----------------------------------------------------------------------

    def _come_back(self) -> None:
        """Start the servers as they are after the outage."""
        for name in self.stack.servers:
            # The bus has no clock of its own: it judges nothing by time.
            if name != "nats":
                self._shift(name, {"ahead_s": self.seconds})
            self.stack.programs[name].start()
        for name in self.stack.servers:
            self.stack.programs[name].wait_ready()

    def _wait_told(self, span: tuple[datetime, datetime]) -> list[Any]:
        """Wait until every record is whole and no device keeps an event."""
        swarm = _bench.Swarm(self.stack.folder / "simulator")

        def all_told() -> bool:
            agents = range(self.stack.agents)
            return (
                all(row[4] for row in self._rows(PREPARED, span))
                and not swarm.ask("counts")["unsent_events"]
                and not any(self._ask(n, "SELECT count(*) FROM event") for n in agents)
            )

        _bench.wait(all_told, "not all was told", seconds=PATIENCE_S, every=1.0)
        swarm.close()
        return self._rows(PREPARED, span)

    def _sum_up(
        self, planned: list[Any], told: list[Any], kept: list[dict[str, float]]
    ) -> dict[str, Any]:
        facts = self.stack.query("count_facts")
        outcomes = Counter(row[4] for row in told)
        silent = len(planned) - sum(1 for row in told if row[3])
        disorder = self._out_of_order(told)
        store_mb = max(row["mb"] for row in kept)
        return {
            "bench": "outage",
            "hours": self.hours,
            "devices": self.devices,
            "plays": len(planned),
            "outcomes": outcomes,
            "silent": silent,
            "events": facts["events"],
            "lost": facts["lost"] + len(_keys(planned) - _keys(told)),
            "doubled": facts["doubled"],
            "out_of_order": disorder,
            "kills": len(KILLS),
            "kept_by_agents": kept,
            "limits": {"store_mb": STORE_MB, "refused_kept": MAX_REFUSED_WAITING},
            "passed": not (facts["lost"] or facts["doubled"] or disorder or silent)
            and len(planned) == len(told)
            and all(row["refused"] <= MAX_REFUSED_WAITING for row in kept)
            and store_mb <= STORE_MB,
        }

    def _out_of_order(self, told: list[Any]) -> int:
        """Count what came or sounded in another order than it was told or planned."""
        latest: dict[tuple[int, str], int] = {}
        wrong = 0
        path = self.stack.folder / "nguon.sqlite3"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
            rows = database.execute(
                "SELECT device_id, log, n FROM fleet_deviceevent"
                " WHERE log <> 'server' ORDER BY id"
            )
            for device, log, n in rows:
                wrong += n < latest.get((device, log), 0)
                latest[device, log] = n
        by_device = itertools.groupby(told, key=lambda row: row[0])
        for _device, plays in by_device:
            starts = [row[3] for row in plays if row[3]]
            wrong += sum(b < a for a, b in itertools.pairwise(starts))
        return wrong


def _keys(plays: list[Any]) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in plays}


def _milliseconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=100, options=(
        ("--hours", {"type": float, "default": 72.0}),
        ("--programme", {"action": "store_true"}),
    )))  # fmt: skip
