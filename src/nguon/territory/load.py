"""Reads the official lists shipped in `data/` and writes them as units.

Repeatable: a unit is found again by kind, code and first day, so that loading twice
changes nothing and keeps every uid.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction
from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from nguon.territory import boundaries, names
from nguon.territory.models import (
    COMMUNE,
    DISTRICT,
    PROVINCE,
    Succession,
    Unit,
)

DATA = Path(__file__).parent / "data"
# The two lists know only their own side of the merger. Source: resolution
# 202/2025/QH15 (provinces) and the resolutions on communes, from 1 July 2025.
MERGER = date(2025, 7, 1)
BEGINNING = date(1900, 1, 1)

Say = Callable[[str], None]
Key = tuple[str, str, date]


@dataclass(frozen=True)
class Row:
    """One unit as a list has it; `parent` is its key on the same map."""

    key: Key
    name: str
    parent: Key | None
    lat: float | None = None
    lon: float | None = None


@transaction.atomic
def load(*, say: Say) -> None:
    """Load both maps of the country and the succession between them.

    `say` is told what is being done. Raises OSError when a list is missing.
    """
    areas = boundaries.areas_km2()
    known: dict[Key, Unit] = {
        (unit.kind, unit.code, unit.valid_from): unit
        for unit in Unit.objects.exclude(kind="village")
    }
    for title, first, last, path in (
        ("Bản đồ đến 30/06/2025", BEGINNING, MERGER, "units-until-2025-06-30.csv"),
        ("Bản đồ từ 01/07/2025", MERGER, None, "units-from-2025-07-01.csv"),
    ):
        rows = list(_read_map(DATA / path, first))
        for kind in (PROVINCE, DISTRICT, COMMUNE):
            level = [row for row in rows if row.key[0] == kind]
            _write(level, known, last, areas if first == MERGER else {})
            say(f"{title}: {len(level)} {kind}")
    say(f"Kế thừa: {_write_successions(known)}")


def _read_map(path: Path, first: date) -> Iterator[Row]:
    """Yield the units of one list, each once, from the top down."""
    seen = set()
    for line in _read(path):
        province = (PROVINCE, line["province_code"], first)
        parent = province
        rows = [Row(province, line["province"], None)]
        if line.get("district_code"):
            parent = (DISTRICT, line["district_code"], first)
            rows.append(Row(parent, line["district"], province))
        if line["commune_code"]:
            key = (COMMUNE, line["commune_code"], first)
            lat, lon = _number(line["lat"]), _number(line["lon"])
            rows.append(Row(key, line["commune"], parent, lat, lon))
        for row in rows:
            if row.key not in seen:
                seen.add(row.key)
                yield row


def _write(
    rows: list[Row],
    known: dict[Key, Unit],
    last: date | None,
    areas: Mapping[str, float],
) -> None:
    """Create the units of one level that are not known, correct those that are."""
    fresh, corrected = [], []
    for row in rows:
        kind, code, first = row.key
        subkind, name = names.split(row.name)
        facts = {
            "subkind": subkind,
            "name": name,
            "folded": names.fold(row.name),
            "lat": row.lat,
            "lon": row.lon,
            "area_km2": areas.get(code) if kind == COMMUNE else None,
        }
        unit = known.get(row.key)
        if unit is None:
            parent = known[row.parent] if row.parent else None
            period = {"valid_from": first, "valid_to": last}
            fresh.append(Unit(kind=kind, code=code, parent=parent, **period, **facts))
        elif any(getattr(unit, field) != value for field, value in facts.items()):
            for field, value in facts.items():
                setattr(unit, field, value)
            corrected.append(unit)
    if corrected:
        Unit.objects.bulk_update(corrected, list(facts), batch_size=100)
    Unit.objects.bulk_create(fresh, batch_size=500)
    # One statement gives every new unit its path: that of its parent, and itself.
    above = Unit.objects.filter(pk=OuterRef("parent")).values("path")[:1]
    own = Concat(Cast("pk", CharField()), Value("/"))
    Unit.objects.filter(path="").update(
        path=Concat(Coalesce(Subquery(above), Value("/")), own)
    )
    if fresh:
        like = {"kind": fresh[0].kind, "valid_from": fresh[0].valid_from}
        for unit in Unit.objects.filter(**like):
            known[unit.kind, unit.code, unit.valid_from] = unit


def _write_successions(known: Mapping[Key, Unit]) -> int:
    rows = [
        Succession(
            old=known[COMMUNE, line["old_commune_code"], BEGINNING],
            new=known[COMMUNE, line["new_commune_code"], MERGER],
            kind=line["kind"],
        )
        for line in _read(DATA / "succession-2025-07-01.csv")
    ]
    Succession.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)
    return len(rows)


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _number(text: str) -> float | None:
    return float(text) if text else None
