"""Supply and cascade: what became of supplied bulletins, by supplier and commune.

A commune uses a bulletin from above by taking it into its programmes, or by a version
of its own; both count for the supplier. Minutes are device-minutes that really sounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from nguon.core.errors import ConflictError
from nguon.newsroom.models import Bulletin, Supplier, Version
from nguon.newsroom.supply import Adaptation, adapt
from nguon.people import access
from nguon.people.models import Officer
from nguon.schedule import rules
from nguon.schedule.models import Broadcast, InboxEntry, Localisation, PlayRecord
from nguon.territory.models import Unit
from nguon.territory.names import fold


@dataclass(frozen=True)
class Origin:
    """Where a commune's version comes from, and how it differs."""

    broadcast: Broadcast
    supplier: str
    is_withdrawn: bool
    adaptation: Adaptation


@dataclass
class Tally:
    """What communes made of the bulletins of one supplier, counted."""

    offered: int = 0
    taken: int = 0
    localised: int = 0
    left: int = 0
    undecided: int = 0
    minutes: float = 0.0
    unit: str = ""

    def add(self, other: "Tally") -> None:
        """Add another's figures to these."""
        for name in ("offered", "taken", "localised", "left", "undecided", "minutes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Supply:
    """One supplier: how many bulletins, the sum of all communes, and each of them."""

    name: str
    bulletins: int
    total: Tally = field(default_factory=Tally)
    communes: list[Tally] = field(default_factory=list)


def supplier_name(broadcast: Broadcast) -> str:
    """Return whose information a broadcast is: the source named, else its issuer."""
    supplier = broadcast.version.supplier
    return supplier.name if supplier else broadcast.unit.full_name


def version_of(entry: InboxEntry) -> Bulletin | None:
    """Return the commune's own version of an entry, or None."""
    made = getattr(entry, "localisation", None)
    return made.bulletin if made else None


def is_altered(supplied: Version, own: Version | None) -> bool:
    """Say whether a commune's released version has other words than the supplied."""
    if own is None:
        return False
    if own.title != supplied.title:
        return True
    old, new = " ".join(supplied.body.split()), " ".join(own.body.split())
    return f" {old} " not in f" {new} "


def origin_of(bulletin: Bulletin, *, title: str, body: str) -> Origin | None:
    """Compare a text of a bulletin with its origin; None when it has none."""
    made = _localisation(bulletin)
    if made is None:
        return None
    broadcast = made.entry.broadcast
    supplied = broadcast.version
    return Origin(
        broadcast=broadcast,
        supplier=supplier_name(broadcast),
        is_withdrawn=broadcast.state != rules.APPROVED,
        adaptation=adapt(
            supplied_title=supplied.title,
            supplied_body=supplied.body,
            title=title,
            body=body,
        ),
    )


def check_origin(bulletin: Bulletin) -> None:
    """Refuse a version of what its supplier withdrew: ConflictError."""
    made = _localisation(bulletin)
    if made is not None and made.entry.broadcast.state != rules.APPROVED:
        raise ConflictError("schedule.origin_withdrawn")


def _localisation(bulletin: Bulletin) -> Localisation | None:
    related = "entry__broadcast"
    found = Localisation.objects.select_related(
        f"{related}__version__supplier", f"{related}__unit", f"{related}__submitted_by"
    )
    return found.filter(bulletin=bulletin).first()


def list_supply(
    officer: Officer, *, first: date, last: date, text: str = "", at: datetime
) -> Sequence[Supply]:
    """Return what became of what an officer's ground supplied on these local days.

    By supplier, by name; `text` is looked for in the names of supplier and commune and
    in title and body, accents optional. Only what the officer's own units issued.
    """
    begins = datetime.combine(first, time(), rules.LOCAL)
    ends = datetime.combine(last + timedelta(days=1), time(), rules.LOCAL)
    issued = access.fence(Broadcast.objects.all(), officer=officer, at=at)
    entries = InboxEntry.objects.filter(
        broadcast__in=issued, arrived_at__gte=begins, arrived_at__lt=ends
    )
    for word in fold(text).split():
        entries = entries.filter(
            Q(broadcast__version__supplier__folded__contains=word)
            | Q(unit__folded__contains=word)
            | Q(broadcast__version__bulletin__folded__contains=word)
        )
    tallies = _tallies(entries)
    if tallies:
        _add_minutes(tallies, entries, begins)
    return _by_supplier(tallies, entries)


_BY = ("broadcast__version__supplier", "broadcast__unit")
# The supplier (None: the issuer itself), the issuing unit, the commune.
_Key = tuple[int | None, int, int]


def _tallies(entries: QuerySet[InboxEntry]) -> dict[_Key, Tally]:
    """Count the entries of each commune, by supplier."""
    state = {name: Q(state=name) for name in rules.INBOX_STATES}
    own = Q(localisation__isnull=False)
    rows = (
        entries.order_by()
        .values_list(*_BY, "unit")
        .annotate(
            offered=Count("pk"),
            taken=Count("pk", filter=state[rules.TAKEN] & ~own),
            localised=Count("pk", filter=state[rules.TAKEN] & own),
            left=Count("pk", filter=state[rules.LEFT]),
            undecided=Count("pk", filter=state[rules.NEW]),
        )
    )
    return {(row[0], row[1], row[2]): Tally(*row[3:]) for row in rows}


def _add_minutes(
    tallies: dict[_Key, Tally], entries: QuerySet[InboxEntry], begins: datetime
) -> None:
    """Add what sounded, of the origin and of the communes' versions."""
    # Nothing sounds before it is offered: so only the months since are looked at.
    plays = PlayRecord.objects.filter(planned_at__gte=begins, sounded_ms__gt=0)
    versions = "broadcast__version__bulletin__localisation__entry"
    origins = plays.filter(broadcast__in=entries.values("broadcast"))
    own = plays.filter(**{f"{versions}__in": entries.values("pk")})
    for rows, way in ((origins, ""), (own, f"{versions}__")):
        keys = [f"{way}{name}" for name in _BY]
        sums = rows.order_by().values_list(*keys, "unit", "unit__parent")
        for supplier, issuer, unit, parent, ms in sums.annotate(Sum("sounded_ms")):
            for place in (unit, parent):
                tally = tallies.get((supplier, issuer, place))
                if tally is not None:
                    tally.minutes += ms / 60_000
                    break


def _by_supplier(
    tallies: dict[_Key, Tally], entries: QuerySet[InboxEntry]
) -> Sequence[Supply]:
    """Put communes under their supplier, both by name."""
    counted = entries.order_by().values_list(*_BY)
    bulletins = {
        (row[0], row[1]): row[2]
        for row in counted.annotate(Count("broadcast", distinct=True))
    }
    units = Unit.objects.in_bulk({key for _s, *both in tallies for key in both})
    names = Supplier.objects.in_bulk({key[0] for key in tallies if key[0] is not None})
    found: dict[tuple[int | None, int], Supply] = {}
    for (supplier, issuer, place), tally in tallies.items():
        named = names[supplier].name if supplier else units[issuer].full_name
        whole = found.setdefault(
            (supplier, issuer), Supply(named, bulletins[supplier, issuer])
        )
        tally.unit = units[place].full_name
        whole.communes.append(tally)
        whole.total.add(tally)
    for whole in found.values():
        whole.communes.sort(key=lambda tally: fold(tally.unit))
    return sorted(found.values(), key=lambda whole: fold(whole.name))
