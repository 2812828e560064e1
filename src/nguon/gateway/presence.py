"""Who is on the bus now: connections, beats, and two devices with one key.

The NATS server itself says who connects and goes, so a device that dies without a
word is seen too. The newest beat of each device waits in memory and is written in
batches, never once per beat; while the database is away, the newest wins, and every
beat has gone into its hour (`fleet.rollups`), which waits too.
"""

import asyncio
import json
import logging
import math
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nguon.core import topics
from nguon.core.beats import MAX_BEAT_BYTES, Beat
from nguon.core.signing import DocumentRefusedError
from nguon.fleet import actions as fleet
from nguon.fleet import rollups
from nguon.fleet.models import CLONE, Device
from nguon.gateway.broker import Bus, Msg
from nguon.gateway.carrier import Clock, now
from nguon.gateway.desk import Desk
from nguon.gateway.floods import Floods

logger = logging.getLogger(__name__)

WRITE_SECONDS = 1.0
# One fault in so many seconds for one device: two copies fight many times a minute.
CLONE_SECONDS = 60.0
# The moment a device was last heard is in the database at most this much too early:
# a device that talks all the time costs a write now and then, not every second.
HEARD_SECONDS = 20.0
CLONE_REASON = "Duplicate Client ID"
DOUBLE_SECONDS = 5.0
MAX_NEWS = 50_000
# Hours that wait in memory while the database is away: a day of ten thousand devices.
MAX_HOURS = 240_000
# After the bus was away, devices get this long to come back before they are lost:
# they wait up to 30 s, spread out, and none of them did anything wrong.
RETURN_SECONDS = 60.0


# Server and number of a connection; its host and when it began.
Line = tuple[str, int]
Place = tuple[str, str]
# What was told in the hours of devices, by uid and begin in ms.
Hours = dict[tuple[str, int], rollups.Hour]


