"""The process: all devices' sockets, documents, turns and events on one loop.

1. `_enrol`: claims become devices; a person lets them in; each pulls its state.
2. `_connect`: each signs in to the bus and says that it was born.
3. A message from the bus is stamped, verified and held at once (`_take_message`);
   deciding and sounding comes after the sockets are empty (`_pump`), because one
   core does here what thousands of devices do side by side.
4. `_flush`: states and events go to disk, then events to the gateway, again and
   again until it says that they are stored.
5. `_pull`: every device asks for its state once a minute, and soon after a nudge.
"""

import asyncio
import gc
import hashlib
import json
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nguon.core import signing, topics
from nguon.core.messages import MAX_EVENTS_PER_BATCH, Event, EventBatch
from nguon.core.pauses import jitter
from nguon.core.signing import DocumentRefusedError, PublicKey, SigningKey
from nguon.simulator.agenda import Agenda
from nguon.simulator.body import Body
from nguon.simulator.device import Device
from nguon.simulator.http import UnreachableError
from nguon.simulator.link import Bus, BusRefusedError, Link
from nguon.simulator.notary import Document, Notary
from nguon.simulator.programs import Programs
from nguon.simulator.server import Server, ServerRefusedError
from nguon.simulator.store import Row, Store
from nguon.simulator.tally import Tally

logger = logging.getLogger("nguon.simulator")

BEAT_SECONDS = 60.0
# Messages first: turns wait until the sockets were silent for this long, but no
# longer than that for so many devices: each real one has a processor of its own.
SILENCE_SECONDS = 0.006
TIDY_SECONDS, PAUSE_SECONDS = 10.0, 0.3
PATIENCE_SECONDS, PATIENT_DEVICES = 0.15, 2_000
SLICE_SECONDS = 0.008
FLUSH_SECONDS = 0.1
FLUSH_DEVICES = 200
RESEND_SECONDS = 10.0
TIME_SECONDS = 600.0
# The web server writes enrolments one by one, and answers pulls many at a time.
CLAIMING, PULLING = 6, 26
# As many as the gateway decides with one query; real devices do not queue at all.
CONNECTING = 256


@dataclass(frozen=True)
class Options:
    """What one run is told."""

    server: str
    claims: tuple[str, ...]
    home: Path
    kind: str = "speaker"
    poll_seconds: float = 60.0


