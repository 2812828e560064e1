"""The villages from which a listening sample is drawn: their people and language."""

from datetime import date

from nguon.fleet.models import ACTIVE, SPEAKER, Device, Registration
from nguon.indicators.listening import UNKNOWN_LANGUAGE
from nguon.indicators.sampling import Village
from nguon.newsroom.rules import LANGUAGES
from nguon.territory.models import VILLAGE, Unit

OFFICIAL = "vi"


def list_units(unit: Unit, *, day: date) -> list[Unit]:
    """Return the villages under a unit on a day's map, neighbours together."""
    rows = Unit.objects.as_of(day).under(unit).filter(kind=VILLAGE)
    return list(rows.select_related("parent").order_by("path", "pk"))


def people_of(units: list[Unit]) -> int | None:
    """Return how many people live there; None when one village does not say."""
    known = [one.population for one in units]
    if not known or not all(known):
        return None
    return sum(number or 0 for number in known)


def describe(units: list[Unit]) -> list[Village]:
    """Return what a draw needs to know of villages."""
    by_size = people_of(units) is not None
    spoken = _languages(units)
    return [
        Village(
            code=one.code,
            stratum=spoken.get(one.pk, UNKNOWN_LANGUAGE),
            size=(one.population or 1) if by_size else 1,
            order=f"{one.parent.code if one.parent else ''}/{one.folded}",
        )
        for one in units
    ]


def _languages(units: list[Unit]) -> dict[int, str]:
    """Return by village the first language beside Vietnamese that its speakers play.

    Only what a village asks for is looked at: the languages of a propagandist would
    tell the ethnic origin of a person.
    """
    keys = {one.pk for one in units}
    told: dict[int, list[str]] = {}
    devices = Device.objects.filter(kind=SPEAKER, state=ACTIVE)
    stands = devices.filter(unit__in=keys).values_list("unit", "languages")
    links = Registration.villages.through.objects.filter(
        unit__in=keys, registration__device__in=devices
    ).values_list("unit", "registration__device__languages")
    for village, languages in [*stands.order_by("pk"), *links.order_by("pk")]:
        told.setdefault(village, []).extend(languages)
    return {village: _local(languages) for village, languages in told.items()}


def _local(languages: list[str]) -> str:
    for one in languages:
        if one != OFFICIAL and one in LANGUAGES:
            return one
    return OFFICIAL
