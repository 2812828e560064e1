"""Reads about people: who approves for a unit now, what waits for an officer."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import TruncDate

from nguon.people import access
from nguon.people.models import (
    ADMINISTRATOR,
    APPROVER,
    Absence,
    Deputy,
    Notice,
    Officer,
    Role,
)
from nguon.territory import names
from nguon.territory.models import COMMUNE, PROVINCE, Unit


def list_holders(unit: Unit, *, kind: str, at: datetime) -> list[Officer]:
    """Return the present holders of a role at exactly this unit, deputies included."""
    return list_holders_in([unit], kind=kind, at=at)


def list_holders_in(units: Iterable[Unit], *, kind: str, at: datetime) -> list[Officer]:
    """Return the present holders of a role at exactly these units."""
    keys = [unit.pk for unit in units]
    return _list_present(Role.objects.filter(unit__in=keys, kind=kind), at=at)


def list_around(unit: Unit, *, kind: str, at: datetime) -> list[Officer]:
    """Return the present holders of a role whose ground touches this unit.

    Those at it, above it, and at every unit below it.
    """
    touching = Q(unit__path__startswith=unit.path) | Q(unit__in=unit.ancestor_ids)
    return _list_present(Role.objects.filter(touching, kind=kind), at=at)


def _list_present(roles: QuerySet[Role], *, at: datetime) -> list[Officer]:
    roles = _in_force(roles, at=at)
    deputies = Deputy.objects.filter(role__in=roles, from_at__lte=at, to_at__gt=at)
    away = Absence.objects.filter(officer=OuterRef("pk"), from_at__lte=at, to_at__gt=at)
    holders = Q(pk__in=roles.values("officer")) | Q(pk__in=deputies.values("officer"))
    present = Officer.objects.filter(holders, ~Exists(away), is_active=True)
    return list(present.order_by("full_name", "pk"))


def list_approvers(
    unit: Unit, *, at: datetime, without: frozenset[int] = frozenset()
) -> list[Officer]:
    """Return who should approve now: at the unit, else at the nearest one above.

    `without` are officers who may not, because they touched the bulletin. Nobody
    waits for somebody who is away: the province then approves for the commune.
    """
    for key in reversed(unit.ancestor_ids):
        above = unit if key == unit.pk else Unit.objects.get(pk=key)
        holders = list_holders(above, kind=APPROVER, at=at)
        fit = [officer for officer in holders if officer.pk not in without]
        if fit:
            return fit
    return []


def list_notices(officer: Officer) -> QuerySet[Any]:
    """Return an officer's notices by lines, unread first, the latest first.

    Those of one subject on one day are one line; an urgent one always stands alone.
    `open_lines` returns what lies under some lines.
    """
    lines = _lined(officer).values(*_LINE)
    found: QuerySet[Any] = lines.annotate(last=Max("created_at"), key=Max("pk"))
    return found.order_by("unread", "-last", "-key")


def open_lines(
    officer: Officer, lines: Collection[Mapping[str, Any]]
) -> list[list[Notice]]:
    """Return the notices under each line of `list_notices`, the latest first."""
    found: dict[tuple[Any, ...], list[Notice]] = defaultdict(list)
    rows = _lined(officer).filter(
        subject__in={line["subject"] for line in lines},
        day__in={line["day"] for line in lines},
    )
    for row in rows.order_by("-created_at", "-pk"):
        found[tuple(getattr(row, name) for name in _LINE)].append(row)
    return [found[tuple(line[name] for name in _LINE)] for line in lines]


# What the notices of one line have in common.
_LINE = ("unread", "day", "subject", "alone")


def _lined(officer: Officer) -> QuerySet[Any]:
    return Notice.objects.filter(officer=officer).annotate(
        # The two databases disagree whether nothing comes before or after a moment.
        unread=Case(When(read_at__isnull=True, then=0), default=1),
        day=TruncDate("created_at"),
        alone=Case(When(urgent=True, then=F("pk")), default=0),
    )


def count_unread(officer: Officer) -> int:
    """Return how many notices wait to be read."""
    return Notice.objects.filter(officer=officer, read_at__isnull=True).count()


def list_officers(
    by: Officer, *, at: datetime, text: str = "", unit: Unit | None = None
) -> QuerySet[Officer]:
    """Return the officers of somebody's ground, by name, with their roles in force.

    `text` is a part of a name, accents optional; `unit` keeps who has a role there
    or below.
    """
    roles = _in_force(Role.objects.all(), at=at).select_related("unit")
    officers = access.visible(by, at=at)
    if text:
        officers = officers.filter(folded__contains=names.fold(text))
    if unit is not None:
        here = roles.filter(unit__path__startswith=unit.path)
        officers = officers.filter(pk__in=here.values("officer"))
    shown = Prefetch("roles", queryset=roles.order_by("unit__path", "kind"))
    return officers.prefetch_related(shown).order_by("folded", "pk")


def list_roles(officer: Officer, *, at: datetime) -> list[Role]:
    """Return an officer's own roles in force, with the deputies of now and later."""
    later = Deputy.objects.filter(to_at__gt=at).select_related("officer")
    roles = _in_force(Role.objects.filter(officer=officer), at=at)
    shown = Prefetch("deputies", queryset=later.order_by("from_at", "pk"))
    found = roles.select_related("unit").prefetch_related(shown)
    return list(found.order_by("unit__path", "kind", "pk"))


