"""One virtual device: what it holds, what it refuses, what its loudspeaker does.

No socket in here: the swarm brings documents and the time, and takes away events.
Decisions are `core.playout`'s alone. Every document passes `take`, where freshness,
target and number are checked for this very device.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from nguon import __version__
from nguon.core import hours, messages, playout, rehearsal, signing
from nguon.core.messages import Item, SequenceWindow, Settings, Stop
from nguon.core.playout import (
    NOTHING_YET,
    Listener,
    Prepared,
    Progress,
    Situation,
    Verdict,
    is_endless,
)
from nguon.core.signing import DocumentRefusedError, SigningKey
from nguon.simulator.notary import Document
from nguon.simulator.tally import Tally

# How long the end of an item is remembered after it could have sounded.
REMEMBER_MS = 24 * 3_600_000
_NEVER: frozenset[str] = frozenset()
# The program that a device has when it is enrolled.
VERSION = "0.1.0"


class Device:
    """A loudspeaker without a loudspeaker."""

    __slots__ = (
        "available_since", "began", "cancelled", "claim", "ended", "etag", "held_since",
        "items", "key", "known", "lacking", "listener", "log", "n", "new_events",
        "number", "offset", "order", "orders", "outgoing", "own_volume", "plans",
        "playing", "progress", "quiet", "refused", "rehearsal", "rehearsed", "settings",
        "standing", "stops", "tally", "told", "uid", "unready", "update", "urgent",
        "version", "volumes", "wake", "windows",
    )  # fmt: skip

    def __init__(
        self, *, number: int, claim: str, key: SigningKey, log: str, tally: Tally
    ) -> None:
        self.number, self.claim, self.key, self.log = number, claim, key, log
        self.tally = tally
        self.uid = ""
        # new, waiting (for a person), active, rejected, revoked, refused
        self.standing = "new"
        self.etag = ""
        self.n = 0
        self.available_since = 0
        self.settings: Document | None = None
        self.update: Document | None = None
        self.version = VERSION
        self.listener = Listener(device="", units=_NEVER)
        self.plans: dict[str, Document] = {}
        # Of its settings, or of a command after them; percent.
        self.own_volume = 100
        self.urgent: dict[str, Document] = {}
        self.known: dict[str, int] = {}
        self.windows: dict[str, SequenceWindow] = {}
        self.cancelled: dict[str, int] = {}
        self.stops: dict[str, Stop] = {}
        self.ended: dict[str, int] = {}
        self.progress: dict[str, Progress] = {}
        self.held_since: dict[str, int] = {}
        self.told: set[str] = set()
        # The rehearsal that a command named, the settings that take over from it, and
        # what was told last.
        self.rehearsal = ("", 0)
        self.rehearsed: object = None
        self.refused: set[tuple[str, str]] = set()
        # None: documents have come or gone, so gather again what they say.
        self.items: Prepared | None = None
        self.lacking: dict[str, str] = {}
        self.quiet: tuple[tuple[int, int], ...] = ()
        self.volumes: tuple[tuple[int, int, int], ...] = ()
        self.order: tuple[str, ...] = ()
        self.playing: Item | None = None
        self.began = self.offset = 0
        self.unready = _NEVER
        self.orders: list[tuple[str, str]] = []
        self.wake = playout.FOREVER
        self.new_events: list[dict[str, Any]] = []
        self.outgoing: dict[int, dict[str, Any]] = {}

    # --- what it is told ---------------------------------------------------------

    def take(self, document: Document, *, at: int, pulled: bool = False) -> bool:
        """Obey a verified document; tell whether there is something new to decide.

        1. Refuse what is past its not-after or for somebody else.
        2. A plan or settings: refuse an older number than the one held.
        3. Urgent: refuse what was seen before. In a pulled state that is no replay, nor
           while the server has not confirmed our answer: then it must send again.

        Raises DocumentRefusedError; then nothing has changed.
        """
        if document.not_after <= at:
            raise DocumentRefusedError("expired", document=document.id)
        if document.device != self.uid and document.unit not in self.listener.units:
            raise DocumentRefusedError("wrong_target", document=document.id)
        if document.kind in {"settings", "update"}:
            return self._take_own(document)
        if document.kind == "plan":
            return self._take_plan(document, at=at)
        if document.id in self.known:
            if pulled or self._is_unanswered(document.id):
                return False
            raise DocumentRefusedError("replayed", document=document.id)
        target = document.unit or document.device
        window = self.windows.get(target)
        if window is None:
            window = self.windows[target] = SequenceWindow()
        window.check(document.seq, document=document.id)
        window.accept(document.seq)
        self.known[document.id] = document.not_after
        self.hold(document, at=at)
        self._follow(document, at=at)
        return True

    def _follow(self, document: Document, *, at: int) -> None:
        """Do what an urgent document asks for beside being held."""
        if document.kind in {"stop", "lift"}:
            named = document.id if document.kind == "stop" else document.subject["stop"]
            self.orders.append((document.kind, str(named)))
        elif document.kind in {"go", "alert"}:
            self._answer(document, at=at)
        elif document.is_asking("rehearse"):
            self._gate(document.subject.get("args"))

    def _gate(self, args: object) -> None:
        """Keep silent below emergency until the settings that a command names."""
        if isinstance(args, dict) and type(args.get("settings")) is int:
            self.rehearsal = (str(args.get("rehearsal", ""))[:12], args["settings"])
            self.rehearsed = None

    @property
    def rehearsing(self) -> str:
        """The rehearsal that this device has to pass, or nothing."""
        told: Settings | None = self.settings.subject if self.settings else None
        if told and told.rehearsal:
            return told.rehearsal
        name, until = self.rehearsal
        return name if self.settings is None or self.settings.seq < until else ""

    def _answer(self, document: Document, *, at: int) -> None:
        """Say that an urgent item came; the gateway sends it again to the silent."""
        item: Item = document.subject
        if self.listener.is_meant(item.audience):
            self.told.add(f"r{item.id}")
            self.tell("received", at=at, item=item.id, data={"document": document.id})

    def _is_unanswered(self, document: str) -> bool:
        """Say whether an event that names the document is not yet confirmed."""
        waiting = (*self.new_events, *self.outgoing.values())
        return any(
            event["type"] != "refused" and event["data"].get("document") == document
            for event in waiting
        )

    def hold(self, document: Document, *, at: int) -> None:
        """Take an urgent document into what is held, its number being good."""
        kind = document.kind
        if kind in {"go", "alert"}:
            self.urgent[document.id] = document
            self.held_since.setdefault(document.subject.id, at)
            for item in document.replaces:
                self.cancelled[item] = document.not_after
            self.items = None
        elif kind == "cancel":
            self.urgent[document.id] = document
            for item in document.subject["items"]:
                self.cancelled[item] = document.not_after
        elif kind == "stop":
            self.urgent[document.id] = document
            lifted = any(
                held.kind == "lift" and held.subject.get("stop") == document.id
                for held in self.urgent.values()
            )
            if not lifted:
                self.stops[document.id] = document.subject
        elif kind == "lift":
            self.urgent[document.id] = document
            self.stops.pop(str(document.subject.get("stop")), None)

    def _take_own(self, document: Document) -> bool:
        """Take settings or an update of this very device, if newer than the held."""
        held = self.settings if document.kind == "settings" else self.update
        if document.device != self.uid:
            raise DocumentRefusedError("wrong_target", document=document.id)
        if held is not None and document.seq <= held.seq:
            if document.id == held.id:
                return False
            raise DocumentRefusedError("old_sequence", document=document.id)
        if document.kind == "update":
            self.update = document
            return True
        self.settings = document
        told: Settings = document.subject
        self.own_volume = told.volume
        self.listener = Listener(
            device=self.uid,
            units=frozenset(told.units),
            languages=told.languages,
            groups=frozenset(told.groups),
        )
        self.items = None
        return True

    def _take_plan(self, document: Document, *, at: int) -> bool:
        held = self.plans.get(document.unit)
        if held is not None and document.seq <= held.seq:
            if document.id == held.id:
                return False
            raise DocumentRefusedError("old_sequence", document=document.id)
        self.plans[document.unit] = document
        for item in document.subject.items:
            self.held_since.setdefault(item.id, at)
        self.items = None
        return True

    def refuse(self, error: DocumentRefusedError, *, at: int) -> None:
        """Count a refusal, and report it once for each document and cause."""
        self.tally.refusals[error.cause] += 1
        document = str(error.data.get("document", ""))[:80]
        key = (error.cause, document)
        if key not in self.refused and len(self.refused) < 100:
            self.refused.add(key)
            data = {"cause": error.cause, "document": document}
            self.tell("refused", at=at, data=data)

    # --- what it tells -----------------------------------------------------------

    def tell(
        self,
        kind: str,
        *,
        at: int,
        item: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an event into the store; it stays until the gateway has stored it."""
        self.n += 1
        event = messages.Event(self.n, kind, at, item, data or {}).encode()
        self.new_events.append(event)

    def forget_events(self, numbers: Iterable[int]) -> list[int]:
        """Drop the events that are now in the database; return which were held."""
        return [n for n in numbers if self.outgoing.pop(n, None) is not None]

    # --- what it does ------------------------------------------------------------

    def turn(self, *, at: int, now: float, ready: frozenset[str] | set[str]) -> int:
        """Decide and sound; return when to ask again at the latest.

        `at` is the device's time, `now` the machine's for the tally, `ready` the
        sounds that have been fetched.
        """
        if self.items is None:
            self._collect(at=at, now=now)
        self._look_for_sounds(ready, at=at)
        if self.playing is not None:
            self._advance(at)
        decision = playout.decide(self._situation(), self.listener, at=at)
        self.rehearse(at=at)
        for key, reason in decision.waiting:
            was = self.progress.get(key, NOTHING_YET)
            if was.blocked != reason:
                self.progress[key] = replace(was, blocked=reason)
        for verdict in decision.over:
            self._close(verdict, at=at, now=now)
        self._sound(decision, at=at, now=now)
        self._tell_orders(at=at, now=now)
        self.wake = decision.until
        return decision.until

    def _situation(self) -> Situation:
        return Situation(
            items=self.items or (),
            progress=self.progress,
            playing=self.playing.id if self.playing else "",
            cancelled=frozenset(self.cancelled),
            stops=tuple(self.stops.values()),
            quiet=self.quiet,
            unready=self.unready,
            held_since=self.held_since,
            available_since=self.available_since,
            volumes=self.volumes,
            order=self.order,
            rehearsing=bool(self.rehearsing),
        )

    def silence(self, *, at: int) -> str:
        """Say why the test tone may not sound now, or nothing: no noise is exempt."""
        if self.playing is not None:
            return "outranked"
        plans = [document.subject for document in self.plans.values()]
        if not any(plan.starts_at <= at < plan.ends_at for plan in plans):
            return "no_plan"
        if self.items is None:
            self._collect_hours()
        return playout.silence(self._situation(), at=at, length_ms=playout.TEST_TONE_MS)

    def volume(self, *, at: int) -> int:
        """Return at how many percent it sounds at this hour."""
        hour = playout.volume_at(self.volumes, at)
        return self.own_volume if hour is None else hour

    def _tell_orders(self, *, at: int, now: float) -> None:
        """Report stops and lifts after they have been carried out."""
        for kind, stop in self.orders:
            told = "stopped" if kind == "stop" else "lifted"
            self.tell(told, at=at, data={"stop": stop})
            self.tally.order(stop).add(told, now)
        self.orders.clear()

    def _collect(self, *, at: int, now: float) -> None:
        """Gather the items of all documents held that are meant for this device."""
        self._drop_past(at=at)
        held = self._held_items(at=at)
        self.items = Prepared(
            (item for item in held if item.id not in self.ended), self.listener
        )
        self._collect_hours()
        keep = {item.id for item in self.items}
        if self.playing is not None and self.playing.id not in keep:
            # Its plan no longer carries it: what is not planned does not sound.
            gone = Verdict(self.playing, "cancelled", "cancelled")
            self._close(gone, at=at, now=now)
        for table in (self.progress, self.held_since):
            for key in [k for k in table if k not in keep]:
                del table[key]
        for item in self.items:
            if f"r{item.id}" not in self.told:
                self.told.add(f"r{item.id}")
                self.tell("received", at=at, item=item.id)
        self.told = {mark for mark in self.told if mark[1:] in keep}
        found = ((i.id, i.rendition(self.listener.languages)) for i in self.items)
        self.lacking = {key: sound.sha256 for key, sound in found if sound}

    def _local_first(self) -> list[messages.Plan]:
        """Return the plans held, that of the own commune before those above it."""
        told: Settings | None = self.settings.subject if self.settings else None
        plans = [document.subject for document in self.plans.values()]
        return hours.local_first(plans, told.units if told else ())

    def _collect_hours(self) -> None:
        """Gather quiet hours, volumes and the order of priority bulletins."""
        found = hours.gather(
            self._local_first(),
            self.listener,
            urgent=(document.quiet for document in self.urgent.values()),
        )
        self.quiet, self.volumes, self.order = found.quiet, found.volumes, found.order

    def rehearse(self, *, at: int) -> None:
        """Tell what the next day would sound, once for all that changes the answer."""
        name = self.rehearsing
        if not name or self.settings is None:
            self.rehearsed = None
            return
        answer = (
            name,
            self.settings.seq,
            {uid: document.seq for uid, document in self.plans.items()},
            bool(self.lacking),
        )
        if answer == self.rehearsed:
            return
        self.rehearsed = answer
        items = {item.id: item for item in self._held_items(at=at)}
        day = rehearsal.rehearse(
            Situation(
                items=(),
                cancelled=frozenset(self.cancelled),
                stops=tuple(self.stops.values()),
                quiet=self.quiet,
                volumes=self.volumes,
                order=self.order,
            ),
            self.listener,
            items=items.values(),
            start=at,
        )
        report = rehearsal.report(
            day,
            settings=self.settings.seq,
            plans=answer[2],
            missing=[row.item for row in day.rows if row.item in self.lacking],
            trusted=True,
            version=__version__,
        )
        self.tell("rehearsed", at=at, item=name, data=report.encode())

    def _drop_past(self, *, at: int) -> None:
        for key in [k for k, held in self.urgent.items() if held.not_after <= at]:
            del self.urgent[key]
        for past in (self.known, self.cancelled, self.ended):
            for key in [k for k, until in past.items() if until + REMEMBER_MS <= at]:
                del past[key]
        self.stops = {k: stop for k, stop in self.stops.items() if stop.until > at}

    def _held_items(self, *, at: int) -> Iterable[Item]:
        """Return each item of the documents held, once."""
        found: dict[str, Item] = {}
        urgent = [doc for doc in self.urgent.values() if doc.kind in {"go", "alert"}]
        for document in sorted(urgent, key=lambda doc: (-doc.seq, doc.id)):
            found.setdefault(document.subject.id, document.subject)
        for plan in self._local_first():
            if self.plans[plan.unit].not_after > at:
                for item in plan.items:
                    found.setdefault(item.id, item)
        return found.values()

    def _look_for_sounds(self, ready: frozenset[str] | set[str], *, at: int) -> None:
        """Note whose sound is still missing; tell, once each, that one is here."""
        here = [key for key, sha256 in self.lacking.items() if sha256 in ready]
        for key in here:
            del self.lacking[key]
            if f"p{key}" not in self.told:
                self.told.add(f"p{key}")
                self.tell("prepared", at=at, item=key)
        self.unready = frozenset(self.lacking) if self.lacking else _NEVER

    def wanted(self) -> list[messages.Rendition]:
        """Return the sounds this device needs for what it holds."""
        found = (item.rendition(self.listener.languages) for item in self.items or ())
        return [rendition for rendition in found if rendition is not None]

    def _advance(self, at: int) -> None:
        """Bring the progress of what is on up to now."""
        if self.playing is not None:
            was = self.progress.get(self.playing.id, NOTHING_YET)
            sounded = self.offset + max(0, at - self.began)
            self.progress[self.playing.id] = replace(was, sounded_ms=sounded)

    def _sound(self, decision: playout.Decision, *, at: int, now: float) -> None:
        item = decision.item
        if item is not None and self.playing is not None and item.id == self.playing.id:
            # The same item may have come again, in a plan after a push.
            self.playing = item
            return
        if item is None and self.playing is None:
            return
        if self.playing is not None:
            self.tally.item(self.playing.id).add("silent", now)
        self.playing = None
        if item is None:
            return
        sound = decision.rendition
        was = self.progress.get(item.id, NOTHING_YET)
        if not was.started_at:
            data = {
                "planned_at": item.starts_at,
                "language": sound.language if sound else "",
                "output": "virtual",
            }
            self.tell("started", at=at, item=item.id, data=data)
            self.tally.item(item.id).add("started", now)
        started = was.started_at or at
        self.progress[item.id] = replace(was, started_at=started)
        self.playing, self.began = item, at
        # What fills its window counts what was heard, anything else how far it came.
        self.offset = was.sounded_ms if is_endless(item) else decision.offset_ms

    def _close(self, verdict: Verdict, *, at: int, now: float) -> None:
        """Report the end of an item, heard or not."""
        item = verdict.item
        progress = self.progress.pop(item.id, NOTHING_YET)
        self.ended[item.id] = item.ends_at
        if self.items is not None:
            self.items = self.items.without({item.id})
            self.lacking.pop(item.id, None)
        moments = self.tally.item(item.id)
        if self.playing is not None and self.playing.id == item.id:
            self.playing = None
            moments.add("silent", now)
        data = {
            "planned_at": item.starts_at,
            "started_at": progress.started_at,
            "ended_at": at,
            "sounded_ms": progress.sounded_ms,
            "level_dbfs": None,
            "output": "virtual",
            "outcome": verdict.outcome,
            "cause": verdict.cause,
        }
        missed = verdict.outcome == "missed"
        if missed:
            data = {"planned_at": item.starts_at, "cause": verdict.cause}
        moments.add("missed" if missed else "finished", now)
        moments.causes[verdict.cause or verdict.outcome] += 1
        kind = "missed" if missed else "finished"
        self.tell(kind, at=at, item=item.id, data=data)

    # --- what it keeps over a restart ----------------------------------------------

    def documents(self) -> list[Document]:
        """Return everything signed that it holds."""
        own = [held for held in (self.settings, self.update) if held]
        return [*own, *self.plans.values(), *self.urgent.values()]

    def state(self) -> dict[str, Any]:
        """Return what a restart must find again, as JSON values."""
        return {
            "n": self.n,
            "etag": self.etag,
            "version": self.version,
            "known": self.known,
            "windows": {key: [w.top, w.mask] for key, w in self.windows.items()},
            "ended": self.ended,
            "progress": {key: asdict(p) for key, p in self.progress.items()},
            "held_since": self.held_since,
            "told": sorted(self.told),
            "rehearsal": list(self.rehearsal),
            "documents": [document.id for document in self.documents()],
        }

    def restore(
        self, state: Mapping[str, Any], documents: Iterable[Document], *, at: int
    ) -> None:
        """Take up again what was kept; documents past their time stay away."""
        self.n = state["n"]
        self.etag = state["etag"]
        self.version = state.get("version", VERSION)
        self.known = dict(state["known"])
        self.windows = {
            key: SequenceWindow(top, mask)
            for key, (top, mask) in state["windows"].items()
        }
        self.ended = dict(state["ended"])
        self.progress = {key: Progress(**p) for key, p in state["progress"].items()}
        self.held_since = dict(state["held_since"])
        self.told = set(state["told"])
        name, until = state.get("rehearsal", ("", 0))
        self.rehearsal = (str(name), int(until))
        held = [document for document in documents if document.not_after > at]
        for document in sorted(held, key=lambda document: document.kind != "settings"):
            if document.kind == "settings":
                self._take_own(document)
            elif document.kind == "update":
                self.update = document
            elif document.kind == "plan":
                self.plans[document.unit] = document
            else:
                self.hold(document, at=at)
        self.items = None
        self.available_since = at

    def token(self, *, at: int) -> str:
        """Return a fresh sign-in."""
        return signing.device_token(self.key, device=self.uid, at=at)
