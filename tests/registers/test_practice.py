"""A newcomer writes, approves, hears and stops a bulletin that no device ever gets."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, ConflictError, DomainError, InvalidError
from nguon.people.models import Notice, Officer
from nguon.registers import access, books
from nguon.registers import actions as lines
from nguon.registers import queries as registers
from nguon.registers.models import (
    Certificate,
    PracticeProof,
    PracticeRun,
    PracticeStep,
    Propagandist,
    StaffMember,
)
from nguon.registers.practice import actions, ground, lessons, queries, rules
from nguon.schedule.rules import LOCAL
from nguon.speech import audio, chime
from nguon.territory.models import Unit
from tests.conftest import make_officer

pytestmark = pytest.mark.django_db
TITLE, BODY = "Họp làng", "Mời bà con họp lúc 7 giờ tối thứ Sáu, ngày 27/11/2026."
EVENING = datetime(2026, 11, 24, 17, 0, tzinfo=LOCAL)
Go = Callable[..., PracticeRun]


def right_answer(step: str) -> int:
    choices = lessons.readings()[step].choices
    return next(n for n, one in enumerate(choices) if not one.why)


def do(run: PracticeRun, step: str, by: Officer, at: datetime) -> None:
    """Do one step as it should be done."""
    told = {"uid": run.uid, "by": by, "at": at}
    if step in rules.LESSONS:
        actions.answer(step=step, choice=right_answer(step), **told)
    elif step == rules.WRITTEN:
        actions.write(title=TITLE, body=BODY, **told)
    elif step == rules.SENT:
        actions.send(starts_at=EVENING, **told)
    elif step == rules.CAUGHT:
        actions.judge(is_right=False, reason="Tháng 11 có 30 ngày", **told)
    elif step == rules.APPROVED:
        run.refresh_from_db()
        actions.approve(seal=run.seal, **told)
    elif step == rules.PLAYED:
        actions.play(**told)
    else:
        actions.stop(**told)


@pytest.fixture
def go(lan: Officer, now: datetime) -> Go:
    """Return what begins a practice of Lan's and goes through it before a step."""

    def _go(until: str = "", *, person: str = "", by: Officer = lan) -> PracticeRun:
        run = actions.begin(person_uid=person, by=by, at=now)
        for step in rules.ORDER:
            if step == until:
                break
            do(run, step, by, now)
        run.refresh_from_db()
        return run

    return _go


# --- the way through ---------------------------------------------


