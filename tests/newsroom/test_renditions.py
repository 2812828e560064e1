"""A sound is made once, by one worker, even when workers die."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from nguon.core.errors import InvalidError
from nguon.fleet import actions as fleet
from nguon.fleet import files
from nguon.fleet.models import Media
from nguon.newsroom import actions, queries, rules
from nguon.newsroom.models import Bulletin, Rendition, Version
from nguon.people.models import Officer
from nguon.speech import audio
from nguon.territory.models import Unit
from tests.newsroom.conftest import MEETING, STORM
from tests.speech.test_sound import tone

LEASE = timedelta(seconds=rules.LEASE_SECONDS)
SECOND = timedelta(seconds=1)
SOUND = actions.Sound(
    duration_ms=4_000, loudness_lufs=-16.0, true_peak_dbtp=-1.5, peaks=[1, 2]
)


def media(now: datetime, data: bytes = b"sound") -> Media:
    return fleet.store_media(data=data, mime="audio/mpeg", duration_ms=4_000, at=now)


def claim(at: datetime) -> Rendition:
    claimed = actions.claim_rendition(at=at)
    assert claimed is not None
    return claimed


def finish(claimed: Rendition, at: datetime) -> None:
    actions.finish_rendition(
        rendition_id=claimed.pk,
        lease=claimed.lease,
        media=media(at),
        sound=SOUND,
        at=at,
    )


def test_freezing_asks_for_the_sound_and_the_same_text_is_one_sound(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    first = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
    second = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    sound = Rendition.objects.get()
    assert queries.list_sounds(first) == queries.list_sounds(second) == [sound]
    assert sound.spoken_text == (
        "Họp dân.\nMời bà con họp lúc mười chín giờ tại nhà rông."
    )
    assert first.content_sha256 == second.content_sha256
    assert not queries.is_ready(first)


def test_a_changed_text_is_another_hash_and_another_sound(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    first = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
    actions.save_draft(
        bulletin_id=bulletin.pk,
        revision=1,
        draft=replace(MEETING, body="Hoãn họp."),
        by=lan,
        at=now,
    )

    second = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    assert first.content_sha256 != second.content_sha256
    assert Rendition.objects.count() == 2


def test_one_worker_wins_and_the_sound_is_ready(
    version: Version, now: datetime
) -> None:
    claimed = claim(now)
    nothing = actions.claim_rendition(at=now)

    finish(claimed, now)

    assert nothing is None
    assert queries.is_ready(version)
    assert actions.claim_rendition(at=now + LEASE) is None


def test_a_killed_workers_sound_is_taken_up_and_never_doubled(
    version: Version, now: datetime
) -> None:
    killed = claim(now)
    early = actions.claim_rendition(at=now + LEASE - SECOND)

    second = claim(now + LEASE)
    with pytest.raises(actions.LeaseLostError):
        finish(killed, now + LEASE)
    with pytest.raises(actions.LeaseLostError):
        actions.renew_lease(rendition_id=killed.pk, lease=killed.lease, at=now)
    finish(second, now + LEASE)

    assert early is None
    assert Rendition.objects.get().state == Rendition.READY


def test_a_lease_that_is_renewed_is_kept(version: Version, now: datetime) -> None:
    claimed = claim(now)

    actions.renew_lease(
        rendition_id=claimed.pk, lease=claimed.lease, at=now + LEASE - SECOND
    )

    assert actions.claim_rendition(at=now + LEASE) is None
    finish(claimed, now + LEASE)


def test_a_failing_sound_is_tried_again_and_then_given_up(
    bulletin: Bulletin, version: Version, lan: Officer, now: datetime
) -> None:
    at = now
    for _attempt in range(rules.ATTEMPT_LIMIT):
        claimed = claim(at)
        actions.fail_rendition(
            rendition_id=claimed.pk,
            lease=claimed.lease,
            code="speech.voice_broken",
            permanent=False,
            at=at,
        )
        at += timedelta(minutes=5)

    assert actions.claim_rendition(at=at) is None
    (failed,) = queries.list_failures(version)
    assert failed.failure == "speech.voice_broken"

    actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=at)
    assert claim(at).attempts == 1


def test_a_sound_that_kills_its_workers_is_given_up(
    version: Version, now: datetime
) -> None:
    at = now
    for _death in range(rules.LOST_LIMIT):
        claim(at)
        at += LEASE

    assert actions.claim_rendition(at=at) is None
    assert Rendition.objects.get().failure == "newsroom.worker_lost"


def test_work_given_back_is_not_counted_against_it(
    version: Version, now: datetime
) -> None:
    claimed = claim(now)

    actions.return_rendition(rendition_id=claimed.pk, lease=claimed.lease, at=now)

    again = claim(now)
    assert (again.attempts, again.lease != claimed.lease) == (1, True)


def test_an_emergency_never_waits_behind_the_news(
    ia_grai: Unit, version: Version, lan: Officer, now: datetime
) -> None:
    nothing_urgent = actions.claim_rendition(at=now, lowest_rank=1)
    storm = actions.create_bulletin(unit=ia_grai, draft=STORM, by=lan, at=now)

    actions.freeze_version(bulletin_id=storm.pk, by=lan, at=now)

    assert nothing_urgent is None
    assert claim(now).spoken_text == "Bão.\nBão cấp mười hai."


def test_a_drill_is_another_sound_with_its_own_first_words(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    drill = actions.create_bulletin(
        unit=ia_grai, draft=STORM, drill=True, by=lan, at=now
    )

    version = actions.freeze_version(bulletin_id=drill.pk, by=lan, at=now)

    (sound,) = queries.list_sounds(version)
    assert sound.spoken_text == "Đây là diễn tập. Bão.\nBão cấp mười hai."
    assert version.shown_text == "Đây là diễn tập. Bão cấp 12."


def test_a_ready_sound_stays_as_it_was_approved(
    version: Version, now: datetime
) -> None:
    finish(claim(now), now)

    with (
        pytest.raises(DatabaseError, match="rendition_immutable"),
        transaction.atomic(),
    ):
        Rendition.objects.update(media=media(now, b"another"))


def test_a_persons_recording_is_the_sound_of_a_language_without_a_voice(
    ia_grai: Unit, lan: Officer, now: datetime
) -> None:
    draft = replace(MEETING, languages=("vi", "jra"))
    bulletin = actions.create_bulletin(unit=ia_grai, draft=draft, by=lan, at=now)

    recording = actions.attach_recording(
        bulletin_id=bulletin.pk,
        language="jra",
        data=tone(4, level=0.1),
        by=lan,
        at=now,
    )
    version = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    machine, person = queries.list_sounds(version)
    assert (machine.state, person) == (Rendition.ASKED, recording.rendition)
    assert person.loudness_lufs == pytest.approx(-16, abs=1)
    assert person.media is not None
    assert files.path_of(person.media.sha256).stat().st_size > 0


def test_whoever_records_is_an_editor(
    bulletin: Bulletin, quan: Officer, now: datetime
) -> None:
    actions.attach_recording(
        bulletin_id=bulletin.pk,
        language="vi",
        data=tone(4, level=0.1),
        by=quan,
        at=now,
    )

    assert queries.has_edited(bulletin, quan.pk)


def test_unsupported_audio_is_refused_and_nothing_is_kept(
    bulletin: Bulletin, lan: Officer, quan: Officer, now: datetime
) -> None:
    with pytest.raises(InvalidError) as refusal:
        actions.attach_recording(
            bulletin_id=bulletin.pk, language="vi", data=b"MZ...", by=quan, at=now
        )
    with pytest.raises(rules.DraftError) as not_chosen:
        actions.attach_recording(
            bulletin_id=bulletin.pk, language="bdq", data=b"", by=lan, at=now
        )

    assert refusal.value.code == "speech.audio_unsupported"
    assert not_chosen.value.code == "newsroom.language_not_chosen"
    assert not Rendition.objects.exists()
    assert not queries.has_edited(bulletin, quan.pk)


def make_heard(now: datetime) -> Rendition:
    claimed = claim(now)
    mp3 = audio.encode(audio.decode(tone(4.0, level=0.3), limit_seconds=9))
    actions.finish_rendition(
        rendition_id=claimed.pk,
        lease=claimed.lease,
        media=media(now, mp3),
        sound=SOUND,
        at=now,
    )
    claimed.refresh_from_db()
    return claimed


def test_every_sound_gets_a_smaller_copy_once(
    version: Version, bulletin: Bulletin, now: datetime
) -> None:
    sound = make_heard(now)
    assert sound.media is not None

    made = actions.compact_next(at=now)

    assert made == sound
    sound.refresh_from_db()
    assert sound.compact is not None
    assert sound.compact.mime == "audio/ogg"
    assert sound.compact.size < sound.media.size / 2
    data = files.path_of(sound.compact.sha256).read_bytes()
    heard = audio.decode(data, limit_seconds=60)
    assert abs(audio.seconds(heard) * 1000 - sound.duration_ms) < 60
    assert queries.find_media(bulletin, sha256=sound.compact.sha256) == sound.compact
    assert actions.compact_next(at=now) is None
    with pytest.raises(DatabaseError), transaction.atomic():
        Rendition.objects.update(compact=None)


def test_a_sound_whose_file_is_gone_is_not_tried_for_ever(
    version: Version, now: datetime
) -> None:
    sound = make_heard(now)
    assert sound.media is not None
    files.path_of(sound.media.sha256).unlink()

    actions.compact_next(at=now)

    sound.refresh_from_db()
    assert (sound.compact, sound.compacted_at) == (None, now)
    assert actions.compact_next(at=now) is None
