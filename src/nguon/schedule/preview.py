"""What one device will sound on a day, minute by minute, and the rule that decided.

It reads the very documents that the server would hand the device now and asks
`core.playout`, the same code that runs on the device. It invents nothing: a day that
no signed plan reaches is told as such.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from nguon.core import hours, signing
from nguon.core.messages import Item, Plan, Settings, Stop, quiet_of
from nguon.core.playout import (
    ON_TIME_MS,
    Listener,
    Prepared,
    Segment,
    Situation,
    Verdict,
    is_real_emergency,
    timeline,
)
from nguon.fleet import queries as fleet
from nguon.fleet.models import Device
from nguon.schedule import papers, rules, timetable
from nguon.schedule.items import milliseconds, moment
from nguon.schedule.models import Broadcast, Paper

CAUSES = {
    "offline": "thiết bị không có mạng đúng lúc đó",
    "source": "nguồn tiếp âm hỏng hoặc im lặng",
    "unneeded": "không cần đến phần dự phòng",
    "no_media": "không có âm thanh bằng ngôn ngữ của thiết bị",
    "stopped": "đang có lệnh dừng phát",
    "quiet": "rơi vào giờ yên lặng",
    "clock": "đồng hồ thiết bị chưa đúng",
    "outranked": "tin đi trước chiếm hết giờ của nó",
    "cancelled": "đã bị hủy",
    "window": "hết khung giờ của nó",
    "rehearsal": "máy chưa qua diễn tập sau khi sửa",
}


@dataclass(frozen=True)
class Row:
    """One stretch `[starts_at, ends_at)` of a device's day; `item` None is silence.

    `why` is the rule that decided, as a sentence. `broadcast` and `paper` are what
    put the item there; `offset_ms` is where in its sound the stretch begins.
    """

    starts_at: datetime
    ends_at: datetime
    what: str
    why: str
    source: str = ""
    item: Item | None = None
    slot: str = ""
    slot_name: str = ""
    broadcast: Broadcast | None = None
    paper: Paper | None = None
    offset_ms: int = 0
    volume: int | None = None

    @property
    def word(self) -> str:
        """The kind of thing in words; silence has none."""
        return timetable.SOURCES[self.source][0] if self.source else ""

    @property
    def icon(self) -> str:
        """The kind of thing as an icon."""
        return timetable.SOURCES[self.source][1] if self.source else "mute"


@dataclass(frozen=True)
class Unheard:
    """An item of the day that does not sound whole, and why not."""

    item: Item
    planned_at: datetime
    outcome: str
    why: str


@dataclass(frozen=True)
class DeviceDay:
    """A device's day: what sounds, what does not, and how far the plan reaches."""

    rows: Sequence[Row]
    unheard: Sequence[Unheard]
    quiet: Sequence[tuple[datetime, datetime]]
    planned_until: datetime | None

    @property
    def sounding(self) -> list[Row]:
        """The stretches in which something is on."""
        return [row for row in self.rows if row.item]


@dataclass(frozen=True)
class Holding:
    """What a device holds, decoded: the input of its decisions."""

    listener: Listener
    situation: Situation
    planned_until: int


def hold(
    device: Device, *, at: datetime, numbers: Mapping[str, int] | None = None
) -> Holding:
    """Return what a device holds if it pulls its state at `at`.

    `numbers` are the plans that it says it holds, by unit: these instead of the plans
    in force. A number that was never given is no plan at all.
    """
    states = fleet.list_states({device.pk: device.unit.ancestor_ids}, at=at)
    documents = fleet.list_held(states[device.pk])
    if numbers is not None:
        documents = [one for one in documents if one.kind != "plan"]
        documents += fleet.list_plans(numbers)
    payloads = [(one.kind, dict(signing.read(one.jws)[1])) for one in documents]
    settings = Settings(
        device.uid, device.kind, _units_of(device), tuple(device.languages)
    )
    for kind, payload in payloads:
        if kind == "settings":
            settings = Settings.decode(payload)
    listener = Listener(
        settings.device,
        frozenset(settings.units),
        settings.languages,
        frozenset(settings.groups),
    )
    plans = hours.local_first(
        (Plan.decode(payload) for kind, payload in payloads if kind == "plan"),
        settings.units,
    )
    return Holding(
        listener=listener,
        situation=_situation(plans, payloads, listener),
        planned_until=max((plan.ends_at for plan in plans), default=0),
    )


def _units_of(device: Device) -> tuple[str, ...]:
    """Return a device's own unit and all above, for one without settings yet."""
    unit: Any = device.unit
    uids = []
    while unit is not None:
        uids.append(unit.uid)
        unit = unit.parent
    return tuple(uids)


