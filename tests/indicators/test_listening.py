"""A listening round is drawn once, answered on a phone, and told with its error."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nguon.core.errors import AbsentError, DomainError
from nguon.core.signing import SigningKey
from nguon.fleet.models import Device
from nguon.indicators import actions, listening, queries, rules
from nguon.indicators import listening_queries as reads
from nguon.indicators.listening import Told
from nguon.indicators.models import ListeningAnswer, ListeningPlace, ListeningRound
from nguon.people.models import Officer
from nguon.reports import actions as reports
from nguon.reports import queries as report_queries
from nguon.reports.models import Answer
from nguon.reports.rules import FieldWords
from nguon.territory.models import Unit
from tests.conftest import make_unit

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FOURTH = listening.quarter_days(2026, 4)
Draw = Callable[..., ListeningRound]
YES = Told(True, True, True, True, "vi")
JSON = {"accept": "application/json"}


def refusal(code: str) -> "pytest.RaisesExc[DomainError]":
    return pytest.raises(DomainError, check=lambda error: error.code == code)


@pytest.fixture
def villages(ia_grai: Unit, dak_doa: Unit) -> list[Unit]:
    """Return eight villages of each commune with their people."""
    return [
        make_unit(
            "village",
            f"L{n}{commune.code}",
            f"Làng {n}",
            commune,
            population=200 + 50 * n,
        )
        for commune in (ia_grai, dak_doa)
        for n in range(8)
    ]


@pytest.fixture
def draw(province: Unit, villages: list[Unit], quan: Officer, now: datetime) -> Draw:
    """Return a function that draws the province's fourth quarter."""

    def do(**more: object) -> ListeningRound:
        wish = {
            "unit": province, "year": 2026, "quarter": 4, "bulletin": None,
            "first_date": date(2026, 11, 24), "last_date": date(2026, 12, 7),
            "margin": 10, "confidence": 95, "seed": 7, "by": quan, "at": now,
        }  # fmt: skip
        return actions.draw_round(**(wish | more))

    return do


def answer_all(one: ListeningRound, at: datetime) -> None:
    """Answer everywhere: 8 of 10 heard, 6 of those understood, 2 acted."""
    for place in one.places.order_by("pk"):
        for n in range(place.ask):
            kind = n % 10
            told = YES if kind < 2 else Told(True, True, kind < 6, False, "vi")
            told = Told(True, False) if kind >= 8 else told
            actions.tell(code=place.code, key=uuid4(), told=told, at=at)


# --- drawing -----------------------------------------------------------------------


def test_a_round_is_drawn_by_size_and_again_the_same(
    draw: Draw, villages: list[Unit], quan: Officer, now: datetime
) -> None:
    one = draw()

    assert one.people == sum(unit.population or 0 for unit in villages)
    assert one.needed == 138
    rows = one.places.order_by("village__code").values_list("village__code", "hits")
    first = list(rows)
    assert sum(place.ask for place in one.places.all()) >= one.needed / 0.9
    actions.drop_round(uid=one.uid, reason="Chọn nhầm ngày", by=quan, at=now)
    again = draw()
    assert first == list(
        again.places.order_by("village__code").values_list("village__code", "hits")
    )
    assert one.places.first().code != again.places.first().code


def test_villages_count_alike_when_the_people_of_one_are_not_known(
    draw: Draw, villages: list[Unit]
) -> None:
    Unit.objects.filter(pk=villages[0].pk).update(population=None)

    one = draw()

    assert one.people is None
    assert not one.by_size
    assert one.needed == 140
    assert set(one.places.values_list("size", "stratum_size")) == {(1, 16)}


def test_villages_are_drawn_within_the_language_their_speakers_play(
    draw: Draw, villages: list[Unit], tung: Officer, now: datetime
) -> None:
    for village, languages in ((villages[0], ["jra", "vi"]), (villages[9], ["vi"])):
        Device.objects.create(
            kind="speaker", name="Cụm loa", unit=village, state="active",
            languages=languages,
            public_key=SigningKey.generate().public.x,
            enrolled_at=now, decided_by=tung, decided_at=now,
        )  # fmt: skip

    one = draw()

    strata = dict(one.places.values_list("village", "stratum"))
    assert strata[villages[0].pk] == "jra"
    assert strata[villages[9].pk] == "vi"
    assert set(strata.values()) == {"jra", "vi", ""}


