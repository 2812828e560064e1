"""Where facts stand, as figures count them: see `territory.standing`; and villages."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from django.db.models import Count

from nguon.territory.models import VILLAGE, Unit
from nguon.territory.standing import places_of, stand_on

__all__ = ["places_of", "stand_on", "villages_below"]


def villages_below(unit: Unit, *, day: date) -> Mapping[int, int]:
    """Return by commune how many villages stand under a unit on a day."""
    rows = Unit.objects.as_of(day).under(unit).filter(kind=VILLAGE).order_by()
    parents = dict(rows.values_list("parent").annotate(n=Count("pk")))
    places = places_of(parents)
    found: Counter[int] = Counter()
    for parent, n in parents.items():
        found[places[parent]] += n
    return found
