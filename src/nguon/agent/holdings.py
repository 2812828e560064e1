"""What this device holds: the documents in force and the items inside them.

The store is the truth; here is the same as objects. An accepted document is written
first and obeyed after, so a crash in between only means that it is obeyed later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from nguon.agent.identity import Identity
from nguon.agent.store import Acceptance, Held, Play, StopHeld, Store
from nguon.agent.trust import WHOLE, Accepted, Trust
from nguon.core import hours
from nguon.core.messages import VERBS, Item, Plan, Settings, Stop, quiet_of
from nguon.core.playout import FOREVER, Listener, Prepared
from nguon.core.signing import DocumentRefusedError
from nguon.core.updates import Update

_DAY_MS = 24 * 3600 * 1000
# A cancel is remembered as long as any plan may carry the item.
_REMEMBER_MS = 14 * _DAY_MS


@dataclass(frozen=True)
class Candidate:
    """An item and the document that vouches for it."""

    item: Item
    document: str
    token: str
    not_after: int
    is_urgent: bool = False


@dataclass(frozen=True)
class _Urgent:
    """A `go` or an `alert` as it is held, and the quiet hours that came with it."""

    held: Held
    item: Item
    not_after: int
    quiet: tuple[tuple[int, int], ...]


class Holdings:
    """Documents, items, hours, stops and plays of this device.

    What comes in several documents is put together by their place (the most local
    plan first) and number, never by the order in which they arrived.
    """

    def __init__(self, identity: Identity, store: Store, trust: Trust) -> None:
        self._identity = identity
        self._store = store
        self._trust = trust
        self.settings = Settings(identity.device, identity.kind, ())
        self.settings_seq = 0
        # The program that this device should run, if it was told one.
        self.update: Update | None = None
        self.candidates: dict[str, Candidate] = {}
        # The items that are not over, ready to be asked about every instant.
        self.prepared = Prepared((), self.listener)
        self.quiet: tuple[tuple[int, int], ...] = ()
        self.volumes: tuple[tuple[int, int, int], ...] = ()
        self.order: tuple[str, ...] = ()
        self.stops: list[StopHeld] = []
        self.plays: dict[str, Play] = {}
        self._plans: dict[str, tuple[Held, Plan, int]] = {}
        self._urgent: dict[str, _Urgent] = {}
        self._cancelled: dict[str, frozenset[str]] = {}
        # The rehearsal that a command named, and the settings that take over from it.
        self._gate = self._read_gate()
        self.commanded: Callable[[str, str, object], None] = lambda *_told: None

    @property
    def rehearsing(self) -> str:
        """The rehearsal that this device has to pass, or nothing: it is in service.

        By its settings, or by a command that came before the settings it names.
        """
        if self.settings.rehearsal:
            return self.settings.rehearsal
        name, until = self._gate
        return name if self.settings_seq < until else ""

    def rehearse(self, args: Mapping[str, object]) -> None:
        """Keep silent below emergency from now on, as a command asks, and remember it.

        The command names the settings that say the same: from those on they decide.
        """
        name, until = args.get("rehearsal"), args.get("settings")
        if isinstance(name, str) and type(until) is int:
            self._store.remember(rehearsal=f"{name[:12]} {until}")
            self._gate = self._read_gate()

    def _read_gate(self) -> tuple[str, int]:
        name, _, number = self._store.fact("rehearsal").partition(" ")
        return name, int(number or 0)

    @property
    def plan_numbers(self) -> dict[str, int]:
        """The number of the plan held of each unit."""
        return {plan.unit: plan.number for _held, plan, _end in self._plans.values()}

    @property
    def listener(self) -> Listener:
        """This device as the rules see it."""
        return _listener(self.settings)

    def load(self) -> None:
        """Take up what was held before a restart, verified again."""
        documents = self._store.documents()
        documents.sort(key=lambda held: held.kind != "settings")
        for held in documents:
            try:
                self._take(held)
            except DocumentRefusedError as error:
                self._trust.refuse(error, held.jws, at=held.arrived_at, pushed=False)
                self._store.forget_documents([held.id])
        self.plays = self._store.plays()
        self.refresh()

    def _take(self, held: Held) -> None:
        """Verify a held document as of its arrival and put it in its place."""
        payload = self._trust.keys.verify(held.jws, at=held.arrived_at)
        accepted = Accepted(payload, held.jws, self._store.window("", ""))
        self._trust.know(
            document=held.id,
            kind=held.kind,
            target=held.target,
            seq=held.seq,
            token=held.jws,
        )
        self._trust.pushed(held.id)
        self._place(accepted, held)

    def accept(self, accepted: Accepted, *, at: int, pushed: bool) -> None:
        """Write an accepted document, then obey it.

        Raises DocumentRefusedError when its body is malformed or says more than
        its key may sign; then nothing has changed.
        """
        payload = accepted.payload
        held = Held(
            id=payload["id"],
            kind=accepted.kind,
            target=accepted.target,
            seq=payload["seq"],
            jws=accepted.token,
            arrived_at=at,
        )
        change = Acceptance(held, keep_until=payload["not_after"])
        if accepted.kind in WHOLE:
            change.replaces_kind = True
        else:
            change.window = accepted.window
        self._read(change, accepted, at=at)
        self._store.accept(change)
        self._trust.know(
            document=held.id,
            kind=held.kind,
            target=held.target,
            seq=held.seq,
            token=held.jws,
        )
        if pushed:
            self._trust.pushed(held.id)
        for play in change.plays:
            self.plays.setdefault(play.item, play)
        self._place(accepted, held)
        self.refresh()
        if accepted.kind == "command":
            self.commanded(payload["id"], payload["verb"], payload.get("args"))

    def _read(self, change: Acceptance, accepted: Accepted, *, at: int) -> None:
        """Fill in what a document changes."""
        payload, kind = accepted.payload, accepted.kind
        if kind == "settings":
            listener = _listener(Settings.decode(payload))
            change.plays = self._plays(self._all_items(), at=at, listener=listener)
            change.keep_until = FOREVER
        elif kind == "update":
            Update.decode(payload)
            change.keep_until = FOREVER
        elif kind == "plan":
            change.plays = self._plays(self._items(accepted), at=at)
        elif kind in {"go", "alert"}:
            item = _item(accepted)
            quiet_of(payload)
            change.plays = self._plays((item,), at=at)
            change.keep_until = max(
                payload["not_after"], item.ends_at, item.shown_until
            )
            change.cancels, change.lane = _names(payload, "replaces"), "emergency"
            if kind == "go" and change.cancels:
                raise DocumentRefusedError("malformed", document=payload["id"])
        elif kind == "cancel":
            change.cancels, change.lane = _names(payload, "items"), payload["lane"]
            change.keep_until = payload["not_after"] + _REMEMBER_MS
        else:
            self._read_order(change, accepted, at=at)

    def _read_order(self, change: Acceptance, accepted: Accepted, *, at: int) -> None:
        """Fill in what a stop, a lift or a command changes."""
        payload, kind = accepted.payload, accepted.kind
        if kind == "stop":
            stop = Stop.decode(payload)
            # Silence begins now, also when this clock is a little behind.
            change.stop = StopHeld(stop.id, min(stop.issued_at, at), stop.until)
            change.keep_until = max(stop.until, payload["not_after"])
        elif kind == "lift" and isinstance(payload.get("stop"), str):
            change.lifts = payload["stop"]
        elif kind == "command" and payload.get("verb") in VERBS:
            data = {"document": payload["id"], "verb": payload["verb"]}
            change.events = [("received", at, "", data)]
        else:
            raise DocumentRefusedError("malformed", document=payload["id"])

    def _plays(
        self, items: Iterable[Item], *, at: int, listener: Listener | None = None
    ) -> list[Play]:
        """Return what is new and meant for this device, to be told as received."""
        listener = listener or self.listener
        joined = int(self._store.fact("joined_at", "0"))
        return [
            Play(item.id, item.starts_at, item.ends_at, held_since=at)
            for item in items
            if item.id not in self.plays
            and listener.is_meant(item.audience)
            and max(item.ends_at, item.shown_until) > joined
        ]

    def _all_items(self) -> Iterator[Item]:
        """Return what all documents name: new settings may make it ours."""
        for _held, plan, _end in self._plans.values():
            yield from plan.items
        for urgent in self._urgent.values():
            yield urgent.item

    def _items(self, accepted: Accepted) -> tuple[Item, ...]:
        """Return a plan's items without those that its key may not sign."""
        plan = Plan.decode(accepted.payload)
        return tuple(item for item in plan.items if item.rank != "emergency")

    def _place(self, accepted: Accepted, held: Held) -> None:
        payload, kind = accepted.payload, accepted.kind
        if kind == "settings":
            self._settle(Settings.decode(payload))
            self.settings_seq = held.seq
        elif kind == "update":
            self.update = Update.decode(payload)
        elif kind == "plan":
            plan = Plan.decode(payload)
            plan = replace(plan, items=self._items(accepted))
            self._plans[held.target] = held, plan, payload["not_after"]
        elif kind in {"go", "alert"}:
            self._urgent[held.id] = _Urgent(
                held, _item(accepted), payload["not_after"], quiet_of(payload)
            )

    def _settle(self, settings: Settings) -> None:
        """Obey new settings: areas that are no longer ours lose their documents."""
        self.settings = settings
        self._trust.units = frozenset(settings.units)
        ours = {*settings.units, settings.device}
        foreign = [held for held in self._store.documents() if held.target not in ours]
        for held in foreign:
            self._trust.leave(held.id)
            self._plans.pop(held.target, None)
            self._urgent.pop(held.id, None)
        if foreign:
            self._store.forget_documents(held.id for held in foreign)

    def refresh(self) -> None:
        """Collect what the documents in force say."""
        self._cancelled = self._store.cancelled()
        self.stops = self._store.stops()
        found: dict[str, Candidate] = {}
        for held, plan, not_after in self._local_first():
            for item in plan.items:
                found.setdefault(item.id, Candidate(item, held.id, held.jws, not_after))
        for urgent in sorted(self._urgent.values(), key=_by_number):
            held = urgent.held
            found[urgent.item.id] = Candidate(
                urgent.item, held.id, held.jws, urgent.not_after, is_urgent=True
            )
        listener = self.listener
        self.candidates = {
            key: candidate
            for key, candidate in found.items()
            if listener.is_meant(candidate.item.audience)
        }
        self.prepared = Prepared(
            (
                candidate.item
                for key, candidate in self.candidates.items()
                if key in self.plays and not self.plays[key].outcome
            ),
            listener,
        )
        self._refresh_hours()

    def _local_first(self) -> list[tuple[Held, Plan, int]]:
        """Return the plans held, that of the own commune before those above it."""
        places = {uid: n for n, uid in enumerate(self.settings.units)}
        last = len(places)
        return sorted(
            self._plans.values(), key=lambda row: places.get(row[1].unit, last)
        )

    def _refresh_hours(self) -> None:
        """Collect quiet hours, volumes and the order of priority bulletins."""
        found = hours.gather(
            (plan for _held, plan, _end in self._local_first()),
            self.listener,
            urgent=(urgent.quiet for urgent in self._urgent.values()),
        )
        self.quiet, self.volumes, self.order = found.quiet, found.volumes, found.order

    def knows_hours(self, at: int) -> bool:
        """Say whether a plan tells when it must be quiet here, at this time too.

        A clock that forgot a month lies outside every plan held, and so does a
        device that has heard nothing for longer than its plans reach.
        """
        plans = (held[1] for held in self._plans.values())
        return any(plan.starts_at <= at < plan.ends_at for plan in plans)

    def drop_update(self) -> None:
        """Stay with the program that runs: the server holds no update any more."""
        self.update = None
        held = [one for one in self._store.documents() if one.kind == "update"]
        for one in held:
            self._trust.forget(one.id)
        self._store.forget_documents(one.id for one in held)

    def drop(self, key: str) -> None:
        """Stop offering an item that is over."""
        self.prepared = self.prepared.without({key})

    def is_cancelled(self, item: Item) -> bool:
        """Say whether an item was called back by a key that may do so."""
        if item.id in self._cancelled["emergency"]:
            return True
        return item.rank != "emergency" and item.id in self._cancelled["plan"]

    def may_return(self, play: Play, *, at: int) -> bool:
        """Say whether a plan may still name an item again: nobody called it back.

        A programme is changed back, and a merge of units undone, with the same items.
        """
        called_back = any(play.item in items for items in self._cancelled.values())
        return not (called_back or play.started_at) and play.planned_at > at

    def is_withdrawn(self, play: Play) -> bool:
        """Say whether an item that was held has been left out of a newer plan.

        A plan may end before an item does; only a plan that reaches over the item's
        time and does not name it takes it back.
        """
        if play.item in self.candidates:
            return False
        return any(
            plan.starts_at < play.ends_at for _held, plan, _end in self._plans.values()
        )

    def active_stops(self, *, at: int) -> tuple[Stop, ...]:
        """Return the stops in force."""
        return tuple(
            Stop(stop.id, stop.issued_at, stop.until)
            for stop in self.stops
            if not stop.ended and at < stop.until
        )

    def clean(self, *, at: int) -> None:
        """Forget what is past, here and in the store."""
        self._store.forget_old(at=at)
        kept = {held.id for held in self._store.documents()}
        self._urgent = {k: v for k, v in self._urgent.items() if k in kept}
        self._plans = {k: v for k, v in self._plans.items() if v[0].id in kept}
        self.plays = self._store.plays()
        self.refresh()


def _listener(settings: Settings) -> Listener:
    """Return the device of these settings as the rules see it."""
    return Listener(
        device=settings.device,
        units=frozenset(settings.units),
        languages=settings.languages,
        groups=frozenset(settings.groups),
    )


def _by_number(urgent: _Urgent) -> tuple[int, str]:
    return urgent.held.seq, urgent.held.id


def _item(accepted: Accepted) -> Item:
    """Return the one item of a go or an alert.

    Raises DocumentRefusedError: malformed; wrong_key_use when a plan key's `go`
    carries an emergency.
    """
    row = accepted.payload.get("item")
    if not isinstance(row, dict):
        raise DocumentRefusedError("malformed", document=accepted.payload["id"])
    item = Item.decode(row)
    if accepted.kind == "go" and item.rank == "emergency":
        raise DocumentRefusedError("wrong_key_use", document=accepted.payload["id"])
    return item


def _names(payload: dict[str, object], name: str) -> list[str]:
    """Return a list of item ids from a document's body."""
    value = payload.get(name, [])
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        raise DocumentRefusedError("malformed", document=payload["id"])
    return value
