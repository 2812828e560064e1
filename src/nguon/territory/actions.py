"""Every change to ground by an operator; the official lists come by `load`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count

from django.db import IntegrityError, transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.territory import names, villages
from nguon.territory.models import VILLAGE, Unit


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
    codes = _free_codes(fresh)
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


def _free_codes(fresh: Sequence[villages.Village]) -> dict[int, Iterator[str]]:
    """Return for each commune codes that nobody ever had: 23764-01 and so on."""
    communes = {village.commune.pk: village.commune for village in fresh}
    taken = set(Unit.objects.filter(kind=VILLAGE).values_list("code", flat=True))
    taken |= {village.code for village in fresh}

    def number(commune: Unit) -> Iterator[str]:
        for n in count(1):
            code = f"{commune.code}-{n:02d}"
            if code not in taken:
                yield code

    return {key: number(commune) for key, commune in communes.items()}
