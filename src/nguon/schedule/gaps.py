"""Which villages of an audience hear Vietnamese because their language is missing."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from nguon.fleet.models import Device
from nguon.territory.models import VILLAGE

VIETNAMESE = "vi"


@dataclass(frozen=True)
class Gap:
    """How many villages hear Vietnamese only, and which languages they wait for.

    `wanted` are pairs of language and villages, most villages first; a village in
    which devices ask for two languages counts for both.
    """

    villages: int
    wanted: Sequence[tuple[str, int]]


def missing_language(asked: Sequence[str], has: Collection[str]) -> str | None:
    """Return the language that a device misses, by the rule of `core.playout`.

    It plays the first it asks for that the bulletin has, else Vietnamese: None when
    that is another language, or when Vietnamese is what it asks for first.
    """
    heard = next((one for one in asked if one in has), VIETNAMESE)
    if heard != VIETNAMESE or not asked or asked[0] == VIETNAMESE:
        return None
    return asked[0]


def find_gap(devices: QuerySet[Device], languages: Collection[str]) -> Gap | None:
    """Return the gap of an audience, or None when every village is spoken to."""
    rows = devices.filter(unit__kind=VILLAGE, kind="speaker").order_by()
    wanted: dict[str, set[int]] = defaultdict(set)
    for asked, village in rows.values_list("languages", "unit"):
        missing = missing_language(asked, languages)
        if missing is not None:
            wanted[missing].add(village)
    if not wanted:
        return None
    counts = [(language, len(villages)) for language, villages in wanted.items()]
    return Gap(
        villages=len(set().union(*wanted.values())),
        wanted=sorted(counts, key=lambda pair: (-pair[1], pair[0])),
    )
