"""Reads of the schedule: what waits, what sounds, what really sounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeVar

from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet

from nguon.audit import months
from nguon.audit.models import Archive
from nguon.core.errors import AbsentError
from nguon.fleet.models import Device
from nguon.newsroom.models import Editor
from nguon.people import access
from nguon.people.models import APPROVER, Officer
from nguon.schedule import audience, rules, tallies
from nguon.schedule.inbox import (
    Clash,
    Material,
    Use,
    count_undecided,
    list_clashes,
    list_inbox,
    list_materials,
    list_priority,
    list_use,
)
from nguon.schedule.models import (
    Airing,
    AiringCount,
    AudienceMember,
    Broadcast,
    InboxEntry,
    LiveSession,
    PlayRecord,
)
from nguon.schedule.tallies import BROKEN_OFF, SILENT, SOUNDED, Ground, Tally
from nguon.territory.models import Unit

__all__ = [
    "BROKEN_OFF",
    "SILENT",
    "SOUNDED",
    "Clash",
    "Ground",
    "Material",
    "Tally",
    "Use",
    "count_undecided",
    "list_clashes",
    "list_inbox",
    "list_materials",
    "list_priority",
    "list_use",
]

AnyModel = TypeVar("AnyModel", bound=Model)
# Lists on a live page: who is silent is phoned one by one.
LIST_LIMIT = 200


@dataclass(frozen=True)
class Live:
    """The live view of one broadcast: totals, communes, who failed it and why.

    `archive`: its plays lie there only, so that devices have no names here;
    `is_counted` False: nothing was counted for this officer when they were put away.
    """

    airing: Airing | None
    tally: Tally
    grounds: Sequence[Ground]
    silent: Sequence[PlayRecord]
    broken_off: Sequence[PlayRecord]
    unheard: Sequence[AudienceMember]
    is_over: bool
    archive: Archive | None = None
    is_counted: bool = True


# No alert is read for longer: an older start that nobody ended is a lost device.
AHEAD_SPAN = timedelta(hours=1)


def find_airing(broadcast: Broadcast, *, at: datetime) -> Airing | None:
    """Return the airing that is on, or the latest past, or the next to come."""
    airings = broadcast.airings
    begun = airings.filter(starts_at__lte=at).order_by("-starts_at", "pk").first()
    return begun or airings.order_by("starts_at", "pk").first()


def get_live(
    broadcast: Broadcast,
    *,
    officer: Officer,
    at: datetime,
    airing: Airing | None = None,
) -> Live:
    """Return how one airing of a broadcast stands now; counted by the database.

    The latest airing unless one is named; only what lies on the officer's ground.
    """
    airing = airing or find_airing(broadcast, at=at)
    meant = access.fence(broadcast.audience.all(), officer=officer, at=at)
    archive = tallies.find_archive(airing) if airing else None
    if airing is not None and archive is not None:
        return _get_archived(airing, archive, meant, officer=officer, at=at)
    plays = access.fence(plays_of(airing), officer=officer, at=at)
    silent, broken = (
        plays.filter(which).select_related("device", "unit")
        for which in (SILENT, BROKEN_OFF)
    )
    unheard = meant.filter(~Exists(plays.filter(device=OuterRef("device"))))
    order = ("unit__folded", "device__name", "pk")
    return Live(
        airing=airing,
        tally=tallies.tally(meant, plays),
        grounds=tallies.grounds(meant, plays),
        silent=list(silent.order_by(*order)[:LIST_LIMIT]),
        broken_off=list(broken.order_by(*order)[:LIST_LIMIT]),
        unheard=list(
            unheard.select_related("device", "unit").order_by(*order)[:LIST_LIMIT]
        ),
        is_over=bool(airing and airing.ends_at <= at),
    )


def plays_of(airing: Airing | None) -> QuerySet[PlayRecord]:
    """Return the plays of an airing; its start names the one month they lie in.

    The month, not the very moment: PostgreSQL takes item and moment for two reasons
    that have nothing to do with each other, and then guesses a hundredth of the rows.
    """
    if airing is None:
        return PlayRecord.objects.none()
    begin, end = months.bounds(months.month_of(airing.starts_at))
    return PlayRecord.objects.filter(
        item=airing.item, planned_at__gte=begin, planned_at__lt=end
    )


def _get_archived(
    airing: Airing,
    archive: Archive,
    meant: QuerySet[AudienceMember],
    *,
    officer: Officer,
    at: datetime,
) -> Live:
    """Return what stayed of an airing whose plays were put away."""
    month = AiringCount.objects.filter(
        planned_at__gte=archive.begins_at, planned_at__lt=archive.ends_at
    )
    month = access.fence(month, officer=officer, at=at)
    kept = month.filter(item=airing.item)
    return Live(
        airing=airing,
        tally=tallies.kept_tally(meant, kept),
        grounds=tallies.kept_grounds(meant, kept),
        silent=(),
        broken_off=(),
        unheard=(),
        is_over=airing.ends_at <= at,
        archive=archive,
        is_counted=month.exists(),
    )


def find_ahead(broadcast: Broadcast, *, at: datetime) -> Broadcast | None:
    """Return the other real emergency behind which this one waits now, or None.

    Of emergencies of one urgency none cuts the other: the next begins when the one
    that is on has been read. It is whatever most of the devices tell that they sound.
    """
    meant = broadcast.audience.values("device")
    on = PlayRecord.objects.filter(
        SOUNDED,
        outcome="",
        device__in=meant,
        broadcast__state=rules.APPROVED,
        broadcast__version__klass="emergency",
        broadcast__version__drill=False,
        planned_at__gt=at - AHEAD_SPAN,
    ).exclude(broadcast=broadcast)
    rows = on.order_by().values("broadcast").annotate(n=Count("pk"))
    first = rows.order_by("-n", "broadcast").first()
    if first is None:
        return None
    found = Broadcast.objects.select_related("version", "unit")
    return found.get(pk=first["broadcast"])


def list_waiting(officer: Officer, *, at: datetime) -> list[Broadcast]:
    """Return what this officer could approve now, emergencies first, oldest first."""
    touched = Editor.objects.filter(
        bulletin=OuterRef("version__bulletin"), person=officer
    )
    waiting = Broadcast.objects.filter(~Exists(touched), state=rules.WAITING)
    mine = access.fence(waiting, officer=officer, at=at, kinds=[APPROVER])
    related = ("version__bulletin", "unit", "submitted_by")
    found = list(mine.select_related(*related).order_by("submitted_at", "pk")[:200])
    order = {"emergency": 0, "priority": 1, "normal": 2}
    return sorted(found, key=lambda row: order[row.version.klass])


def list_today(officer: Officer, *, at: datetime) -> list[Airing]:
    """Return the airings of the local day on an officer's ground, in order.

    The fallback of a relay is none: it waits unheard while its source is well.
    """
    local = at.astimezone(rules.LOCAL)
    begin = datetime.combine(local.date(), time.min, rules.LOCAL)
    airings = Airing.objects.filter(
        starts_at__gte=begin, starts_at__lt=begin + timedelta(days=1)
    )
    released = Q(broadcast__state=rules.APPROVED) | Q(broadcast__isnull=True)
    found = _on_ground(airings.filter(released), officer=officer, at=at, limit=500)
    unheard = fallbacks(found)
    return [airing for airing in found if airing.item not in unheard]


def list_sounding(officer: Officer, *, at: datetime) -> list[Airing]:
    """Return the airings that sound somewhere on an officer's ground right now."""
    playing = PlayRecord.objects.filter(
        item=OuterRef("item"),
        planned_at=OuterRef("starts_at"),
        started_at__isnull=False,
        outcome="",
    )
    airings = Airing.objects.filter(Exists(playing), ends_at__gt=at)
    return _on_ground(airings, officer=officer, at=at, limit=50)


