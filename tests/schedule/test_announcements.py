"""One person speaks at once only under a standing authority that two put into force."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from nguon.audit.models import Record
from nguon.core import signing
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.core.messages import Audience
from nguon.fleet.models import Device, OutboxMessage, SignedDocument
from nguon.newsroom import actions as newsroom
from nguon.newsroom import queries as newsroom_queries
from nguon.newsroom.models import Bulletin, Involvement
from nguon.newsroom.rules import Draft, first_words, written_text
from nguon.people.models import Notice, Officer
from nguon.schedule import actions, rules
from nguon.schedule.authority import NoAuthorityError
from nguon.schedule.models import Airing, Broadcast, Paper
from nguon.territory.models import Unit
from tests.schedule.conftest import voice_all
from tests.schedule.test_authority import make_authority

ANNOUNCE = rules.Timing(rules.ANNOUNCE)
HOUR = timedelta(hours=1)
Send = Callable[..., Broadcast]


@pytest.fixture
def paper(ia_grai: Unit, lan: Officer, minh: Officer, now: datetime) -> Paper:
    return make_authority(ia_grai, lan, by=minh, at=now)


def announce(broadcast: Broadcast, by: Officer, at: datetime) -> Broadcast:
    return actions.announce(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=by, at=at
    )


def go_item() -> dict[str, object]:
    document = SignedDocument.objects.get(kind="go")
    return dict(signing.read(document.jws)[1]["item"])


def test_one_person_announces_under_an_authority_and_it_is_named(
    send: Send, paper: Paper, lan: Officer, minh: Officer, now: datetime
) -> None:
    broadcast = announce(send(timing=ANNOUNCE), lan, now)

    assert (broadcast.state, broadcast.authority) == ("approved", paper)
    assert (go_item()["rank"], go_item()["start"]) == ("live", "cut")
    assert OutboxMessage.objects.filter(topic__endswith="/alert").count() == 1
    told = Notice.objects.filter(officer=minh, subject__contains="theo ủy quyền")
    assert paper.title in told.get().body
    line = Record.objects.get(action="schedule.broadcast.announced")
    assert line.data["paper"] == paper.uid
    assert line.data["paper_sha256"] == paper.sha256
    assert not Involvement.objects.filter(kind=Involvement.APPROVE).exists()


def test_without_an_authority_an_announcement_takes_a_second_person(
    send: Send, lan: Officer, minh: Officer, now: datetime
) -> None:
    broadcast = send(timing=ANNOUNCE)

    with pytest.raises(NoAuthorityError):
        announce(broadcast, lan, now)
    with pytest.raises(RefusedError):
        actions.release(
            broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=lan, at=now
        )
    actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
    )

    broadcast.refresh_from_db()
    assert broadcast.authority is None
    assert go_item()["rank"] == "live"


@pytest.mark.parametrize(
    "limits",
    [
        {"begin": time(5), "end": time(9)},
        {"first_date": date(2026, 11, 25)},
        {"last_date": date(2026, 11, 23)},
        {"acts": ("live",)},
        {"places": Audience(units=("elsewhere",))},
    ],
    ids=["hours", "not-yet", "no-more", "another-act", "another-place"],
)
def test_an_authority_serves_within_its_limits_alone(
    send: Send,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    now: datetime,
    limits: dict[str, object],
) -> None:
    broadcast = send(timing=ANNOUNCE)
    make_authority(ia_grai, lan, by=minh, at=now, **limits)

    with pytest.raises(NoAuthorityError):
        announce(broadcast, lan, now)

    make_authority(ia_grai, lan, by=minh, at=now)
    assert announce(broadcast, lan, now).state == "approved"


def test_an_authority_for_one_village_does_not_reach_the_whole_commune(
    send: Send,
    ia_grai: Unit,
    village: Unit,
    lan: Officer,
    minh: Officer,
    now: datetime,
) -> None:
    here = Audience(units=(village.uid,))
    make_authority(ia_grai, lan, by=minh, at=now, places=here)
    whole, part = send(timing=ANNOUNCE), send(timing=ANNOUNCE, units=[village])

    with pytest.raises(NoAuthorityError):
        announce(whole, lan, now)

    assert announce(part, lan, now).state == "approved"


def test_an_authority_of_another_officer_serves_nobody_else(
    send: Send,
    ia_grai: Unit,
    lan: Officer,
    minh: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    broadcast = send(timing=ANNOUNCE)
    make_authority(ia_grai, quan, by=minh, at=now)

    with pytest.raises(NoAuthorityError):
        announce(broadcast, lan, now)

    assert announce(broadcast, quan, now).approved_by == quan


def test_quiet_hours_stand_above_an_authority(
    send: Send, ia_grai: Unit, lan: Officer, minh: Officer, now: datetime
) -> None:
    make_authority(ia_grai, lan, by=minh, at=now, begin=time(0), end=time(0))
    evening = now.replace(hour=14, minute=59, second=58)  # 21:59:58 in Gia Lai
    broadcast = send(timing=ANNOUNCE)

    with pytest.raises(InvalidError) as refusal:
        announce(broadcast, lan, evening)

    assert refusal.value.code == "schedule.quiet_hours"
    assert announce(broadcast, lan, now + HOUR).state == "approved"


def test_an_authority_serves_announcements_and_nothing_else(
    send: Send, paper: Paper, lan: Officer, now: datetime
) -> None:
    for timing in (rules.Timing(rules.NOW), rules.Timing(rules.SHELF)):
        with pytest.raises(InvalidError) as refusal:
            announce(send(timing=timing), lan, now)
        assert refusal.value.code == "schedule.not_an_announcement"
    with pytest.raises(ConflictError):
        actions.announce(
            broadcast_uid=send(timing=ANNOUNCE).uid, sha256="0" * 64, by=lan, at=now
        )

    assert not SignedDocument.objects.exists()


def raw_release(broadcast: Broadcast, by: Officer, paper: Paper) -> str | None:
    """Try to release by SQL alone; return the database's refusal, or None."""
    statement = (
        "UPDATE schedule_broadcast SET state = 'approved',"
        f" approved_by_id = {by.pk}, approved_at = submitted_at,"
        f" authority_id = {paper.pk} WHERE id = {broadcast.pk}"
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return str(error)
    return None


def test_the_database_takes_no_paper_that_is_not_an_authority_in_force(
    send: Send,
    ia_grai: Unit,
    dak_doa: Unit,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    broadcast, usual = send(timing=ANNOUNCE), send()
    good = make_authority(ia_grai, lan, by=minh, at=now)
    foreign = make_authority(dak_doa, hoa, by=quan, at=now)
    ended = make_authority(ia_grai, lan, by=minh, at=now)
    Paper.objects.filter(pk=ended.pk).update(
        state=rules.ENDED, ended_by=minh, ended_at=now
    )
    draft, other = (
        Paper.objects.create(
            kind=kind, unit=ia_grai, number=90, subject=kind, title="Nháp",
            body=good.body, sha256=good.sha256, first_date=good.first_date,
            created_at=now,
        )
        for kind in ("authority", "order")
    )  # fmt: skip

    for paper in (foreign, ended, draft, other):
        refusal = raw_release(broadcast, lan, paper)
        assert refusal is not None
        assert "schedule.not_approved" in refusal
    assert "schedule.not_approved" in str(raw_release(usual, lan, good))
    assert raw_release(broadcast, lan, good) is None


@pytest.fixture
def bulletin(
    ia_grai: Unit, speakers: list[Device], lan: Officer, now: datetime
) -> Bulletin:
    """Type an announcement as Lan, and have it voiced."""
    text = "Mời bà con họp tại nhà rông ngay bây giờ."
    draft = Draft(first_words(text), text)
    made = newsroom.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)
    newsroom.ask_rendition(
        text=written_text(title=draft.title, body=text),
        language="vi",
        drill=False,
        klass="normal",
        at=now,
    )
    voice_all(now)
    return made


def heard_of(bulletin: Bulletin) -> list[str]:
    sounds = newsroom_queries.list_draft_sounds(bulletin)
    return [
        sound.rendition.media.sha256
        for sound in sounds
        if sound.rendition and sound.rendition.media
    ]


def test_what_was_heard_goes_out_in_one_step_and_asks_nobody(
    bulletin: Bulletin,
    paper: Paper,
    lan: Officer,
    minh: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    broadcast = actions.announce_draft(
        bulletin_id=bulletin.pk,
        heard=heard_of(bulletin),
        units=[ia_grai],
        by=lan,
        at=now,
    )

    assert broadcast.state == "approved"
    assert Airing.objects.get().starts_at == now
    assert Notice.objects.filter(officer=minh).count() == 1


def test_what_was_not_heard_leaves_nothing_behind(
    bulletin: Bulletin, lan: Officer, ia_grai: Unit, paper: Paper, now: datetime
) -> None:
    heard = heard_of(bulletin)

    def try_to_announce(sounds: list[str]) -> None:
        actions.announce_draft(
            bulletin_id=bulletin.pk, heard=sounds, units=[ia_grai], by=lan, at=now
        )

    with pytest.raises(ConflictError) as other:
        try_to_announce(["0" * 64])
    changed = Draft("Mời bà con họp", "Mời bà con họp ngày mai.")
    newsroom.save_draft(
        bulletin_id=bulletin.pk, revision=1, draft=changed, by=lan, at=now
    )
    with pytest.raises(ConflictError) as unmade:
        try_to_announce(heard)

    assert other.value.code == "newsroom.changed"
    assert unmade.value.code == "newsroom.not_sealed"
    assert not Broadcast.objects.exists()
    assert not SignedDocument.objects.exists()