def test_every_step_in_its_order_ends_in_one_dated_numbered_proof(
    go: Go, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    run = go()

    proof = Certificate.objects.get(run=run)
    assert (proof.unit, proof.number, proof.year) == (ia_grai, 1, 2026)
    assert proof.issued_on == now.date()
    assert [step for step, at in queries.moments_of(run) if at] == list(rules.ORDER)
    assert queries.state_of(run, at=now) == rules.DONE
    with pytest.raises(ConflictError) as over:
        actions.stop(uid=run.uid, by=lan, at=now)
    assert over.value.code == "registers.practice_over"
    # Another practice is another proof.
    assert Certificate.objects.get(run=go()).number == 2


def test_a_practice_is_gone_on_with_where_it_was_left(
    go: Go, lan: Officer, now: datetime
) -> None:
    run = go(rules.SENT)
    later = now + rules.LEFT_OFF_AFTER + timedelta(seconds=1)

    assert queries.state_of(run, at=now) == rules.OPEN
    assert queries.state_of(run, at=later) == rules.LEFT_OFF
    reader = access.reader_of(lan, at=later)
    for state, count in ((rules.LEFT_OFF, 1), (rules.OPEN, 0), (rules.DONE, 0)):
        assert queries.list_runs(reader, {"tinh_trang": state}).count() == count
    assert actions.begin(by=lan, at=later) == run
    assert rules.next_step(queries.done_of(run)) == rules.SENT

    actions.give_up(uid=run.uid, by=lan, at=later)
    assert queries.list_runs(reader, {"tinh_trang": rules.GIVEN_UP}).count() == 1
    assert actions.begin(by=lan, at=later) != run


@pytest.mark.parametrize("skipped", rules.ORDER[:-1])
def test_no_step_is_done_before_the_one_before_it(
    go: Go, skipped: str, lan: Officer, now: datetime
) -> None:
    run = go(skipped)
    after = rules.ORDER[rules.ORDER.index(skipped) + 1]

    with pytest.raises(DomainError):
        do(run, after, lan, now)

    assert queries.done_of(run) == set(rules.ORDER[: rules.ORDER.index(skipped)])


def test_a_wrong_answer_says_why_and_is_no_step(
    go: Go, lan: Officer, now: datetime
) -> None:
    run = go(rules.LEARN_WRITE)
    step = rules.LEARN_WRITE
    wrong = (right_answer(step) + 1) % 3

    for choice, code in ((wrong, "answer"), (-1, "unanswered"), (9, "unanswered")):
        with pytest.raises(InvalidError) as refused:
            actions.answer(uid=run.uid, step=step, choice=choice, by=lan, at=now)
        assert refused.value.code == f"registers.practice_{code}"
    assert not queries.done_of(run)


def test_the_rules_of_the_real_thing_refuse_here_too(
    go: Go, lan: Officer, now: datetime
) -> None:
    run = go(rules.WRITTEN)
    told = {"uid": run.uid, "by": lan, "at": now}
    for title, body, code in (
        ("", BODY, "newsroom.title_missing"),
        (TITLE, "Họp lúc [giờ].", "newsroom.place_to_fill"),
        (TITLE, "x " * 1_001 + "x", "registers.practice_too_long"),
    ):
        with pytest.raises(InvalidError) as refused:
            actions.write(title=title, body=body, **told)
        assert refused.value.code == code

    actions.write(title=TITLE, body=BODY, **told)
    night = EVENING.replace(hour=3, minute=15) + timedelta(days=1)
    for starts_at, code in (
        (night, "schedule.quiet_hours"),
        (now - timedelta(minutes=1), "schedule.time_passed"),
    ):
        with pytest.raises(InvalidError) as refused:
            actions.send(starts_at=starts_at, **told)
        assert refused.value.code == code
    assert rules.next_step(queries.done_of(run)) == rules.SENT


def test_the_colleagues_mistake_must_be_seen(
    go: Go, lan: Officer, now: datetime
) -> None:
    run = go(rules.CAUGHT)
    told = {"uid": run.uid, "by": lan, "at": now}

    for is_right, reason, code in (
        (True, "", "registers.practice_missed"),
        (False, "  ", "registers.practice_reason"),
    ):
        with pytest.raises(InvalidError) as refused:
            actions.judge(is_right=is_right, reason=reason, **told)
        assert refused.value.code == code


def test_an_approval_is_about_one_hash_and_what_was_given_back_has_another(
    go: Go, lan: Officer, now: datetime
) -> None:
    run = go(rules.APPROVED)
    told = {"uid": run.uid, "by": lan, "at": now}
    with pytest.raises(ConflictError):
        actions.write(title="Khác", body=BODY, **told)

    actions.give_back(**told)
    with pytest.raises(ConflictError):
        actions.approve(seal=run.seal, **told)
    actions.write(title="Họp làng Jút", body=BODY, **told)
    actions.send(starts_at=EVENING, **told)
    with pytest.raises(ConflictError) as changed:
        actions.approve(seal=run.seal, **told)

    assert changed.value.code == "registers.practice_changed"
    do(run, rules.APPROVED, lan, now)


@given(
    title=st.text(min_size=1, max_size=20),
    body=st.text(min_size=1, max_size=40),
    minutes=st.integers(1, 60 * 24),
)
def test_the_made_up_loudspeakers_wait_sound_and_fall_silent(
    title: str, body: str, minutes: int
) -> None:
    starts_at = EVENING + timedelta(minutes=minutes)
    told = {"title": title, "body": body, "starts_at": starts_at}
    told["seal"] = rules.seal(**told)
    known = set(rules.ORDER[:-2])
    try:
        ground.check_time(starts_at, body=body, at=EVENING)
    except InvalidError:
        return

    def states(done: set[str]) -> list[str]:
        return [one.state for one in ground.hear(**told, done=done)]

    assert set(states(known)) == {ground.WAITS}
    assert states(known | {rules.PLAYED}) == [ground.SOUNDS] * 2 + [ground.SILENT]
    assert set(states(known | {rules.PLAYED, rules.STOPPED})) == {ground.STILL}


@given(minutes=st.integers(0, 60 * 24))
def test_the_hour_of_the_hint_is_never_over_on_the_day_that_is_filled_in(
    minutes: int,
) -> None:
    at = EVENING + timedelta(minutes=minutes)
    day = ground.usual_start(at).astimezone(LOCAL).date()

    hint = datetime.combine(day, time(3, 15), LOCAL)

    assert hint > at
    with pytest.raises(InvalidError, check=lambda one: "quiet" in one.code):
        ground.check_time(hint, body=BODY, at=at)


def test_every_lesson_has_one_right_answer() -> None:
    assert set(lessons.readings()) == set(rules.LESSONS)
    for one in lessons.readings().values():
        assert sum(not choice.why for choice in one.choices) == 1
    assert lessons.flawed().why
    ground.check_text(title=lessons.example().title, body=lessons.example().body)


# --- nobody gets it ----------------------------------------------


def counted() -> dict[str, int]:
    """Return how many rows every table has but those that a practice may fill."""
    own = {PracticeRun, PracticeStep, Certificate}
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model not in own and model._meta.app_label not in {"audit", "sessions"}
    }