def _situation(
    plans: Sequence[Plan],
    payloads: Sequence[tuple[str, dict[str, Any]]],
    listener: Listener,
) -> Situation:
    items: dict[str, Item] = {}
    for plan in plans:
        for item in plan.items:
            items.setdefault(item.id, item)
    urgent_quiet = []
    cancelled: set[str] = set()
    lifted: set[str] = set()
    stops = []
    for kind, payload in payloads:
        if kind in {"go", "alert"}:
            item = Item.decode(payload["item"])
            items[item.id] = item
            urgent_quiet.append(quiet_of(payload))
            cancelled.update(payload.get("replaces", ()))
        elif kind == "cancel":
            cancelled.update(payload["items"])
        elif kind == "stop":
            stops.append(Stop.decode(payload))
        elif kind == "lift":
            lifted.add(payload["stop"])
    found = hours.gather(plans, listener, urgent=urgent_quiet)
    return Situation(
        items=tuple(items.values()),
        volumes=found.volumes,
        order=found.order,
        cancelled=frozenset(cancelled),
        stops=tuple(stop for stop in stops if stop.id not in lifted),
        quiet=found.quiet,
    )


def device_day(device: Device, *, day: date, at: datetime) -> DeviceDay:
    """Return what a device sounds on a local day, by what it would hold at `at`.

    The day is played from `at` on (from its own midnight when that has passed), so
    that what runs over midnight is carried into it.
    """
    holding = hold(device, at=at)
    begin, end = timetable.midnight(day), timetable.midnight(day + timedelta(days=1))
    start = milliseconds(min(begin, max(at, begin - timedelta(days=8))))
    situation = _without_past(holding.situation, start)
    steps = list(
        timeline(situation, holding.listener, start=start, end=milliseconds(end))
    )
    known = _Known(Prepared(situation.items, holding.listener), situation.order)
    return DeviceDay(
        rows=known.rows(steps, begin=milliseconds(begin), end=milliseconds(end)),
        unheard=known.unheard(steps, begin=milliseconds(begin), end=milliseconds(end)),
        quiet=[
            (moment(a), moment(b))
            for a, b in holding.situation.quiet
            if a < milliseconds(end) and b > milliseconds(begin)
        ],
        planned_until=(
            moment(holding.planned_until) if holding.planned_until else None
        ),
    )


def _without_past(situation: Situation, start: int) -> Situation:
    """Leave out what was over before the picture begins: it would show as missed."""
    items = tuple(item for item in situation.items if item.ends_at > start)
    return replace(situation, items=items)


class _Known:
    """Names for what the items came from, read once; the items meant for a device."""

    def __init__(self, items: Iterable[Item], order: tuple[str, ...]) -> None:
        self.items = list(items)
        self.order = order
        self.broadcasts: Mapping[str, Broadcast] = {
            row.uid: row
            for row in Broadcast.objects.filter(
                uid__in={item.broadcast for item in self.items}
            ).select_related("unit", "version")
        }
        self.papers: Mapping[str, Paper] = {
            row.uid: row
            for row in Paper.objects.filter(
                uid__in={item.paper for item in self.items}
            ).select_related("unit")
        }
        stations = {paper.unit_id: paper.unit for paper in self.papers.values()}
        self.slots = {
            key: name
            for unit in stations.values()
            for key, name in papers.slot_names(unit).items()
        }

    def rows(
        self, steps: Iterable[Segment | Verdict], *, begin: int, end: int
    ) -> list[Row]:
        """Return the stretches of `[begin, end)`; what belongs together is joined."""
        rows: list[Row] = []
        turn = _Turn(self.order)
        for step in steps:
            if isinstance(step, Verdict):
                turn.over.add(step.item.id)
                continue
            why = turn.say(step, self.items)
            if step.ends_at <= begin:
                continue
            row = self.row(step, why, begin=begin, end=end)
            if rows and _same(rows[-1], row):
                row = replace(rows[-1], ends_at=row.ends_at)
                rows.pop()
            rows.append(row)
        return rows

    def row(self, step: Segment, why: str, *, begin: int, end: int) -> Row:
        """Return one stretch in words."""
        starts, item = max(step.starts_at, begin), step.item
        row = Row(
            starts_at=moment(starts),
            ends_at=moment(min(step.ends_at, end)),
            what=item.title if item else "Im lặng",
            why=why,
        )
        if item is None:
            return row
        broadcast = self.broadcasts.get(item.broadcast)
        return replace(
            row,
            source=source_of(item, broadcast),
            item=item,
            slot=item.slot,
            slot_name=self.slots.get(item.slot, item.slot),
            broadcast=broadcast,
            paper=self.papers.get(item.paper),
            offset_ms=step.offset_ms + starts - step.starts_at,
            volume=step.volume,
        )

    def unheard(
        self, steps: Iterable[Segment | Verdict], *, begin: int, end: int
    ) -> list[Unheard]:
        """Return what was to sound in `[begin, end)` and does not, or breaks off."""
        return [
            Unheard(
                item=step.item,
                planned_at=moment(step.item.starts_at),
                outcome=step.outcome,
                why=CAUSES.get(step.cause, step.cause),
            )
            for step in steps
            if isinstance(step, Verdict)
            and step.outcome != "finished"
            and begin <= step.item.starts_at < end
            # The fallback of a healthy relay is meant to stay silent.
            and step.item.rank != "filler"
        ]


