"""Earlier texts stay, differences are told by words, remarks are no edits."""

from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError
from nguon.newsroom import actions, history
from nguon.newsroom.models import Bulletin, Comment, Editor, Revision
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.models import Officer

LATER = timedelta(hours=1)


def save(bulletin: Bulletin, body: str, by: Officer, at: datetime) -> None:
    bulletin.refresh_from_db()
    draft = Draft(bulletin.title, body)
    actions.save_draft(
        bulletin_id=bulletin.pk,
        revision=bulletin.revision,
        draft=draft,
        by=by,
        at=at,
    )
    bulletin.refresh_from_db()


def test_another_hand_or_hour_keeps_the_text_before(
    bulletin: Bulletin, lan: Officer, quan: Officer, now: datetime
) -> None:
    first = bulletin.body
    save(bulletin, "Một.", lan, now)
    save(bulletin, "Hai.", quan, now)
    save(bulletin, "Ba.", quan, now + LATER)

    kept = list(Revision.objects.order_by("number").values_list("body", flat=True))

    assert kept == ["Một.", "Hai."]
    assert first not in kept


def test_kept_texts_and_remarks_never_change(
    bulletin: Bulletin, lan: Officer, quan: Officer, now: datetime
) -> None:
    save(bulletin, "Của Quân.", quan, now)
    actions.add_comment(uid=bulletin.uid, text="Nên ngắn hơn.", by=lan, at=now)

    for rows in (Revision.objects.all(), Comment.objects.all()):
        assert rows
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.delete()


def test_a_difference_is_told_by_words() -> None:
    found = history.compare("Họp lúc 7 giờ tối.", "Họp lúc 8 giờ tối nay.")

    told = [(one.kind, one.text) for one in found]

    assert (history.GONE, "7") in told
    assert (history.ADDED, "8") in told
    assert told[0] == (history.SAME, "Họp lúc ")


@given(st.text(max_size=120), st.text(max_size=120))
def test_both_texts_can_be_read_from_a_difference(old: str, new: str) -> None:
    found = history.compare(old, new)

    assert "".join(c.text for c in found if c.kind != history.GONE) == new
    assert "".join(c.text for c in found if c.kind != history.ADDED) == old


def test_a_remark_is_no_edit_and_stays_on_its_ground(
    bulletin: Bulletin, minh: Officer, hoa: Officer, now: datetime
) -> None:
    actions.add_comment(uid=bulletin.uid, text=" Được\x07 rồi. ", by=minh, at=now)

    assert Comment.objects.get().text == "Được rồi."
    assert not Editor.objects.filter(person=minh).exists()
    with pytest.raises(AbsentError):
        actions.add_comment(uid=bulletin.uid, text="Của xã khác.", by=hoa, at=now)
    with pytest.raises(DraftError):
        actions.add_comment(uid=bulletin.uid, text=" \n", by=minh, at=now)


def test_the_page_tells_who_did_what(
    client: Client,
    bulletin: Bulletin,
    lan: Officer,
    quan: Officer,
    hoa: Officer,
    now: datetime,
) -> None:
    save(bulletin, "Mời bà con họp lúc 20h00 tại nhà rông.", quan, now + LATER)
    actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now + 2 * LATER)
    client.force_login(lan)

    page = client.get(f"/ban-tin/{bulletin.uid}/lich-su/").content.decode()
    client.force_login(hoa)
    foreign = client.get(f"/ban-tin/{bulletin.uid}/lich-su/")

    assert "<del>19h00</del><ins>20h00</ins>" in page
    assert "Phạm Quân sửa lần đầu" in page
    assert "Nguyễn Thị Lan gửi duyệt bản 1" in page
    assert foreign.status_code == HTTPStatus.NOT_FOUND