def list_deputised(officer: Officer, *, at: datetime) -> list[Deputy]:
    """Return whom an officer stands in for, now and later."""
    rows = Deputy.objects.filter(officer=officer, to_at__gt=at)
    rows = rows.filter(role__in=_in_force(Role.objects.all(), at=at))
    found = rows.select_related("role__unit", "role__officer")
    return list(found.order_by("from_at", "pk"))


def list_absences(officer: Officer, *, at: datetime) -> list[Absence]:
    """Return when an officer is away, now and later."""
    rows = Absence.objects.filter(officer=officer, to_at__gt=at)
    return list(rows.order_by("from_at", "pk"))


def list_grantable_units(by: Officer, *, at: datetime, day: date) -> list[Unit]:
    """Return the provinces and communes at which an administrator gives roles.

    A superuser too sees only the provinces where somebody works already: the whole
    country is no list to choose from.
    """
    units = Unit.objects.as_of(day).filter(kind__in=[PROVINCE, COMMUNE])
    if by.is_superuser:
        tops = _served_tops()
        ground = Q(pk__in=tops)
        for top in sorted(tops):
            ground |= Q(path__startswith=f"/{top}/")
        return list(units.filter(ground).order_by("-kind", "folded", "pk"))
    mine = access.fence(units, officer=by, at=at, unit="", kinds=[ADMINISTRATOR])
    return list(mine.order_by("-kind", "folded", "pk"))


def list_provinces(*, day: date) -> list[Unit]:
    """Return the provinces of a day's map where somebody works, by code.

    The map holds the whole country; this system serves one province, or a few.
    """
    provinces = Unit.objects.as_of(day).filter(kind=PROVINCE, pk__in=_served_tops())
    return list(provinces.order_by("code"))


def list_province_names(*, day: date) -> list[str]:
    """Return the full names of the provinces where somebody works."""
    return [unit.full_name for unit in list_provinces(day=day)]


def _served_tops() -> set[int]:
    used = Unit.objects.filter(roles__isnull=False).values_list("path", flat=True)
    return {int(path.split("/")[1]) for path in used.distinct()}


def _in_force(roles: QuerySet[Role], *, at: datetime) -> QuerySet[Role]:
    still = Q(valid_to__isnull=True) | Q(valid_to__gt=at)
    return roles.filter(still, valid_from__lte=at)
