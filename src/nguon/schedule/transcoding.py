"""The relays that this server transcodes: which are wanted now, and who makes them.

Each wanted source has a process of its own (`speech.transcode`), from a minute before
the first slot that needs it until the end of the last. One that ends, or tells
nothing for a while, is ended and started again, the others do not notice. What it
publishes stands in a folder, which is empty before and after.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error, close_old_connections

from nguon.core.metrics import COUNTER, GAUGE, Metric, figure
from nguon.fleet.telltale import Condition
from nguon.schedule import relays, rules, station
from nguon.schedule.models import Airing, Paper
from nguon.schedule.station import Source

logger = logging.getLogger(__name__)

LEAD = timedelta(seconds=60)
# No slot is longer than a day.
LONGEST = timedelta(hours=25)
TURN_S = 1.0
# A process tells each second that it does not hang.
TOLD_S = 20.0
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 30.0)
# After so long it is believed to run well.
WELL_S = 60.0
# Each takes 3 % of a core and 100 MB; a province relays two or three stations.
MOST = 24
# A playlist that nobody has renewed for so long is of another hour.
FRESH_S = 8.0
PLAYLIST = "index.m3u8"
_LINE = 1_000


def list_wanted(*, at: datetime) -> dict[str, Source]:
    """Return the sources, by uid, that devices are to fetch from here now or soon.

    No more than MOST: of too many those whose slots began first.
    """
    items = Airing.objects.filter(
        broadcast=None,
        withdrawn_at=None,
        starts_at__range=(at - LONGEST, at + LEAD),
        ends_at__gt=at,
    )
    # The name of a relay's item begins with its source.
    named = items.order_by("starts_at", "pk").values_list("item", flat=True)
    uids = dict.fromkeys(item.partition(".")[0] for item in named)
    found = Paper.objects.filter(
        uid__in=uids,
        kind=station.SOURCE,
        state=rules.APPROVED,
        watch__route=rules.SERVER,
    )
    by_uid = {paper.uid: relays.body_of(paper) for paper in found}
    wanted = [uid for uid in uids if uid in by_uid]
    if len(wanted) > MOST:
        logger.error("relays: %s are wanted, %s are made", len(wanted), MOST)
    return {uid: by_uid[uid] for uid in wanted[:MOST]}


@dataclass
class Making:
    """One source and the process that transcodes it."""

    uid: str
    source: Source
    folder: Path
    tries: int = 0
    again_at: float = 0.0
    started_at: float = 0.0
    told_at: float = 0.0
    told: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def is_on(self) -> bool:
        """Say whether sound comes."""
        return self.process is not None and self.told.get("state") == "on"

    def start(self) -> None:
        """Start the process on an empty folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.told = {}
        self.started_at = self.told_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nguon.speech.transcode"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=relays.environment(),
        )
        asked = relays.asked_of(self.source) | {"folder": str(self.folder)}
        with contextlib.suppress(BrokenPipeError):
            if self.process.stdin:
                self.process.stdin.write(json.dumps(asked))
                self.process.stdin.close()
        threading.Thread(
            target=self._hear, args=(self.process,), name=self.uid, daemon=True
        ).start()

    def _hear(self, process: subprocess.Popen[str]) -> None:
        """Take what the process tells, line by line, until its end."""
        while process.stdout and (line := process.stdout.readline(_LINE)):
            with contextlib.suppress(ValueError, AttributeError):
                told = {name: str(word)[:60] for name, word in json.loads(line).items()}
                if process is self.process:
                    self.told, self.told_at = told, time.monotonic()

    def end(self) -> None:
        """End the process, whatever it does, and take away what it published."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Desk:
    """All sources that are transcoded; `turn` keeps them as they are wanted."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        wanted: Callable[[datetime], Mapping[str, Source]] = lambda at: list_wanted(
            at=at
        ),
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._wanted = wanted
        self.stopping = threading.Event()
        self.makings: dict[str, Making] = {}
        self.restarts = 0
        self._is_blind = False

    def run(self) -> None:
        """Work until `stopping`, alone on the folder; then nothing is left on air."""
        with _hold(self._folder, self.stopping) as held:
            if held:
                for left in self._folder.iterdir():
                    shutil.rmtree(left, ignore_errors=True)
            while held and not self.stopping.is_set():
                close_old_connections()
                self.turn()
                self.stopping.wait(TURN_S)
            for making in self.makings.values():
                making.end()

    def turn(self) -> None:
        """Start what is wanted, end what is not, start again what has ended.

        Without the database everything goes on as it was wanted last.
        """
        try:
            wanted = self._wanted(self._clock())
            self._is_blind = False
        except Error:
            logger.exception("relays: the database does not answer")
            self._is_blind = True
        else:
            self._follow(wanted)
        now = time.monotonic()
        for making in self.makings.values():
            self._keep(making, now)

    def _follow(self, wanted: Mapping[str, Source]) -> None:
        for uid in self.makings.keys() - wanted.keys():
            logger.info("relay %s: no slot needs it any more", uid)
            self.makings.pop(uid).end()
        for uid, source in wanted.items():
            if uid not in self.makings:
                logger.info("relay %s: a slot needs it", uid)
                self.makings[uid] = Making(uid, source, self._folder / uid)

    def _keep(self, making: Making, now: float) -> None:
        """See that a process runs; a failed one starts again, later each time."""
        process = making.process
        if process is not None:
            if now - making.started_at > WELL_S:
                making.tries = 0
            if process.poll() is None and now - making.told_at < TOLD_S:
                return
            logger.warning("relay %s: its process ended or hangs", making.uid)
            making.end()
            self.restarts += 1
            making.again_at = now + AGAIN_S[min(making.tries, len(AGAIN_S) - 1)]
            making.tries += 1
        if now >= making.again_at:
            making.start()

    def condition(self) -> Condition:
        """Say how this process is; a source without sound is the source's illness."""
        makings = list(self.makings.values())
        away = [making.source.name for making in makings if not making.is_on]
        return Condition(not self._is_blind, {"made": len(makings), "away": away})

    def figures(self) -> list[Metric]:
        """Return how many sources are made, how many have sound, and the restarts."""
        makings = list(self.makings.values())
        on = sum(making.is_on for making in makings)
        rows = [({"state": "on"}, float(on))]
        rows.append(({"state": "away"}, float(len(makings) - on)))
        return [
            Metric("nguon_relays", GAUGE, "Sources that are transcoded now.", rows),
            figure(
                "nguon_relay_restarts_total", COUNTER, "Lost processes.", self.restarts
            ),
        ]


@contextlib.contextmanager
def _hold(folder: Path, stopping: threading.Event) -> Iterator[bool]:
    """Keep the folder to this process; wait while another has it. False: stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        while not stopping.is_set():
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                stopping.wait(TURN_S)
        yield not stopping.is_set()
    finally:
        os.close(handle)


# --- what was published ------------------------------------------------------------


def find_published(uid: str, name: str, *, at: datetime) -> bytes | None:
    """Return a file of a relay that is being made now, or None.

    What an ended process may have left behind is of another hour and never served.
    """
    folder: Path = settings.RELAYS_DIR / uid
    try:
        written = (folder / PLAYLIST).stat().st_mtime
        if abs(at.timestamp() - written) > FRESH_S:
            return None
        return (folder / name).read_bytes()
    except OSError:
        return None