def test_a_quarter_is_drawn_once(draw: Draw) -> None:
    draw()

    with refusal("indicators.listening_twice"):
        draw(seed=8)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"first_date": date(2026, 9, 30)}, "indicators.listening_days"),
        ({"last_date": date(2027, 2, 1)}, "indicators.listening_days"),
        ({"last_date": date(2026, 11, 23)}, "indicators.listening_days"),
        ({"quarter": 5}, "indicators.listening_quarter"),
        ({"margin": 4}, "indicators.listening_wish"),
        ({"confidence": 50}, "indicators.listening_wish"),
        ({"seed": -1}, "indicators.listening_wish"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    draw: Draw, wish: dict[str, object], code: str
) -> None:
    with refusal(code):
        draw(**wish)


def test_nobody_draws_for_another_commune(
    draw: Draw, ia_grai: Unit, hoa: Officer, lan: Officer, tung: Officer
) -> None:
    assert draw(unit=ia_grai, by=lan).unit == ia_grai
    with refusal("people.not_your_ground"):
        draw(unit=ia_grai, by=hoa)
    with refusal("people.no_right"):
        draw(unit=ia_grai, by=tung)


# --- answering ---------------------------------------------------------------------


def test_an_answer_sent_twice_is_one(draw: Draw, now: datetime) -> None:
    place = draw().places.first()
    key = uuid4()

    first = actions.tell(code=place.code, key=key, told=YES, at=now)
    again = actions.tell(code=place.code.lower(), key=key, told=YES, at=now)

    assert (first.pk, first.number) == (again.pk, 1)
    assert ListeningAnswer.objects.count() == 1
    with refusal("indicators.listening_key_used"):
        actions.tell(code=place.code, key=key, told=Told(True, False), at=now)


@pytest.mark.parametrize(
    "told",
    [
        Told(True), Told(True, True), Told(True, True, True, True, "xx"),
        Told(True, True, None, True, "vi"), Told(True, False, False), Told(False, True),
        Told(False, None, None, None, "vi"), Told(True, False, None, None, "vi"),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_refused_by_rule_and_by_database(
    draw: Draw, told: Told, now: datetime
) -> None:
    place = draw().places.first()

    with refusal("indicators.listening_incomplete"):
        actions.tell(code=place.code, key=uuid4(), told=told, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        write(place, now, told)


def write(
    place: ListeningPlace, at: datetime, told: Told = YES, **more: object
) -> ListeningAnswer:
    """Write an answer past the action."""
    row = {
        "place": place, "number": 1, "key": uuid4(), "met": told.is_met,
        "heard": told.is_heard, "understood": told.is_understood,
        "acted": told.is_acted, "language": told.language, "at": at,
    }  # fmt: skip
    return ListeningAnswer.objects.create(**(row | more))


def test_a_village_takes_as_many_answers_as_were_asked_for(
    draw: Draw, now: datetime
) -> None:
    place = draw().places.first()
    for _n in range(place.ask):
        actions.tell(code=place.code, key=uuid4(), told=Told(False), at=now)
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now)
    number = 2 * place.ask

    with refusal("indicators.listening_full"):
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now)
    with pytest.raises(DatabaseError, match="listening_full"), transaction.atomic():
        write(place, now, number=number + 1)
    for _n in range(place.ask):
        actions.tell(code=place.code, key=uuid4(), told=Told(False), at=now)
    with refusal("indicators.listening_full"):
        actions.tell(code=place.code, key=uuid4(), told=Told(False), at=now)
    with pytest.raises(DatabaseError, match="listening_full"), transaction.atomic():
        write(place, now, Told(False), number=3 * place.ask + 1)


def test_answers_come_in_on_the_days_of_the_round_only(
    draw: Draw, quan: Officer, now: datetime
) -> None:
    one = draw(first_date=date(2026, 11, 25))
    place = one.places.first()

    with refusal("indicators.listening_not_begun"):
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now)
    actions.tell(code=place.code, key=uuid4(), told=YES, at=now + DAY)
    with refusal("indicators.listening_over"):
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now + 14 * DAY)
    actions.end_round(uid=one.uid, by=quan, at=now + 2 * DAY)
    with refusal("indicators.listening_over"):
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now + 2 * DAY)
    with pytest.raises(DatabaseError, match="listening_over"), transaction.atomic():
        write(place, now, number=2)
    with pytest.raises(AbsentError):
        actions.tell(code="KHONGCO22", key=uuid4(), told=YES, at=now)


