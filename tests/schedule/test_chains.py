"""Where a unit asks for two steps, three people agree; nobody waits in silence."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from nguon.core.errors import ConflictError, InvalidError
from nguon.newsroom import actions as newsroom
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, rules
from nguon.schedule.models import Broadcast
from nguon.schedule.station import Chain
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.schedule.stations import put_in_force

Send = Callable[..., Broadcast]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def dung(ia_grai: Unit) -> Officer:
    """Register a second approver of Ia Grai."""
    return make_officer("dung", "Siu Dung", (ia_grai, "approver"))


@pytest.fixture
def chain(
    ia_grai: Unit, lan: Officer, minh: Officer, dung: Officer, now: datetime
) -> None:
    put_in_force(ia_grai, Chain(two_steps=(1,), due_minutes=60), lan, minh, now)


def agree(
    act: Callable[..., Broadcast], broadcast: Broadcast, by: Officer, at: datetime
) -> Broadcast:
    return act(broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at)


@pytest.mark.usefixtures("chain")
def test_two_steps_are_three_people_in_their_order(
    send: Send, lan: Officer, minh: Officer, dung: Officer, now: datetime
) -> None:
    broadcast = send()
    assert broadcast.steps == 2
    with pytest.raises(ConflictError, match="not_checked"):
        agree(actions.release, broadcast, minh, now)
    with pytest.raises(newsroom.OwnBulletinError):
        agree(actions.check_broadcast, broadcast, make_writer_approver(lan), now)
    agree(actions.check_broadcast, broadcast, minh, now)
    with pytest.raises(newsroom.OwnBulletinError, match="own_check"):
        agree(actions.release, broadcast, minh, now)
    with pytest.raises(newsroom.AlreadyApprovedError):
        agree(actions.check_broadcast, broadcast, dung, now)
    released = agree(actions.release, broadcast, dung, now)
    assert released.state == rules.APPROVED


def make_writer_approver(lan: Officer) -> Officer:
    """Give Lan every right: she wrote it all the same."""
    lan.is_superuser = True
    lan.save(update_fields=["is_superuser"])
    return lan


@pytest.mark.usefixtures("chain")
def test_the_database_knows_two_steps_too(
    send: Send, minh: Officer, dung: Officer, now: datetime
) -> None:
    broadcast = send()
    newsroom.record_approval(
        version_id=broadcast.version_id, sha256=broadcast.sha256, by=dung, at=now
    )
    mine = Broadcast.objects.filter(pk=broadcast.pk)
    with pytest.raises(DatabaseError, match="not_checked"), transaction.atomic():
        mine.update(state=rules.APPROVED, approved_by=dung, approved_at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(steps=1)


@pytest.mark.usefixtures("chain")
def test_an_emergency_never_waits_for_a_check(
    send: Send, minh: Officer, now: datetime
) -> None:
    ends = now + timedelta(hours=2)
    alert = send("emergency", rules.Timing(rules.NOW, expires_at=ends))
    assert alert.steps == 1
    assert agree(actions.release, alert, minh, now).state == rules.APPROVED


def test_without_a_chain_one_approval_is_enough(
    send: Send, minh: Officer, now: datetime
) -> None:
    broadcast = send()
    with pytest.raises(ConflictError, match="one_step"):
        agree(actions.check_broadcast, broadcast, minh, now)
    assert agree(actions.release, broadcast, minh, now).state == rules.APPROVED


def test_two_steps_need_people_to_take_them(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    with pytest.raises(InvalidError, match="chain_people"):
        put_in_force(ia_grai, Chain(two_steps=(1,), due_minutes=60), lan, minh, now)


@pytest.mark.usefixtures("chain")
def test_whoever_lets_somebody_wait_is_reminded_and_then_those_above(
    send: Send,
    lan: Officer,
    minh: Officer,
    dung: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    broadcast = send()
    before = Notice.objects.count()
    assert actions.remind_waiting(at=now + 59 * MINUTE) == 0
    assert actions.remind_waiting(at=now + 60 * MINUTE) == 1
    new = Notice.objects.order_by("pk")[before:]
    assert {notice.officer_id for notice in new} == {minh.pk, dung.pk, lan.pk}
    # Each pause is twice the one before; then the province is told too.
    assert actions.remind_waiting(at=now + 179 * MINUTE) == 0
    assert actions.remind_waiting(at=now + 180 * MINUTE) == 1
    assert Notice.objects.filter(officer=quan, subject__startswith="Vẫn chờ").exists()
    agree(actions.check_broadcast, broadcast, minh, now + 181 * MINUTE)
    agree(actions.release, broadcast, dung, now + 182 * MINUTE)
    assert actions.remind_waiting(at=now + timedelta(days=9)) == 0


@pytest.mark.usefixtures("chain")
def test_the_screen_offers_the_step_that_is_due(
    send: Send, minh: Officer, dung: Officer, client: Client, now: datetime
) -> None:
    broadcast = send()
    page = f"/duyet/{broadcast.uid}/"
    client.force_login(minh)
    assert "Đã kiểm tra, chuyển duyệt" in client.get(page).content.decode()
    sent = {"sha256": broadcast.sha256}
    assert client.post(f"{page}kiem-tra/", sent).status_code == 302
    assert "người khác sẽ duyệt" in client.get(page).content.decode()
    client.force_login(dung)
    told = client.get(page).content.decode()
    assert "Trần Văn Minh đã kiểm tra" in told
    assert "Duyệt và phát" in told


def test_a_chain_is_written_on_screen(
    client: Client, ia_grai: Unit, lan: Officer, minh: Officer, dung: Officer
) -> None:
    client.force_login(lan)
    form = f"/giay-to/moi/?loai=chain&don_vi={ia_grai.uid}"
    assert "Lĩnh vực cần hai bước" in client.get(form).content.decode()
    sent = {
        "kind_of_paper": "chain",
        "don_vi": ia_grai.uid,
        "two_steps": ["1", "4"],
        "due_minutes": "90",
        "first_date": "2026-12-01",
    }
    answer = client.post("/giay-to/moi/", sent, follow=True)
    assert answer.status_code == 200
    assert "Nhắc người duyệt sau: 90 phút" in answer.content.decode()
