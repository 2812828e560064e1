"""Reads of listening samples: who has answered, and what it says of all people."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.indicators import access, ground, listening
from nguon.indicators.estimating import Cluster, Estimate, estimate, weigh
from nguon.indicators.listening import ACTED, HEARD, UNDERSTOOD
from nguon.indicators.models import ListeningAnswer, ListeningPlace, ListeningRound
from nguon.indicators.rules import Period
from nguon.newsroom.rules import LANGUAGES
from nguon.people.models import Officer
from nguon.territory.models import Unit
from nguon.territory.names import fold

STATES = {"dang": "Đang hỏi", "xong": "Đã xong", "bo": "Đã bỏ"}
UNKNOWN_WORDS = "Chưa rõ tiếng"


@dataclass(frozen=True)
class Back:
    """What came back from one drawn village."""

    place: ListeningPlace
    met: int = 0
    unmet: int = 0
    heard: int = 0
    understood: int = 0
    acted: int = 0
    heard_in: Mapping[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """How many people are still to be asked."""
        return max(0, self.place.ask - self.met)


@dataclass(frozen=True)
class Group:
    """The answers of all, of villages of one language, or of one commune."""

    name: str
    kind: str
    shares: Mapping[str, Estimate]
    unit: Unit | None = None


@dataclass(frozen=True)
class Results:
    """What a sample says; `silent` names strata from which nobody has answered."""

    groups: Sequence[Group]
    heard_in: Sequence[tuple[str, Estimate]]
    silent: Sequence[str]

    @property
    def all(self) -> Group:
        """The whole ground."""
        return self.groups[0]


_COUNTS = (
    ("met", Q(met=True)),
    ("unmet", Q(met=False)),
    ("heard", Q(heard=True)),
    ("understood", Q(understood=True)),
    ("acted", Q(acted=True)),
)
# Indicator → who counts below, who above.
_SHARES: Mapping[str, tuple[Callable[[Back], int], Callable[[Back], int]]] = {
    HEARD: (lambda back: back.met, lambda back: back.heard),
    UNDERSTOOD: (lambda back: back.heard, lambda back: back.understood),
    ACTED: (lambda back: back.heard, lambda back: back.acted),
}
WHOLE, STRATUM, COMMUNE = "whole", "stratum", "commune"


def list_rounds(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Any]:
    """Return the rounds an officer may see, the latest first.

    Each with `villages` drawn and people `met`.

    `asked`: `tim` (words of the unit's name), `tinh_trang` (of `STATES`).
    """
    found = access.fence_rounds(officer, at=at).select_related("unit", "bulletin")
    for word in fold(asked.get("tim", "").replace("\0", "")).split():
        found = found.filter(unit__folded__contains=word)
    state = asked.get("tinh_trang", "")
    if state in STATES:
        over = Q(ended_at__isnull=False)
        wanted = {"dang": ~over, "xong": over & Q(dropped=False), "bo": Q(dropped=True)}
        found = found.filter(wanted[state])
    counted = found.annotate(
        villages=Count("places", distinct=True),
        met=Count("places__answers", filter=Q(places__answers__met=True)),
    )
    return counted.order_by("-year", "-quarter", "-drawn_at", "-pk")


def list_back(one: ListeningRound) -> list[Back]:
    """Return every drawn village with what came back, in the order of communes."""
    names = [name for name, _which in _COUNTS]
    counted = {f"n_{name}": Count("pk", filter=which) for name, which in _COUNTS}
    rows = ListeningAnswer.objects.filter(place__round=one).order_by().values("place")
    told = {
        key: dict(zip(names, numbers, strict=True))
        for key, *numbers in rows.annotate(**counted).values_list("place", *counted)
    }
    spoken: dict[int, dict[str, int]] = defaultdict(dict)
    heard = ListeningAnswer.objects.filter(place__round=one, heard=True).order_by()
    for place, language, n in heard.values_list("place", "language").annotate(
        n=Count("pk")
    ):
        spoken[place][language] = n
    places = one.places.select_related("village__parent").order_by("village__path")
    return [
        Back(place, heard_in=spoken.get(place.pk, {}), **told.get(place.pk, {}))
        for place in places
    ]


def find_place(code: str) -> ListeningPlace:
    """Return the village of a page's code. Raises AbsentError."""
    found = ListeningPlace.objects.filter(code=code.upper(), round__dropped=False)
    place = found.select_related("round__unit", "village__parent").first()
    if place is None:
        raise AbsentError("indicators.listening_code")
    return place


def count_back(place: ListeningPlace) -> Back:
    """Return how many of one village have answered."""
    rows = ListeningAnswer.objects.filter(place=place)
    met = rows.filter(met=True).count()
    return Back(place, met=met, unmet=rows.filter(met=False).count())


def find_results(one: ListeningRound, backs: Sequence[Back]) -> Results:
    """Return the shares of the whole ground, by language and by commune."""
    weights = _weigh(backs)
    groups = [Group("Tất cả", WHOLE, _shares(one, backs, weights))]
    for code in sorted({back.place.stratum for back in backs}):
        keys = {back.place.pk for back in backs if back.place.stratum == code}
        shares = _shares(one, backs, weights, keys)
        groups.append(Group(stratum_words(code), STRATUM, shares))
    communes: dict[Unit, set[int]] = defaultdict(set)
    for back in backs:
        parent = back.place.village.parent
        if parent is not None and parent.pk != one.unit_id:
            communes[parent].add(back.place.pk)
    groups += [
        Group(unit.full_name, COMMUNE, _shares(one, backs, weights, keys), unit)
        for unit, keys in communes.items()
    ]
    answered = {back.place.stratum for back in backs if back.met}
    strata = {back.place.stratum for back in backs}
    return Results(
        groups=groups,
        heard_in=_list_heard_in(one, backs, weights),
        silent=[stratum_words(code) for code in sorted(strata - answered)],
    )


def stratum_words(code: str) -> str:
    """Name a group of villages by the language of their speakers."""
    if code not in LANGUAGES:
        return UNKNOWN_WORDS
    name = LANGUAGES[code]
    return f"Làng nghe {name[0].lower()}{name[1:]}"


def _weigh(backs: Sequence[Back]) -> Mapping[int, float]:
    """Return by place how much of the ground it stands for, once it has answered."""
    hits: Counter[str] = Counter()
    for back in backs:
        if back.met:
            hits[back.place.stratum] += back.place.hits
    return {
        back.place.pk: weigh(
            hits=back.place.hits,
            stratum_size=back.place.stratum_size,
            stratum_hits=hits[back.place.stratum],
        )
        for back in backs
        if back.met
    }


def _shares(
    one: ListeningRound,
    backs: Sequence[Back],
    weights: Mapping[int, float],
    keys: Collection[int] | None = None,
) -> Mapping[str, Estimate]:
    return {
        code: _estimate(one, backs, weights, below, above, keys)
        for code, (below, above) in _SHARES.items()
    }


def _estimate(
    one: ListeningRound,
    backs: Sequence[Back],
    weights: Mapping[int, float],
    below: Callable[[Back], int],
    above: Callable[[Back], int],
    keys: Collection[int] | None = None,
) -> Estimate:
    """Estimate a share among the places of some keys; the others still weigh in."""
    clusters = []
    for back in backs:
        if back.met:
            counts = keys is None or back.place.pk in keys
            clusters.append(
                Cluster(
                    stratum=back.place.stratum,
                    weight=weights[back.place.pk],
                    answers=back.met,
                    asked=below(back) if counts else 0,
                    yes=above(back) if counts else 0,
                )
            )
    return estimate(
        clusters, confidence=one.confidence, effect=float(one.design_effect)
    )


def _list_heard_in(
    one: ListeningRound, backs: Sequence[Back], weights: Mapping[int, float]
) -> list[tuple[str, Estimate]]:
    """Return of those who heard, in which language they did, the usual order."""
    known = {code for back in backs for code in back.heard_in}
    return [
        (
            listening.HEARD_IN[code],
            _estimate(
                one,
                backs,
                weights,
                lambda back: back.heard,
                lambda back, code=code: back.heard_in.get(code, 0),  # type: ignore[misc]
            ),
        )
        for code in listening.HEARD_IN
        if code in known
    ]


@dataclass(frozen=True)
class Asked:
    """What the latest ended sample says of one unit's ground."""

    round: ListeningRound
    shares: Mapping[str, Estimate]


def find_asked(unit: Unit, period: Period, *, day: date) -> Asked | None:
    """Return what was asked about a quarter of the period, on the map of a day.

    The latest ended sample of the unit itself, else of a unit above it, of which only
    the villages that stand on the unit's ground count. A sample of a part of the
    ground says nothing of the whole, so none is put together from below.
    """
    rounds = ListeningRound.objects.filter(
        unit__in=unit.ancestor_ids, dropped=False, ended_at__isnull=False, bulletin=None
    ).select_related("unit")
    fitting = [
        one
        for one in rounds
        if overlaps(listening.quarter_days(one.year, one.quarter), period)
    ]
    if not fitting:
        return None
    one = max(fitting, key=lambda o: (o.year, o.quarter, len(o.unit.path), o.pk))
    backs = list_back(one)
    keys = None
    if one.unit_id != unit.pk:
        keys = _standing_under(unit, backs, day=day)
    return Asked(one, _shares(one, backs, _weigh(backs), keys))


def overlaps(one: Period, other: Period) -> bool:
    """Say whether two periods share a day."""
    return one.first < other.after and other.first < one.after


def _standing_under(unit: Unit, backs: Sequence[Back], *, day: date) -> set[int]:
    places = ground.places_of({back.place.village_id for back in backs})
    stands = ground.stand_on(set(places.values()), day=day)
    return {
        back.place.pk
        for back in backs
        if stands[places[back.place.village_id]].path.startswith(unit.path)
    }
