"""One person silences; two lift; the database keeps both."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from nguon.core import signing
from nguon.core.errors import AbsentError, InvalidError, RefusedError
from nguon.emergency import actions, queries
from nguon.emergency.models import Stop
from nguon.fleet.models import SignedDocument
from nguon.people.models import Notice, Officer
from nguon.territory.models import Unit
from tests.schedule.conftest import server_keys, signing_keys

__all__ = ["server_keys", "signing_keys"]
HOUR = timedelta(hours=1)


def order(unit: Unit, by: Officer, at: datetime, until: datetime | None = None) -> Stop:
    return actions.stop(
        unit=unit, device=None, until=until or at + HOUR, reason="Loa hú", by=by, at=at
    )


def test_one_stops_and_two_lift(
    lan: Officer, minh: Officer, quan: Officer, ia_grai: Unit, now: datetime
) -> None:
    stop = order(ia_grai, lan, now)

    assert queries.list_active(minh, at=now) == [stop]
    assert Notice.objects.filter(officer=quan).exists()
    with pytest.raises(RefusedError):
        actions.ask_lift(stop_uid=stop.uid, by=lan, at=now)
    actions.ask_lift(stop_uid=stop.uid, by=minh, at=now)
    with pytest.raises(RefusedError):
        actions.confirm_lift(stop_uid=stop.uid, by=minh, at=now)
    actions.confirm_lift(stop_uid=stop.uid, by=quan, at=now)

    assert queries.list_active(minh, at=now) == []
    lift = signing.read(SignedDocument.objects.get(kind="lift").jws)[1]
    assert lift["stop"] == SignedDocument.objects.get(kind="stop").uid


def test_another_communes_officer_stops_nothing_here(
    hoa: Officer, ia_grai: Unit, now: datetime
) -> None:
    with pytest.raises(AbsentError):
        order(ia_grai, hoa, now)

    assert not SignedDocument.objects.exists()


def test_a_stop_has_an_end_within_a_day(
    lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    for until in (now, now + timedelta(hours=25)):
        with pytest.raises(InvalidError):
            order(ia_grai, lan, now, until)


def test_the_database_refuses_a_lift_by_one(
    lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    stop = order(ia_grai, lan, now)
    actions.ask_lift(stop_uid=stop.uid, by=minh, at=now)

    for change in (
        {"lifted_by": minh, "lifted_at": now},
        {"until": now + 2 * HOUR},
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            Stop.objects.filter(pk=stop.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        stop.delete()