class Presence:
    """What is known now, and what of it is not yet in the database."""

    def __init__(self, bus: Bus, floods: Floods, *, clock: Clock = now) -> None:
        self._bus = bus
        self._floods = floods
        self._clock = clock
        self._desk = Desk("presence")
        # Each connection of a device, and where from and since when it is.
        self._live: dict[str, dict[Line, Place]] = {}
        # The latest comings and goings; how many does not matter, the newest do.
        self._news: deque[tuple[str, Line, Place | None]] = deque(maxlen=MAX_NEWS)
        self._came_from: dict[str, str] = {}
        self._twice: dict[str, float] = {}
        self._changed: set[str] = set()
        self._heard: set[str] = set()
        self._written: dict[str, float] = {}
        self._beats: dict[str, Beat] = {}
        self._hours: Hours = {}
        self.hours_dropped = 0
        self._awaited: set[str] = set()
        self._awaited_until = 0.0
        self.unreadable = 0
        self.wrong = 0
        self.beats = 0
        self._clones: dict[str, dict[str, Any]] = {}
        self._noted: dict[str, float] = {}

    async def connected(self, message: Msg) -> None:
        """Note a device that connected."""
        uid, key, told = _read(message.data)
        if uid:
            held = self._live.setdefault(uid, {})
            held[key] = _place(told["client"])
            self._news.append((uid, key, held[key]))
            if len({server for server, _number in held}) > 1:
                self._twice.setdefault(uid, asyncio.get_running_loop().time())
            self._awaited.discard(uid)
            self._changed.add(uid)
            self._heard.add(uid)

    async def gone(self, message: Msg) -> None:
        """Note a device that went; pushed out by its double, that is a fault."""
        uid, key, told = _read(message.data)
        if not uid:
            return
        held = self._live.get(uid, {})
        held.pop(key, None)
        if not held:
            self._live.pop(uid, None)
        self._news.append((uid, key, None))
        self._changed.add(uid)
        if told.get("reason") == CLONE_REASON:
            host, since = _place(told["client"])
            other = self._came_from.get(uid, "")
            self._clones[uid] = {"host": host, "since": since, "other_host": other}

    def admitted(self, uid: str, host: str) -> None:
        """Note from where a device has just been let in: the other side of a clone."""
        self._came_from[uid] = host

    def _find_doubles(self) -> None:
        """Find keys in use at two servers of the bus at once, longer than a moment.

        One server pushes out the first by itself; two do not know of each other.
        """
        oldest = asyncio.get_running_loop().time() - DOUBLE_SECONDS
        for uid, since in list(self._twice.items()):
            held = self._live.get(uid, {})
            if len({server for server, _number in held}) < 2:
                del self._twice[uid]
            elif since <= oldest:
                self._twice[uid] = math.inf  # told once, for as long as it lasts
                (host, started), (other, _began) = list(held.values())[-2:]
                self._clones[uid] = {
                    "host": host,
                    "since": started,
                    "other_host": other,
                }

    async def beat(self, message: Msg) -> None:
        """Keep what a device says about itself; an older word gives way.

        Its last will is no sign of life. What cannot be read is counted and dropped:
        the next beat comes within a minute.
        """
        self.beats += 1
        try:
            _scope, uid, _channel = topics.parse(message.subject)
            if not self._floods.passes(uid, message, at=time.time()):
                return
            if len(message.data) > MAX_BEAT_BYTES:
                raise ValueError("too long")
            beat = Beat.decode(json.loads(message.data), device=uid)
        except (ValueError, RecursionError, DocumentRefusedError):
            self.unreadable += 1
            return
        if beat.wrong:
            self.wrong += 1
        if uid in self._live and not beat.gone:
            self._heard.add(uid)
            self._beats[uid] = beat
            arrived = round(self._clock().timestamp() * 1000)
            begin, hour = rollups.hour_of(beat, arrived=arrived)
            self._keep({(uid, begin): hour})

    def _keep(self, hours: Hours) -> None:
        """Merge hours into those that wait to be written."""
        for key, hour in hours.items():
            if key in self._hours:
                self._hours[key].merge(hour)
            elif len(self._hours) < MAX_HOURS:
                self._hours[key] = hour
            else:
                self.hours_dropped += 1

    @property
    def connected_count(self) -> int:
        """How many devices hold a connection now."""
        return len(self._live)

    def heard(self, uids: set[str]) -> None:
        """Note that devices told of events."""
        self._heard |= uids

    def _due(self) -> set[str]:
        """Return and forget who was heard, but for those written a moment ago."""
        loop_time = asyncio.get_running_loop().time()
        oldest = loop_time - HEARD_SECONDS
        due = {
            uid
            for uid in self._heard
            if uid in self._changed or self._written.get(uid, -math.inf) <= oldest
        }
        self._heard = set()
        self._written.update(dict.fromkeys(due, loop_time))
        return due

    async def write(self) -> None:
        """Write what has changed since the last time."""
        at = self._clock()
        if self._awaited and asyncio.get_running_loop().time() >= self._awaited_until:
            self._changed |= self._awaited
            self._awaited = set()
        self._find_doubles()
        heard = self._due()
        beats, self._beats = self._beats, {}
        hours, self._hours = self._hours, {}
        changed, clones = self._changed, self._clones
        self._changed, self._clones = set(), {}
        here = {uid for uid in changed if uid in self._live}
        try:
            if changed or heard or beats:
                away = changed - here
                await self._desk.run(_write, here, away, heard, beats, at)
            if hours:
                await self._desk.run(fleet.record_hours, hours=hours, at=at)
                hours = {}
            for uid, data in clones.items():
                await self._note_clone(uid, data, at)
        except Exception:
            self._changed |= changed
            self._heard |= heard
            for uid in heard:
                self._written.pop(uid, None)
            self._beats = beats | self._beats
            self._keep(hours)
            raise

    async def _note_clone(self, uid: str, data: dict[str, Any], at: datetime) -> None:
        loop_time = asyncio.get_running_loop().time()
        if loop_time - self._noted.get(uid, -CLONE_SECONDS) < CLONE_SECONDS:
            return
        self._noted[uid] = loop_time
        logger.warning("A second client came with the key of device %s", uid)
        await self._desk.run(
            fleet.note_fault, device_uid=uid, fault=CLONE, data=data, at=at
        )

    async def learn(self) -> None:
        """Ask the server who is connected now, and correct the database by it.

        Who is believed to be there and is not may still come back for a while.
        """
        self._news.clear()
        rows = await self._bus.list_connections()
        live: dict[str, dict[Line, Place]] = {}
        for row in rows:
            place = (row.host, row.since)
            live.setdefault(row.uid, {})[row.server, row.number] = place
        # Who came or went while the servers were answering knows it better.
        for uid, key, news in self._news:
            if news is not None:
                live.setdefault(uid, {})[key] = news
            elif live.get(uid, {}).pop(key, None) and not live[uid]:
                del live[uid]
        self._live = live
        believed = await self._desk.run(_list_connected)
        self._changed |= set(live)
        missing = believed - set(live)
        # Whoever is awaited already is not given more time by asking again.
        if not self._awaited & missing:
            self._awaited_until = asyncio.get_running_loop().time() + RETURN_SECONDS
        self._awaited = missing
        await self.write()

    async def run(self) -> None:
        """Write once a second, until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    def close(self) -> None:
        """End the thread."""
        self._desk.close()


def _read(data: bytes) -> tuple[str, tuple[str, int], dict[str, Any]]:
    """Return (device uid or nothing, connection, message) of a server's advisory."""
    told: dict[str, Any] = json.loads(data)
    client = told["client"]
    uid = str(client.get("client_id") or "")
    is_device = client.get("client_type") == "mqtt" and topics.is_uid(uid)
    key = (str(told["server"]["id"]), int(client["id"]))
    return uid if is_device else "", key, told


def _place(client: Mapping[str, Any]) -> Place:
    return str(client.get("host", ""))[:60], str(client.get("start", ""))[:40]


def _write(
    here: set[str],
    away: set[str],
    heard: set[str],
    beats: dict[str, Beat],
    at: datetime,
) -> None:
    fleet.record_connections(here=here, away=away, at=at)
    fleet.record_heard(uids=heard, at=at)
    fleet.record_beats(heard=beats, at=at)


def _list_connected() -> set[str]:
    return set(Device.objects.filter(connected=True).values_list("uid", flat=True))
