"""Sounds as jobs: asked for, claimed with a lease, finished or failed.

A rendition is named by the hash of all that decides it, so asking twice makes one.
A worker that dies leaves a lease behind; when it runs out the next worker goes on.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from nguon.core import signing
from nguon.core.errors import ConflictError
from nguon.core.topics import new_uid
from nguon.fleet import actions as fleet
from nguon.fleet import files
from nguon.fleet.models import Media
from nguon.newsroom import rules
from nguon.newsroom.manner import manner_of, settings_of, voice_of
from nguon.newsroom.models import Rendition
from nguon.speech import audio, chain
from nguon.speech import text as speech_text
from nguon.speech.reading.scan import Word
from nguon.speech.voice import Manner

logger = logging.getLogger(__name__)

WORKER_LOST = "newsroom.worker_lost"


class LeaseLostError(ConflictError):
    """The lease ran out and another worker has the job: drop the result."""


@dataclass(frozen=True)
class Sound:
    """What a worker measured about the sound it made."""

    duration_ms: int
    loudness_lufs: float | None
    true_peak_dbtp: float
    peaks: Sequence[int]
    spoken_by: str = ""
    fallback: str = ""


def ask_rendition(
    *,
    text: str,
    language: str,
    drill: bool,
    klass: str,
    at: datetime,
    dictionary: Sequence[Word] = (),
    manner: Mapping[str, Any] | None = None,
) -> Rendition:
    """Ask for the sound of a text; the same sound is made only once.

    One that failed before is tried anew. Raises DraftError for a language that no
    machine may speak yet.
    """
    voices = chain.VOICES.get(language)
    if not voices:
        raise rules.DraftError("newsroom.recording_missing", language=language)
    chosen = manner_of(manner or {}, language=language)
    region = voice_of(chosen, language=language).region
    spoken = speech_text.spoken(text, drill=drill, region=region, dictionary=dictionary)
    rank = rules.CLASS_NUMBERS[klass]
    rendition, fresh = Rendition.objects.get_or_create(
        key=rendition_key(spoken=spoken, language=language, manner=chosen),
        defaults={
            "language": language,
            "voice": chosen.voice,
            "manner": settings_of(chosen),
            "chain": chain.VERSION,
            "spoken_text": spoken,
            "rank": rank,
            "asked_at": at,
            "retry_at": at,
        },
    )
    if not fresh:
        waiting = Rendition.objects.filter(pk=rendition.pk)
        waiting.filter(state=Rendition.FAILED).update(
            state=Rendition.ASKED, attempts=0, retry_at=at, failure=""
        )
        waiting.exclude(state=Rendition.READY).filter(rank__gt=rank).update(rank=rank)
        rendition.refresh_from_db()
    return rendition


def rendition_key(*, spoken: str, language: str, manner: Manner) -> str:
    """Return the name of a machine's sound: the hash of all that decides it."""
    return signing.content_hash(
        {
            "spoken": spoken,
            "language": language,
            "voice": manner.voice,
            "manner": settings_of(manner),
            "chain": chain.VERSION,
        }
    )