def test_a_whole_practice_in_the_browser_adds_no_row_that_a_device_could_get(
    client: Client, go: Go, lan: Officer, now: datetime
) -> None:
    client.force_login(lan)
    before = counted()
    assert {"newsroom.Bulletin", "schedule.Broadcast", "fleet.OutboxMessage"} <= {
        *before
    }

    client.post(reverse("registers:begin_practice"))
    run = PracticeRun.objects.get()
    seen = [client.get(reverse("registers:practices")).content.decode()]
    page = reverse("registers:practice", args=[run.uid])
    tomorrow = ground.usual_start(datetime.now(tz=now.tzinfo))
    sent = {
        rules.WRITTEN: ("viet", {"title": TITLE, "body": BODY}),
        rules.SENT: ("gui", {"date": f"{tomorrow:%d/%m/%Y}", "time": "17:00"}),
        rules.CAUGHT: ("xem", {"verdict": "return", "reason": "Sai ngày"}),
        rules.PLAYED: ("den-gio", {}),
        rules.STOPPED: ("dung", {}),
    }
    for step in rules.ORDER:
        seen.append(client.get(page).content.decode())
        if step in rules.LESSONS:
            deed, data = "tra-loi", {"step": step, "choice": str(right_answer(step))}
        elif step == rules.APPROVED:
            run.refresh_from_db()
            deed, data = "duyet", {"sha256": run.seal}
        else:
            deed, data = sent[step]
        answer = client.post(
            reverse("registers:do_practice", args=[run.uid, deed]), data
        )
        assert answer.status_code == HTTPStatus.FOUND, step
    seen += [
        client.get(page).content.decode(),
        client.get(
            reverse("registers:practice_proof", args=[run.uid])
        ).content.decode(),
    ]

    assert counted() == before
    for html in seen:
        assert "LUYỆN TẬP – không phát ra loa thật" in html
        # Nor does the real button stand beside the one to practise with.
        assert "nav-stop" not in html
    assert "Số 1/" in seen[-1]
    assert "Nguyễn Thị Lan" in seen[-1]


def test_the_bulletin_sounds_for_its_newcomer_alone_until_it_is_stopped(
    client: Client, go: Go, lan: Officer, minh: Officer, hoa: Officer, now: datetime
) -> None:
    run = go(rules.SENT)
    client.force_login(lan)
    address = reverse("registers:practice_sound", args=[run.uid])
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    for step in (rules.SENT, rules.CAUGHT):
        do(run, step, lan, now)

    whole = client.get(address)
    part = client.get(address, headers={"range": "bytes=0-1"})
    beyond = client.get(address, headers={"range": f"bytes={len(whole.content)}-"})

    assert whole.headers["Content-Type"] == "audio/mpeg"
    assert whole.headers["Cache-Control"] == "private, no-store"
    heard = audio.decode(whole.content, limit_seconds=60)
    # Three notes, a breath, and whoever reads the text.
    assert audio.seconds(heard) > chime.TONE_MS / 1_000 + 3
    assert (part.status_code, part.content) == (206, whole.content[:2])
    assert beyond.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    page = reverse("registers:practice", args=[run.uid])
    assert address in client.get(page).text
    for step in (rules.APPROVED, rules.PLAYED):
        do(run, step, lan, now)
    assert "data-speaker" in client.get(page).text
    for other in (minh, hoa):
        client.force_login(other)
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    do(run, rules.STOPPED, lan, now)
    client.force_login(lan)
    assert client.get(address).status_code == HTTPStatus.NOT_FOUND


