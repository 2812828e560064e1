"""What was written down stays, whoever asks the database to change it."""

from datetime import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from nguon.audit import actions, guards
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
