"""A draft is kept while somebody types, and nobody's words get lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

import pytest
from django.db import connection
from django.http import QueryDict

from nguon.core.errors import AbsentError, RefusedError
from nguon.newsroom import actions, rules
from nguon.newsroom.forms import read_draft
from nguon.newsroom.models import Bulletin
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.newsroom.conftest import MEETING, STORM


def test_a_save_moves_the_revision_on(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    draft = replace(MEETING, body="Mời bà con họp lúc 19h30.")

    saved = actions.save_draft(
        bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now
    )

    assert (saved.revision, saved.body) == (2, draft.body)


def test_two_writers_meet_and_both_texts_are_kept(
    bulletin: Bulletin, lan: Officer, quan: Officer, now: datetime
) -> None:
    first = replace(MEETING, body="Lan viết.")
    second = replace(MEETING, body="Quân viết.")
    actions.save_draft(bulletin_id=bulletin.pk, revision=1, draft=first, by=lan, at=now)

    with pytest.raises(actions.DraftChangedError) as conflict:
        actions.save_draft(
            bulletin_id=bulletin.pk, revision=1, draft=second, by=quan, at=now
        )

    assert conflict.value.code == "newsroom.draft_changed"
    assert conflict.value.data["kept_body"] == "Lan viết."
    assert conflict.value.data["your_body"] == "Quân viết."
    assert conflict.value.data["revision"] == 2
    # A save that was refused makes nobody an editor.
    assert not bulletin.editors.filter(person=quan).exists()


def test_sending_again_after_a_lost_answer_is_no_conflict(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    draft = replace(MEETING, body="Một lần thôi.")

    for _attempt in range(2):
        saved = actions.save_draft(
            bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now
        )

    assert saved.revision == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"body": "a" * 100_000}, "newsroom.body_too_long"),
        ({"title": "a" * 201}, "newsroom.title_too_long"),
        ({"body": "a\0b"}, "newsroom.text_unreadable"),
        ({"title": "Họp \u202enôht"}, "newsroom.text_unreadable"),
        ({"klass": "loud"}, "newsroom.class_unknown"),
        ({"field": 7}, "newsroom.field_unknown"),
        ({"languages": ("vi", "tlh")}, "newsroom.language_unknown"),
        ({"languages": ("vi", "vi")}, "newsroom.language_doubled"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_old_text_stays(
    bulletin: Bulletin, lan: Officer, now: datetime, change: dict, code: str
) -> None:
    draft = replace(MEETING, **change)

    with pytest.raises(DraftError) as refusal:
        actions.save_draft(
            bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now
        )

    bulletin.refresh_from_db()
    assert refusal.value.code == code
    assert (bulletin.body, bulletin.revision) == (MEETING.body, 1)


def test_what_nobody_sees_is_left_out_of_what_was_typed() -> None:
    sent = QueryDict(mutable=True)
    sent.update(
        {"title": " Họp\u200e ", "body": "19h\u202e30\u202c\x1b[31m\r\nTại xã."}
    )

    draft = read_draft(sent, start=MEETING, today=date(2026, 11, 26))

    assert (draft.title, draft.body) == ("Họp", "19h30[31m\nTại xã.")
    assert rules.without_unseen("a\0b\tc") == "a\0b\tc"


def test_only_authors_of_the_ground_write(
    ia_grai: Unit,
    bulletin: Bulletin,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    draft = replace(MEETING, body="Sửa.")

    def save(officer: Officer) -> None:
        actions.save_draft(
            bulletin_id=bulletin.pk, revision=1, draft=draft, by=officer, at=now
        )

    with pytest.raises(RefusedError):
        save(minh)
    with pytest.raises(AbsentError):
        save(hoa)
    with pytest.raises(AbsentError):
        actions.create_bulletin(unit=ia_grai, draft=MEETING, by=hoa, at=now)
    save(lan)


def test_a_drill_is_an_emergency_and_a_correction_is_of_its_kind(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    drill = actions.create_bulletin(
        unit=ia_grai, draft=STORM, drill=True, by=lan, at=now
    )

    with pytest.raises(DraftError) as not_emergency:
        actions.create_bulletin(unit=ia_grai, draft=MEETING, drill=True, by=lan, at=now)
    with pytest.raises(DraftError) as other_kind:
        actions.create_bulletin(
            unit=ia_grai, draft=STORM, corrects=drill.uid, by=lan, at=now
        )

    assert not_emergency.value.code == "newsroom.drill_not_emergency"
    assert other_kind.value.code == "newsroom.correction_other_kind"
    assert drill.shown_title == "Đây là diễn tập. Bão"


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (Draft(title=" ", body="Có."), "newsroom.title_missing"),
        (Draft(title="Có", body="\n"), "newsroom.body_missing"),
        (Draft(title="Có", body="Có.", languages=()), "newsroom.language_missing"),
        (
            Draft(title="Có", body="Có.", languages=("vi", "jra")),
            "newsroom.recording_missing",
        ),
    ],
)
def test_what_lacks_something_is_kept_but_not_frozen(
    ia_grai: Unit, lan: Officer, now: datetime, draft: Draft, code: str
) -> None:
    bulletin = actions.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)

    with pytest.raises(DraftError) as refusal:
        actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    assert refusal.value.code == code
    assert not bulletin.versions.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_freeze_at_once_get_two_versions(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    def freeze() -> int:
        try:
            return actions.freeze_version(
                bulletin_id=bulletin.pk, by=lan, at=now
            ).number
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        numbers = [people.submit(freeze) for _person in range(8)]

    assert sorted(number.result() for number in numbers) == list(range(1, 9))


@pytest.mark.django_db(transaction=True)
def test_of_those_who_save_at_once_one_wins_and_the_others_are_told(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    def save(text: str) -> str:
        try:
            return actions.save_draft(
                bulletin_id=bulletin.pk,
                revision=1,
                draft=replace(MEETING, body=text),
                by=lan,
                at=now,
            ).body
        except actions.DraftChangedError as conflict:
            return f"kept for you: {conflict.data['your_body']}"
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        texts = [f"Câu {number}." for number in range(8)]
        ends = list(people.map(save, texts))

    bulletin.refresh_from_db()
    others = [text for text in texts if text != bulletin.body]
    assert sorted(ends) == sorted(
        [bulletin.body, *(f"kept for you: {text}" for text in others)]
    )
    assert bulletin.revision == 2


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Mời bà con họp.", "Mời bà con họp."),
        ("Họp dân\nMời bà con họp.", "Họp dân"),
        ("a" * 80, "a" * 60),
        ("Ủy ban nhân dân xã mời bà con " * 4, "Ủy ban nhân dân xã mời bà con Ủy ban"),
    ],
)
def test_a_title_taken_from_the_text_is_not_said_twice(text: str, title: str) -> None:
    made = rules.first_words(text)

    assert made.startswith(title)
    assert len(made) <= 60
    assert rules.written_text(title=made, body=text) == text.strip()
