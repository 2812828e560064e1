"""No page asks for a day or a clock in the language of a browser."""

import re
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from nguon.web.templatetags.nguon import clock_input, day_input

SOURCES = Path(__file__).resolve().parents[2] / "src" / "nguon"
NATIVE = re.compile(r"""type=["'](?:date|time|datetime-local)["']""")


def test_no_template_has_a_field_that_follows_the_browsers_language() -> None:
    templates = list(SOURCES.rglob("templates/**/*.html"))

    native = [path.name for path in templates if NATIVE.search(path.read_text("utf-8"))]

    assert len(templates) > 50
    assert native == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (date(2026, 11, 5), "05/11/2026"),
        (datetime(2026, 11, 4, 18, tzinfo=UTC), "05/11/2026"),
        ("2026-11-05", "05/11/2026"),
        ("5/11", "5/11"),
        ("2026-02-30", "2026-02-30"),
        (None, ""),
    ],
)
def test_a_day_stands_before_its_month(value: object, shown: str) -> None:
    assert day_input("first", value)["value"] == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (time(0, 0), "00:00"),
        (time(17, 5), "17:05"),
        (datetime(2026, 11, 4, 10, 5, tzinfo=UTC), "17:05"),
        ("5 PM", "5 PM"),
        (None, ""),
    ],
)
def test_a_clock_has_twenty_four_hours(value: object, shown: str) -> None:
    field = clock_input("begin", value, key="quiet-begin")

    assert (field["value"], field["key"]) == (shown, "quiet-begin")
