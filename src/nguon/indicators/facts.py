"""What happened on one local day, counted from the facts of the rooms below.

Each counter returns numbers by unit of the day, measure and part. They add up over
units; over days add up only those that `figures` sums. Reads only.

A speaker is in use on a day when the fleet has a day of its beats. It is audible
when evidence of sound of grade 2 (decoded) or better is no older than the fleet's
limit for that grade, counted in days.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, F, Max, Min, Q, Sum

from nguon.audit.months import LOCAL
from nguon.core import beats
from nguon.fleet import health
from nguon.fleet.models import BOARD, SPEAKER, BeatDay, Fault, Registration
from nguon.indicators.measures import (
    ALERT_DUE,
    ALERT_MS,
    ALERT_SOUNDED,
    AUDIBLE,
    BOARD_LIT,
    BULLETINS,
    IN_USE,
    PAGE_NEWS,
    PLANNED_MS,
    PLAYED_MS,
    REPAIR_S,
    REPAIRS,
    SOUNDED,
    SUPPLIED,
    VILLAGE_AUDIBLE,
)
from nguon.newsroom import channels, rules
from nguon.schedule.models import (
    Airing,
    AudienceMember,
    Broadcast,
    LiveSession,
    PlayDay,
    PlayRecord,
)
from nguon.schedule.rules import SHELF, TAKEN
from nguon.territory.models import COMMUNE, VILLAGE, Unit

Key = tuple[int, str, str]
Numbers = Counter[Key]
# Evidence of this grade or better is sound; the word of another make alone is not.
LOWEST = beats.DECODED


def count_day(day: date) -> Numbers:
    """Return every number of a local day that is not 0."""
    found: Numbers = Counter()
    for count in COUNTERS:
        found.update(count(day))
    return Counter({key: number for key, number in found.items() if number})


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return a local day as [begin, end) in moments."""
    begin = datetime.combine(day, time.min, LOCAL).astimezone(UTC)
    return begin, begin + timedelta(days=1)


# --- plays -------------------------------------------------------------------------


def count_played(day: date) -> Numbers:
    """Count how long speakers sounded, and plays whose sound is proven."""
    found: Numbers = Counter()
    plays = PlayDay.objects.filter(day=day, device__kind=SPEAKER, sounded_ms__gt=0)
    rows = plays.values("unit").order_by("unit")
    for unit, ms, proven in rows.annotate(
        ms=Sum("sounded_ms"), proven=Sum("plays", filter=Q(grade__gte=LOWEST))
    ).values_list("unit", "ms", "proven"):
        found[unit, PLAYED_MS, ""] = ms
        found[unit, SOUNDED, ""] = proven or 0
    return found


def count_planned(day: date) -> Numbers:
    """Count how long speakers should sound: every start times every speaker meant.

    A broadcast's own starts are for its stored audience; what a programme or relay of
    a station plans is for the speakers in use there. Live speech is not planned.
    """
    found: Numbers = Counter()
    listed: Counter[int] = Counter()
    stations: Counter[int] = Counter()
    for broadcast, paper, unit, ms in _starts(day):
        if paper is None and broadcast is not None:
            listed[broadcast] += ms
        elif unit is not None:
            stations[unit] += ms
    members = AudienceMember.objects.filter(broadcast__in=listed, device__kind=SPEAKER)
    rows = members.values("broadcast", "unit").order_by("broadcast", "unit")
    for row in rows.annotate(n=Count("pk")):
        found[row["unit"], PLANNED_MS, ""] += row["n"] * listed[row["broadcast"]]
    for unit, path, n in _speakers_in_use(day):
        above = {int(key) for key in path.strip("/").split("/")}
        ms = sum(stations[key] for key in above & stations.keys())
        found[unit, PLANNED_MS, ""] += n * ms
    return found


def _starts(day: date) -> Iterable[tuple[int | None, int | None, int | None, int]]:
    """Yield broadcast, paper, station and length (ms) of every start that stood.

    A window ends later than the sound: a bulletin is as long as its longest language.
    """
    begin, end = bounds(day)
    airings = Airing.objects.filter(
        starts_at__gte=begin, starts_at__lt=end, withdrawn_at=None
    ).exclude(item__in=LiveSession.objects.values("item"))
    longest = Max("broadcast__version__sounds__rendition__duration_ms")
    rows = airings.annotate(sound=longest).values_list(
        "broadcast", "paper", "unit", "starts_at", "ends_at", "sound"
    )
    for broadcast, paper, unit, starts_at, ends_at, sound in rows:
        window = (ends_at - starts_at) // timedelta(milliseconds=1)
        yield broadcast, paper, unit, window if sound is None else min(window, sound)


