"""A command for many is shown, sent at a pace, and answered one by one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core import signing
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.core.messages import Event, EventBatch
from nguon.fleet import actions, commands, health
from nguon.fleet.models import (
    Batch,
    Command,
    Device,
    DeviceLog,
    OutboxMessage,
    SignedDocument,
)
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker

Enrol = Callable[..., Speaker]
SECOND = timedelta(seconds=1)


@pytest.fixture
def three(enrol: Enrol, village: Unit, now: datetime) -> list[Speaker]:
    """Return three devices in Lan's commune, two of them connected."""
    found = [enrol(village, name=f"Loa {n}") for n in range(3)]
    here = {speaker.row.uid for speaker in found[:2]}
    actions.record_connections(here=here, away=(), at=now)
    return found


def send(verb: str, by: Officer, at: datetime, **changes: Any) -> Batch:
    asked: dict[str, Any] = {
        "devices": Device.objects.all(), "verb": verb, "args": {}, "chosen": "tất cả",
        "expected": 3, "by": by, "at": at,
    }  # fmt: skip
    return actions.send_batch(**(asked | changes))


def tell(speaker: Speaker, n: int, kind: str, at: datetime, **data: object) -> None:
    ms = round(at.timestamp() * 1000)
    batch = EventBatch(speaker.row.uid, "log", (Event(n, kind, ms, "", data),))
    actions.store_events(batches=[batch], at=at)


def states(batch: Batch) -> list[str]:
    return list(batch.commands.order_by("pk").values_list("state", flat=True))


def test_a_batch_goes_out_signed_and_each_answer_is_kept(
    three: list[Speaker], tung: Officer, now: datetime
) -> None:
    batch = send("test", tung, now)
    assert states(batch) == ["queued"] * 3
    assert not OutboxMessage.objects.filter(topic__endswith="/command").exists()

    assert actions.send_queued(at=now + SECOND) == 2
    assert states(batch) == ["sent", "sent", "queued"]  # the third is away
    first, second, third = batch.commands.order_by("pk")
    for row in (first, second):
        document = SignedDocument.objects.get(uid=row.document)
        assert signing.read(document.jws)[1]["verb"] == "test"
        assert document.not_after == now + SECOND + commands.LIFE
    tell(three[0], 1, "received", now + 2 * SECOND, document=first.document)
    tell(three[0], 2, "obeyed", now + 3 * SECOND, document=first.document)
    tell(
        three[1], 1, "declined", now + 3 * SECOND, document=second.document,
        cause="quiet",
    )  # fmt: skip
    # What another device says about it counts nothing.
    tell(three[2], 1, "obeyed", now + 3 * SECOND, document=second.document)
    actions.settle_commands(at=now + 4 * SECOND)
    assert states(batch) == ["done", "refused", "queued"]
    second.refresh_from_db()
    assert second.cause_words == "đang giờ yên lặng"

    actions.send_queued(at=batch.not_after)
    third.refresh_from_db()
    assert (third.state, third.cause) == ("expired", "offline")


def test_silence_runs_out_and_a_late_answer_still_counts(
    three: list[Speaker], tung: Officer, now: datetime
) -> None:
    batch = send("restart", tung, now)
    actions.send_queued(at=now)
    first = batch.commands.order_by("pk")[0]

    actions.settle_commands(at=now + commands.answer_time("restart"))
    assert states(batch)[0] == "expired"
    tell(three[0], 1, "obeyed", now + SECOND, document=first.document)
    actions.settle_commands(at=now + timedelta(hours=1), late=True)
    assert states(batch)[0] == "done"


def test_a_volume_for_many_becomes_their_setting(
    three: list[Speaker], tung: Officer, now: datetime
) -> None:
    send("volume", tung, now, args={"volume": 30, "other": 1})
    actions.send_queued(at=now)

    volumes = list(Device.objects.order_by("pk").values_list("volume", flat=True))
    assert volumes == [30, 30, 80]
    held = SignedDocument.objects.get(
        kind="settings", device=three[0].row, superseded_at__isnull=True
    )
    assert signing.read(held.jws)[1]["volume"] == 30


def test_what_a_batch_refuses(
    three: list[Speaker], tung: Officer, lan: Officer, hoa: Officer, now: datetime
) -> None:
    for wrong in (
        {"verb": "explode"},
        {"verb": "volume", "args": {"volume": 101}},
        {"verb": "volume", "args": {"volume": True}},
        {"verb": "test", "devices": Device.objects.none(), "expected": 0},
    ):
        with pytest.raises(InvalidError):
            send(**({"by": tung, "at": now} | wrong))
    with pytest.raises(ConflictError):
        send("test", tung, now, expected=2)
    night = datetime(2026, 11, 24, 23, 0, tzinfo=health.LOCAL)
    with pytest.raises(InvalidError):
        send("test", tung, night)
    for foreign in (lan, hoa):  # no technician; no ground
        with pytest.raises(InvalidError):
            send("restart", foreign, now)
    assert not Batch.objects.exists()


def test_a_cancelled_batch_sends_no_more(
    three: list[Speaker], tung: Officer, hoa: Officer, now: datetime
) -> None:
    batch = send("test", tung, now)
    with pytest.raises(ConflictError):
        actions.cancel_batch(batch_id=batch.pk, by=hoa, at=now)
    actions.cancel_batch(batch_id=batch.pk, by=tung, at=now)

    assert actions.send_queued(at=now) == 0
    assert states(batch) == ["expired"] * 3


