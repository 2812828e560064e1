"""Standing authorities: who may let something sound alone, here and now.

Source: design 5.3: dated, scoped, put into force by two persons, named on every use.
Whoever acts under one writes the paper down beside the act.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Q, QuerySet

from nguon.core.errors import RefusedError
from nguon.core.messages import Audience
from nguon.fleet.models import ACTIVE, Device, DeviceGroup
from nguon.people.models import Officer
from nguon.schedule import rules, station
from nguon.schedule.audience import list_groups_under, members_of
from nguon.schedule.models import Paper
from nguon.schedule.station import Authority
from nguon.territory.models import Unit


class NoAuthorityError(RefusedError):
    """No standing authority covers this officer, act, place and hour."""

    def __init__(self, act: str) -> None:
        super().__init__("schedule.no_authority", act=station.ACTS[act])


def find_authority(
    *,
    officer: Officer,
    act: str,
    units: Sequence[Unit],
    at: datetime,
    devices: Sequence[Device] = (),
) -> Paper:
    """Return the paper under which an officer may do an act alone at these places.

    Every unit and device must be covered by one and the same paper; of several the
    latest approved is named. Raises NoAuthorityError, also when nothing is chosen.
    """
    for paper in list_authorities(officer=officer, act=act, at=at):
        if _covers(paper, units, devices):
            return paper
    raise NoAuthorityError(act)


def list_authorities(*, officer: Officer, act: str, at: datetime) -> list[Paper]:
    """Return the papers that let an officer do an act now, the latest first."""
    local = at.astimezone(rules.LOCAL)
    found = Paper.objects.filter(
        Q(last_date__isnull=True) | Q(last_date__gte=local.date()),
        kind=station.AUTHORITY,
        state=rules.APPROVED,
        first_date__lte=local.date(),
    )
    return [
        paper
        for paper in found.select_related("unit").order_by("-approved_at", "-pk")
        if _allows(body_of(paper), officer, act, local.time())
    ]


def ends_at(paper: Paper, *, at: datetime) -> datetime:
    """Return when the hours of an authority that is in force now end next."""
    local, end = at.astimezone(rules.LOCAL), body_of(paper).end
    close = datetime.combine(local.date(), end, rules.LOCAL)
    return close if close > local else close + timedelta(days=1)


@dataclass(frozen=True)
class Ground:
    """What an authority lets an officer choose: places, and single devices.

    `whole` is the unit that stands for all of it, when there is one.
    """

    paper: Paper
    whole: Unit | None
    units: Sequence[Unit]
    devices: Sequence[Device]
    groups: Sequence[DeviceGroup]


def ground_of(paper: Paper, *, at: datetime) -> Ground:
    """Return what may be chosen under an authority, on today's map."""
    places, today = body_of(paper).places, at.astimezone(rules.LOCAL).date()
    now = Unit.objects.as_of(today)
    devices = Device.objects.filter(state=ACTIVE).select_related("unit")
    order = ("unit__folded", "name_order", "pk")
    if places == station.WHOLE:
        below = now.filter(parent=paper.unit).order_by("folded", "pk")
        here = devices.filter(unit__path__startswith=paper.unit.path)
        every = list_groups_under(paper.unit)
        return Ground(
            paper, paper.unit, list(below), list(here.order_by(*order)), every
        )
    named = list(now.filter(uid__in=places.units).order_by("path", "pk"))
    meant = Q(pk__in=_named_devices(places).values("pk"))
    for unit in named:
        meant |= Q(unit__path__startswith=unit.path)
    found = list(devices.filter(meant).order_by(*order))
    keys = {device.pk for device in found}
    groups = [
        group
        for group in list_groups_under(paper.unit)
        if keys.issuperset(device.pk for device in members_of(group))
    ]
    return Ground(paper, None, named, found, groups)


def _named_devices(places: Audience) -> QuerySet[Device]:
    """Return the devices that are named one by one, or by a group they are in."""
    named = Q(uid__in=places.devices) | Q(groups__group__uid__in=places.groups)
    return Device.objects.filter(named)


def body_of(paper: Paper) -> Authority:
    """Return what an authority says. Raises InvalidError for a broken body."""
    body: Authority = station.decode(station.AUTHORITY, paper.body)
    return body


def _allows(body: Authority, officer: Officer, act: str, clock: time) -> bool:
    if not officer.is_active or officer.pk not in body.officers or act not in body.acts:
        return False
    if body.begin < body.end:
        return body.begin <= clock < body.end
    # Hours that cross midnight; equal ends are the whole day.
    return clock >= body.begin or clock < body.end


def _covers(paper: Paper, units: Sequence[Unit], devices: Sequence[Device]) -> bool:
    places = body_of(paper).places
    grounds = [paper.unit.path]
    if places != station.WHOLE:
        named = Unit.objects.filter(uid__in=places.units)
        grounds = list(named.values_list("path", flat=True))

    uids = set(_named_devices(places).values_list("uid", flat=True))

    def holds(unit: Unit) -> bool:
        # Never outside the unit whose paper it is, whatever the places say.
        return unit.path.startswith(paper.unit.path) and any(
            unit.path.startswith(path) for path in grounds if path
        )

    return bool(units or devices) and all(
        (
            *(holds(unit) for unit in units),
            *(
                holds(device.unit)
                or (device.uid in uids and device.unit.path.startswith(paper.unit.path))
                for device in devices
            ),
        )
    )
