"""Supply and cascade: a commune's version keeps the supplier's words recognisable."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, ConflictError, RefusedError
from nguon.newsroom import actions as newsroom
from nguon.newsroom import supply as newsroom_supply
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, queries, rules
from nguon.schedule.models import Broadcast, InboxEntry, Localisation, PlayRecord
from nguon.territory.models import Unit
from tests.schedule.conftest import voice_all

Send = Callable[..., Broadcast]
LEAD_IN = "Kính thưa bà con xã Ia Grai."
SUPPLIED = "Sở thông báo tới bà con."
words = st.text(alphabet="abc ằ.\n", max_size=30)


@pytest.fixture
def entry(from_above: Send, ia_grai: Unit) -> InboxEntry:
    from_above()
    return InboxEntry.objects.get(unit=ia_grai)


@pytest.fixture
def own(entry: InboxEntry, lan: Officer, now: datetime) -> Localisation:
    return actions.localise_entry(
        entry_id=entry.pk, lead_in=LEAD_IN, closing="Xin cảm ơn.", by=lan, at=now
    )


def sent(own: Localisation, by: Officer, at: datetime) -> Broadcast:
    broadcast = actions.submit(
        bulletin_id=own.bulletin_id,
        timing=rules.Timing(rules.NOW),
        units=[own.bulletin.unit],
        devices=[],
        by=by,
        at=at,
    )
    voice_all(at)
    broadcast.refresh_from_db()
    return broadcast


def released(own: Localisation, lan: Officer, minh: Officer, at: datetime) -> Broadcast:
    broadcast = sent(own, lan, at)
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=at
    )


@given(lead_in=words, supplied=words.filter(str.strip), closing=words)
def test_words_put_around_are_never_taken_for_a_change(
    lead_in: str, supplied: str, closing: str
) -> None:
    body = newsroom_supply.localised_body(
        lead_in=lead_in, supplied_body=supplied, closing=closing
    )

    found = newsroom_supply.adapt(
        supplied_title="A", supplied_body=supplied, title="A", body=body
    )

    assert not found.is_altered


@pytest.mark.parametrize(
    "body", ["Sở báo tới bà con.", "Sở không thông báo tới bà con.", "1" + SUPPLIED]
)
def test_any_other_word_is_a_change(body: str) -> None:
    found = newsroom_supply.adapt(
        supplied_title="A", supplied_body=SUPPLIED, title="A", body=body
    )

    assert found.is_altered
    assert found.changes


def test_a_commune_makes_its_own_version_which_counts_as_use(
    own: Localisation, entry: InboxEntry, lan: Officer, minh: Officer, now: datetime
) -> None:
    entry.refresh_from_db()
    assert entry.state == rules.TAKEN
    assert own.bulletin.body == f"{LEAD_IN}\n\n{SUPPLIED}\n\nXin cảm ơn."
    broadcast = sent(own, lan, now)
    with pytest.raises(RefusedError):
        actions.release(
            broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=lan, at=now
        )
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )

    (use,) = [row for row in queries.list_use(entry.broadcast) if row.bulletin]
    assert (use.bulletin, use.altered) == (own.bulletin, False)
    with pytest.raises(ConflictError):
        actions.leave_entry(entry_id=entry.pk, reason="Thôi", by=lan, at=now)
    assert not Notice.objects.filter(subject__contains="sửa lời").exists()


def test_one_version_is_made_and_by_nobody_of_another_commune(
    own: Localisation, entry: InboxEntry, lan: Officer, hoa: Officer, now: datetime
) -> None:
    def make(by: Officer) -> None:
        actions.localise_entry(entry_id=entry.pk, lead_in="", closing="", by=by, at=now)

    with pytest.raises(AbsentError):
        make(hoa)
    with pytest.raises(ConflictError) as refusal:
        make(lan)
    assert refusal.value.code == "schedule.already_localised"
    with pytest.raises(DatabaseError), transaction.atomic():
        Localisation.objects.all().delete()


def test_a_change_of_words_is_shown_to_the_approver_and_told_to_the_supplier(
    client: Client,
    own: Localisation,
    entry: InboxEntry,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    newsroom.save_draft(
        bulletin_id=own.bulletin_id,
        revision=own.bulletin.revision,
        draft=replace(newsroom.draft_of(own.bulletin), body="Sở không báo gì."),
        by=lan,
        at=now,
    )
    broadcast = sent(own, lan, now)
    client.force_login(minh)
    page = client.get(f"/duyet/{broadcast.uid}/").content.decode()
    assert "Xã đã sửa lời" in page
    assert "<ins>không" in page
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )

    told = Notice.objects.get(subject__contains="sửa lời")
    assert told.officer == quan
    client.force_login(quan)
    page = client.get(f"/ban-tin/{entry.broadcast.version.bulletin.uid}/")
    assert "sửa lời" in page.content.decode()


def test_what_the_supplier_withdraws_falls_silent_in_every_version(
    own: Localisation,
    entry: InboxEntry,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    broadcast = released(own, lan, minh, now)

    actions.cancel_broadcast(
        broadcast_uid=entry.broadcast.uid, reason="Sai giá", by=quan, at=now
    )

    broadcast.refresh_from_db()
    assert broadcast.state == rules.CANCELLED
    assert Notice.objects.filter(officer=lan, body="Lý do: Sai giá").exists()
    with pytest.raises(ConflictError) as refusal:
        sent(own, lan, now)
    assert refusal.value.code == "schedule.origin_withdrawn"


def test_the_database_refuses_to_release_a_version_of_what_was_withdrawn(
    own: Localisation, entry: InboxEntry, lan: Officer, minh: Officer, now: datetime
) -> None:
    broadcast = sent(own, lan, now)
    newsroom.record_approval(
        version_id=broadcast.version_id, sha256=broadcast.sha256, by=minh, at=now
    )
    Broadcast.objects.filter(pk=entry.broadcast_id).update(
        state=rules.CANCELLED, cancelled_by=lan, cancelled_at=now
    )

    with pytest.raises(DatabaseError, match="origin_withdrawn"), transaction.atomic():
        Broadcast.objects.filter(pk=broadcast.pk).update(
            state=rules.APPROVED, approved_by=minh, approved_at=now
        )


def test_suppliers_are_listed_named_and_ended_by_an_administrator(
    client: Client,
    province: Unit,
    ia_grai: Unit,
    admin: Officer,
    lan: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    client.force_login(admin)
    client.post("/ban-tin/nguon-cung-cap/", {"unit": province.uid, "usual": "1"})
    assert "Sở Y tế" in client.get("/ban-tin/nguon-cung-cap/").content.decode()
    health = newsroom_supply.suppliers_of(ia_grai)[0]
    with pytest.raises(RefusedError):
        newsroom.add_suppliers(unit=province, names=["Sở X"], by=quan, at=now)
    with pytest.raises(AbsentError):
        newsroom.end_supplier(key=health.pk, by=lan, at=now)

    newsroom.end_supplier(key=health.pk, by=admin, at=now)
    assert health not in newsroom_supply.suppliers_of(ia_grai)
    bulletin = newsroom.create_bulletin(unit=province, draft=_draft(), by=quan, at=now)
    with pytest.raises(DraftError):
        newsroom.save_draft(
            bulletin_id=bulletin.pk,
            revision=bulletin.revision,
            draft=replace(_draft(), supplier=health.pk),
            by=quan,
            at=now,
        )


def test_the_table_of_use_counts_by_supplier_and_commune(
    client: Client,
    own: Localisation,
    entry: InboxEntry,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    broadcast = released(own, lan, minh, now)
    device = broadcast.audience.select_related("device__unit")[0].device
    PlayRecord.objects.create(
        device=device,
        unit=device.unit,
        broadcast=broadcast,
        item=f"{broadcast.uid}.1",
        planned_at=now,
        started_at=now,
        sounded_ms=90_000,
    )
    day = f"{timezone.localdate(now):%Y-%m-%d}"
    period = {"tu": day, "den": day}
    client.force_login(quan)
    json = {"accept": "application/json"}
    (row,) = client.get("/hop-tin/cung-cap/", period, headers=json).json()["suppliers"]
    assert row == {
        "supplier": "Tỉnh Gia Lai",
        "bulletins": 1,
        "offered": 2,
        "taken": 0,
        "localised": 1,
        "left": 0,
        "undecided": 1,
        "minutes": 1.5,
    }
    table = client.get("/hop-tin/cung-cap/xuat.csv", period).content.decode()
    assert '"1,5"' in table
    assert "Xã Ia Grai" in client.get("/hop-tin/cung-cap/", period).content.decode()
    assert (
        client.get("/hop-tin/cung-cap/", {"tu": "x"}, headers=json).status_code == 422
    )
    later = f"{now + timedelta(days=5):%Y-%m-%d}"
    found = client.get("/hop-tin/cung-cap/", {"tu": later, "den": later}, headers=json)
    assert found.json()["suppliers"] == []

    client.force_login(hoa)
    found = client.get("/hop-tin/cung-cap/", period, headers=json)
    assert found.json()["suppliers"] == []


def _draft() -> Draft:
    return Draft("Tiêm phòng", "Mời bà con.")