class Swarm:
    """All virtual devices of one process."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.tally = Tally()
        self.store = Store(options.home)
        self.server = Server(options.server, connections=CLAIMING + PULLING)
        self.notary: Notary | None = None
        self.bus: Bus | None = None
        self.clock_offset = 0.0
        self.clock_trusted = False
        self.sounds = self.store.sounds()
        self.devices: list[Device] = []
        self.links: list[Link] = []
        self.bodies: list[Body] = []
        self.by_uid: dict[str, int] = {}
        self._rows: list[int] = []
        self._numbers: dict[int, int] = {}
        self.version = 0  # grows with every change that statistics show
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._nudges: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._dirty: dict[int, None] = {}
        self._work = asyncio.Event()
        self._heard_at = 0.0
        self._turns = Agenda()
        self._claims = Agenda()
        self._joins = Agenda()
        self._pulls = Agenda()
        self._connects = Agenda()
        self._beats = Agenda()
        self._resends = Agenda()
        self._changed: dict[int, None] = {}
        self._stored: list[tuple[int, int]] = []
        # When each device last came onto the bus, and last had its state answered.
        self.connected_at: dict[int, float] = {}
        self.answered_at: dict[int, float] = {}
        self._woken_at = 0.0
        self._synced_at = float("-inf")
        self._programs = Programs(
            at=self.at,
            faults=lambda device: self.bodies[device.number].faults,
            restart=lambda device: self.links[device.number].abort(),
            changed=self._note_change,
        )
        self._load()

    # --- the time ----------------------------------------------------------------

    def at(self) -> int:
        """Return the devices' time: this machine's, corrected by the server's."""
        return int(time.time() * 1000 + self.clock_offset)

    # --- from and to the home ----------------------------------------------------

    def _load(self) -> None:
        """Take up devices kept here; make keys for claims that are new."""
        rows = {row.claim: row for row in self.store.rows()}
        first = max((row.number for row in rows.values()), default=-1) + 1
        fresh: list[Row] = []
        for claim in self.options.claims:
            if claim not in rows:
                row = Row(
                    number=first + len(fresh),
                    claim=claim,
                    key=SigningKey.generate().dump(),
                    log=topics.new_uid(),
                    uid="",
                    standing="new",
                    state=None,
                )
                rows[claim] = row
                fresh.append(row)
        self.store.add(fresh)
        facts = {name: self.store.fact(name) for name in ("root", "keyset", "bus")}
        at = int(time.time() * 1000)
        if facts["root"]:
            self.notary = Notary(PublicKey(facts["root"]))
            if facts["keyset"]:
                self.notary.renew(facts["keyset"], at=at)
        if facts["bus"]:
            self.bus = Bus(**facts["bus"])
        tokens = self.store.documents()
        for claim in self.options.claims:
            self._restore(rows[claim], tokens, at=at)
        for row_number, event in self.store.events():
            number = self._numbers.get(row_number)
            if number is not None:
                self.devices[number].outgoing[event["n"]] = event
                self._resends.set(number, 0.0)
        held = [doc.id for device in self.devices for doc in device.documents()]
        self.store.keep_documents(held)

    def _restore(self, row: Row, tokens: dict[str, str], *, at: int) -> None:
        number = len(self.devices)
        device = Device(
            number=number,
            claim=row.claim,
            key=SigningKey.parse(row.key),
            log=row.log,
            tally=self.tally,
        )
        device.uid, device.standing = row.uid, row.standing
        self._rows.append(row.number)
        self._numbers[row.number] = number
        if row.state and self.notary:
            held = []
            for name in row.state["documents"]:
                try:
                    held.append(self.notary.read(tokens.get(name, ""), at=at))
                except DocumentRefusedError as error:
                    logger.info("kept document refused: %s", error.cause)
            device.restore(row.state, held, at=at)
            device.etag = ""
        self.devices.append(device)
        self.links.append(Link(device, self._take_message, self._line_lost))
        self.bodies.append(Body(number))
        if device.uid:
            self.by_uid[device.uid] = number

    # --- life --------------------------------------------------------------------

    async def run(self) -> None:
        """Be these devices until cancelled."""
        # Thousands of devices are no garbage, and looking through them takes 0.1 s and
        # more: only while nothing comes in, or all would hear it that much later.
        gc.freeze()
        gc.disable()
        began = time.monotonic()
        for device in self.devices:
            number = device.number
            if device.standing == "active" and device.settings and self.bus:
                self._connects.set(number, began)
                self._pulls.set(number, began + jitter(0, self._spread()))
                self._mark(number)
            elif device.standing in {"new", "waiting", "active"}:
                (self._joins if device.uid else self._claims).set(number, began)
        try:
            async with asyncio.TaskGroup() as group:
                for name, loop in (
                    ("pump", self._pump()),
                    ("flush", self._flush_forever()),
                    ("beats", self._beat_forever()),
                    ("tidy", self._tidy_forever()),
                    ("connects", self._connect_forever(group)),
                    *(
                        (f"ask-{n}", self._ask_forever(claiming=n < CLAIMING))
                        for n in range(CLAIMING + PULLING)
                    ),
                ):
                    group.create_task(loop, name=name)
        finally:
            self._flush(limit=len(self.devices))
            for link in self.links:
                link.close()
            await self.server.pool.close()
            self.store.close()

    def _spread(self) -> float:
        """Return over how many seconds the whole swarm spreads what all do at once."""
        return min(15.0, len(self.devices) * 0.0015)

    # --- enrolment and pulling -----------------------------------------------------

    async def _ask_forever(self, *, claiming: bool) -> None:
        """Ask the server for whoever is due; several of these run side by side."""
        agendas = [self._joins, self._pulls]
        if claiming:
            agendas.insert(0, self._claims)
        while True:
            now = time.monotonic()
            agenda = next((one for one in agendas if one.next() <= now), None)
            if agenda is None:
                due = min(one.next() for one in agendas) - now
                await asyncio.sleep(min(0.1, max(0.005, due)))
                continue
            (number,) = agenda.take(now, limit=1)
            device = self.devices[number]
            ask = self._pull if agenda is self._pulls else self._join
            try:
                await ask(device)
            except (UnreachableError, DocumentRefusedError, ValueError) as error:
                agenda.set(device.number, now + jitter(2, 6))
                logger.info("device %s: %s", device.number, error)
            except ServerRefusedError as error:
                self._refused_by_server(device, error)

    def _refused_by_server(self, device: Device, error: ServerRefusedError) -> None:
        """Give up, or go back to asking how the enrolment stands."""
        logger.warning("device %s: %s", device.number, error)
        if not device.uid:
            self._set_standing(device, "refused")
            return
        self._joins.set(device.number, time.monotonic() + jitter(5, 15))

    async def _join(self, device: Device) -> None:
        """Take a device from its claim code to its first state."""
        if not device.uid:
            told = await self.server.enrol(
                device, kind=self.options.kind, version=device.version
            )
            if not topics.is_uid(str(told.get("device"))):
                raise UnreachableError("simulator.answer_malformed")
            device.uid = told["device"]
            self.by_uid[device.uid] = device.number
            self._set_standing(device, "waiting")
            self._joins.set(device.number, time.monotonic() + self._wait())
            return
        told = await self.server.enrolment(device, at=self.at())
        standing = str(told.get("state"))
        if standing == "waiting":
            self._joins.set(device.number, time.monotonic() + self._wait())
            return
        if standing != "active":
            self._set_standing(device, standing)
            self.links[device.number].abort()
            return
        self._trust(device, told)
        self._wake_waiting()
        await self._pull(device)
        self._connects.set(device.number, time.monotonic())

    def _wait(self) -> float:
        """Return a polite pause before asking again whether a person has decided."""
        return min(20.0, max(0.5, len(self._joins) * 0.01)) * jitter(0.7, 1.3)

    def _wake_waiting(self) -> None:
        """One was let in: most likely the others were, too."""
        now = time.monotonic()
        if now - self._woken_at > 2:
            self._woken_at = now
            for device in self.devices:
                if device.standing == "waiting" and device.number in self._joins:
                    self._joins.set(device.number, now)

    def _trust(self, device: Device, told: dict[str, Any]) -> None:
        """Pin the root key that the claim code vouches for, and note the bus.

        Raises DocumentRefusedError: unknown_key, for a root of somebody else.
        """
        root = PublicKey(str(told.get("root_key")))
        if signing.fingerprint(root) != device.claim.replace("-", "")[8:]:
            raise DocumentRefusedError("unknown_key", kid=root.kid)
        if self.notary is None:
            self.notary = Notary(root)
            self.store.set_fact("root", root.x)
        elif self.notary.keys.root.x != root.x:
            raise DocumentRefusedError("unknown_key", kid=root.kid)
        bus = told["bus"]
        where = Bus(str(bus["host"]), int(bus["port"]), bool(bus["tls"]))
        if where != self.bus:
            if not where.tls and where.host not in {"127.0.0.1", "::1", "localhost"}:
                raise DocumentRefusedError("unknown_key", host=where.host)
            self.bus = where
            self.store.set_fact(
                "bus", {"host": where.host, "port": where.port, "tls": where.tls}
            )
        if device.standing != "active":
            self._set_standing(device, "active")

    def _set_standing(self, device: Device, standing: str) -> None:
        device.standing = standing
        row = self._rows[device.number]
        self.store.set_standing(row, uid=device.uid, standing=standing)
        self.version += 1

    async def _pull(self, device: Device) -> None:
        """Ask for the device's state and obey what is new in it."""
        self._pulls.set(
            device.number,
            time.monotonic() + self.options.poll_seconds * jitter(0.8, 1.2),
        )
        asked = time.time() * 1000
        found = await self.server.state(device, at=self.at())
        if found is None:
            self._answered(device, asked)
            return
        etag, state = found
        await self._take_keys(device, str(state.get("keyset", "")))
        own = [state["settings"]] if state.get("settings") else []
        units = device.listener.units
        if state.get("update"):
            own.append(str(state["update"]))
        elif state.get("update") == "":
            device.update = None
        for token in own:
            self._take_token(device, token, pulled=True, shared=False)
        for token in [*state.get("plans", ()), *state.get("urgent", ())]:
            self._take_token(device, str(token), pulled=True)
        device.etag = etag
        if device.settings is None:
            raise UnreachableError("simulator.answer_malformed")
        if units and units != device.listener.units:
            self.links[device.number].abort()
        self._mark(device.number)
        self._answered(device, asked)

    def _answered(self, device: Device, asked: float) -> None:
        """Note that a device holds its state, if it asked while on the bus."""
        if self.connected_at.get(device.number, math.inf) <= asked:
            self.answered_at[device.number] = time.time() * 1000

    def in_state(self, since: float) -> list[float]:
        """Return when each device was back after a moment: connected, then in state.

        Milliseconds since 1970; devices that are not back are left out.
        """
        return [
            self.answered_at[number]
            for number, at in self.connected_at.items()
            if at > since
            and self.links[number].online
            and self.answered_at.get(number, 0.0) > at
        ]

    async def _take_keys(self, device: Device, token: str) -> None:
        """Renew the key set when it is new; then ask for the signed time."""
        if self.notary is None:
            raise UnreachableError("simulator.answer_malformed")
        if self.notary.renew(token, at=self.at()):
            self.store.set_fact("keyset", token)
        if time.monotonic() - self._synced_at > TIME_SECONDS:
            self._synced_at = time.monotonic()
            await self._sync_clock(device, self.notary)

    async def _sync_clock(self, device: Device, notary: Notary) -> None:
        """Take the offset of the server's signed time, asked over a fresh nonce."""
        nonce = topics.new_uid()
        sent = time.time() * 1000
        token = await self.server.time(device, nonce, at=self.at())
        answered = time.time() * 1000
        document = notary.read(token, at=0, shared=False)
        payload = document.subject
        if document.kind != "time" or payload.get("nonce") != nonce:
            raise DocumentRefusedError("malformed", document=document.id)
        offset = payload["server_at"] - (sent + answered) / 2
        # Below the measurement's own doubt the machine's clock is as good.
        doubt = max(15.0, (answered - sent) / 2)
        self.clock_offset = offset if abs(offset) > doubt else 0.0
        self.clock_trusted = True

    # --- documents -----------------------------------------------------------------

    def _take_message(self, link: Link, topic: bytes, payload: bytes) -> None:
        """Take a message from the bus: stamp it, then by its channel."""
        now = time.time() * 1000
        device = link.device
        channel = topic[topic.rfind(b"/") + 1 :]
        if channel == b"ack":
            self._take_ack(device, payload)
            return
        self.tally.arrived(topic, payload, now)
        self._heard_at = time.monotonic()
        if channel == b"nudge":
            self._take_nudge(device, payload)
        elif channel in {b"alert", b"command"}:
            token = payload.decode("ascii", errors="replace")
            self._take_token(device, token, shared=channel == b"alert")

    def _take_token(
        self, device: Device, token: str, *, pulled: bool = False, shared: bool = True
    ) -> None:
        """Verify a document for one device and have it obeyed, or refused."""
        at = self.at()
        try:
            if self.notary is None:
                raise DocumentRefusedError("unknown_key")
            document = self.notary.read(token, at=at, shared=shared)
            if document.kind == "segment":
                # Proven, and that is all: virtual speakers hear no live speech.
                return
            fresh = device.take(document, at=at, pulled=pulled)
        except DocumentRefusedError as error:
            device.refuse(error, at=at)
            self._changed[device.number] = None
            if error.cause == "unknown_key":
                self._pull_soon(device)
            return
        if not fresh:
            return
        kind = document.kind
        if kind in {"go", "alert"}:
            moments = self.tally.item(document.subject.id)
            moments.add("verified", time.time() * 1000)
        elif kind not in {"plan", "settings", "update"}:
            self.tally.order(document.id).add("verified", time.time() * 1000)
        if kind in {"command", "update"}:
            self._obey(document, device, at=at)
        if document.id not in self._seen:
            self._look_at(document, device)
        self._mark(device.number)

    def _note_change(self, device: Device) -> None:
        """Have what a device tells sent with the next flush."""
        self._changed[device.number] = None

    def _obey(self, document: Document, device: Device, *, at: int) -> None:
        """Follow an update; carry out a command, or decline it, and tell so."""
        if document.kind == "update":
            self._programs.follow(device, document.subject)
            return
        verb = document.subject["verb"]
        data = {"document": document.id, "verb": verb}
        device.tell("received", at=at, data=data)
        cause = self._hand(verb, document.subject.get("args"), device)
        if cause:
            device.tell("declined", at=at, data={**data, "cause": cause})
        else:
            device.tell("obeyed", at=at, data=data)

    def _hand(self, verb: str, args: object, device: Device) -> str:
        """Do what a command says; return why not. A log is none that it has."""
        given = args if isinstance(args, dict) else {}
        busy = device.playing is not None or bool(device.stops)
        volume = given.get("volume")
        if verb == "volume":
            if not isinstance(volume, int) or not _is_percent(volume):
                return "unusable"
            device.own_volume = self.bodies[device.number].volume = volume
        elif verb == "test":
            return self._sound_test(device, 100 if volume is None else volume)
        elif verb == "restart":
            if device.playing is not None and device.playing.rank == "emergency":
                return "emergency"
            if busy and given.get("force") is not True:
                return "sounding"
            # After a while it is gone, and soon back with a birth.
            loop = asyncio.get_running_loop()
            loop.call_later(jitter(1, 3), self.links[device.number].abort)
        elif verb == "rehearse":
            self._pull_soon(device)
        else:
            return "unsent"
        return ""

    def _sound_test(self, device: Device, loudest: object) -> str:
        """Sound the tone, as quietly as was asked for; its proof is told soon."""
        if not isinstance(loudest, int) or not _is_percent(loudest):
            return "unusable"
        why = device.silence(at=self.at())
        if not why:
            volume = min(device.volume(at=self.at()), loudest)
            self.bodies[device.number].sounded(at=self.at(), volume=volume)
            self._beats.sooner(device.number, time.monotonic() + jitter(1, 2))
        return why

    def fail(self, numbers: Sequence[int], fault: str) -> None:
        """Have these devices fail in one way, from now on."""
        for number in numbers:
            self.bodies[number].faults.add(fault)
            if fault == "cut":
                self.links[number].abort()
        self._tell_soon(numbers)

    def mend(self, numbers: Sequence[int]) -> None:
        """Take every fault off these devices."""
        for number in numbers:
            was_cut = "cut" in self.bodies[number].faults
            self.bodies[number].faults.clear()
            if was_cut and self.devices[number].standing == "active":
                self._connects.sooner(number, time.monotonic() + jitter(0.1, 1))
        self._tell_soon(numbers)

    def _tell_soon(self, numbers: Sequence[int]) -> None:
        """Beat at once, as a device does when its mains or line change."""
        spread = 1 + len(numbers) * 0.001
        for number in numbers:
            if self.links[number].online:
                self._beats.sooner(number, time.monotonic() + jitter(0, spread))

    def _look_at(self, document: Document, device: Device) -> None:
        """Fetch what a document speaks of, once for the process."""
        if document.kind in {"settings", "update"}:
            return
        self._seen[document.id] = None
        if len(self._seen) > 2_000:
            self._seen.popitem(last=False)
        items = document.subject.items if document.kind == "plan" else ()
        if document.kind in {"go", "alert"}:
            items = (document.subject,)
        for item in items:
            for rendition in item.renditions:
                self._fetch(rendition.sha256, rendition.size, device)

    def _take_nudge(self, device: Device, payload: bytes) -> None:
        """Look at a nudge: fetch media, or pull soon; anything else is no nudge."""
        nudge = self._nudges.get(payload)
        if nudge is None:
            try:
                found = json.loads(payload)
            except ValueError:
                found = {}
            nudge = found if isinstance(found, dict) and found.get("v") == 1 else {}
            self._nudges[payload] = nudge
            if len(self._nudges) > 100:
                self._nudges.popitem(last=False)
            for wanted in nudge.get("prepare") or ():
                self._fetch(str(wanted["sha256"]), int(wanted["size"]), device)
        plan = nudge.get("plan", 0)
        held = device.plans.get(str(nudge.get("unit")))
        if plan and (held is None or held.seq < plan):
            self._pull_soon(device)

    def _pull_soon(self, device: Device) -> None:
        later = jitter(0, self._spread())
        self._pulls.sooner(device.number, time.monotonic() + later)

    def _fetch(self, sha256: str, size: int, device: Device) -> None:
        """Begin to fetch a sound unless it is here or on its way."""
        if sha256 not in self.sounds and sha256 not in self._fetching:
            work = self._fetch_until_here(sha256, size, device)
            task = asyncio.get_running_loop().create_task(work, name=f"fetch-{sha256}")
            self._fetching[sha256] = task

    async def _fetch_until_here(self, sha256: str, size: int, device: Device) -> None:
        """Fetch a sound with growing pauses; check its hash; tell who waits."""
        pause = 0.5
        while sha256 not in self.sounds:
            try:
                data = await self.server.media(device, sha256, at=self.at())
                if len(data) == size and hashlib.sha256(data).hexdigest() == sha256:
                    self.store.put_sound(sha256, data)
                    self.sounds.add(sha256)
                    break
                logger.warning("sound %s came with another hash", sha256[:12])
            except (UnreachableError, ServerRefusedError, OSError) as error:
                logger.info("sound %s: %s", sha256[:12], error)
            await asyncio.sleep(pause * jitter(0.8, 1.2))
            pause = min(60.0, pause * 2)
            active = [one for one in self.devices if one.standing == "active"]
            device = active[int(jitter(0, len(active)))] if active else device
        del self._fetching[sha256]
        for other in self.devices:
            if other.unready:
                self._mark(other.number)

    # --- turns ---------------------------------------------------------------------

    def _mark(self, number: int) -> None:
        """Have a device decide soon."""
        self._dirty[number] = None
        self._work.set()

    async def _pump(self) -> None:
        """Let devices decide: those with news, and those whose time has come."""
        while True:
            await self._wait_for_work()
            began = time.monotonic()
            while time.monotonic() - began < SLICE_SECONDS:
                number = self._next_turn()
                if number is None:
                    break
                self._turn(self.devices[number])
            await asyncio.sleep(0)

    async def _wait_for_work(self) -> None:
        """Sleep until somebody must decide; give arriving messages the way."""
        self._work.clear()
        if not self._dirty:
            wait = (self._turns.next() - self.at()) / 1000
            if wait > 0:
                try:
                    async with asyncio.timeout(min(wait, 1.0)):
                        await self._work.wait()
                except TimeoutError:
                    return
        many = max(1.0, len(self.devices) / PATIENT_DEVICES)
        patience = time.monotonic() + PATIENCE_SECONDS * many
        while self._dirty and time.monotonic() < patience:
            if time.monotonic() - self._heard_at > SILENCE_SECONDS:
                return
            await asyncio.sleep(SILENCE_SECONDS / 2)

    def _next_turn(self) -> int | None:
        if self._dirty:
            number = next(iter(self._dirty))
            del self._dirty[number]
            return number
        due = self._turns.take(self.at(), limit=1)
        return due[0] if due else None

    def _turn(self, device: Device) -> None:
        if device.settings is None:
            return
        before = device.playing
        until = device.turn(at=self.at(), now=time.time() * 1000, ready=self.sounds)
        if before is not None and device.playing is not before:
            at = self.at()
            self.bodies[device.number].sounded(at=at, volume=device.volume(at=at))
        self._turns.set(device.number, until)
        self._changed[device.number] = None
        self.version += 1

    # --- events --------------------------------------------------------------------

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if time.monotonic() - self._heard_at > SILENCE_SECONDS or self._stored:
                self._flush(limit=FLUSH_DEVICES)
            for number in self._resends.take(time.monotonic(), limit=FLUSH_DEVICES):
                self._send_events(self.devices[number], again=True)

    async def _tidy_forever(self) -> None:
        """Collect garbage in a pause of the bus; what is left is no garbage."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            while time.monotonic() - self._heard_at < PAUSE_SECONDS:
                await asyncio.sleep(PAUSE_SECONDS)
            gc.collect()
            gc.freeze()

    def _flush(self, *, limit: int) -> None:
        """Write what changed in one transaction, then send the new events."""
        numbers = list(self._changed)[:limit]
        if not numbers and not self._stored:
            return
        devices = [self.devices[number] for number in numbers]
        documents = {
            document.id: document.token
            for device in devices
            for document in device.documents()
        }
        rows = self._rows
        self.store.write(
            states=[(rows[device.number], device.state()) for device in devices],
            documents=documents,
            events=[
                (rows[device.number], event)
                for device in devices
                for event in device.new_events
            ],
            stored=[(rows[number], n) for number, n in self._stored],
        )
        self._stored.clear()
        for device in devices:
            del self._changed[device.number]
            if device.new_events:
                fresh, device.new_events = device.new_events, []
                device.outgoing.update((event["n"], event) for event in fresh)
                self._send(device, fresh)
                later = time.monotonic() + RESEND_SECONDS * jitter(1, 2)
                self._resends.sooner(device.number, later)

    def _send_events(self, device: Device, *, again: bool) -> None:
        """Send everything that is not stored yet; come back when it stays so."""
        if device.outgoing:
            wanted = [device.outgoing[n] for n in sorted(device.outgoing)]
            self._send(device, wanted[:MAX_EVENTS_PER_BATCH])
            factor = jitter(1, 3) if again else jitter(1, 2)
            later = time.monotonic() + RESEND_SECONDS * factor
            self._resends.set(device.number, later)

    def _send(self, device: Device, events: Sequence[dict[str, Any]]) -> None:
        link = self.links[device.number]
        if not link.online:
            return
        for start in range(0, len(events), 100):
            rows = events[start : start + 100]
            batch = EventBatch(
                device.uid, device.log, tuple(Event(**event) for event in rows)
            )
            data = json.dumps(batch.encode(), ensure_ascii=False).encode()
            link.send("event", data, qos=1)

    def _take_ack(self, device: Device, payload: bytes) -> None:
        """Forget the events that the gateway has stored."""
        try:
            told = json.loads(payload)
            stored = (
                [int(n) for n in told["stored"]] if told["log"] == device.log else []
            )
        except (ValueError, KeyError, TypeError):
            return
        gone = device.forget_events(stored)
        self._stored += [(device.number, n) for n in gone]
        if not device.outgoing:
            self._resends.drop(device.number)

    # --- the bus -------------------------------------------------------------------

    async def _connect_forever(self, group: asyncio.TaskGroup) -> None:
        """Connect whoever is due, so many at a time."""
        busy: set[asyncio.Task[None]] = set()
        while True:
            room = CONNECTING - len(busy) if self.bus else 0
            for number in self._connects.take(time.monotonic(), limit=room):
                if self.bus:
                    work = self._connect(self.links[number], self.bus)
                    task = group.create_task(work, name=f"connect-{number}")
                    busy.add(task)
                    task.add_done_callback(busy.discard)
            await asyncio.sleep(0.02)

    async def _connect(self, link: Link, bus: Bus) -> None:
        device = link.device
        if link.online or device.standing != "active":
            return
        if "cut" in self.bodies[device.number].faults:
            return
        try:
            await link.connect(bus, at=self.at())
        except (OSError, TimeoutError, BusRefusedError) as error:
            link.tries += 1
            pause = min(30.0, 0.5 * 2 ** min(link.tries, 8)) * jitter(0.5, 1.0)
            self._connects.set(device.number, time.monotonic() + pause)
            if isinstance(error, BusRefusedError):
                self._joins.sooner(device.number, time.monotonic() + pause)
            logger.info("device %s: bus: %s", device.number, error)
            return
        self.connected_at[device.number] = time.time() * 1000
        at = self.at()
        data = {
            "version": device.version,
            "make": "nguon",
            "model": "simulator",
            "clock_offset_ms": round(self.clock_offset),
            "clock_trusted": self.clock_trusted,
        }
        device.tell("birth", at=at, data=data)
        self._changed[device.number] = None
        self._beats.set(device.number, time.monotonic() + jitter(1, 60))
        # What was published between the state and the subscription is in the state.
        self._pull_soon(device)
        self._send_events(device, again=False)
        self.version += 1

    def _line_lost(self, link: Link) -> None:
        self.version += 1
        if link.device.standing == "active":
            later = time.monotonic() + jitter(0.2, 1 + self._spread() / 4)
            self._connects.sooner(link.device.number, later)

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            now = time.monotonic()
            for number in self._beats.take(now):
                link, device = self.links[number], self.devices[number]
                if link.online:
                    body = self.bodies[number]
                    self._beats.set(number, now + BEAT_SECONDS)
                    link.ping()
                    if not body.beats:
                        continue
                    beat = self._beat(device, body)
                    link.send("beat", json.dumps(beat).encode())

    def _beat(self, device: Device, body: Body) -> dict[str, Any]:
        told = body.beat(
            device=device.uid,
            at=self.at(),
            sounding=device.playing is not None,
            clock_offset_ms=round(self.clock_offset),
            clock_trusted=self.clock_trusted,
            version=device.version,
        )
        return told.encode() | {
            "playing": device.playing.id if device.playing else "",
            "held": len(device.items or ()),
            "waiting_events": len(device.outgoing),
        }


def _is_percent(value: object) -> bool:
    return type(value) is int and 0 <= value <= 100
