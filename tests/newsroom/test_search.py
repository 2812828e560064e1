"""The library: accents are optional, the best first, nothing of a foreign commune."""

import unicodedata
from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import AbsentError
from nguon.newsroom import actions, search
from nguon.newsroom.models import Bulletin
from nguon.newsroom.rules import Draft, DraftError
from nguon.people import access
from nguon.people.models import Officer
from nguon.territory.models import Unit

JSON = {"accept": "application/json"}


def titles(officer: Officer, text: str, at: datetime, **narrow: object) -> list[str]:
    """Search as an officer; return the titles found, best first."""
    seen = access.fence(Bulletin.objects.all(), officer=officer, at=at)
    paths = access.paths_of(officer, at=at)
    found = search.find(seen, text, paths=paths, **narrow)  # type: ignore[arg-type]
    by_key = seen.in_bulk(found.keys)
    return [by_key[key].title for key in found.keys]


@pytest.fixture
def library(ia_grai: Unit, dak_doa: Unit, lan: Officer, hoa: Officer, now: datetime):
    """Write a few bulletins of two communes."""
    drafts = [
        Draft("Phòng chống bão lụt", "Bà con chằng chống nhà cửa."),
        Draft("Báo cáo tháng", "Có nói đến bão lụt ở cuối.", field=4),
        Draft("Tiêm phòng", "Trâu bò được tiêm phòng ở nhà rông.", field=5),
        Draft("Bao che lúa", "Lụt đã rút.", klass="priority"),
    ]
    for draft in drafts:
        actions.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)
    foreign = Draft("Bão lụt ở Đak Đoa", "Tin của xã khác.")
    return actions.create_bulletin(unit=dak_doa, draft=foreign, by=hoa, at=now)


def test_accents_are_optional_and_the_title_comes_first(
    library: Bulletin, lan: Officer, now: datetime
) -> None:
    plain = titles(lan, "bao lut", now)
    typed = titles(lan, "BÃO LỤT", now)

    assert plain[0] == typed[0] == "Phòng chống bão lụt"
    assert set(plain) == {"Phòng chống bão lụt", "Báo cáo tháng", "Bao che lúa"}
    # Typed with accents, other words with the same letters come last.
    assert typed[-1] == "Bao che lúa"


def test_a_word_half_typed_is_found(
    library: Bulletin, lan: Officer, now: datetime
) -> None:
    assert titles(lan, "trâu bò tiê", now) == ["Tiêm phòng"]
    assert titles(lan, "khongco", now) == []
    assert titles(lan, '"*():-' + "'", now) == []


def test_each_finds_only_their_own_ground(
    library: Bulletin, lan: Officer, hoa: Officer, quan: Officer, now: datetime
) -> None:
    assert titles(hoa, "bao lut", now) == ["Bão lụt ở Đak Đoa"]
    assert "Bão lụt ở Đak Đoa" not in titles(lan, "bao lut", now)
    assert len(titles(quan, "bao lut", now)) == 4


def test_field_and_class_narrow(library: Bulletin, lan: Officer, now: datetime) -> None:
    assert titles(lan, "lut", now, field=4) == ["Báo cáo tháng"]
    assert titles(lan, "lut", now, klass="priority") == ["Bao che lúa"]


def test_a_saved_draft_is_found_by_its_new_words_only(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    draft = Draft("Đổi giờ", "Hoãn đến tuần sau.")
    actions.save_draft(bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now)

    assert titles(lan, "nha rong", now) == []
    assert titles(lan, "hoan", now) == ["Đổi giờ"]


def test_the_index_written_anew_is_the_same(
    library: Bulletin, lan: Officer, now: datetime
) -> None:
    before = titles(lan, "bao lut", now)

    assert search.rebuild(batch=2) == 5
    assert titles(lan, "bao lut", now) == before


def test_a_snippet_marks_what_was_asked() -> None:
    text = "Một hai ba bốn năm sáu bảy tám chín mười. Nước lũ lên nhanh ở Ia Grai."

    pieces = search.snippet(text, "nuoc lu")

    assert [p.text for p in pieces if p.hit] == ["Nước", "lũ"]
    assert pieces[0].text == "… "


@given(st.text(max_size=200), st.text(max_size=30))
def test_a_snippet_never_breaks_and_never_invents(text: str, asked: str) -> None:
    pieces = search.snippet(text, asked)

    shown = "".join(p.text for p in pieces if p.text not in {"… ", "…"})

    assert shown in unicodedata.normalize("NFC", text)


def test_reuse_makes_a_new_draft_and_takes_no_foreign_text(
    client: Client, library: Bulletin, lan: Officer, hoa: Officer, now: datetime
) -> None:
    source = Bulletin.objects.get(title="Tiêm phòng")
    client.force_login(lan)

    answer = client.post(f"/ban-tin/{source.uid}/dung-lai/", headers=JSON)
    refused = client.post(f"/ban-tin/{library.uid}/dung-lai/", headers=JSON)

    copy = Bulletin.objects.get(uid=answer.json()["uid"])
    assert (copy.body, copy.field, copy.copied_from) == (source.body, 5, source)
    assert copy.revision == 1
    assert refused.status_code == HTTPStatus.NOT_FOUND
    with pytest.raises(AbsentError):
        actions.reuse_bulletin(uid=source.uid, unit=copy.unit, by=hoa, at=now)


def test_an_expired_bulletin_is_not_sent(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    draft = Draft("Họp dân", "Mời bà con.", expires_on=date(2026, 11, 24))
    actions.save_draft(bulletin_id=bulletin.pk, revision=1, draft=draft, by=lan, at=now)

    actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
    with pytest.raises(DraftError, match="expired"):
        actions.freeze_version(
            bulletin_id=bulletin.pk, by=lan, at=now + timedelta(days=1)
        )


def test_the_list_shows_snippets_and_only_own_bulletins(
    client: Client, library: Bulletin, lan: Officer
) -> None:
    client.force_login(lan)

    page = client.get("/ban-tin/?q=bao+lut").content.decode()
    file = client.get("/ban-tin/xuat.csv?q=bao+lut&han=con").content.decode()

    assert "<mark>bão</mark>" in page
    assert "Đak Đoa" not in page
    assert "Báo cáo tháng" in file
    assert "Đak Đoa" not in file