def _on_ground(
    airings: QuerySet[Airing], *, officer: Officer, at: datetime, limit: int
) -> list[Airing]:
    """Return the airings that an officer sees: a paper's only on its own ground."""
    alone = airings.filter(paper__isnull=True)
    alone = fence_broadcasts(alone, officer=officer, at=at, way="broadcast__")
    by_paper = access.fence(airings.filter(paper__isnull=False), officer=officer, at=at)
    related = ("broadcast__version__bulletin", "broadcast__unit", "unit")
    keys = Q(pk__in=alone.values("pk")) | Q(pk__in=by_paper.values("pk"))
    found = Airing.objects.filter(keys).select_related(*related)
    return list(found.order_by("starts_at", "pk")[:limit])


def fallbacks(airings: Iterable[Airing]) -> set[str]:
    """Return the items that only wait for a relay to fail: they share its window."""
    kept = [row for row in airings if row.paper_id]
    relays = {_window(row) for row in kept if row.broadcast_id is None}
    return {row.item for row in kept if row.broadcast_id and _window(row) in relays}


def _window(airing: Airing) -> tuple[object, ...]:
    return airing.unit_id, airing.slot, airing.starts_at, airing.ends_at


def fence_broadcasts(
    queryset: QuerySet[AnyModel], *, officer: Officer, at: datetime, way: str = ""
) -> QuerySet[AnyModel]:
    """Keep what an officer's ground issued, or what is released onto it from above.

    What is still being written or decided above is not theirs to see.
    """
    paths = access.read_paths(officer, at=at)
    ground = Q(pk__in=[])
    for path in paths:
        ground |= Q(**{f"{way}unit__path__startswith": path})
    carrying = Unit.objects.filter(path__in=_all_prefixes(paths))
    ground |= Q(
        **{
            f"{way}carriers__in": carrying,
            f"{way}state__in": [rules.APPROVED, rules.CANCELLED],
        }
    )
    return queryset.filter(ground).distinct()


