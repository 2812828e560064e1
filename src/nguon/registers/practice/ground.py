"""The ground of the practice: a commune that is on no map, with made-up loudspeakers.

What they do is decided by `core.playout`, as on every real device, so that a newcomer
sees what would really happen. They are rows of this file: no plan, topic or key names
them. The clock of the practice is made up too: it jumps to the hour of the bulletin.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from nguon.core import playout
from nguon.core.messages import Audience, Item, Rendition, Stop
from nguon.core.playout import Listener, Progress, Situation
from nguon.emergency.rules import DEFAULT_LENGTH
from nguon.newsroom import rules as newsroom
from nguon.newsroom.rules import Draft
from nguon.registers.practice.rules import PLAYED, STOPPED
from nguon.schedule import rules as schedule
from nguon.schedule.rules import GRACE, QuietHours, Timing
from nguon.speech import text

PLACE = "Xã Luyện Tập"
UNIT = "luyen-tap"
QUIET = (QuietHours(time(21, 0), time(5, 0)),)
USUAL = time(17, 0)
# One of them has not fetched the sound: a newcomer sees how silence tells its cause.
OFFLINE = "Cụm loa Chợ"
SPEAKERS = ("Cụm loa Nhà văn hóa", "Cụm loa Làng Một", OFFLINE)
# How slowly a voice reads, and what even one word takes with the pauses around it.
WORD_MS, SHORTEST_MS = 400, 30_000
# How far into the bulletin the made-up clock stands when it sounds, when stopped.
SOUNDING, ORDERED, SILENCED = (timedelta(seconds=s) for s in (5, 10, 15))

WAITS, SOUNDS, SILENT, STILL = "waits", "sounds", "silent", "stopped"


@dataclass(frozen=True)
class Heard:
    """What one made-up loudspeaker does now, and `cause` when it is silent."""

    name: str
    state: str
    cause: str = ""


def check_text(*, title: str, body: str) -> None:
    """Refuse a text as the newsroom does. Raises DraftError `newsroom.…`."""
    draft = Draft(title=title, body=body)
    newsroom.check_draft(draft, drill=False)
    newsroom.check_ready(draft)


def check_time(starts_at: datetime, *, body: str, at: datetime) -> None:
    """Refuse an hour as the schedule does. Raises InvalidError `schedule.…`."""
    timing = Timing(schedule.ONCE, starts_at=starts_at)
    schedule.check_timing(timing, klass=newsroom.NORMAL, at=at)
    length = timedelta(milliseconds=length_ms(body))
    schedule.check_quiet(
        QUIET, klass=newsroom.NORMAL, drill=False, start=starts_at, length=length
    )


def usual_start(at: datetime) -> datetime:
    """Return tomorrow's usual hour of the made-up commune.

    Tomorrow, so that every hour of the night may be tried and none is over already.
    """
    day = at.astimezone(schedule.LOCAL).date() + timedelta(days=1)
    return datetime.combine(day, USUAL, schedule.LOCAL)


def length_ms(body: str) -> int:
    """Return about how many ms a voice takes for a text."""
    return max(SHORTEST_MS, len(body.split()) * WORD_MS)


def spoken(*, title: str, body: str) -> str:
    """Return what a voice would say, as the newsroom has it read."""
    return text.spoken(newsroom.written_text(title=title, body=body), drill=False)


def clock(starts_at: datetime, done: Collection[str]) -> datetime:
    """Return what the made-up clock shows after the steps that are done."""
    if STOPPED in done:
        return starts_at + SILENCED
    return starts_at + (SOUNDING if PLAYED in done else -timedelta(minutes=1))


def hear(
    *, title: str, body: str, seal: str, starts_at: datetime, done: Collection[str]
) -> list[Heard]:
    """Return what each made-up loudspeaker does after the steps that are done."""
    moment = clock(starts_at, done)
    item = _item(title=title, body=body, seal=seal, starts_at=starts_at)
    stops: tuple[Stop, ...] = ()
    if STOPPED in done:
        ordered = starts_at + ORDERED
        stops = (Stop("luyen-tap", _ms(ordered), _ms(ordered + DEFAULT_LENGTH)),)
    return [_hear(name, item, stops, moment) for name in SPEAKERS]


def _hear(name: str, item: Item, stops: tuple[Stop, ...], moment: datetime) -> Heard:
    at, is_offline = _ms(moment), name == OFFLINE
    begun = at > item.starts_at and not is_offline
    quiet = QUIET[0].intervals(begin=moment, end=moment + timedelta(days=1))
    situation = Situation(
        items=(item,),
        progress={item.id: Progress(started_at=item.starts_at)} if begun else {},
        playing=item.id if begun else "",
        stops=stops,
        quiet=tuple((_ms(begin), _ms(end)) for begin, end in quiet),
        unready=frozenset({item.id} if is_offline else ()),
    )
    decision = playout.decide(situation, Listener(name, frozenset({UNIT})), at=at)
    if decision.item is not None:
        return Heard(name, SOUNDS)
    if decision.rule == "stopped":
        return Heard(name, STILL)
    if at < item.starts_at:
        return Heard(name, WAITS)
    return Heard(name, SILENT, dict(decision.waiting).get(item.id, decision.rule))


def _item(*, title: str, body: str, seal: str, starts_at: datetime) -> Item:
    length = length_ms(body)
    start = _ms(starts_at)
    return Item(
        id="luyen-tap",
        broadcast="luyen-tap",
        bulletin="luyen-tap",
        title=title,
        text=body,
        rank="programme",
        starts_at=start,
        ends_at=start + length + int(GRACE / timedelta(milliseconds=1)),
        shown_until=start + length,
        approved_at=start,
        content_sha256=seal,
        audience=Audience(units=(UNIT,)),
        renditions=(Rendition("vi", seal, 0, length),),
    )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
