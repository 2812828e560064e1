"""Power cuts everywhere, all the time: nothing is lost, nothing happens twice.

Gateway, bus, web, worker and agents are killed (`kill -9`) at 100 random points
while bulletins are sent, voiced, approved and played. The seed is printed; set
NGUON_CHAOS_SEED to meet the same points again.
"""

import contextlib
import http.client
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nguon.demo.client import UnexpectedAnswerError
from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server, pytest.mark.alone]

KILLS = 100
BULLETINS = 8
PATIENCE_SECONDS = 420
ASK_SECONDS = 0.2
TROUBLE = (OSError, http.client.HTTPException, UnexpectedAnswerError)


class Story:
    """Lan and Minh at work; whatever does not answer is asked again."""

    def __init__(self, stack: Stack) -> None:
        self.lan, self.minh = stack.login("lan"), stack.login("minh")
        self.home = stack.world["home"]
        self.deadline = time.monotonic() + PATIENCE_SECONDS
        self.drafts = [self._write(number) for number in range(BULLETINS)]

    def tell(self) -> None:
        """Send and approve them all, one after the other."""
        for draft in self.drafts:
            self._release(self._send(draft))

    def _write(self, number: int) -> str:
        made = self.lan.tell("/ban-tin/moi/", unit=self.home, kind="normal")
        uid = str(made["bulletin_uid"])
        self.lan.tell(
            f"/ban-tin/{uid}/luu/",
            revision=made["revision"],
            title=f"Bản tin số {number}",
            body=f"Mời bà con thôn {number} họp.",
            klass="normal",
            field="1",
            languages="vi",
            languages_sent="1",
        )
        return uid

    def _send(self, uid: str) -> str:
        fields = {"timing": "now", "units": self.home}
        sent = self._insist(lambda: self.lan.tell(f"/ban-tin/{uid}/phat/", **fields))
        return str(sent["broadcast_uid"])

    def _release(self, uid: str) -> None:
        def ready() -> Any:
            seen = self.minh.ask(f"/duyet/{uid}/")
            if seen["state"] == "preparing":
                raise UnexpectedAnswerError("not ready yet")
            return seen

        def approve() -> None:
            seen = ready()
            if seen["state"] != "approved":
                self.minh.tell(f"/duyet/{uid}/phat/", sha256=seen["sha256"])

        self._insist(approve)

    def _insist(self, act: Callable[[], Any]) -> Any:
        while True:
            try:
                return act()
            except TROUBLE:
                if time.monotonic() > self.deadline:
                    raise
                time.sleep(ASK_SECONDS)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path / "world", devices=0, agents=2, boards=0) as running:
        yield running


def rows(stack: Stack, query: str) -> list[tuple[Any, ...]]:
    """Read the server's own database, past all of our code."""
    with contextlib.closing(
        sqlite3.connect(stack.folder / "nguon.sqlite3", timeout=30)
    ) as database:
        return database.execute(query).fetchall()


def wait_for(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(ASK_SECONDS)


def test_nothing_is_lost_or_doubled_when_everything_is_killed(stack: Stack) -> None:
    seed = int(os.environ.get("NGUON_CHAOS_SEED") or random.randrange(10**6))
    sys.stderr.write(f"NGUON_CHAOS_SEED={seed}\n")
    chance = random.Random(seed)
    victims = ["gateway", "nats", "web", "worker", "speaker-0", "speaker-1"]
    story = Story(stack)

    # Processes die with the thread that started them, so the story gets its own.
    with ThreadPoolExecutor(1) as people:
        telling = people.submit(story.tell)
        for _kill in range(KILLS):
            time.sleep(chance.uniform(0, 1.2))
            victim = chance.choice(victims)
            stack.kill(victim)
            stack.restart(victim, wait=False)
        telling.result(timeout=PATIENCE_SECONDS)
    told = (
        "SELECT count(*) FROM schedule_playrecord p JOIN schedule_broadcast b"
        " ON b.id = p.broadcast_id WHERE b.state = 'approved' AND p.outcome <> ''"
    )
    wait_for(lambda: rows(stack, told)[0][0] >= 2 * BULLETINS, "plays are missing", 300)

    _check_nothing_lost_or_doubled(stack, story)


def _check_nothing_lost_or_doubled(stack: Stack, story: Story) -> None:
    drafts = "', '".join(story.drafts)
    mine = f"FROM newsroom_bulletin b WHERE b.uid IN ('{drafts}')"
    assert rows(stack, f"SELECT count(*) {mine}") == [(BULLETINS,)]
    released = rows(
        stack,
        "SELECT v.bulletin_id, count(*) FROM schedule_broadcast s JOIN"
        " newsroom_version v ON v.id = s.version_id WHERE s.state = 'approved'"
        " GROUP BY v.bulletin_id",
    )
    assert [count for _bulletin, count in released] == [1] * BULLETINS
    approvals = rows(
        stack, "SELECT count(*) FROM newsroom_involvement WHERE kind = 'approve'"
    )
    assert approvals == [(BULLETINS,)]
    jobs = rows(stack, "SELECT state, count(*) FROM newsroom_rendition GROUP BY state")
    assert {state for state, _count in jobs} == {"ready"}
    plays = rows(
        stack,
        "SELECT device_id, broadcast_id, count(*), min(outcome) FROM"
        " schedule_playrecord GROUP BY device_id, broadcast_id",
    )
    assert [play[2] for play in plays] == [1] * (2 * BULLETINS)
    assert {play[3] for play in plays} == {"finished"}
    gaps = rows(
        stack,
        "SELECT device_id, log, count(*), min(n), max(n) FROM fleet_deviceevent"
        " GROUP BY device_id, log",
    )
    assert len(gaps) == 2
    for _device, _log, count, first, last in gaps:
        assert (first, last) == (1, count)