def _all_prefixes(paths: Iterable[str]) -> set[str]:
    """Return every path from the top down to each path."""
    found = set()
    for path in paths:
        parts = path.strip("/").split("/")
        found |= {f"/{'/'.join(parts[: n + 1])}/" for n in range(len(parts))}
    return found


def list_plays(officer: Officer, *, at: datetime) -> QuerySet[PlayRecord]:
    """Return the play records on an officer's ground, the latest first."""
    plays = access.fence(PlayRecord.objects.all(), officer=officer, at=at)
    related = ("device", "unit", "broadcast__version", "broadcast__authority")
    return plays.select_related(*related).order_by("-planned_at", "-pk")


def preview_audience(
    units: Sequence[Unit], devices: Sequence[Device], *, officer: Officer, at: datetime
) -> audience.Preview:
    """Return the reach of a choice. Raises AbsentError for ground not the officer's."""
    for unit in (*units, *(device.unit for device in devices)):
        if not access.can_see(officer, unit=unit, at=at):
            raise AbsentError("people.not_your_ground")
    return audience.preview(units, devices)


def list_public(unit: Unit, *, at: datetime, limit: int = 50) -> list[Broadcast]:
    """Return the released broadcasts that a commune's people may read, newest first.

    Those issued by the commune or its villages, and those from above that it carries.
    """
    found = _public(unit, at=at).order_by(F("approved_at").desc(), "-pk")
    return list(found[:limit])


def find_public(unit: Unit, uid: str, *, at: datetime) -> Broadcast | None:
    """Return one broadcast that a commune's people may read, or None."""
    return _public(unit, at=at).filter(uid=uid).first()


def _public(unit: Unit, *, at: datetime) -> QuerySet[Broadcast]:
    mine = Q(unit__path__startswith=unit.path) | Q(carriers__in=unit.ancestor_ids)
    # A commune publishes what it took; what is laid up, once it has sounded.
    untaken = InboxEntry.objects.filter(unit=unit).exclude(state=rules.TAKEN)
    unheard = Q(timing=rules.SHELF) & ~Exists(
        Airing.objects.filter(
            broadcast=OuterRef("pk"), starts_at__lte=at, withdrawn_at=None
        )
    )
    found = Broadcast.objects.filter(
        mine, state=rules.APPROVED, approved_at__lte=at
    ).exclude(unheard | Q(pk__in=untaken.values("broadcast")))
    return found.distinct().select_related("version__bulletin", "unit")


def count_hearers(session: LiveSession) -> dict[str, int]:
    """Return how many devices of a live session received it, and sound it now."""
    plays = PlayRecord.objects.filter(item=session.item)
    return plays.aggregate(
        received=Count("pk", filter=Q(received_at__isnull=False)),
        sounding=Count("pk", filter=SOUNDED & Q(outcome="")),
        sounded=Count("pk", filter=SOUNDED),
    )
