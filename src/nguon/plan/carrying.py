"""What becomes of a plan on another map: who gets each task, and which targets hold.

Only what follows from the succession table is carried. What would need a division by
villages, people or area is left to a person, with the reason, never guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from nguon.plan.models import ActionPlan, Target, Task
from nguon.territory.models import COMMUNE, PROVINCE, Unit
from nguon.territory.queries import list_on_map, trace

DIVIDED, COARSER, MISSING, DIFFER = "divided", "coarser", "missing", "differ"
WHY_NOT = {
    DIVIDED: "đơn vị cũ bị chia, chưa có cơ sở để chia số",
    COARSER: "số của huyện, tỉnh không chia được cho từng xã",
    MISSING: "có phần đất chưa được giao số",
    DIFFER: "các đơn vị cũ được giao số khác nhau",
}


@dataclass(frozen=True)
class Origin:
    """One old commune as it comes into a new unit, with the target that covers it.

    `is_whole`: all of it comes here; `is_own`: the target is the commune's own, not
    one of a district or province above it.
    """

    value: Decimal | None
    is_whole: bool
    is_own: bool


def carry_value(
    origins: Sequence[Origin], *, is_share: bool
) -> tuple[Decimal | None, str]:
    """Return the value on the new map, or None with the reason of `WHY_NOT`.

    A share holds where all ground had the same; a count adds up where every old
    commune comes whole and had a number of its own.
    """
    values = {origin.value for origin in origins}
    if not origins or None in values:
        return None, MISSING
    if is_share:
        return (values.pop(), "") if len(values) == 1 else (None, DIFFER)
    if not all(origin.is_whole for origin in origins):
        return None, DIVIDED
    if not all(origin.is_own for origin in origins):
        return None, COARSER
    return sum((o.value for o in origins if o.value is not None), Decimal(0)), ""


@dataclass(frozen=True)
class CarriedTarget:
    """One target on the new map; without a value it waits for a person."""

    unit: Unit
    year: int
    indicator: str
    value: Decimal | None
    why_not: str
    is_example: bool

    @property
    def why_words(self) -> str:
        """Return why it has no value, in Vietnamese."""
        return WHY_NOT.get(self.why_not, "")


@dataclass
class Carried:
    """The preview: tasks with their new units, targets, units that led nowhere."""

    tasks: list[tuple[Task, list[Unit]]] = field(default_factory=list)
    targets: list[CarriedTarget] = field(default_factory=list)
    lost: list[Unit] = field(default_factory=list)

    @property
    def held(self) -> list[CarriedTarget]:
        """Return the targets that follow from the table."""
        return [row for row in self.targets if row.value is not None]

    @property
    def open(self) -> list[CarriedTarget]:
        """Return the targets that a person decides."""
        return [row for row in self.targets if row.value is None]


def preview(plan: ActionPlan, *, day: date) -> Carried:
    """Return what becomes of a plan on the map of a day; nothing is written."""
    found = Carried()
    ground: dict[int, list[Unit]] = {}
    for task in plan.tasks.order_by("number", "pk"):
        new: dict[int, Unit] = {}
        for row in task.assignments.select_related("unit"):
            if row.unit_id not in ground:
                ground[row.unit_id] = _heirs(row.unit, plan.keeper, day)
                if not ground[row.unit_id]:
                    found.lost.append(row.unit)
            new.update({unit.pk: unit for unit in ground[row.unit_id]})
        found.tasks.append((task, sorted(new.values(), key=lambda u: (u.folded, u.pk))))
    found.targets = _carry_targets(plan, day)
    return found


def _heirs(unit: Unit, keeper: Unit, day: date) -> list[Unit]:
    """Return who has the ground of a unit: itself, its communes of the day, the keeper.

    What a province had to do itself, the province that follows the plan has to do.
    """
    if unit.valid_from <= day and (unit.valid_to is None or day < unit.valid_to):
        return [unit]
    return [keeper] if unit.kind == PROVINCE else list_on_map([unit], day=day)


def _carry_targets(plan: ActionPlan, day: date) -> list[CarriedTarget]:
    rows = Target.objects.filter(plan=plan).select_related("unit")
    targets = list(rows.order_by("indicator", "year", "pk"))
    if not targets:
        return []
    pairs = _find_pairs({target.unit for target in targets}, plan, day)
    found = []
    for indicator, year in sorted({(t.indicator, t.year) for t in targets}):
        mine = [t for t in targets if (t.indicator, t.year) == (indicator, year)]
        by_commune = _spread(mine, pairs)
        example = any(target.is_example for target in mine)
        for unit, olds in pairs.items():
            origins = [
                Origin(
                    value=by_commune[old.pk].value if old.pk in by_commune else None,
                    is_whole=is_whole,
                    is_own=old.pk in by_commune
                    and by_commune[old.pk].unit_id == old.pk,
                )
                for old, is_whole in olds
            ]
            if all(origin.value is None for origin in origins):
                continue
            value, why = carry_value(origins, is_share=mine[0].is_share)
            found.append(CarriedTarget(unit, year, indicator, value, why, example))
    return found


def _find_pairs(
    units: Iterable[Unit], plan: ActionPlan, day: date
) -> dict[Unit, list[tuple[Unit, bool]]]:
    """Return for each new commune the old ones it comes from, and whether whole."""
    news = [new for new in list_on_map(units, day=day) if new.kind == COMMUNE]
    origins = trace(news, day=plan.first_date)
    olds = {old.pk: old for row in origins.values() for old in row}
    heirs = trace(olds.values(), day=day)
    return {
        new: [(old, heirs[old.pk] == [new]) for old in origins[new.pk]] for new in news
    }


def _spread(
    targets: Sequence[Target], pairs: Mapping[Unit, Sequence[tuple[Unit, bool]]]
) -> dict[int, Target]:
    """Return for each old commune the nearest target above or at it."""
    found: dict[int, Target] = {}
    olds = {old.pk: old for row in pairs.values() for old, _whole in row}
    for target in sorted(targets, key=lambda t: len(t.unit.path)):
        for old in olds.values():
            if old.path.startswith(target.unit.path):
                found[old.pk] = target
    return found
