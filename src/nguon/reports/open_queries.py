"""Reads of open data: what would be published, and what was."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from nguon.core.errors import AbsentError
from nguon.indicators import catalogue, queries, rules, stored
from nguon.indicators.catalogue import COUNT, INDICATORS, Indicator
from nguon.indicators.rules import Period as Days
from nguon.indicators.rules import Ratio
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.reports import opening
from nguon.reports.models import Publication, PublishedFigure, ScoreSheet
from nguon.reports.opening import Line
from nguon.territory.models import COMMUNE, Unit


@dataclass(frozen=True)
class Draft:
    """What publishing a period now would say; the unit itself first."""

    lines: Sequence[tuple[Indicator, Unit, Line]]
    counted_days: int


def draft(unit: Unit, days: Days, codes: Collection[str]) -> Draft:
    """Return what would be published. Raises InvalidError `indicators.…`."""
    wanted = [catalogue.find(code) for code in codes]
    table = stored.read(unit, days, day=stored.map_day(unit, days)).table
    counted = queries.count_days(days)
    communes = sorted(
        (one for one in table.places.values() if one.kind == COMMUNE),
        key=lambda one: one.code,
    )
    lines: list[tuple[Indicator, Unit, Line]] = []
    for one in wanted:
        is_told = counted or one.source == catalogue.REPORTED
        found = table.ratios.get(one.code) if is_told else None
        total = None if found is None else rules.roll_up(found.values())
        for place in (unit, *communes):
            ratio = total if place == unit else _at(one, found, place)
            line = opening.make_line(one, ratio, is_total=place == unit)
            if line is not None:
                lines.append((one, place, line))
    return Draft(lines, counted)


def _at(one: Indicator, found: Mapping[int, Ratio] | None, place: Unit) -> Ratio | None:
    """Return the figure of one place; None where nobody counted or told it."""
    if found is None:
        return None
    recipe = rules.RECIPES.get(one.code)
    must_tell = recipe is None or recipe.told is not None
    return found.get(place.pk, None if must_tell else Ratio())


# --- what officers see --------------------------------------------------------------


def list_publications(officer: Officer, *, at: datetime) -> QuerySet[Publication]:
    """Return what an officer's ground published, the latest first."""
    rows = people.fence(Publication.objects.all(), officer=officer, at=at)
    found = rows.select_related("unit", "published_by", "withdrawn_by")
    return found.order_by("-published_at", "-pk")


def list_seen(officer: Officer, *, at: datetime) -> QuerySet[Publication]:
    """Return what was published on an officer's ground and by the units above it."""
    above = {
        key
        for unit in people.units_of(officer, at=at)
        for key in unit.ancestor_ids
    }  # fmt: skip
    own = list_publications(officer, at=at).values("pk")
    found = Publication.objects.filter(Q(pk__in=own) | Q(unit__in=above))
    rows = found.select_related("unit", "published_by", "withdrawn_by")
    return rows.order_by("-published_at", "-pk")


def find_standing(unit: Unit, days: Days) -> Publication | None:
    """Return what stands published of a unit and period."""
    rows = Publication.objects.filter(unit=unit, withdrawn_at=None)
    return rows.filter(first_date=days.first, after_date=days.after).first()


def access_publication(officer: Officer, uid: str, *, at: datetime) -> Publication:
    """Return a publication of an officer's ground. Raises AbsentError."""
    row = list_publications(officer, at=at).filter(uid=uid).first()
    if row is None:
        raise AbsentError("reports.publication_absent")
    return row


# --- what everybody sees ------------------------------------------------------------


def list_public() -> QuerySet[Publication]:
    """Return what stands published, the latest period first."""
    rows = Publication.objects.filter(withdrawn_at=None).select_related("unit")
    return rows.order_by("-after_date", "-published_at", "-pk")


def list_public_sheets() -> QuerySet[ScoreSheet]:
    """Return the score sheets that were published, the latest year first."""
    rows = ScoreSheet.objects.exclude(published_at=None).select_related("unit")
    return rows.order_by("-year", "unit__code", "pk")


def find_public(uid: str) -> Publication:
    """Return a publication, a withdrawn one too. Raises AbsentError."""
    row = Publication.objects.filter(uid=uid).select_related("unit").first()
    if row is None:
        raise AbsentError("reports.publication_absent")
    return row


def find_public_sheet(uid: str) -> ScoreSheet:
    """Return a published score sheet. Raises AbsentError."""
    row = list_public_sheets().filter(uid=uid).first()
    if row is None:
        raise AbsentError("reports.publication_absent")
    return row


@dataclass(frozen=True)
class Published:
    """One published figure with the words that explain it."""

    indicator: Indicator
    unit: Unit
    line: Line

    @property
    def value(self) -> Decimal | None:
        """The figure in its shown unit, or None."""
        return opening.value_of(self.indicator, self.line)

    @property
    def why(self) -> str:
        """Why there is none."""
        return opening.WHY.get(self.line.missing, "")

    @property
    def method(self) -> str:
        """How it is made."""
        return opening.method_of(self.indicator)


def list_published(row: Publication, *, code: str = "") -> list[Published]:
    """Return the figures of a publication, the unit itself first, then by code.

    With a `code`, of that indicator only.
    """
    found = PublishedFigure.objects.filter(publication=row).select_related("unit")
    if code:
        found = found.filter(indicator=code)
    order = {one: number for number, one in enumerate(INDICATORS)}
    rows = [
        Published(INDICATORS[figure.indicator], figure.unit, figure.line)
        for figure in found
        if figure.indicator in INDICATORS
    ]
    return sorted(
        rows,
        key=lambda one: (
            order[one.indicator.code], one.unit.pk != row.unit_id, one.unit.code,
        ),
    )  # fmt: skip


def own_part(total: Published, places: Sequence[Published]) -> Decimal | None:
    """Return what a unit counted itself, in none of its communes; None if nothing.

    Only of what is counted in ones: others are rounded, and differ by that.
    """
    one = total.indicator
    is_whole = one.code not in rules.RECIPES or rules.RECIPES[one.code].scale == 1
    if one.ratio != COUNT or not is_whole or total.line.above is None or not places:
        return None
    own = total.line.above - sum(place.line.above or 0 for place in places)
    return own if own > 0 else None


def list_totals(row: Publication) -> list[Published]:
    """Return the figures of the whole unit that published."""
    return [one for one in list_published(row) if one.unit.pk == row.unit_id]
