"""Station rules as people read them: slots by the clock, places by their names."""

from collections.abc import Mapping
from dataclasses import dataclass

from nguon.core.errors import InvalidError
from nguon.core.messages import Audience
from nguon.schedule import checks, inspection, recurrence, station
from nguon.schedule.station import Slot, StationRules
from nguon.territory.models import Unit


@dataclass(frozen=True)
class SlotRow:
    """One slot in words."""

    slot: Slot
    begin: str
    days: str
    where: str
    source: str
    fallback: str


def slot_rows(body: StationRules, names: Mapping[str, str]) -> list[SlotRow]:
    """Return the slots of rules in the order of the day, in words."""
    rows = [
        SlotRow(
            slot=slot,
            begin=_begin_words(body, slot),
            days=recurrence.rrule_words(slot.repeat),
            where=where_words(slot.places, names),
            source=names.get(slot.source, ""),
            fallback=names.get(slot.fallback, ""),
        )
        for slot in body.slots
    ]
    return sorted(rows, key=lambda row: (row.begin, row.slot.name))


def _begin_words(body: StationRules, slot: Slot) -> str:
    try:
        return f"{checks.begin_of(body, slot):%H:%M}"
    except InvalidError:
        return "chưa có giờ"


def where_words(places: Audience, names: Mapping[str, str]) -> str:
    """Return an audience in words."""
    if places == station.WHOLE:
        return "toàn đài"
    every = (*places.units, *places.devices, *places.groups)
    return ", ".join(names.get(uid, uid) for uid in every)


def rules_words(body: StationRules, unit: Unit) -> dict[str, object]:
    """Return what templates need to show station rules in words."""
    names = inspection.names_for([body], unit)
    return {
        "slots": slot_rows(body, names),
        "parts": body.parts,
        "quiet": [(one, where_words(one.places, names)) for one in body.quiet],
        "volumes": [(one, where_words(one.places, names)) for one in body.volumes],
    }