def _speakers_in_use(day: date) -> Iterable[tuple[int, str, int]]:
    rows = BeatDay.objects.filter(day=day, device__kind=SPEAKER).order_by("unit")
    return (
        rows.values("unit")
        .annotate(n=Count("pk"))
        .values_list("unit", "unit__path", "n")
    )


# --- devices -----------------------------------------------------------------------


def count_audible(day: date) -> Numbers:
    """Count speakers in use and audible, and villages that an audible one reaches.

    A village is reached by a speaker in it, or by one whose register says so.
    """
    found: Numbers = Counter()
    proven = _proven(day)
    sounding = set()
    in_use = BeatDay.objects.filter(day=day, device__kind=SPEAKER)
    for device, unit, kind in in_use.values_list("device", "unit", "unit__kind"):
        found[unit, IN_USE, ""] += 1
        if device in proven:
            sounding.add(device)
            found[unit, AUDIBLE, ""] += 1
            if kind == VILLAGE:
                found[unit, VILLAGE_AUDIBLE, ""] = 1
    links = Registration.villages.through.objects.filter(
        unit__in=Unit.objects.as_of(day).filter(kind=VILLAGE)
    )
    for device, village in links.values_list("registration", "unit"):
        if device in sounding:
            found[village, VILLAGE_AUDIBLE, ""] = 1
    return found


def _proven(day: date) -> set[int]:
    """Return the devices with evidence of sound that still counts on a day."""
    told, played = Q(), Q()
    for grade, name in GRADES.items():
        first = day - timedelta(days=health.AGE_LIMITS[grade].days - 1)
        told |= Q(day__gte=first, **{f"{name}__gt": 0})
        played |= Q(day__gte=first, grade=grade)
    # The earliest day stands alone too: a database does not look for it in an "or".
    span = Q(day__gte=day - OLDEST, day__lte=day)
    beating = BeatDay.objects.filter(span & told)
    playing = PlayDay.objects.filter(span & played)
    return {
        device
        for rows in (beating, playing)
        for device in rows.order_by().values_list("device", flat=True).distinct()
    }


GRADES = {
    beats.DECODED: "decoded",
    beats.AMPLIFIED: "amplified",
    beats.MEASURED: "measured",
}
OLDEST = max(health.AGE_LIMITS[grade] for grade in GRADES)


def count_boards(day: date) -> Numbers:
    """Count boards that proved a picture that day."""
    lit = PlayDay.objects.filter(day=day, device__kind=BOARD, grade__gte=LOWEST)
    rows = (
        lit.values("unit").order_by("unit").annotate(n=Count("device", distinct=True))
    )
    return Counter({(row["unit"], BOARD_LIT, ""): row["n"] for row in rows})


def count_repairs(day: date) -> Numbers:
    """Count the ends of faults that had silenced a device, and how long they held."""
    begin, end = bounds(day)
    causes = [cause for cause, makes in health.MAKES.items() if makes == health.SILENT]
    ended = Fault.objects.filter(
        cause__in=causes, closed_at__gte=begin, closed_at__lt=end
    )
    found: Numbers = Counter()
    for unit, began_at, closed_at in ended.values_list("unit", "began_at", "closed_at"):
        if closed_at is not None:
            found[unit, REPAIRS, ""] += 1
            found[unit, REPAIR_S, ""] += (closed_at - began_at) // timedelta(seconds=1)
    return found


# --- bulletins and alerts ----------------------------------------------------------


def count_bulletins(day: date) -> Numbers:
    """Count released bulletins by field, class, language, channel and supplier.

    Drills are none. A bulletin in two languages counts in both parts.
    """
    begin, end = bounds(day)
    found: Numbers = Counter()
    released = Broadcast.objects.filter(
        approved_at__gte=begin, approved_at__lt=end, version__drill=False
    )
    kinds = set(
        AudienceMember.objects.filter(broadcast__in=released.values("pk"))
        .values_list("broadcast", "device__kind")
        .distinct()
    )
    for row in released.select_related("version").prefetch_related("version__channels"):
        version = row.version
        supplier = version.supplier_id
        through = [one.channel for one in version.channels.all()]
        for kind, channel in DEVICE_CHANNELS.items():
            through += [channel] if (row.pk, kind) in kinds else []
        parts = [
            "",
            f"field:{version.field}",
            f"class:{version.klass}",
            *(f"language:{one}" for one in version.languages),
            *(f"channel:{one}" for one in through),
            f"supplier:{supplier or ''}",
        ]
        for part in parts:
            found[row.unit_id, BULLETINS, part] += 1
        who = f"supplier:{supplier}" if supplier else f"unit:{row.unit_id}"
        found[row.unit_id, SUPPLIED, who] += 1
    return found


