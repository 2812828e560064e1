"""What a merge would do, before anybody does it: reads only.

What moves by kind; what a person still decides; names and doubles that meet; what
stays behind and has to be made, approved or finished anew; and what forbids to run.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from nguon.core.signing import content_hash
from nguon.emergency.models import Stop
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.models import Arrival, Bulletin
from nguon.plan import rules as plan_rules
from nguon.plan.models import ActionPlan
from nguon.reorganization.ground import Ground, Place, chunks, read_ground
from nguon.reorganization.kinds import MOVERS, NAMES
from nguon.reorganization.models import Merge
from nguon.reorganization.movers import Mover, Thing
from nguon.reports import rules as report_rules
from nguon.reports.models import Submission
from nguon.schedule import rules as schedule_rules
from nguon.schedule import station
from nguon.schedule.models import Broadcast, InboxEntry, LiveSession, Paper
from nguon.territory.models import COMMUNE, Unit


@dataclass(frozen=True)
class Kind:
    """The things of one kind, as they would go."""

    mover: Mover
    things: Sequence[Thing]

    @property
    def name(self) -> str:
        """What the kind is called."""
        return NAMES[self.mover.kind]

    @property
    def moving(self) -> list[Thing]:
        """Those that would move."""
        return [
            thing
            for thing in self.things
            if thing.new is not None
            and (self.mover.takes_doubles or not thing.is_double)
        ]

    @property
    def doubles(self) -> list[Thing]:
        """Those whose like is at the new unit already."""
        return [thing for thing in self.things if thing.is_double]

    @property
    def renamed(self) -> list[Thing]:
        """Those that would take another name."""
        return [thing for thing in self.things if thing.name]


# Pages that show one unit's own, by `?don_vi=`.
STATION, WEEK = "schedule:station", "schedule:week"
OF_UNIT = frozenset({STATION, WEEK})
PAPERS = "quy chế, chương trình, nguồn tiếp âm đang có hiệu lực"
BROADCASTS = "lượt phát đã duyệt còn sẽ phát"
WITHOUT_RULES = "xã, phường mới chưa có quy chế đài"
# What sounds today and would not any more is told first. A commune without rules
# still sounds its own bulletins, within the quiet hours of above (`schedule.papers`).
SILENCING = (PAPERS, BROADCASTS)
SOUNDING = (station.RULES, station.PROGRAMME, station.SOURCE)


@dataclass(frozen=True)
class Left:
    """What stays with the old units though it is not over.

    `places` are the units that have it, in words, each with the address where it is
    seen to.
    """

    name: str
    count: int
    advice: str
    places: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Preview:
    """All that is known before a run; `sha256` names exactly this."""

    ground: Ground
    kinds: Sequence[Kind]
    open: Sequence[tuple[Place, int]]
    left: Sequence[Left]
    blocks: Sequence[str]
    sha256: str

    @property
    def silencing(self) -> list[Left]:
        """What sounds today and would not after a run, unless it is seen to before."""
        return [one for one in self.left if one.name in SILENCING]

    @property
    def total(self) -> int:
        """How many things would move."""
        return sum(len(kind.moving) for kind in self.kinds)


def look(merge: Merge, *, at: datetime) -> Preview:
    """Return what a merge would do now."""
    ground = read_ground(merge)
    kinds = [Kind(mover, mover.find(ground, at=at)) for mover in MOVERS]
    standing: Counter[int] = Counter()
    for kind in kinds:
        standing.update(thing.old for thing in kind.things)
    undecided = [
        (place, standing[key])
        for key, place in ground.places.items()
        if place.is_open and standing[key]
    ]
    undecided.sort(key=lambda row: (-row[1], row[0].old.folded))
    return Preview(
        ground=ground,
        kinds=kinds,
        open=undecided,
        left=list_left(ground, at=at),
        blocks=list_blocks(ground, at=at),
        sha256=_hash(merge, kinds),
    )


def _hash(merge: Merge, kinds: Iterable[Kind]) -> str:
    """Return the hash of what would move where: two who see one thing agree on it."""
    told = {
        kind.mover.kind: [
            [thing.key, thing.old, thing.new, thing.name] for thing in kind.moving
        ]
        for kind in kinds
    }
    return content_hash({"merge": merge.uid, "moves": told})


def list_blocks(ground: Ground, *, at: datetime) -> list[str]:
    """Return in words what is going on that forbids to rearrange ground now.

    A device that changes its ground forgets what was told to the old one: nobody may
    lift a stop, or break an alert or a live voice off, by merging units.
    """
    units = set(ground.places)
    units |= {key for p in ground.places.values() for key in p.old.ancestor_ids}
    listed = sorted(units)
    found = []
    stops = _at(
        Stop.objects.filter(lifted_at__isnull=True, until__gt=at), "unit", listed
    )
    alerts = _at(
        Broadcast.objects.filter(
            state=schedule_rules.APPROVED,
            version__klass="emergency",
            expires_at__gt=at,
        ),
        "carriers",
        listed,
    )
    spoken = _at(LiveSession.objects.filter(ended_at__isnull=True), "carriers", listed)
    if stops:
        found.append(f"{stops} lệnh dừng đang có hiệu lực trên địa bàn")
    if alerts:
        found.append(f"{alerts} tin khẩn cấp đang có hiệu lực trên địa bàn")
    if spoken:
        found.append(f"{spoken} phiên nói trực tiếp đang diễn ra trên địa bàn")
    return found


def _at(rows: QuerySet[Any], name: str, units: Sequence[int]) -> int:
    keys: set[int] = set()
    for part in chunks(units):
        keys |= set(rows.filter(**{f"{name}__in": part}).values_list("pk", flat=True))
    return len(keys)


def list_left(ground: Ground, *, at: datetime) -> list[Left]:
    """Return what is not over and does not go along, with what to do about it."""
    today = timezone.localdate(at)
    in_force = Q(last_date__isnull=True) | Q(last_date__gte=today)
    papers = Paper.objects.filter(in_force, state=schedule_rules.APPROVED)
    waiting = [schedule_rules.DRAFT, schedule_rules.WAITING]
    tables: Sequence[tuple[str, QuerySet[Any], str, str]] = (
        (
            PAPERS,
            papers.filter(kind__in=SOUNDING),
            "Không đi theo: đã duyệt cho đơn vị cũ. Khung giờ, chương trình, tiếp âm "
            "trong đó thôi phát, giờ yên lặng trong đó thôi giữ, tới khi đơn vị mới "
            "lập và duyệt lại.",
            STATION,
        ),
        (
            "giấy tờ khác của đài đang có hiệu lực",
            papers.exclude(kind__in=SOUNDING),
            "Không đi theo: đã duyệt cho đơn vị cũ. Lập và duyệt lại ở đơn vị mới nếu "
            "còn cần.",
            STATION,
        ),
        (
            "giấy tờ của đài đang soạn, chờ duyệt",
            Paper.objects.filter(state__in=waiting),
            "Soạn lại ở đơn vị mới.",
            STATION,
        ),
        (
            "tin từ cấp trên chưa quyết định",
            InboxEntry.objects.filter(state=schedule_rules.NEW),
            "Quyết định trước khi chạy, hoặc tỉnh gửi lại cho đơn vị mới.",
            "schedule:inbox",
        ),
        (
            "bản nháp chưa gửi",
            Bulletin.objects.filter(versions__isnull=True),
            "Còn đọc được ở đơn vị cũ; chép sang đơn vị mới từ kho.",
            "schedule:bulletins",
        ),
        (
            "tin đến chưa xử lý",
            Arrival.objects.filter(state=newsroom_rules.ARRIVED),
            "Xử lý trước khi chạy.",
            "newsroom:arrivals",
        ),
        (
            "báo cáo chưa được chấp nhận",
            Submission.objects.filter(period__closed_at=None).exclude(
                state=report_rules.ACCEPTED
            ),
            "Gửi và chấp nhận trước khi chạy; kỳ sau hỏi đơn vị mới.",
            "reports:periods",
        ),
    )
    found = []
    carried = list_to_come(ground, at=at)
    if carried:
        advice = (
            "Không đi theo: sẽ không phát trên loa đã chuyển. Gửi duyệt lại ở đơn vị "
            "mới trước khi chạy."
        )
        count = len({key for key, _unit in carried})
        olds = {key: ground.places[key].old for _broadcast, key in carried}
        places = _places(_by_name(olds.values()), WEEK, ground, today)
        found.append(Left(BROADCASTS, count, advice, places))
    for name, rows, advice, page in tables:
        count, units = _standing(rows, ground)
        if count:
            places = _places(units, page, ground, today)
            found.append(Left(name, count, advice, places))
    plans = ActionPlan.objects.filter(
        state=plan_rules.SENT, last_date__gte=ground.day, carried_to=None
    )
    count, units = _standing(plans, ground, "keeper")
    if count:
        advice = "Sau khi chạy, mở kế hoạch và bấm “Chuyển sang bản đồ hôm nay”."
        name = "kế hoạch còn hạn, việc và chỉ tiêu chưa giao trên bản đồ mới"
        places = _places(units, "plan:plans", ground, today)
        found.append(Left(name, count, advice, places))
    served = {leaf.unit for leaf in settings.LEAVES.values()}
    leaves = [place.old for place in ground.places.values() if place.old.uid in served]
    if leaves:
        advice = "Bộ phận vận hành đổi NGUON_LEAVES sang đơn vị mới trước khi chạy."
        places = [(unit.full_name, "") for unit in leaves]
        name = "nút kết nối riêng (leaf)"
        found.append(Left(name, len(leaves), advice, places))
    bare = _list_without_rules(ground, papers)
    if bare:
        advice = (
            "Loa ở đó vẫn phát bản tin của xã, tin cấp trên và tin khẩn cấp, theo giờ "
            "yên lặng chung; chưa có khung giờ nên chưa tiếp âm, chưa có chương trình. "
            "Lập và duyệt quy chế khi cần."
        )
        places = _places(bare, STATION, ground, today)
        found.append(Left(WITHOUT_RULES, len(bare), advice, places))
    return found


def _standing(
    rows: QuerySet[Any], ground: Ground, field: str = "unit"
) -> tuple[int, list[Unit]]:
    by_unit: Counter[int] = Counter()
    for part in ground.old_chunks():
        some = rows.filter(**{f"{field}__in": part}).order_by()
        by_unit.update(some.values_list(field, flat=True))
    units = [ground.places[key].old for key in by_unit]
    return by_unit.total(), _by_name(units)


def _by_name(units: Iterable[Unit]) -> list[Unit]:
    return sorted(units, key=lambda unit: (unit.folded, unit.pk))


def list_to_come(ground: Ground, *, at: datetime) -> list[tuple[int, int]]:
    """Return the approved broadcasts that have starts ahead in the plans of old units.

    Pairs of keys, broadcast and old unit; also what a unit above issued for them.
    """
    today = timezone.localdate(at)
    to_come = Broadcast.objects.filter(
        Q(timing=schedule_rules.ONCE, starts_at__gt=at)
        | Q(timing=schedule_rules.DAILY, last_date__gte=today),
        state=schedule_rules.APPROVED,
    )
    found: list[tuple[int, int]] = []
    for part in ground.old_chunks():
        rows = Broadcast.carriers.through.objects.filter(
            unit__in=part, broadcast__in=to_come
        )
        found += rows.order_by("broadcast", "unit").values_list("broadcast", "unit")
    return found


def _places(
    units: Sequence[Unit], page: str, ground: Ground, today: date
) -> list[tuple[str, str]]:
    """Return units in words, each with the address where it is seen to.

    Of a unit that is off the map already the work waits at its heir.
    """
    to = reverse(page)
    found = []
    for unit in units:
        words, shown = unit.full_name, unit
        if unit.valid_to is not None and unit.valid_to <= today:
            place = ground.places.get(unit.pk)
            if place is None or place.heir is None:
                found.append((words, "" if page in OF_UNIT else to))
                continue
            words, shown = f"{words} → {place.heir.full_name}", place.heir
        found.append((words, f"{to}?don_vi={shown.uid}" if page in OF_UNIT else to))
    return found


def _list_without_rules(ground: Ground, papers: QuerySet[Paper]) -> list[Unit]:
    communes = {u.pk: u for u in ground.news.values() if u.kind == COMMUNE}
    with_rules: set[int] = set()
    for part in chunks(sorted(communes)):
        rows = papers.filter(kind=station.RULES, unit__in=part)
        with_rules |= set(rows.values_list("unit", flat=True))
    return _by_name(unit for key, unit in communes.items() if key not in with_rules)


def count_all(ground: Ground, *, at: datetime) -> dict[str, int]:
    """Return how many things of each kind stand on the whole ground."""
    return {mover.kind: mover.count(ground, at=at) for mover in MOVERS}


def names_of(keys: Iterable[int]) -> dict[int, str]:
    """Return the names of units, a village with its commune."""
    found = {}
    for part in chunks(sorted(set(keys))):
        for unit in Unit.objects.filter(pk__in=part).select_related("parent"):
            name = unit.full_name
            if unit.kind == "village" and unit.parent:
                name = f"{name}, {unit.parent.full_name}"
            found[unit.pk] = name
    return found
