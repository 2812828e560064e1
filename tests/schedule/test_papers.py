"""Papers: one writes, another approves, about one hash; nobody has a way around."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.audit import guards
from nguon.audit.models import Record
from nguon.core.errors import AbsentError, ConflictError, DomainError, InvalidError
from nguon.fleet.models import SignedDocument
from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.access import NoRightError
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, inspection, papers, rules, station
from nguon.schedule.actions.papers import OwnPaperError, PaperChangedError, list_touched
from nguon.schedule.models import Paper, PaperInvolvement
from nguon.schedule.station import (
    Authority,
    Order,
    Quiet,
    Slot,
    Source,
    StationRules,
)
from nguon.territory.models import Unit
from nguon.web.sentences import SENTENCES
from tests.conftest import make_officer
from tests.schedule.conftest import make_device
from tests.schedule.stations import (
    FIRST,
    approve,
    make_draft,
    programme,
    public,
    put_in_force,
    send,
    shelve,
    slot,
)

DAY = timedelta(days=1)
RULES = StationRules(slots=(slot(),), quiet=(Quiet(time(21), time(5)),))


@pytest.fixture
def waiting(ia_grai: Unit, lan: Officer, minh: Officer, now: datetime) -> Paper:
    return send(make_draft(ia_grai, RULES, lan, now), lan, now)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refusal:
        call()
    code = refusal.value.code
    if code in SENTENCES:
        assert SENTENCES[code].format_map(refusal.value.data)
    return code


def test_lan_writes_minh_approves_and_hoa_sees_nothing(
    waiting: Paper, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    with pytest.raises(AbsentError):
        approve(waiting, hoa, now)
    with pytest.raises(NoRightError):
        approve(waiting, lan, now)
    with pytest.raises(AbsentError):
        papers.access_paper(uid=waiting.uid, officer=hoa, at=now)

    paper = approve(waiting, minh, now)

    assert paper.state == "approved"
    assert paper.approved_by == minh
    assert papers.in_force(paper.unit, "rules", FIRST) == paper
    assert Notice.objects.filter(officer=minh, url=f"/giay-to/{paper.uid}/").exists()
    assert Notice.objects.filter(officer=lan, url=f"/giay-to/{paper.uid}/").exists()
    done = Record.objects.filter(action__startswith="schedule.paper.")
    assert list(done.order_by("pk").values_list("action", flat=True)) == [
        "schedule.paper.drafted", "schedule.paper.sent", "schedule.paper.approved",
    ]  # fmt: skip


def test_nobody_approves_what_they_wrote_in(
    ia_grai: Unit, lan: Officer, minh: Officer, admin: Officer, now: datetime
) -> None:
    both = make_officer("an", "Đỗ An", (ia_grai, "author"), (ia_grai, "approver"))
    own = send(make_draft(ia_grai, RULES, both, now), both, now)
    touched = make_draft(ia_grai, RULES, lan, now)
    for person in (both, admin):
        actions.save_draft(
            paper_uid=touched.uid, body=RULES, title="Sửa", first_date=FIRST,
            last_date=None, by=person, at=now,
        )  # fmt: skip
    send(touched, lan, now)

    for paper, person in ((own, both), (touched, both), (touched, admin)):
        paper.refresh_from_db()
        with pytest.raises(OwnPaperError):
            approve(paper, person, now)

    touched.refresh_from_db()
    assert approve(own, minh, now).state == approve(touched, minh, now).state


def test_the_database_refuses_an_approval_of_ones_own_paper(
    waiting: Paper, lan: Officer, minh: Officer, now: datetime
) -> None:
    def refused(statement: str, *values: object) -> None:
        with (
            pytest.raises(DatabaseError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values)

    approved = (
        "UPDATE schedule_paper SET state = 'approved', approved_by_id = %s,"
        " approved_at = %s WHERE id = %s"
    )
    for person in (lan, minh):
        refused(approved, person.pk, now, waiting.pk)  # no approval of this hash
    involved = (
        "INSERT INTO schedule_paperinvolvement"
        " (paper_id, person_id, kind, at, approved_sha256) VALUES (%s, %s, %s, %s, %s)"
    )
    refused(involved, waiting.pk, lan.pk, "approve", now, waiting.sha256)
    refused("UPDATE schedule_paperinvolvement SET kind = 'approve'")
    refused("DELETE FROM schedule_paperinvolvement")
    refused("UPDATE schedule_paper SET body = '{}' WHERE id = %s", waiting.pk)
    refused("UPDATE schedule_paper SET sha256 = %s WHERE id = %s", "0" * 64, waiting.pk)
    refused("DELETE FROM schedule_paper WHERE id = %s", waiting.pk)

    waiting.refresh_from_db()
    assert waiting.state == "waiting"
    assert approve(waiting, minh, now).state == "approved"


def test_another_hash_than_the_one_read_is_refused(
    waiting: Paper, minh: Officer, now: datetime
) -> None:
    with pytest.raises(PaperChangedError):
        actions.approve_paper(
            paper_uid=waiting.uid, sha256="0" * 64, by=minh, at=now, resolve=public
        )

    assert not PaperInvolvement.objects.filter(kind="approve").exists()


def test_without_the_databases_guards_nothing_is_approved(
    waiting: Paper, minh: Officer, now: datetime
) -> None:
    guards.lift_guards(connection, "schedule")

    assert code_of(lambda: approve(waiting, minh, now)) == "audit.guards_missing"
    guards.set_guards(connection, "schedule")
    assert approve(waiting, minh, now).state == "approved"


def test_what_was_sent_is_not_changed_but_written_anew(
    waiting: Paper, lan: Officer, minh: Officer, now: datetime
) -> None:
    def save() -> object:
        return actions.save_draft(
            paper_uid=waiting.uid, body=RULES, title="Sửa", first_date=FIRST,
            last_date=None, by=lan, at=now,
        )  # fmt: skip

    assert code_of(save) == "schedule.paper_sent"

    back = actions.return_paper(
        paper_uid=waiting.uid, reason="Sai giờ", by=minh, at=now
    )

    assert back.state == "returned"
    assert code_of(save) == "schedule.paper_sent"
    assert code_of(lambda: approve(waiting, minh, now)) == "schedule.paper_decided"
    assert make_draft(waiting.unit, RULES, lan, now).number == 2


def test_an_ending_takes_an_approver_and_a_reason(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    draft = make_draft(ia_grai, RULES, lan, now)
    paper = put_in_force(ia_grai, RULES, lan, minh, now)

    def end(one: Paper, by: Officer, reason: str = "Nhầm") -> Paper:
        return actions.end_paper(paper_uid=one.uid, reason=reason, by=by, at=now)

    with pytest.raises(NoRightError):
        end(paper, lan)
    assert code_of(lambda: end(paper, minh, " ")) == "schedule.reason_missing"
    assert end(draft, lan).state == "ended"  # her own draft
    assert end(paper, minh).state == "ended"
    assert papers.in_force(ia_grai, "rules", FIRST) is None
    with pytest.raises(ConflictError):
        end(paper, minh)


def test_the_latest_approved_that_covers_a_day_is_in_force(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    always = put_in_force(ia_grai, RULES, lan, minh, now)
    week = put_in_force(
        ia_grai, StationRules(), lan, minh, now + timedelta(minutes=1),
        first=FIRST + 2 * DAY, last=FIRST + 8 * DAY,
    )  # fmt: skip

    held = [papers.in_force(ia_grai, "rules", FIRST + n * DAY) for n in (1, 2, 8, 9)]

    assert held == [always, week, week, always]
    assert inspection.replaced_by(week, at=now) == always


def test_a_station_without_rules_keeps_the_quiet_hours_from_above(
    ia_grai: Unit, dak_doa: Unit, village: Unit, province: Unit,
    lan: Officer, minh: Officer, quan: Officer, now: datetime,
) -> None:  # fmt: skip
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    assert papers.quiet_of(dak_doa, FIRST) == (Quiet(time(22), time(5)),)

    put_in_force(
        province, StationRules(quiet=(Quiet(time(20), time(6)),)), quan, chief, now
    )
    own = Quiet(time(11), time(13), station.Audience((village.uid,)))
    put_in_force(ia_grai, StationRules(quiet=(own,)), lan, minh, now)

    assert papers.quiet_of(dak_doa, FIRST) == (Quiet(time(20), time(6)),)
    assert papers.quiet_of(village, FIRST) == (own,)
    assert papers.hours_of([village], [], at=now) == (
        rules.QuietHours(time(11), time(13)),
    )
    assert papers.hours_of([dak_doa], [], at=now) == (
        rules.QuietHours(time(20), time(6)),
    )


def test_a_bulletin_in_its_communes_own_quiet_hours_is_refused(
    ia_grai: Unit, village: Unit, lan: Officer, minh: Officer, tung: Officer,
    now: datetime,
) -> None:  # fmt: skip
    make_device(village, tung, now)
    noon = StationRules(quiet=(Quiet(time(9), time(11)),))
    put_in_force(ia_grai, noon, lan, minh, now)
    bulletin = newsroom.create_bulletin(
        unit=ia_grai, draft=Draft("Họp", "Mời họp."), by=lan, at=now
    )

    def submit() -> object:
        return actions.submit(
            bulletin_id=bulletin.pk, timing=rules.Timing(rules.NOW), units=[village],
            devices=[], by=lan, at=now,
        )  # fmt: skip

    assert code_of(submit) == "schedule.quiet_hours"


# --- what a paper leans on ---------------------------------------------------------


def test_a_paper_of_a_unit_that_has_ended_is_refused(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    draft, sent = (make_draft(ia_grai, RULES, lan, now) for _ in range(2))
    send(sent, lan, now)
    Unit.objects.filter(pk=ia_grai.pk).update(valid_to=date(2026, 7, 1))
    ia_grai.refresh_from_db()

    assert code_of(lambda: send(draft, lan, now)) == "schedule.unit_ended"
    assert code_of(lambda: approve(sent, minh, now)) == "schedule.unit_ended"
    assert (
        code_of(lambda: make_draft(ia_grai, RULES, lan, now)) == "schedule.unit_ended"
    )


def test_places_outside_the_station_are_refused(
    ia_grai: Unit, dak_doa: Unit, village: Unit, lan: Officer, now: datetime
) -> None:
    def sent(*units: str) -> object:
        places = station.Audience(units)
        body = StationRules(slots=(slot(places=places),))
        return send(make_draft(ia_grai, body, lan, now), lan, now)

    assert code_of(lambda: sent(dak_doa.uid)) == "schedule.place_outside"
    assert code_of(lambda: sent("khongcogi123")) == "schedule.place_outside"
    assert sent(village.uid)


def test_a_relay_needs_a_source_on_the_register(
    ia_grai: Unit, dak_doa: Unit, province: Unit,
    lan: Officer, minh: Officer, hoa: Officer, quan: Officer, now: datetime,
) -> None:  # fmt: skip
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    source = Source("Đài tỉnh", "http", "https://radio.example.vn/live")
    above = make_draft(province, source, quan, now)

    def relay(uid: str) -> object:
        body = StationRules(slots=(slot(kind="relay", source=uid),))
        return send(make_draft(ia_grai, body, lan, now), lan, now)

    assert code_of(lambda: relay(above.uid)) == "schedule.source_absent"
    send(above, quan, now)
    approve(above, chief, now)
    other = make_officer("binh", "Vũ Bình", (dak_doa, "approver"))
    foreign = put_in_force(dak_doa, source, hoa, other, now)
    assert code_of(lambda: relay(foreign.uid)) == "schedule.source_absent"
    assert relay(above.uid)


def test_an_address_inside_the_network_is_refused_also_at_approval(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    source = Source("Đài", "http", "https://radio.example.vn/live")
    paper = send(make_draft(ia_grai, source, lan, now), lan, now)

    def moved() -> object:
        return actions.approve_paper(
            paper_uid=paper.uid, sha256=paper.sha256, by=minh, at=now,
            resolve=lambda _host, _port: ["10.0.0.1"],
        )  # fmt: skip

    assert code_of(moved) == "schedule.address_inside"
    assert approve(paper, minh, now).subject == source.url


def test_a_host_of_the_setting_may_lie_inside(
    ia_grai: Unit, lan: Officer, now: datetime, settings: object
) -> None:
    source = Source("Đài", "http", "http://127.0.0.1:8000/live")

    def sent() -> Paper:
        paper = make_draft(ia_grai, source, lan, now)
        return actions.send_paper(paper_uid=paper.uid, by=lan, at=now)

    # Who types it learns it before anybody is asked to approve.
    assert code_of(lambda: make_draft(ia_grai, source, lan, now)) == (
        "schedule.address_inside"
    )
    settings.RELAY_ALLOWED = ["127.0.0.1"]  # type: ignore[attr-defined]
    assert sent().state == "waiting"


@pytest.fixture
def stocked(
    ia_grai: Unit, village: Unit, lan: Officer, minh: Officer, tung: Officer,
    now: datetime,
) -> Unit:  # fmt: skip
    """Give the station a device and rules in force."""
    make_device(village, tung, now)
    put_in_force(ia_grai, RULES, lan, minh, now)
    return ia_grai


def test_a_programme_takes_only_what_is_released_and_its_own(
    stocked: Unit, dak_doa: Unit, lan: Officer, minh: Officer, hoa: Officer,
    tung: Officer, now: datetime,
) -> None:  # fmt: skip
    make_device(dak_doa, tung, now, "Loa Đak Đoa")
    other = make_officer("binh", "Vũ Bình", (dak_doa, "approver"))
    foreign = shelve(dak_doa, hoa, other, now)
    own = shelve(stocked, lan, minh, now)

    def sent(*uids: str, key: str = "s1") -> Paper:
        body = programme(*uids, key=key)
        return send(make_draft(stocked, body, lan, now), lan, now)

    assert code_of(lambda: sent(foreign.uid)) == "schedule.material_absent"
    assert code_of(lambda: sent("khongcogi123")) == "schedule.material_absent"
    assert code_of(lambda: sent(own.uid, key="s9")) == "schedule.slot_unknown"
    paper = sent(own.uid)
    actions.cancel_broadcast(broadcast_uid=own.uid, reason="Cũ", by=lan, at=now)
    assert code_of(lambda: approve(paper, minh, now)) == "schedule.material_absent"


def test_an_order_names_priority_bulletins_of_the_commune(
    stocked: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    first = shelve(stocked, lan, minh, now, "Lũ", "priority")
    plain = shelve(stocked, lan, minh, now, "Họp")

    def sent(*uids: str) -> object:
        return send(make_draft(stocked, Order(uids), lan, now), lan, now)

    assert code_of(lambda: sent(plain.uid)) == "schedule.order_unknown"
    assert code_of(lambda: sent()) == "schedule.order_empty"
    assert sent(first.uid)


def test_an_authority_names_officers_of_the_ground(
    ia_grai: Unit, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    def sent(key: int) -> object:
        body = Authority((key,), ("live",), time(6), time(20), reason="Bão")
        paper = make_draft(ia_grai, body, lan, now, last=FIRST + 30 * DAY)
        return send(paper, lan, now)

    assert code_of(lambda: sent(hoa.pk)) == "schedule.officer_unknown"
    assert sent(lan.pk)


@pytest.mark.parametrize("kind", ["programme", "order"])
def test_a_province_has_no_programme_and_no_order(
    kind: str, province: Unit, quan: Officer, now: datetime
) -> None:
    body: station.Body = programme("x") if kind == "programme" else Order(("x",))

    def drafted() -> object:
        return make_draft(province, body, quan, now)

    assert code_of(drafted) == "schedule.paper_elsewhere"


def test_a_malformed_body_is_refused_by_its_field(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    with pytest.raises(InvalidError) as refusal:
        actions.draft_paper(
            unit=ia_grai, kind="rules", body={"slots": [{"id": 1}]}, title="x",
            first_date=FIRST, last_date=None, by=lan, at=now,
        )  # fmt: skip

    assert refusal.value.code == "schedule.paper_malformed"
    assert str(refusal.value.data["field"]).startswith("slots")


# --- which plans are touched -------------------------------------------------------


def test_a_paper_touches_the_plans_of_its_own_unit_alone(
    ia_grai: Unit, dak_doa: Unit, province: Unit,
    lan: Officer, minh: Officer, hoa: Officer, quan: Officer, now: datetime,
) -> None:  # fmt: skip
    chief = make_officer("an", "Đỗ An", (province, "approver"))
    source = put_in_force(
        province,
        Source("Đài tỉnh", "http", "https://radio.example.vn/"),
        quan,
        chief,
        now,
    )
    assert list_touched(source, at=now) == []

    relay: Slot = slot(kind="relay", source=source.uid)
    held = put_in_force(ia_grai, StationRules(slots=(relay,)), lan, minh, now)
    plans = SignedDocument.objects.filter(kind="plan", superseded_at__isnull=True)
    assert [plan.unit for plan in plans] == [ia_grai]

    assert list_touched(held, at=now) == [ia_grai]
    assert list_touched(source, at=now) == [ia_grai]
    before = plans.get().seq
    actions.end_paper(paper_uid=source.uid, reason="Nhiễu", by=chief, at=now)
    assert plans.get().seq == before + 1


def test_an_authority_rebuilds_nothing(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    body = Authority((lan.pk,), ("live",), time(6), time(20), reason="Bão")

    put_in_force(ia_grai, body, lan, minh, now, last=FIRST + 30 * DAY)

    assert not SignedDocument.objects.filter(kind="plan").exists()


def test_changes_are_told_against_the_paper_in_force(
    ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    put_in_force(ia_grai, RULES, lan, minh, now)
    later = StationRules(slots=(slot(begin=time(17, 15)),), quiet=RULES.quiet)

    paper = make_draft(ia_grai, later, lan, now)

    assert inspection.tell_changes(paper, at=now) == ["Khung “Khung s1”: 17:00 → 17:15"]