def count_pages(day: date) -> Numbers:
    """Count the bulletins that came onto the public page of each commune.

    What `schedule.list_public` shows: its own and its villages', and those from above
    that it carries, once it took them; what is laid up, from when it sounds first.
    """
    begin, end = bounds(day)
    released = Q(approved_at__gte=begin, approved_at__lt=end)
    taken = Q(offers__decided_at__gte=begin, offers__decided_at__lt=end)
    sounding = Q(airings__starts_at__gte=begin, airings__starts_at__lt=end)
    news = Broadcast.objects.filter(
        released | taken | Q(timing=SHELF) & sounding,
        approved_at__lt=end,
        version__drill=False,
    ).distinct()
    communes = dict(
        Unit.objects.as_of(day).filter(kind=COMMUNE).values_list("pk", "path")
    )
    found: Numbers = Counter()
    for one in news.select_related("unit").prefetch_related("carriers", "offers"):
        since = _first_shown(one)
        offers = {offer.unit_id: offer for offer in one.offers.all()}
        ground = [unit.path for unit in one.carriers.all()]
        for commune, path in communes.items():
            is_own = one.unit.path.startswith(path)
            if since is None or not (is_own or path.startswith(tuple(ground))):
                continue
            offer, shown_at = offers.get(commune), since
            if offer is not None:
                if offer.state != TAKEN or offer.decided_at is None:
                    continue
                shown_at = max(since, offer.decided_at)
            found[commune, PAGE_NEWS, ""] += begin <= shown_at < end
    return found


def _first_shown(one: Broadcast) -> datetime | None:
    """Return when a bulletin could first be shown; None for one that never sounded."""
    if one.timing != SHELF or one.approved_at is None:
        return one.approved_at
    heard = one.airings.filter(withdrawn_at=None)
    first: datetime | None = heard.aggregate(at=Min("starts_at"))["at"]
    return first and max(first, one.approved_at)


DEVICE_CHANNELS = {SPEAKER: channels.STATION, BOARD: channels.BOARD}


def count_alerts(day: date) -> Numbers:
    """Count whom the day's real alerts were for, who sounded them, and how soon.

    By the audience stored at approval; a device counts once for an alert, by its
    first sound.
    """
    begin, end = bounds(day)
    found: Numbers = Counter()
    alerts = Broadcast.objects.filter(
        approved_at__gte=begin,
        approved_at__lt=end,
        version__klass=rules.EMERGENCY,
        version__drill=False,
    )
    meant = AudienceMember.objects.filter(broadcast__in=alerts, device__kind=SPEAKER)
    # None was planned before its release: older months are not looked into.
    plays = PlayRecord.objects.filter(
        broadcast__in=alerts,
        planned_at__gte=begin - EARLY,
        started_at__isnull=False,
        sounded_ms__gt=0,
    )
    rows = plays.values("broadcast", "device").order_by("broadcast", "device")
    first = {
        (row["broadcast"], row["device"]): row["first"]
        for row in rows.annotate(first=Min("started_at"))
    }
    for broadcast, device, unit, approved_at in meant.annotate(
        approved_at=F("broadcast__approved_at")
    ).values_list("broadcast", "device", "unit", "approved_at"):
        found[unit, ALERT_DUE, ""] += 1
        started_at = first.get((broadcast, device))
        if started_at is not None:
            found[unit, ALERT_SOUNDED, ""] += 1
            # A device's clock may run behind ours; nothing sounds before its release.
            waited = max(started_at - approved_at, timedelta(0))
            found[unit, ALERT_MS, ""] += waited // timedelta(milliseconds=1)
    return found


# How much earlier than its approval a play could at most be planned: a wide margin.
EARLY = timedelta(days=1)
COUNTERS: tuple[Callable[[date], Numbers], ...] = (
    count_played,
    count_planned,
    count_audible,
    count_boards,
    count_repairs,
    count_bulletins,
    count_pages,
    count_alerts,
)