def test_without_a_voice_the_practice_says_so_and_goes_on(
    client: Client,
    go: Go,
    lan: Officer,
    settings: Any,
    tmp_path: Path,
) -> None:
    settings.DATA_DIR, settings.VOICES_FILE = tmp_path, str(tmp_path / "missing.json")
    run = go(rules.APPROVED)
    client.force_login(lan)

    page = client.get(reverse("registers:practice", args=[run.uid])).text
    sound = client.get(reverse("registers:practice_sound", args=[run.uid]))

    assert "Lượt này không có tiếng" in page
    assert "Duyệt và phát (luyện tập)" in page
    assert "<audio" not in page
    assert sound.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_what_is_wrong_is_told_above_the_same_page(
    client: Client, go: Go, lan: Officer
) -> None:
    run = go(rules.WRITTEN)
    client.force_login(lan)

    wrong = client.post(
        reverse("registers:do_practice", args=[run.uid, "viet"]),
        {"title": "", "body": "Chữ vừa gõ"},
    )
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Chữ vừa gõ" in wrong.content.decode()
    early = client.post(reverse("registers:do_practice", args=[run.uid, "dung"]))
    assert early.status_code == HTTPStatus.CONFLICT
    unknown = client.post(reverse("registers:do_practice", args=[run.uid, "no-la"]))
    assert unknown.status_code == HTTPStatus.NOT_FOUND
    # Who comes back to the address of that answer stands at the practice again.
    back = client.get(reverse("registers:do_practice", args=[run.uid, "viet"]))
    assert back.status_code == HTTPStatus.FOUND
    assert back.headers["Location"] == reverse("registers:practice", args=[run.uid])


# --- whose it is -------------------------------------------------


