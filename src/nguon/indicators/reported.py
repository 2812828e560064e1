"""Figures that units reported, as they stand on the ground of a day.

Each tells how things stood at the end of its period, so of several periods that ended
in the asked days the latest is read, never their sum. Where a unit and units below it
reported the same, the highest is the whole of its ground.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from nguon.indicators import catalogue, ground, rules
from nguon.indicators.models import ReportedFigure
from nguon.indicators.rules import Period, Ratio
from nguon.territory.models import Unit


def list_standing(
    unit: Unit, period: Period, *, day: date
) -> Sequence[tuple[Unit, ReportedFigure]]:
    """Return each standing figure under a unit, with its place on a day's map."""
    rows = (
        ReportedFigure.objects.filter(
            withdrawn_at=None,
            after_date__gt=period.first,
            after_date__lte=period.after,
            indicator__in=[
                one.code
                for one in catalogue.INDICATORS.values()
                if one.source == catalogue.REPORTED
            ],
        )
        .select_related("unit")
        .order_by("after_date", "recorded_at", "pk")
    )
    latest = {(row.indicator, row.unit_id): row for row in rows}
    kept = [row for row in latest.values() if not _is_within(row, latest)]
    places = ground.places_of({row.unit_id for row in kept})
    stands = ground.stand_on(set(places.values()), day=day)
    told = [(stands[places[row.unit_id]], row) for row in kept]
    return [(place, row) for place, row in told if place.path.startswith(unit.path)]


def _is_within(
    row: ReportedFigure, latest: Mapping[tuple[str, int], ReportedFigure]
) -> bool:
    """Say whether a unit above reported the same figure."""
    above = row.unit.ancestor_ids[:-1]
    return any((row.indicator, key) in latest for key in above)


def count(
    unit: Unit, period: Period, *, day: date
) -> Mapping[str, Mapping[int, Ratio]]:
    """Return each reported figure by place; who has not reported is not there."""
    found: dict[str, dict[int, list[Ratio]]] = defaultdict(lambda: defaultdict(list))
    for place, row in list_standing(unit, period, day=day):
        found[row.indicator][place.pk].append(row.ratio)
    return {
        code: {key: rules.roll_up(ratios) for key, ratios in places.items()}
        for code, places in found.items()
    }
