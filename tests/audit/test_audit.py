"""What was written down stays, whoever asks the database to change it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from nguon.audit import actions, guards, months
from nguon.audit.models import Record
from nguon.people.models import Officer

STATEMENTS = [
    "UPDATE audit_record SET by_name = 'Ai đó'",
    "DELETE FROM audit_record",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_raw_sql_changes_no_record(lan: Officer, now: datetime, statement: str) -> None:
    actions.record("test.done", target=lan, by=lan, at=now)
    before = list(Record.objects.order_by("pk").values())

    with pytest.raises(DatabaseError, match="audit"), transaction.atomic():
        connection.cursor().execute(statement)

    assert list(Record.objects.order_by("pk").values()) == before


def test_the_code_too_adds_and_changes_nothing(lan: Officer, now: datetime) -> None:
    record = actions.record("test.done", target=lan, by=lan, at=now)
    record.action = "test.undone"

    for change in (record.save, record.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()

    record.refresh_from_db()
    assert (record.action, record.by_name) == ("test.done", lan.full_name)


def test_lost_guards_are_noticed_and_come_back_with_a_migrate(db: None) -> None:
    guards.check_set(connection)
    guards.lift_guards(connection, "audit")

    with pytest.raises(guards.GuardsMissingError):
        guards.check_set(connection)
    guards.set_guards(connection, "audit")

    guards.check_set(connection)


@pytest.mark.django_db
def test_months_are_local_and_are_made_only_where_they_are_needed() -> None:
    eve = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)

    assert months.month_of(eve) == date(2026, 11, 1)
    assert months.month_of(eve - timedelta(microseconds=1)) == date(2026, 10, 1)
    assert months.next_month(date(2026, 11, 1), 2) == date(2027, 1, 1)
    assert months.next_month(date(2026, 11, 1), -11) == date(2025, 12, 1)
    for kept in months.tables():
        on_postgresql = connection.vendor == "postgresql"
        assert months.is_partitioned(kept.table) is on_postgresql


def test_nothing_points_at_a_table_of_months_with_a_foreign_key() -> None:
    for kept in months.tables():
        pointing = [
            one.field
            for one in kept.rows._meta.get_fields(include_hidden=True)
            if one.auto_created and not one.concrete and one.field.db_constraint
        ]
        assert pointing == []
