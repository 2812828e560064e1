"""What can be chosen in the forms of papers: places, sources, materials."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from nguon.core.messages import Audience
from nguon.fleet.models import ACTIVE, Device, DeviceGroup
from nguon.people.models import Officer
from nguon.schedule import inbox, papers, rules, station
from nguon.schedule.inbox import Material
from nguon.schedule.models import Paper
from nguon.territory.models import Unit
from nguon.territory.queries import list_villages

LISTED_DEVICES = 200


@dataclass(frozen=True)
class Choice:
    """One village, device or group that may be ticked."""

    uid: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class PlaceChoices:
    """Where a piece of a paper holds: the whole station, or what is ticked."""

    whole: bool
    villages: Sequence[Choice]
    devices: Sequence[Choice]
    groups: Sequence[Choice]


def list_places(unit: Unit, places: Audience, *, at: datetime) -> PlaceChoices:
    """Return a station's villages, devices, groups; what `places` names is ticked."""
    day = at.astimezone(rules.LOCAL).date()
    active = Device.objects.filter(unit__path__startswith=unit.path, state=ACTIVE)
    found = active.filter(kind="speaker").order_by("name_order", "pk")[:LISTED_DEVICES]
    return PlaceChoices(
        whole=places == station.WHOLE,
        villages=[
            Choice(one.uid, one.full_name, one.uid in places.units)
            for one in list_villages(unit, day=day)
        ],
        devices=[Choice(one.uid, one.name, one.uid in places.devices) for one in found],
        groups=[
            Choice(one.uid, one.name, one.uid in places.groups)
            for one in DeviceGroup.objects.filter(
                unit__path__startswith=unit.path
            ).order_by("name", "pk")
        ],
    )


@dataclass(frozen=True)
class SourceChoice:
    """One source on the register that a station may relay."""

    uid: str
    name: str
    url: str


def list_sources(unit: Unit, *, day: date) -> list[SourceChoice]:
    """Return the approved sources of a station and of the units above it."""
    found = Paper.objects.filter(
        unit__in=unit.ancestor_ids, kind=station.SOURCE, state=rules.APPROVED
    )
    named: dict[tuple[int, str], SourceChoice] = {}
    for paper in found.order_by("-approved_at", "-pk"):
        if papers.covers(paper, day):
            body = papers.body_of(paper)
            choice = SourceChoice(paper.uid, body.name, body.url)
            named.setdefault((paper.unit_id, paper.subject), choice)
    return sorted(named.values(), key=lambda one: (one.name, one.uid))


def list_shelf(
    unit: Unit, *, officer: Officer, at: datetime, text: str = ""
) -> list[Material]:
    """Return the materials that a station's programmes may use."""
    return inbox.list_materials(unit, officer=officer, at=at, text=text)
