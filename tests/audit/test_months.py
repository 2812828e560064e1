"""Months as partitions: an old table is taken over whole, strays are caught.

Only collected on PostgreSQL (`conftest`); SQLite has one table for all months.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction

from nguon.audit import months
from nguon.audit.months import Kept


class Reading(models.Model):
    """A table as a room may have: unique by number, looked up by name."""

    n = models.IntegerField()
    name = models.CharField(max_length=20)
    at = models.DateTimeField()

    class Meta:
        app_label = "audit"
        db_table = "audit_test_reading"
        constraints = [
            models.UniqueConstraint(fields=["n"], name="reading_once"),
            models.UniqueConstraint(fields=["name", "at"], name="reading_name_once"),
            models.CheckConstraint(condition=models.Q(n__gt=0), name="reading_above_0"),
        ]
        indexes = [models.Index(fields=["name", "-at"], name="reading_by_name")]

    def __str__(self) -> str:
        return f"reading {self.n} #{self.pk}"


KEPT = Kept("audit.Reading", "at", once=("n",))
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def table() -> Iterator[type[Reading]]:
    with connection.schema_editor() as editor:
        editor.create_model(Reading)
    yield Reading
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS audit_test_reading")


def fill(rows: int) -> list[Reading]:
    """Write readings over fourteen months, and one of a broken clock."""
    begin = datetime(2025, 11, 3, tzinfo=UTC)
    fresh = [
        Reading(n=n, name=f"r{n % 7}", at=begin + timedelta(hours=n * 400 // rows * 24))
        for n in range(1, rows + 1)
    ]
    fresh[0].at = datetime(1971, 1, 1, tzinfo=UTC)
    return Reading.objects.bulk_create(fresh)


def convert() -> None:
    with transaction.atomic():
        months.convert(connection, KEPT, KEPT.table)


def parts() -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for part in months.list_parts(KEPT):
            cursor.execute(f"SELECT count(*) FROM {part.name}")
            found[part.name.removeprefix("audit_test_reading_")] = cursor.fetchone()[0]
    return found


def values() -> list[Any]:
    return list(Reading.objects.order_by("pk").values_list("pk", "n", "name", "at"))


def test_a_column_may_become_another_on_the_way_into_months(
    table: type[Reading],
) -> None:
    fill(200)

    with transaction.atomic():
        fresh = {"name": "CASE WHEN n > 100 THEN 'many' ELSE name END"}
        months.convert(connection, KEPT, KEPT.table, fresh)

    told = dict(Reading.objects.values_list("n", "name"))
    assert {n for n, name in told.items() if name == "many"} == set(range(101, 201))
    assert all(told[n] == f"r{n % 7}" for n in range(1, 101))


def test_an_old_table_becomes_one_of_months_with_every_row_and_rule(
    table: type[Reading],
) -> None:
    fill(2_000)
    before = values()

    convert()

    assert values() == before
    held = parts()
    assert held["strays"] == 1
    assert sum(held.values()) == 2_000
    assert held["2026_01"] > 100
    assert months.count_strays(KEPT) == 1
    fresh = Reading.objects.create(
        n=9_001, name="neu", at=datetime(2026, 1, 5, tzinfo=UTC)
    )
    assert fresh.pk > before[-1][0]
    for broken in (
        {"n": 9_001, "name": "x", "at": datetime(2026, 1, 6, tzinfo=UTC)},
        {"n": 9_002, "name": "neu", "at": datetime(2026, 1, 5, tzinfo=UTC)},
        {"n": 0, "name": "x", "at": datetime(2026, 1, 6, tzinfo=UTC)},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Reading.objects.create(**broken)
    # Elsewhere the room itself looks into the other months (see `fleet.actions.facts`).
    Reading.objects.create(n=9_001, name="x", at=datetime(2026, 2, 6, tzinfo=UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname = 'reading_by_name'"
        )
        assert cursor.fetchone()[0] == 1


def test_a_month_ends_at_local_midnight(table: type[Reading]) -> None:
    convert()
    months.ensure(KEPT, date(2024, 2, 1))
    months.ensure(KEPT, date(2024, 3, 1))
    edge = datetime(2024, 2, 29, 17, 0, tzinfo=UTC)
    Reading.objects.create(n=1, name="feb", at=edge - timedelta(microseconds=1))
    Reading.objects.create(n=2, name="mar", at=edge)

    held = parts()

    assert (held["2024_02"], held["2024_03"]) == (1, 1)


def test_strays_go_into_their_month_when_it_is_made(table: type[Reading]) -> None:
    convert()
    for n in range(1, 9):
        at = datetime(2023, 1 + n % 2, 10, n, tzinfo=UTC)
        Reading.objects.create(n=n, name="old", at=at)
    assert months.count_strays(KEPT) == 8
    before = values()

    made = months.ensure(KEPT, date(2023, 1, 1))

    assert made == ["audit_test_reading_2023_01"]
    assert months.count_strays(KEPT) == 4
    assert parts()["2023_01"] == 4
    assert values() == before
    assert months.ensure(KEPT, date(2023, 1, 1)) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Reading.objects.create(n=1, name="x", at=datetime(2023, 2, 1, tzinfo=UTC))


def test_a_month_that_is_dropped_takes_its_rows_alone(table: type[Reading]) -> None:
    fill(1_000)
    convert()
    held = parts()

    months.drop_month(KEPT, date(2026, 1, 1))

    assert Reading.objects.count() == 1_000 - held["2026_01"]
    assert "2026_01" not in parts()


def test_plays_and_events_are_kept_by_month_and_months_are_made_ahead() -> None:
    at = datetime(2031, 5, 20, tzinfo=UTC)

    made = months.make_ahead(at=at)

    for kept in months.tables():
        assert months.is_partitioned(kept.table)
        for month in ("2031_05", "2031_06", "2031_07", "2031_08"):
            assert f"{kept.table}_{month}" in made
    assert months.make_ahead(at=at) == []
    for kept in months.tables():
        for step in range(4):
            months.drop_month(kept, months.next_month(date(2031, 5, 1), step))