def test_nobody_does_a_step_for_another_and_another_commune_sees_nothing(
    client: Client,
    go: Go,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    run = go(rules.STOPPED)

    for officer in (minh, hoa, quan):
        with pytest.raises(AbsentError):
            actions.stop(uid=run.uid, by=officer, at=now)
    page = reverse("registers:practice", args=[run.uid])
    for officer, status in (
        (minh, HTTPStatus.OK),
        (quan, HTTPStatus.OK),
        (hoa, HTTPStatus.NOT_FOUND),
    ):
        client.force_login(officer)
        assert client.get(page).status_code == status
    assert (
        "Nguyễn" not in client.get(reverse("registers:practices_file")).content.decode()
    )
    client.force_login(quan)
    PracticeRun.objects.filter(pk=run.pk).update(touched_at=now - timedelta(days=30))
    assert "1 lượt" in client.get(reverse("registers:practices")).content.decode()
    table = client.get(reverse("registers:practices_file"), {"tim": "nguyen thi lan"})
    assert f"9/{len(rules.ORDER)}" in table.content.decode()


def test_a_proof_stands_in_the_record_of_the_person_until_they_are_forgotten(
    client: Client,
    go: Go,
    loan: StaffMember,
    lan: Officer,
    minh: Officer,
    now: datetime,
) -> None:
    run = go(person=loan.uid)
    client.force_login(minh)
    page = reverse("registers:line", args=["nhan-luc", loan.uid])

    assert "Giấy xác nhận số 1/2026" in client.get(page).content.decode()
    assert registers.list_changes(loan)[0].told == [
        ["Luyện tập trên hệ thống", "", "24/11/2026"]
    ]
    with pytest.raises(ConflictError) as named:
        actions.name_person(uid=run.uid, person_uid=loan.uid, by=minh, at=now)
    assert named.value.code == "registers.practice_named"

    lines.forget_person(book=books.STAFF, uid=loan.uid, by=minh, at=now)
    run.refresh_from_db()
    assert run.person is None
    assert Certificate.objects.filter(run=run).exists()
    assert "Giấy xác nhận số" not in client.get(page).content.decode()


def test_a_proof_of_the_wrong_person_is_withdrawn_and_given_to_the_right_one(
    client: Client,
    go: Go,
    loan: StaffMember,
    pot: Propagandist,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    run = go(person=loan.uid)
    day = now.date()
    training = lines.add_training(
        unit=loan.unit, title="Mới", lessons="", with_practice=True, by=lan, at=now
    )
    lesson = {"training_uid": training.uid, "numbers": [1], "proven_on": day}
    lines.record_proofs(person_uid=loan.uid, by=lan, at=now, **lesson)
    told = {"uid": run.uid, "at": now}
    with pytest.raises(AbsentError):
        actions.withdraw(reason="Nhầm", by=hoa, **told)
    with pytest.raises(InvalidError):
        actions.withdraw(reason=" ", by=minh, **told)

    actions.withdraw(reason="Ghi nhầm dòng", by=minh, **told)

    with pytest.raises(ConflictError) as gone:
        actions.withdraw(reason="Nữa", by=minh, **told)
    assert gone.value.code == "registers.proof_none"
    # What only this proof carried falls with it, and the history tells both.
    assert not PracticeProof.objects.exists()
    assert registers.list_changes(loan)[0].told == [
        ["Luyện tập trên hệ thống", "24/11/2026", ""],
        [f"Mới: {training.lessons.get().title}", "24/11/2026", ""],
    ]
    assert Notice.objects.get(officer=lan, subject__contains="rút lại")
    client.force_login(lan)
    page = reverse("registers:practice_proof", args=[run.uid])
    withdrawn = client.get(page)
    assert withdrawn.status_code == HTTPStatus.GONE
    assert "Lý do: Ghi nhầm dòng" in withdrawn.text

    actions.name_person(person_uid=pot.uid, by=lan, **told)

    assert [one.number for one in queries.list_certificates(pot)] == [2]
    assert queries.list_certificates(loan) == []
    shown = client.get(page).text
    assert "Số 2/2026" in shown
    assert "Giấy số 1/2026 đã rút lại" in shown
    assert pot.full_name in shown
    assert "làm trên tài khoản của Nguyễn Thị Lan" in shown


def test_a_proof_is_withdrawn_on_its_page_and_its_code_says_so(
    client: Client, go: Go, lan: Officer, minh: Officer, hoa: Officer
) -> None:
    run = go()
    rut = reverse("registers:do_practice", args=[run.uid, "rut"])
    page = reverse("registers:practice", args=[run.uid])
    client.force_login(hoa)
    assert client.post(rut, {"reason": "Nhầm"}).status_code == HTTPStatus.NOT_FOUND
    client.force_login(minh)
    assert "Giấy này ghi nhầm người" in client.get(page).text
    empty = client.post(rut, {"reason": ""})
    client.post(rut, {"reason": "Người khác dùng tài khoản"})

    assert empty.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    shown = client.get(page).text
    assert "Người khác dùng tài khoản" in shown
    assert "Giấy này ghi nhầm người" not in shown
    paper = client.get(reverse("reports:practice_paper", args=[run.uid]))
    assert paper.status_code == HTTPStatus.NOT_FOUND
    assert "Đã rút 1/2026" in client.get(reverse("registers:practices")).text


def test_the_database_keeps_a_proof_and_that_it_was_withdrawn(
    go: Go, lan: Officer, minh: Officer, now: datetime
) -> None:
    run = go()
    proofs = Certificate.objects.all()
    away = {"withdrawn_by": minh, "withdrawn_at": now}
    for change in (
        lambda: proofs.update(number=9),
        lambda: proofs.update(**away),
        lambda: proofs.update(**away, reason="Nhầm", number=9),
        lambda: proofs._raw_delete("default"),
        lambda: Certificate.objects.create(
            run=run, unit=run.unit, year=2026, number=2, issued_on=now.date()
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()

    actions.withdraw(uid=run.uid, reason="Nhầm", by=lan, at=now)

    for change in (
        lambda: proofs.update(reason="Khác"),
        lambda: proofs.update(reason="", withdrawn_by=None, withdrawn_at=None),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_nobody_is_chosen_beforehand_and_a_strange_name_is_looked_at_twice(
    client: Client, go: Go, loan: StaffMember, lan: Officer
) -> None:
    run = go()
    client.force_login(lan)
    page = reverse("registers:practice", args=[run.uid])

    choice = client.get(page).text
    second = client.get(page, {"person": loan.uid}).text

    assert '<option value="">Hãy chọn</option>' in choice
    assert "la-ai/" not in choice
    assert f"Đúng, ghi cho {escape(loan.full_name)}" in second
    assert "Hai tên khác nhau" in second
    assert run.person is None
    lan.full_name = loan.full_name.upper()
    lan.save()
    assert "Hai tên khác nhau" not in client.get(page, {"person": loan.uid}).text


def test_who_keeps_no_register_names_only_themselves(
    go: Go, loan: StaffMember, tung: Officer, lan: Officer, hoa: Officer, now: datetime
) -> None:
    run = go(by=tung)
    with pytest.raises(AbsentError):
        actions.name_person(uid=run.uid, person_uid=loan.uid, by=tung, at=now)
    with pytest.raises(AbsentError):
        actions.name_person(uid=run.uid, person_uid=loan.uid, by=hoa, at=now)
    own = lines.add_line(
        book=books.STAFF,
        unit=loan.unit,
        values={
            "full_name": tung.full_name,
            "phone": "",
            "post": "Kỹ thuật",
            "from_date": loan.from_date,
            "to_date": None,
        },
        by=lan,
        at=now,
    )

    actions.name_person(uid=run.uid, person_uid=own.uid, by=tung, at=now)

    assert [one.run for one in queries.list_certificates(own)] == [run]


def test_without_a_role_there_is_no_practice(now: datetime) -> None:
    nobody = make_officer("moi", "Người Mới")

    with pytest.raises(InvalidError) as refused:
        actions.begin(by=nobody, at=now)

    assert refused.value.code == "registers.practice_no_unit"


def test_a_lesson_of_practice_is_done_with_a_proof_alone(
    go: Go, loan: StaffMember, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    training = lines.add_training(
        unit=ia_grai, title="Đợt 2", lessons="Soạn", with_practice=True, by=lan, at=now
    )
    told = {"training_uid": training.uid, "person_uid": loan.uid, "by": lan, "at": now}

    def refused(day: date) -> None:
        with pytest.raises(InvalidError) as error:
            lines.record_proofs(numbers=[1, 2], proven_on=day, **told)
        assert error.value.code == "registers.practice_needed"

    refused(now.date())
    go(person=loan.uid)
    refused(now.date() - timedelta(days=1))
    assert len(lines.record_proofs(numbers=[1, 2], proven_on=now.date(), **told)) == 2

    assert registers.count_on("staff_trained", now.date()) == {ia_grai.pk: 1}


def test_the_database_wants_a_proof_for_a_lesson_of_practice(
    loan: StaffMember, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    training = lines.add_training(
        unit=ia_grai, title="Đợt 2", lessons="Soạn", with_practice=True, by=lan, at=now
    )
    lesson = training.lessons.get(needs_practice=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        PracticeProof.objects.create(
            lesson=lesson,
            staff_member=loan,
            proven_on=now.date(),
            recorded_by=lan,
            recorded_at=now,
        )


# --- what the database itself refuses ----------------------------


def test_the_database_wants_every_step_in_order_before_it_is_done(
    go: Go, lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    run = go(rules.STOPPED)
    open_runs = PracticeRun.objects.filter(pk=run.pk)
    number = len(rules.ORDER)
    day = now.date()

    def refused(write: Callable[[], object]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            write()

    refused(lambda: open_runs.update(done_at=now))
    refused(
        lambda: Certificate.objects.create(
            run=run, unit=ia_grai, year=2026, number=1, issued_on=day
        )
    )
    refused(
        lambda: PracticeRun.objects.create(
            officer=lan, unit=ia_grai, began_at=now, touched_at=now
        )
    )
    refused(
        lambda: PracticeStep.objects.create(
            run=run, number=number, kind=rules.PLAYED, at=now
        )
    )
    refused(lambda: PracticeStep.objects.filter(run=run).update(at=now))
    refused(lambda: PracticeStep.objects.filter(run=run).delete())
    refused(lambda: open_runs.delete())

    do(run, rules.STOPPED, lan, now)
    refused(lambda: open_runs.update(done_at=None))
    refused(lambda: open_runs.update(given_up_at=now))
    refused(lambda: Certificate.objects.filter(run=run).delete())
    refused(
        lambda: Certificate.objects.create(
            run=run, unit=ia_grai, year=2026, number=2, issued_on=day
        )
    )


def test_the_database_refuses_a_step_that_jumps_the_queue(
    go: Go, now: datetime
) -> None:
    run = go(rules.LEARN_APPROVE)

    with pytest.raises(IntegrityError), transaction.atomic():
        PracticeStep.objects.create(run=run, number=3, kind=rules.LEARN_TIME, at=now)
