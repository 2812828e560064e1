"""What a newcomer hears: the practice bulletin, in the voice that the newsroom uses.

The chime first, then the voice. It lies in a bounded folder of its own, by the hash of
what is said: no row, plan or topic names it, so no device can ever be told of it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from nguon.newsroom.manner import manner_of, voice_of
from nguon.registers.practice import ground
from nguon.speech import audio, chain, chime
from nguon.speech.render import render_spoken
from nguon.speech.sentences import Cache
from nguon.speech.voice import load_voices

FOLDER = "practice"
LIMIT_BYTES = 64 * 1024 * 1024
LANGUAGE = "vi"
PAUSE_MS = 500


@dataclass(frozen=True)
class Sound:
    """An MP3, and what a player shows of it; named as the newsroom's player asks."""

    mp3: bytes
    duration_ms: int
    peaks: list[int]
    fallback: str = ""
    language: str = LANGUAGE
    pk: str = "practice"


def make(*, title: str, body: str) -> Sound:
    """Return how the bulletin sounds; made once and kept while it is asked for.

    Raises VoiceError, UnknownVoiceError, LoudnessError, SilentError, InvalidError
    `speech.voices_file`: without a voice there is no sound.
    """
    spoken = ground.spoken(title=title, body=body)
    manner = manner_of({}, language=LANGUAGE)
    mark = voice_of(manner, language=LANGUAGE).engine.mark
    name = "\0".join((chain.VERSION, mark, spoken))
    key = hashlib.sha256(name.encode()).hexdigest()
    cache = _cache(settings.DATA_DIR / FOLDER)
    kept = cache.find(key)
    if kept is not None:
        return _read(kept)
    made = render_spoken(
        spoken,
        language=LANGUAGE,
        voice_name=manner.voice,
        manner=manner,
        voices=load_voices(settings.VOICES_FILE),
        opening=chime.tone(chain.SAMPLE_RATE) + audio.silence(PAUSE_MS),
    )
    sound = Sound(made.mp3, made.duration_ms, made.peaks, made.fallback)
    # A voice that stepped in for another is not kept: the right one may be back.
    if not made.fallback:
        cache.keep(key, _written(sound))
    return sound


@lru_cache(maxsize=2)
def _cache(folder: Path) -> Cache:
    """Return the kept sounds; one object counts what it wrote, and trims."""
    return Cache(folder, limit_bytes=LIMIT_BYTES)


def _written(sound: Sound) -> bytes:
    told: dict[str, Any] = asdict(sound)
    mp3: bytes = told.pop("mp3")
    return json.dumps(told).encode() + b"\n" + mp3


def _read(kept: bytes) -> Sound:
    told, _line, mp3 = kept.partition(b"\n")
    return Sound(mp3=mp3, **json.loads(told))
