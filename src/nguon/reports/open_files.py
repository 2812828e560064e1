"""Published figures as CSV and JSON: the same rows, explained in themselves."""

import json
from collections.abc import Sequence
from typing import Any

from nguon.indicators import rules
from nguon.reports import opening
from nguon.reports.models import Publication, ScoreSheet
from nguon.reports.open_queries import Published

HEAD = (
    "period_from", "period_to", "unit_code", "unit_name", "indicator",
    "indicator_name", "value", "measured_in", "numerator", "denominator", "missing",
    "counted_days", "method", "legal_basis",
)  # fmt: skip


def rows_of(row: Publication, figures: Sequence[Published]) -> list[Sequence[object]]:
    """Return the lines of a publication in the order of `HEAD`."""
    return [
        (
            row.first_date.isoformat(),
            row.days.last.isoformat(),
            one.unit.code,
            one.unit.full_name,
            one.indicator.code,
            one.indicator.name,
            None if one.value is None else rules.shown(one.value),
            one.indicator.unit,
            one.line.above,
            one.line.below,
            one.why,
            row.counted_days,
            one.method,
            one.indicator.law,
        )
        for one in figures
    ]


def describe(row: Publication, *, address: str) -> dict[str, Any]:
    """Return what a publication is, for programs; `address` begins its addresses."""
    return {
        "id": row.uid,
        "publisher": row.unit.full_name,
        "publisher_code": row.unit.code,
        "period_from": row.first_date.isoformat(),
        "period_to": row.days.last.isoformat(),
        "counted_days": row.counted_days,
        "published_at": row.published_at.isoformat(),
        "terms": opening.TERMS,
        "page": f"{address}{row.uid}/",
        "csv": f"{address}{row.uid}.csv",
        "json": f"{address}{row.uid}.json",
    }


def describe_sheet(row: ScoreSheet, *, address: str) -> dict[str, Any]:
    """Return what a score sheet is, for programs."""
    return {
        "id": row.uid,
        "publisher": row.unit.full_name,
        "publisher_code": row.unit.code,
        "year": row.year,
        "has_results": row.shown_at is not None,
        "terms": opening.TERMS,
        "page": f"{address}diem/{row.uid}/",
        "json": f"{address}diem/{row.uid}.json",
    }


def as_json(body: dict[str, Any]) -> bytes:
    """Return JSON that people can read too; figures keep their decimals as numbers."""
    return json.dumps(body, ensure_ascii=False, indent=1, default=float).encode()
