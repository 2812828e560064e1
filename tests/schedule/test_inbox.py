"""The three classes from above: a normal bulletin sounds only where it is taken."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.core import signing
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.fleet.models import Device, DeviceEvent, SignedDocument
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, inbox, queries, rules, station
from nguon.schedule.models import Airing, Broadcast, InboxEntry, Paper
from nguon.territory.models import Unit
from tests.conftest import make_unit

HOUR = timedelta(hours=1)
SHELF = rules.Timing(rules.SHELF)
Send = Callable[..., Broadcast]


def release(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def sounding_documents() -> list[str]:
    found = []
    for document in SignedDocument.objects.filter(kind__in=["plan", "go", "alert"]):
        body = signing.read(document.jws)[1]
        found += [row["id"] for row in body.get("items", [])]
        found += [body["item"]["id"]] if "item" in body else []
    return found


def test_what_is_laid_up_is_approved_like_any_other_and_makes_no_airing(
    send: Send, lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    broadcast = send(timing=SHELF)

    with pytest.raises(RefusedError):
        release(broadcast, lan, now)
    release(broadcast, minh, now)
    actions.build_plan(unit=ia_grai, by=None, at=now)

    assert not Airing.objects.exists()
    assert sounding_documents() == []
    (material,) = queries.list_materials(ia_grai, officer=lan, at=now)
    assert (material.broadcast, material.durations) == (broadcast, {"vi": 4000})
    assert material.is_own
    assert material.latest_used_at is None


def test_laying_up_is_allowed_at_night_and_refused_for_an_emergency(
    send: Send, now: datetime
) -> None:
    night = now.replace(hour=16)  # 23:00 in Gia Lai

    with pytest.raises(InvalidError) as refusal:
        send("emergency", SHELF)

    assert refusal.value.code == "schedule.emergency_is_now"
    assert send(timing=SHELF, at=night).state == "waiting"


@pytest.mark.parametrize(
    "kind", [rules.SHELF, rules.NOW, rules.ONCE], ids=["shelf", "now", "once"]
)
def test_a_normal_bulletin_from_above_sounds_nowhere_by_itself(
    from_above: Send,
    kind: str,
    ia_grai: Unit,
    dak_doa: Unit,
    province: Unit,
    now: datetime,
) -> None:
    far = make_unit("commune", "23999", "Xã Chưa Có Loa", province)
    starts_at = now + HOUR if kind == rules.ONCE else None

    broadcast = from_above(timing=rules.Timing(kind, starts_at=starts_at))
    for unit in (province, ia_grai):
        actions.build_plan(unit=unit, by=None, at=now)

    assert sounding_documents() == []
    assert not Airing.objects.exists()
    entries = InboxEntry.objects.filter(broadcast=broadcast, state=rules.NEW)
    assert {entry.unit for entry in entries} == {ia_grai, dak_doa, far}


def test_priority_and_emergency_from_above_pass_the_inbox(
    from_above: Send, now: datetime
) -> None:
    timing = rules.Timing(rules.NOW)
    until = rules.Timing(rules.NOW, expires_at=now + HOUR)

    first = from_above("priority", timing)
    second = from_above("emergency", until)
    third = from_above("normal", rules.Timing(rules.ANNOUNCE))

    assert not InboxEntry.objects.exists()
    sounding = {item.split(".")[0] for item in sounding_documents()}
    assert sounding == {first.uid, second.uid, third.uid}


def test_a_communes_own_normal_bulletin_sounds_as_it_was_approved(
    send: Send, minh: Officer, now: datetime
) -> None:
    broadcast = release(send(), minh, now)

    assert {item.split(".")[0] for item in sounding_documents()} == {broadcast.uid}
    assert not InboxEntry.objects.exists()


def test_taking_makes_it_a_material_of_this_commune_alone(
    from_above: Send,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    ia_grai: Unit,
    dak_doa: Unit,
    now: datetime,
) -> None:
    broadcast = from_above()
    entry = InboxEntry.objects.get(unit=ia_grai)
    assert Notice.objects.filter(officer=lan, subject__contains="Tin mới").exists()
    assert queries.count_undecided(lan, at=now) == 1
    assert queries.list_materials(ia_grai, officer=lan, at=now) == []

    with pytest.raises(AbsentError):
        actions.take_entry(entry_id=entry.pk, by=hoa, at=now)
    with pytest.raises(RefusedError):
        actions.take_entry(entry_id=entry.pk, by=minh, at=now)
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)

    (material,) = queries.list_materials(ia_grai, officer=lan, at=now)
    assert material.broadcast == broadcast
    assert not material.is_own
    assert queries.list_materials(dak_doa, officer=hoa, at=now) == []
    with pytest.raises(AbsentError):
        queries.list_materials(ia_grai, officer=hoa, at=now)
    assert queries.count_undecided(lan, at=now) == 0


def test_leaving_needs_a_reason_and_may_be_thought_over(
    from_above: Send, lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    broadcast = from_above()
    key = InboxEntry.objects.get(unit=ia_grai).pk

    with pytest.raises(InvalidError):
        actions.leave_entry(entry_id=key, reason="  ", by=lan, at=now)
    left = actions.leave_entry(entry_id=key, reason="Đã có tin này", by=lan, at=now)

    assert (left.state, left.reason) == (rules.LEFT, "Đã có tin này")
    use = {row.entry.unit: row for row in queries.list_use(broadcast)}
    assert use[ia_grai].entry.reason == "Đã có tin này"
    assert actions.take_entry(entry_id=key, by=lan, at=now).reason == ""
    assert actions.leave_entry(entry_id=key, reason="Thôi", by=lan, at=now)


def test_what_was_called_off_above_cannot_be_taken(
    from_above: Send, lan: Officer, quan: Officer, ia_grai: Unit, now: datetime
) -> None:
    broadcast = from_above()
    entry = InboxEntry.objects.get(unit=ia_grai)
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)

    actions.cancel_broadcast(
        broadcast_uid=broadcast.uid, reason="Sai giá", by=quan, at=now
    )

    assert queries.list_materials(ia_grai, officer=lan, at=now) == []
    with pytest.raises(ConflictError) as refusal:
        actions.take_entry(entry_id=entry.pk, by=lan, at=now)
    assert refusal.value.code == "schedule.material_withdrawn"


def test_materials_are_found_without_accents(
    send: Send, lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    shelved = release(send(timing=SHELF), minh, now)
    later = release(send(), minh, now + HOUR)

    found = queries.list_materials(ia_grai, officer=lan, at=now, text="hop DAN")
    none = queries.list_materials(ia_grai, officer=lan, at=now, text="tiêm phòng")

    assert [row.broadcast for row in found] == [shelved, later]
    assert none == []


def test_the_public_page_shows_what_the_commune_took(
    from_above: Send, lan: Officer, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    broadcast = from_above(timing=rules.Timing(rules.NOW))
    assert queries.list_public(ia_grai, at=now) == []

    entry = InboxEntry.objects.get(unit=ia_grai)
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)

    assert queries.list_public(ia_grai, at=now) == [broadcast]
    assert queries.list_public(dak_doa, at=now) == []


def test_an_entry_is_kept_and_stays_about_its_bulletin(
    from_above: Send, dak_doa: Unit, ia_grai: Unit
) -> None:
    from_above()
    key = InboxEntry.objects.get(unit=ia_grai).pk
    tries = [
        f"DELETE FROM schedule_inboxentry WHERE id = {key}",
        f"UPDATE schedule_inboxentry SET state = 'taken' WHERE id = {key}",
        f"UPDATE schedule_inboxentry SET arrived_at = NULL WHERE id = {key}",
        f"UPDATE schedule_inboxentry SET broadcast_id = 0 WHERE id = {key}",
    ]

    for statement in tries:
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_overlapping_priority_bulletins_are_a_clash_led_by_the_higher_level(
    from_above: Send,
    send: Send,
    minh: Officer,
    ia_grai: Unit,
    dak_doa: Unit,
    now: datetime,
) -> None:
    soon = rules.Timing(rules.ONCE, starts_at=now + HOUR)
    after = rules.Timing(rules.ONCE, starts_at=now + 3 * HOUR)
    own = release(send("priority", soon), minh, now)
    above = from_above("priority", soon)
    release(send("priority", after), minh, now)
    release(send("normal", soon), minh, now)

    (clash,) = queries.list_clashes(ia_grai, at=now)

    assert [row.broadcast for row in clash.airings] == [above, own]
    assert not clash.is_ordered
    assert queries.list_clashes(dak_doa, at=now) == []
    assert len(queries.list_priority(ia_grai, at=now)) == 3


def test_use_counts_what_really_sounded_in_each_commune(
    from_above: Send,
    speakers: list[Device],
    lan: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    broadcast = from_above("priority", rules.Timing(rules.NOW))
    InboxEntry.objects.create(unit=ia_grai, broadcast=broadcast, arrived_at=now)
    item = Airing.objects.get().item
    events = [
        DeviceEvent(device=one, log="l", n=1, type="started", at=now, item=item)
        for one in speakers
    ]
    actions.record_events(events=events, at=now)

    (use,) = queries.list_use(broadcast)

    assert (use.entry.state, use.devices) == (rules.NEW, 2)
    assert inbox.is_used(use.entry, at=now) is False


def put_in_force(
    unit: Unit, kind: str, body: station.Body, lan: Officer, minh: Officer, at: datetime
) -> Paper:
    """Have a paper written by Lan and approved by Minh."""
    paper = actions.draft_paper(
        unit=unit, kind=kind, body=body, title="Giấy tờ", first_date=at.date(),
        last_date=None, by=lan, at=at,
    )  # fmt: skip
    actions.send_paper(paper_uid=paper.uid, by=lan, at=at)
    return actions.approve_paper(
        paper_uid=paper.uid, sha256=paper.sha256, by=minh, at=at
    )


def test_a_taken_bulletin_sounds_where_a_programme_uses_it_and_stays_taken(
    from_above: Send,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    dak_doa: Unit,
    speakers: list[Device],
    now: datetime,
) -> None:
    broadcast = from_above()
    entry = InboxEntry.objects.get(unit=ia_grai)
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)
    slot = station.Slot(
        id="chieu", name="Buổi chiều", kind="programme", minutes=15,
        repeat=station.Repeat(first=now.date()), begin=time(17),
    )  # fmt: skip
    day = station.StationRules(slots=(slot,))
    put_in_force(ia_grai, station.RULES, day, lan, minh, now)
    piece = station.Entry(kind="bulletin", material=broadcast.uid)
    filled = station.Programme(slot="chieu", entries=(piece,))

    put_in_force(ia_grai, station.PROGRAMME, filled, lan, minh, now)

    airings = Airing.objects.filter(broadcast=broadcast)
    assert {row.unit for row in airings} == {ia_grai}
    with pytest.raises(ConflictError) as refusal:
        actions.leave_entry(entry_id=entry.pk, reason="Thôi", by=lan, at=now)
    assert refusal.value.code == "schedule.material_used"
    events = [
        DeviceEvent(
            device=one, log="l", n=1, type="started", at=now, item=airings[0].item
        )
        for one in speakers
    ]
    actions.record_events(events=events, at=now)
    use = {row.entry.unit: row for row in queries.list_use(broadcast)}
    assert (use[ia_grai].airings, use[ia_grai].devices) == (1, 2)
    assert (use[dak_doa].airings, use[dak_doa].devices) == (0, 0)


def test_a_bulletin_out_of_the_programme_before_it_sounded_may_be_left(
    from_above: Send,
    send: Send,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    entry = InboxEntry.objects.get(unit=ia_grai, broadcast=from_above())
    actions.take_entry(entry_id=entry.pk, by=lan, at=now)
    own = release(send(timing=SHELF), minh, now)
    slot = station.Slot(
        id="chieu", name="Buổi chiều", kind="programme", minutes=15,
        repeat=station.Repeat(first=now.date()), begin=time(17),
    )  # fmt: skip
    day = station.StationRules(slots=(slot,))
    put_in_force(ia_grai, station.RULES, day, lan, minh, now)

    def fill(uid: str, at: datetime) -> None:
        piece = station.Entry(kind="bulletin", material=uid)
        body = station.Programme(slot="chieu", entries=(piece,))
        put_in_force(ia_grai, station.PROGRAMME, body, lan, minh, at)

    fill(entry.broadcast.uid, now)
    fill(own.uid, now + HOUR)

    left = actions.leave_entry(
        entry_id=entry.pk, reason="Thôi", by=lan, at=now + 2 * HOUR
    )
    assert left.state == rules.LEFT
    # By the evening the other programme has sounded, not this one.
    assert not inbox.is_used(left, at=now + 12 * HOUR)


def test_the_commune_orders_a_clash_by_a_paper_of_two(
    from_above: Send,
    send: Send,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    soon = rules.Timing(rules.ONCE, starts_at=now + HOUR)
    own = release(send("priority", soon), minh, now)
    above = from_above("priority", soon)
    wanted = [own.uid, above.uid]

    with pytest.raises(InvalidError) as refusal:
        actions.propose_order(unit=ia_grai, broadcasts=[own.uid], by=lan, at=now)
    with pytest.raises(RefusedError):
        actions.propose_order(unit=ia_grai, broadcasts=wanted, by=minh, at=now)
    paper = actions.propose_order(unit=ia_grai, broadcasts=wanted, by=lan, at=now)
    assert not queries.list_clashes(ia_grai, at=now)[0].is_ordered
    with pytest.raises(RefusedError):
        actions.approve_paper(paper_uid=paper.uid, sha256=paper.sha256, by=lan, at=now)
    actions.approve_paper(paper_uid=paper.uid, sha256=paper.sha256, by=minh, at=now)

    assert refusal.value.code == "schedule.order_incomplete"
    (clash,) = queries.list_clashes(ia_grai, at=now)
    assert [row.broadcast for row in clash.airings] == [own, above]
    assert clash.is_ordered
    plan = SignedDocument.objects.get(
        kind="plan", unit=ia_grai, superseded_at__isnull=True
    )
    assert signing.read(plan.jws)[1]["order"] == wanted


def test_there_is_no_order_where_nothing_meets(
    lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    with pytest.raises(InvalidError) as refusal:
        actions.propose_order(unit=ia_grai, broadcasts=[], by=lan, at=now)

    assert refusal.value.code == "schedule.no_clash"