def test_the_database_refuses_a_command_that_contradicts_itself(
    three: list[Speaker], tung: Officer, now: datetime
) -> None:
    batch = send("test", tung, now)
    for change in (
        {"state": "done"},
        {"state": "gone"},
        {"document": "abcdefghijkl"},
        {"ended_at": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            batch.commands.update(**change)


@given(st.lists(st.sampled_from(["received", "obeyed", "declined", "refused", "x"])))
def test_an_end_stays_the_end_whatever_is_told_after_it(told: list[str]) -> None:
    state = commands.SENT
    seen = [state]
    for event in told:
        state = commands.state_after(state, event)
        seen.append(state)

    ends = [n for n, one in enumerate(seen) if one in {"done", "refused"}]
    if ends:
        assert set(seen[ends[0] :]) == {seen[ends[0]]}


def test_a_log_is_taken_only_when_it_was_asked_for(
    three: list[Speaker], tung: Officer, client: Client, now: datetime, settings: Any
) -> None:
    document = actions.send_command(
        device_id=three[0].row.pk, verb="logs", args={}, by=tung, at=now
    )
    asked: dict[str, Any] = {
        "device_id": three[0].row.pk, "document": document.uid, "text": "một\0dòng",
        "at": now + SECOND,
    }  # fmt: skip

    actions.store_log(**asked)
    actions.store_log(**asked)
    assert DeviceLog.objects.get().text == "một�dòng"
    for wrong in (
        {"device_id": three[1].row.pk},
        {"document": ""},
        {"document": "abcdefghijkl"},
        {"at": now + timedelta(hours=1)},
    ):
        with pytest.raises(AbsentError):
            actions.store_log(**(asked | wrong))
    with pytest.raises(InvalidError):
        actions.store_log(**(asked | {"text": "x" * (commands.MAX_LOG_BYTES + 1)}))
    assert actions.forget_logs(at=now + timedelta(days=15)) == 1


def test_one_command_leaves_its_row_in_the_history(
    three: list[Speaker], tung: Officer, now: datetime
) -> None:
    actions.send_command(
        device_id=three[0].row.pk, verb="restart", args={"force": True}, by=tung, at=now
    )

    row = Command.objects.get()
    assert (row.state, row.args, row.batch) == ("sent", {"force": True}, None)


def test_the_screens_lead_from_the_list_to_each_answer(
    three: list[Speaker], tung: Officer, hoa: Officer, client: Client
) -> None:
    client.force_login(tung)
    uid = three[0].row.uid
    assert client.get("/thiet-bi/?chon=1").status_code == 200
    assert "3 thiết bị" in client.get("/thiet-bi/lenh/moi/").content.decode()
    look = client.post("/thiet-bi/lenh/moi/?tim=Loa", {"verb": "restart"})
    assert "Khởi động lại cả máy đang phát" in look.content.decode()
    assert not Batch.objects.exists()

    sent = client.post(
        "/thiet-bi/lenh/moi/?tim=Loa", {"verb": "restart", "sure": "3", "force": "1"}
    )
    batch = Batch.objects.get()
    assert sent.headers["Location"] == f"/thiet-bi/lenh/{batch.uid}/"
    assert batch.args == {"force": True}
    assert batch.chosen == "tên hoặc mã có “Loa”"
    assert "Loa 2" in client.get(f"/thiet-bi/lenh/{batch.uid}/").content.decode()
    table = client.get(f"/thiet-bi/lenh/{batch.uid}/xuat.csv").content.decode()
    assert table.count("Chờ gửi") == 3
    one = client.post(
        f"/thiet-bi/lenh/moi/?may={uid}", {"verb": "volume", "volume": "40"}
    )
    assert '<span class="num">1</span> thiết bị?' in one.content.decode()
    assert "Khởi động lại" in client.get(f"/thiet-bi/{uid}/").content.decode()
    assert client.post(f"/thiet-bi/lenh/{batch.uid}/dung/").status_code == 302
    assert states(batch) == ["expired"] * 3
    assert "Khởi động lại" in client.get("/thiet-bi/lenh/").content.decode()

    client.force_login(hoa)
    assert client.get(f"/thiet-bi/lenh/{batch.uid}/").status_code == 404
    assert "Không có thiết bị" in client.get("/thiet-bi/lenh/moi/").content.decode()


def test_a_log_is_read_by_those_who_keep_the_device(
    three: list[Speaker], tung: Officer, lan: Officer, hoa: Officer, client: Client,
    now: datetime,
) -> None:  # fmt: skip
    device = three[0].row
    document = actions.send_command(
        device_id=device.pk, verb="logs", args={}, by=tung, at=now
    )
    actions.store_log(device_id=device.pk, document=document.uid, text="a < b", at=now)
    address = f"/thiet-bi/{device.uid}/nhat-ky/{Command.objects.get().pk}/"

    client.force_login(tung)
    assert "a &lt; b" in client.get(address).content.decode()
    assert client.get(f"{address}?tai=1").content == b"a < b"
    for officer, status in ((lan, 403), (hoa, 404)):
        client.force_login(officer)
        assert client.get(address).status_code == status
