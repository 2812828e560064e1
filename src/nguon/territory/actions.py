"""Every change to ground by an operator; the official lists come by `load`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from django.db import IntegrityError, transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.territory import names, villages
from nguon.territory.models import VILLAGE, Succession, Unit


class RowsWrongError(InvalidError):
    """Some rows of a file cannot be used; nothing was imported."""

    def __init__(self, problems: Sequence[villages.Problem]) -> None:
        super().__init__("territory.rows_wrong", count=len(problems))
        self.problems = problems


@transaction.atomic
def import_villages(
    *,
    text: str,
    ground: Sequence[str],
    by: audit.Person | None,
    at: datetime,
    keep_good: bool = False,
) -> villages.Reading:
    """Write the villages of a list on somebody's ground; return what was read.

    Repeatable: a village is found again by commune, kind and name. With `keep_good`
    the wrong rows are left out; without it one wrong row stops everything. Raises
    RowsWrongError, InvalidError when the text is no list at all, ConflictError when
    somebody else imported the same villages at the same time.
    """
    reading = villages.read(text, ground=ground)
    if reading.problems and not keep_good:
        raise RowsWrongError(reading.problems)
    try:
        with transaction.atomic():
            _create(reading.fresh)
            _change(reading.changed)
    except IntegrityError as error:
        raise ConflictError("territory.villages_changed") from error
    audit.record(
        "territory.villages.imported",
        target=f"{len(reading.villages)} villages",
        by=by,
        at=at,
        data={
            "created": len(reading.fresh),
            "changed": len(reading.changed),
            "left_out": len(reading.problems),
            "communes": sorted({v.commune.code for v in reading.villages}),
        },
    )
    return reading


def _create(fresh: Sequence[villages.Village]) -> None:
    codes = _free_codes(
        [village.commune for village in fresh], [village.code for village in fresh]
    )
    units = [
        Unit(
            kind=VILLAGE,
            code=village.code or next(codes[village.commune.pk]),
            subkind=village.subkind,
            name=village.name,
            folded=names.fold(f"{village.subkind} {village.name}"),
            parent=village.commune,
            valid_from=village.valid_from,
            population=village.population,
        )
        for village in fresh
    ]
    for unit, village in zip(
        Unit.objects.bulk_create(units, batch_size=500), fresh, strict=True
    ):
        unit.path = f"{village.commune.path}{unit.pk}/"
    Unit.objects.bulk_update(units, ["path"], batch_size=200)


def _change(changed: Sequence[villages.Village]) -> None:
    for village in changed:
        unit = village.known
        if unit is None:
            continue
        unit.code = village.code or unit.code
        if village.population is not None:
            unit.population = village.population
        unit.save(update_fields=["code", "population"])


@dataclass(frozen=True)
class Renewal:
    """A village that goes on in another commune, under a name.

    `into` is the village that the new map has of it already.
    """

    old: Unit
    commune: Unit
    name: str
    into: Unit | None = None


@transaction.atomic
def renew_villages(*, renewals: Sequence[Renewal], day: date) -> dict[int, Unit]:
    """End villages on a day and begin each anew in its new commune, from that day on.

    Returns the new ones by the key of the old. What happened stays with the old one,
    which the succession table names. The right is asked by whoever rearranges.
    """
    codes = _free_codes([one.commune for one in renewals])
    fresh = [
        Unit(
            kind=VILLAGE,
            code=next(codes[one.commune.pk]),
            subkind=one.old.subkind,
            name=one.name,
            folded=names.fold(f"{one.old.subkind} {one.name}"),
            parent=one.commune,
            valid_from=day,
            lat=one.old.lat,
            lon=one.old.lon,
            population=one.old.population,
        )
        for one in renewals
        if one.into is None
    ]
    made = iter(Unit.objects.bulk_create(fresh, batch_size=500))
    pairs = {one.old.pk: one.into or next(made) for one in renewals}
    for one in renewals:
        unit = pairs[one.old.pk]
        unit.path = f"{one.commune.path}{unit.pk}/"
    Unit.objects.bulk_update(fresh, ["path"], batch_size=200)
    _end(pairs, day)
    Succession.objects.bulk_create(
        [Succession(old_id=old, new=new, kind="whole") for old, new in pairs.items()],
        batch_size=500,
    )
    return pairs


@transaction.atomic
def restore_villages(*, pairs: Mapping[int, int], made: Collection[int]) -> None:
    """Let villages go on as before `renew_villages`; `pairs` are old to new keys.

    Those of the new that were `made` for it end with their first day, so that none is
    counted twice on any other.
    """
    first = Unit.objects.filter(pk__in=list(made)[:1]).values_list("valid_from")
    for (begun,) in first:
        _end(made, begun + timedelta(days=1))
    for part in _parts(pairs):
        Succession.objects.filter(old__in=part, new__kind=VILLAGE).delete()
    _end(pairs, None)


def _end(units: Collection[int], day: date | None) -> None:
    for part in _parts(units):
        Unit.objects.filter(pk__in=part).update(valid_to=day)


def _parts(keys: Collection[int]) -> Iterator[list[int]]:
    listed = sorted(keys)
    for start in range(0, len(listed), 500):
        yield listed[start : start + 500]


def _free_codes(
    communes: Sequence[Unit], also: Iterable[str] = ()
) -> dict[int, Iterator[str]]:
    """Return for each commune codes that nobody ever had: 23764-01 and so on."""
    taken = set(Unit.objects.filter(kind=VILLAGE).values_list("code", flat=True))
    taken |= set(also)

    def number(commune: Unit) -> Iterator[str]:
        for n in count(1):
            code = f"{commune.code}-{n:02d}"
            if code not in taken:
                yield code

    return {commune.pk: number(commune) for commune in set(communes)}
