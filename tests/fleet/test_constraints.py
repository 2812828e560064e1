"""What the database itself refuses, by raw SQL, whatever a program believes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.core.messages import Event, EventBatch
from nguon.fleet import actions
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker
from tests.fleet.test_actions import ms, plan_body

Enrol = Callable[..., Speaker]


def run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def _world(
    enrol: Enrol, village: Unit, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    """Make one row of everything."""
    speaker = enrol(village)
    actions.publish_plan(unit=ia_grai, body=plan_body(now), by=quan, at=now)
    later = plan_body(now + timedelta(days=1))
    actions.publish_plan(unit=ia_grai, body=later, by=quan, at=now)
    batch = EventBatch(speaker.row.uid, "log", (Event(1, "birth", ms(now)),))
    actions.store_events(batches=[batch], at=now)


@pytest.mark.usefixtures("_world")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fleet_device SET state = 'trusted'",
        "UPDATE fleet_device SET volume = 101",
        "UPDATE fleet_device SET decided_by_id = NULL",
        "UPDATE fleet_device SET state = 'waiting'",
        "UPDATE fleet_device SET kind = 'radio'",
        "UPDATE fleet_claim SET used_at = NULL",
        "UPDATE fleet_claim SET expires_at = created_at",
        "UPDATE fleet_signeddocument SET seq = 1 WHERE kind = 'plan'",
        "UPDATE fleet_signeddocument SET seq = 0",
        "UPDATE fleet_signeddocument SET jws = ''",
        "UPDATE fleet_signeddocument SET jws = 'forged'",
        "UPDATE fleet_signeddocument SET superseded_at = NULL",
        "UPDATE fleet_signeddocument SET device_id = (SELECT id FROM fleet_device)"
        " WHERE kind = 'plan'",
        "UPDATE fleet_signeddocument SET unit_id = NULL WHERE kind = 'plan'",
        "UPDATE fleet_deviceevent SET type = 'finished'",
        "UPDATE fleet_deviceevent SET item = 'another'",
        "INSERT INTO fleet_deviceevent (device_id, log, n, type, at, item, document,"
        " data, stored_at, fault) SELECT device_id, log, n, type, at, item, document,"
        " data, stored_at, fault FROM fleet_deviceevent",
        "UPDATE fleet_outboxmessage SET sent_at = created_at, expired_at = created_at",
    ],
)
def test_the_database_refuses(statement: str) -> None:
    with pytest.raises(DatabaseError):
        run(statement)


@pytest.mark.usefixtures("_world")
def test_the_database_takes_what_actions_do() -> None:
    run("UPDATE fleet_deviceevent SET fault = 'kept aside'")
    run("UPDATE fleet_outboxmessage SET sent_at = created_at")
    run("UPDATE fleet_signeddocument SET superseded_at = issued_at")