def claim_rendition(*, at: datetime, lowest_rank: int = 3) -> Rendition | None:
    """Take the next waiting sound for a while, or None when nothing waits.

    The more urgent class first; `lowest_rank` 1 takes emergencies only. Two workers
    may look at the same row; the conditional UPDATE lets one win. A sound whose
    workers keep dying is given up.
    """
    open_to_all = Q(state=Rendition.ASKED, retry_at__lte=at) | Q(
        state=Rendition.WORKING, lease_until__lte=at
    )
    while True:
        found = (
            Rendition.objects.filter(open_to_all, rank__lte=lowest_rank).order_by(
                "rank", "retry_at", "id"
            )
        ).first()
        if found is None:
            return None
        mine = Rendition.objects.filter(
            open_to_all, pk=found.pk, state=found.state, lease=found.lease
        )
        if found.attempts >= rules.LOST_LIMIT:
            mine.update(
                state=Rendition.FAILED, failure=WORKER_LOST, lease="", lease_until=None
            )
            continue
        lease = new_uid()
        won = mine.update(
            state=Rendition.WORKING,
            lease=lease,
            lease_until=at + timedelta(seconds=rules.LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
        if won:
            return Rendition.objects.get(pk=found.pk, lease=lease)


def renew_lease(*, rendition_id: int, lease: str, at: datetime) -> None:
    """Say that the work goes on. Raises LeaseLostError if it was taken over."""
    renewed = Rendition.objects.filter(
        pk=rendition_id, state=Rendition.WORKING, lease=lease
    ).update(lease_until=at + timedelta(seconds=rules.LEASE_SECONDS))
    if not renewed:
        raise LeaseLostError("newsroom.lease_lost")


def return_rendition(*, rendition_id: int, lease: str, at: datetime) -> None:
    """Give unfinished work back at once, uncounted: the worker is told to stop.

    Raises LeaseLostError if it is no longer this worker's.
    """
    returned = Rendition.objects.filter(
        pk=rendition_id, state=Rendition.WORKING, lease=lease
    ).update(
        state=Rendition.ASKED,
        lease="",
        lease_until=None,
        retry_at=at,
        attempts=F("attempts") - 1,
    )
    if not returned:
        raise LeaseLostError("newsroom.lease_lost")


def finish_rendition(
    *, rendition_id: int, lease: str, media: Media, sound: Sound, at: datetime
) -> None:
    """Put the finished sound in its place. Raises LeaseLostError if taken over."""
    done = Rendition.objects.filter(
        pk=rendition_id, state=Rendition.WORKING, lease=lease
    ).update(
        state=Rendition.READY,
        lease="",
        lease_until=None,
        media=media,
        ready_at=at,
        failure="",
        duration_ms=sound.duration_ms,
        loudness_lufs=sound.loudness_lufs,
        true_peak_dbtp=sound.true_peak_dbtp,
        peaks=list(sound.peaks),
        spoken_by=sound.spoken_by,
        fallback=sound.fallback,
    )
    if not done:
        raise LeaseLostError("newsroom.lease_lost")


def fail_rendition(
    *, rendition_id: int, lease: str, code: str, permanent: bool, at: datetime
) -> None:
    """Give a sound back with its cause: tried again later, or failed for good.

    Raises LeaseLostError if another worker has it.
    """
    mine = Rendition.objects.filter(
        pk=rendition_id, state=Rendition.WORKING, lease=lease
    )
    attempts = mine.values_list("attempts", flat=True).first()
    if attempts is None:
        raise LeaseLostError("newsroom.lease_lost")
    if permanent or attempts >= rules.ATTEMPT_LIMIT:
        done = mine.update(
            state=Rendition.FAILED, failure=code, lease="", lease_until=None
        )
    else:
        done = mine.update(
            state=Rendition.ASKED,
            failure=code,
            lease="",
            lease_until=None,
            retry_at=at + timedelta(seconds=rules.RETRY_SECONDS * attempts),
        )
    if not done:
        raise LeaseLostError("newsroom.lease_lost")


def compact_next(*, at: datetime) -> Rendition | None:
    """Make the smaller copy of the newest sound that has none; None when all have.

    It is made of the very file that was sealed, once: a sound whose file is gone or
    broken stays without, and browsers take the MP3.
    """
    found = (
        Rendition.objects.filter(state=Rendition.READY, compacted_at=None)
        .select_related("media")
        .order_by("-id")
        .first()
    )
    if found is None:
        return None
    mine = Rendition.objects.filter(pk=found.pk, compacted_at=None)
    compact = None
    try:
        compact = _compact(found, at)
    except (OSError, audio.UnsupportedAudioError) as error:
        logger.warning("rendition %s has no smaller copy: %s", found.pk, error)
    mine.update(compact=compact, compacted_at=at)
    return found


def _compact(rendition: Rendition, at: datetime) -> Media | None:
    if rendition.media is None:
        return None
    data = files.path_of(rendition.media.sha256).read_bytes()
    samples = audio.decode(data, limit_seconds=rendition.duration_ms / 1000 + 5)
    return fleet.store_media(
        data=audio.encode_opus(samples),
        mime=chain.OPUS_MIME,
        duration_ms=rendition.duration_ms,
        at=at,
    )