def _same(before: Row, after: Row) -> bool:
    if before.item is None or after.item is None:
        return before.item is after.item and before.why == after.why
    return (
        before.item.id == after.item.id
        and before.why == after.why
        and before.volume == after.volume
    )


SILENCES = {
    "nothing": "Không có gì được lên lịch.",
    "quiet": "Giờ yên lặng: chỉ tin khẩn cấp thật được phát.",
    "stopped": "Đang có lệnh dừng phát.",
    "clock": "Đồng hồ của máy chưa chắc đúng, có thể là giờ yên lặng.",
}
MOST_NAMED = 3


@dataclass
class _Turn:
    """What has become of a day so far, so that each stretch can say why it is."""

    order: tuple[str, ...] = ()
    over: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    before: Item | None = None
    told: str = ""

    def say(self, step: Segment, items: Iterable[Item]) -> str:
        """Return the rule that decided a stretch, as sentences, and move on."""
        item, told = step.item, ""
        if item is None:
            told = SILENCES.get(step.rule, step.rule)
        elif self.before is not None and self.before.id == item.id:
            told = self.told
        else:
            told = " ".join((self._rule(step, item, items), self._moved(step, item)))
            self.heard.add(item.id)
        self.before, self.told = item, told.strip()
        return self.told

    def _rule(self, step: Segment, item: Item, items: Iterable[Item]) -> str:
        words = timetable.item_words(item)
        words = f"{words[0].upper()}{words[1:]}"
        if "_cuts_" in step.rule and self.before:
            return f"{words} được ngắt “{self.before.title}”."
        rivals = [
            other
            for other in items
            if other.starts_at <= step.starts_at
            and other.id not in {*self.over, item.id}
            and other.rank != "filler"
        ]
        if rivals:
            named = ", ".join(f"“{other.title}”" for other in rivals[:MOST_NAMED])
            more = " và các phần khác" if len(rivals) > MOST_NAMED else ""
            if item.broadcast in self.order and rivals[0].rank == item.rank:
                return f"Theo thứ tự mà xã đã xếp, đi trước {named}{more}."
            return f"{words} đi trước {timetable.item_words(rivals[0])}: {named}{more}."
        if item.rank == "filler":
            return "Không có gì khác, nên phần dự phòng phát."
        if is_real_emergency(item):
            return f"{words} phát ngay, kể cả trong giờ yên lặng."
        return f"{words}, theo lịch đã duyệt."

    def _moved(self, step: Segment, item: Item) -> str:
        """Return how a stretch departs from the plan of its item."""
        after = f"sau “{self.before.title}”" if self.before else ""
        if item.id in self.heard:
            how = "Nhập lại giữa chừng" if item.after == "rejoin" else "Phát tiếp"
            return f"{how} {after}.".replace(" .", ".")
        if step.starts_at <= item.starts_at + ON_TIME_MS:
            return ""
        planned = f"Định {moment(item.starts_at).astimezone(rules.LOCAL):%H:%M}"
        return f"{planned}, phát {after or 'muộn hơn'}."


def source_of(item: Item, broadcast: Broadcast | None) -> str:
    """Return the kind of thing that an item is for people: a key of SOURCES."""
    if item.drill:
        return timetable.DRILL
    if item.rank == "emergency":
        return timetable.EMERGENCY
    if item.rank == "priority":
        return timetable.PRIORITY
    if item.stream is not None and item.rank != "live":
        return timetable.RELAY
    if item.rank == "live" or (broadcast and broadcast.timing == rules.ANNOUNCE):
        return timetable.ANNOUNCED
    if item.level < timetable.COMMUNE_LEVEL:
        return timetable.ABOVE
    return timetable.PROGRAMME if item.slot or item.paper else timetable.ONE_OFF