def test_the_database_keeps_draws_and_answers_as_they_are(
    draw: Draw, quan: Officer, now: datetime
) -> None:
    one = draw()
    place = one.places.first()
    row = actions.tell(code=place.code, key=uuid4(), told=YES, at=now)

    for wrong in (
        lambda: ListeningRound.objects.filter(pk=one.pk).update(seed=8),
        lambda: ListeningRound.objects.filter(pk=one.pk).update(
            dropped=True, reason="x", ended_by=quan, ended_at=now
        ),
        lambda: ListeningRound.objects.filter(pk=one.pk)._raw_delete("default"),
        lambda: ListeningPlace.objects.filter(pk=place.pk).update(hits=9),
        lambda: ListeningPlace.objects.filter(pk=place.pk)._raw_delete("default"),
        lambda: ListeningAnswer.objects.filter(pk=row.pk).update(heard=False),
        lambda: ListeningAnswer.objects.filter(pk=row.pk)._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            wrong()
    with refusal("indicators.listening_answered"):
        actions.drop_round(uid=one.uid, reason="Số xấu", by=quan, at=now)


def test_a_round_ends_by_itself_after_its_last_day(draw: Draw, now: datetime) -> None:
    one = draw()

    assert actions.end_due(at=now + 13 * DAY) == 0
    assert actions.end_due(at=now + 14 * DAY) == 1
    assert actions.end_due(at=now + 15 * DAY) == 0
    one.refresh_from_db()
    assert (one.ended_by, one.ended_at) == (None, now + 14 * DAY)


# --- figures -----------------------------------------------------------------------


def test_a_round_without_an_answer_is_dropped_and_never_ended_early(
    draw: Draw, quan: Officer, now: datetime
) -> None:
    one = draw()
    with refusal("indicators.listening_unanswered"):
        actions.end_round(uid=one.uid, by=quan, at=now)
    with (
        pytest.raises(DatabaseError, match="listening_unanswered"),
        transaction.atomic(),
    ):
        ListeningRound.objects.update(ended_by=quan, ended_at=now)

    actions.tell(code=one.places.first().code, key=uuid4(), told=YES, at=now)
    ended = actions.end_round(uid=one.uid, by=quan, at=now)
    assert ended.ended_by == quan


def figures(unit: Unit) -> dict[str, queries.Figure]:
    return {row.indicator.code: row for row in queries.list_figures(unit, FOURTH)}


def test_an_asked_figure_is_told_with_its_error_once_the_round_has_ended(
    draw: Draw,
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    quan: Officer,
    now: datetime,
) -> None:
    assert figures(province)[listening.HEARD].missing == rules.NOT_ASKED
    one = draw()
    answer_all(one, now)
    assert figures(province)[listening.HEARD].missing == rules.NOT_ASKED
    actions.end_round(uid=one.uid, by=quan, at=now)

    found = figures(province)

    assert found[listening.HEARD].value == pytest.approx(80)
    assert found[listening.UNDERSTOOD].value == pytest.approx(75)
    assert found[listening.ACTED].value == pytest.approx(25)
    share = found[listening.HEARD].estimate
    assert share is not None
    assert 0.7 < share.low < 0.8 < share.high < 0.9
    # Communes of the province's round are told their part of it.
    own = figures(ia_grai)[listening.HEARD]
    assert own.asked is not None
    assert own.asked.round == one
    assert own.value == pytest.approx(80)
    met = own.estimate.answers + figures(dak_doa)[listening.HEARD].estimate.answers
    assert met == share.answers


def test_too_few_answers_are_no_figure(
    draw: Draw, province: Unit, quan: Officer, now: datetime
) -> None:
    one = draw()
    for place in one.places.all()[:3]:
        actions.tell(code=place.code, key=uuid4(), told=YES, at=now)
    actions.end_round(uid=one.uid, by=quan, at=now)

    figure = figures(province)[listening.HEARD]

    assert (figure.value, figure.missing) == (None, rules.TOO_FEW)
    assert figure.estimate.answers == 3


def test_a_commune_sample_says_nothing_of_the_province_nor_one_bulletin_of_all(
    draw: Draw, province: Unit, ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    one = draw(unit=ia_grai, by=lan)
    answer_all(one, now)
    actions.end_round(uid=one.uid, by=lan, at=now)

    assert figures(province)[listening.HEARD].missing == rules.NOT_ASKED
    assert figures(ia_grai)[listening.HEARD].value == pytest.approx(80)


def test_results_say_which_villages_stay_silent_and_how_many_heard_in_what(
    draw: Draw, villages: list[Unit], tung: Officer, now: datetime
) -> None:
    Device.objects.create(
        kind="speaker", name="Cụm loa", unit=villages[0], state="active",
        languages=["jra"],
        public_key=SigningKey.generate().public.x,
        enrolled_at=now, decided_by=tung, decided_at=now,
    )  # fmt: skip
    one = draw()
    for place in one.places.filter(stratum=""):
        for n in range(place.ask):
            language = "jra" if n % 2 else "vi"
            told = Told(True, True, True, False, language)
            actions.tell(code=place.code, key=uuid4(), told=told, at=now)

    found = reads.find_results(one, reads.list_back(one))

    assert found.silent == ["Làng nghe tiếng Jrai"]
    spoken = {name: share.share for name, share in found.heard_in}
    assert spoken == {
        "Tiếng Việt": pytest.approx(0.5),
        "Tiếng Jrai": pytest.approx(0.5),
    }


# --- screens -----------------------------------------------------------------------


def ask(client: Client, place: ListeningPlace) -> str:
    return reverse("listening:ask", args=[place.code])


SENT = {
    "met": "co", "heard": "co", "understood": "co", "language": "jra", "acted": "khong",
}  # fmt: skip


@pytest.fixture
def open_place(draw: Draw, now: datetime) -> ListeningPlace:
    """Return a village whose days of asking are about the real now."""
    today = timezone.localdate()
    year, quarter = listening.quarter_of(today)
    one = draw(year=year, quarter=quarter, first_date=today, last_date=today + DAY)
    return one.places.first()


def test_a_propagandist_answers_without_an_account_and_a_double_tap_is_one(
    open_place: ListeningPlace,
) -> None:
    phone = Client()
    address = ask(phone, open_place)

    page = phone.get(address).content.decode()
    key = page.split('name="key" value="')[1][:36]
    sent = SENT | {"key": key}
    first, again = phone.post(address, sent), phone.post(address, sent)
    program = phone.post(address, sent | {"key": str(uuid4())}, headers=JSON)

    assert UUID(key)
    assert first.status_code == again.status_code == HTTPStatus.FOUND
    assert first.headers["Location"] == again.headers["Location"]
    assert "Đã nhận câu trả lời thứ 1" in phone.get(first.headers["Location"]).text
    assert program.json() == {
        "number": 2,
        "met": 2,
        "left": open_place.ask - 2,
    }
    row = ListeningAnswer.objects.first()
    assert (row.heard, row.understood, row.acted, row.language) == (
        True, True, False, "jra",
    )  # fmt: skip


def test_a_form_that_is_not_whole_comes_back_as_it_was(
    open_place: ListeningPlace,
) -> None:
    phone = Client()
    address = ask(phone, open_place)
    key = str(uuid4())

    answer = phone.post(address, {"met": "co", "heard": "co", "key": key})

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Còn câu chưa chọn" in answer.text
    assert f'value="{key}"' in answer.text
    assert phone.post(address, SENT | {"key": "x"}).status_code == 422
    assert phone.get(reverse("listening:ask", args=["khongcoma"])).status_code == 404
    assert not ListeningAnswer.objects.exists()


def test_the_page_says_which_households_to_go_to(open_place: ListeningPlace) -> None:
    page = Client().get(ask(Client(), open_place), {"ho": "120"}).text

    assert page.count("<li>") == open_place.ask
    assert "<li>" not in Client().get(ask(Client(), open_place), {"ho": "=cmd"}).text


def test_rounds_are_drawn_looked_at_and_given_as_files(
    client: Client, villages: list[Unit], province: Unit, quan: Officer
) -> None:
    client.force_login(quan)
    today = timezone.localdate()
    year, quarter = listening.quarter_of(today)
    sent = {
        "unit": province.uid, "quarter": f"{year}-{quarter}", "bulletin": "",
        "first_date": f"{today:%d/%m/%Y}", "last_date": f"{today + DAY:%d/%m/%Y}",
        "margin": "10", "confidence": "95", "seed": "7",
    }  # fmt: skip
    assert "Chưa có đợt hỏi nào" in client.get(reverse("indicators:rounds")).text

    look = client.post(reverse("indicators:create_round"), sent | {"look": "1"})
    assert "138 người" in look.text
    assert not ListeningRound.objects.exists()
    for wish in ({"margin": "0"}, {"margin": "200"}, {"confidence": "100"}):
        for look in ({}, {"look": "1"}):
            address = reverse("indicators:create_round")
            wrong = client.post(address, sent | wish | look)
            assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, (wish, look)
    made = client.post(reverse("indicators:create_round"), sent)
    assert made.status_code == HTTPStatus.FOUND
    one = ListeningRound.objects.get()
    address = reverse("indicators:round", args=[one.uid])
    page = client.get(address).text
    assert "Kết quả hiện khi đợt kết thúc" in page
    sheets = client.get(reverse("indicators:sheets", args=[one.uid])).text
    assert all(place.code in sheets for place in one.places.all())
    answer_all(one, timezone.now())
    client.post(reverse("indicators:end_round", args=[one.uid]))
    done = client.get(address).text
    assert "80,0 %" in done or "80 %" in done
    assert "<svg" in done
    table = client.get(reverse("indicators:results", args=[one.uid])).content.decode()
    assert "Có nghe,Tất cả,80," in table
    rows = client.get(reverse("indicators:answers", args=[one.uid])).content.decode()
    assert rows.count("\n") == ListeningAnswer.objects.count() + 1
    figure = client.get(
        reverse("indicators:figure", args=["people_heard"]), {"ky": "quy"}
    ).text
    assert "±" in figure
    assert address in figure
    found = client.get(reverse("indicators:rounds_file"), {"tim": "gia lai"})
    assert found.content.decode().count("\n") == 2


def test_a_commune_sees_its_part_of_the_provinces_round_and_nobody_elses(
    client: Client,
    draw: Draw,
    ia_grai: Unit,
    dak_doa: Unit,
    hoa: Officer,
    lan: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    one = draw()
    client.force_login(hoa)
    address = reverse("indicators:round", args=[one.uid])

    page = client.get(address).text
    sheets = client.get(reverse("indicators:sheets", args=[one.uid])).text
    for place in one.places.select_related("village"):
        mine = place.village.path.startswith(dak_doa.path)
        assert (place.code in sheets) == mine
    assert "Xã Ia Grai" not in page
    for verb in ("end_round", "drop_round"):
        answer = client.post(
            reverse(f"indicators:{verb}", args=[one.uid]), {"reason": "x"}
        )
        assert answer.status_code == HTTPStatus.NOT_FOUND
    answer_all(one, now)
    actions.end_round(uid=one.uid, by=quan, at=now)
    rows = client.get(reverse("indicators:answers", args=[one.uid])).content.decode()
    told = client.get(address, headers=JSON).json()["results"]
    assert "Xã Đak Đoa" in rows
    assert "Xã Ia Grai" not in rows
    assert [row["name"] for row in told] == ["Xã Đak Đoa"]

    own = draw(unit=ia_grai, by=lan)
    for name in ("round", "sheets", "answers", "results"):
        closed = client.get(reverse(f"indicators:{name}", args=[own.uid]))
        assert closed.status_code == HTTPStatus.NOT_FOUND


def test_an_asked_figure_stands_in_a_report_with_its_error_and_is_never_summed(
    draw: Draw,
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    one = draw()
    answer_all(one, now)
    actions.end_round(uid=one.uid, by=quan, at=now)
    form = reports.create_form(
        unit=province, level="commune", title="Hiệu quả", by=quan, at=now
    )
    heard = FieldWords(indicator=listening.HEARD)
    field = reports.add_field(form_id=form.pk, words=heard, by=quan, at=now)
    period = reports.open_period(
        form_id=form.pk, kind="quarter", days=FOURTH, due_days=9, by=quan, at=now
    )
    rows = {row.unit_id: row for row in period.submissions.all()}

    (own,) = report_queries.list_lines(rows[ia_grai.pk])
    (whole,) = report_queries.list_lines(rows[province.pk])
    after = now + timedelta(days=60)
    reports.send(submission_id=rows[ia_grai.pk].pk, revision=0, by=minh, at=after)

    share = figures(province)[listening.HEARD].estimate
    assert share is not None
    assert float(whole.value or 0) == pytest.approx(80)
    assert whole.pair.below == share.answers
    assert f"hỏi mẫu {share.answers} người: từ " in whole.said
    assert own.pair.below < whole.pair.below
    kept = Answer.objects.get(field=field)
    assert (kept.pair, kept.words) == (own.pair, own.words)
