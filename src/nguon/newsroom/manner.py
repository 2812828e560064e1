"""How a bulletin is read: the voice, speed, pitch and volume a person chose.

Kept as a small JSON object; what is not in it is as usual. The choices are few, so
that nobody makes a voice that a village cannot understand.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from nguon.speech import chain
from nguon.speech.voice import Manner, Voice, check_manner, find_voice, load_voices

SPEEDS = {85: "Chậm", 100: "Vừa", 115: "Nhanh"}
PITCHES = {85: "Trầm", 100: "Vừa", 115: "Cao"}
VOLUMES = {70: "Nhỏ hơn", 100: "Chuẩn"}


def manner_of(kept: Mapping[str, Any], *, language: str) -> Manner:
    """Return how a text of this language is read.

    Another language than the voice's is read by its own usual voice.
    """
    usual = chain.VOICES.get(language, ("",))[0]
    name = str(kept.get("voice", usual))
    voice = load_voices(settings.VOICES_FILE).get(name)
    return Manner(
        voice=name if voice and voice.language == language else usual,
        speed=int(kept.get("speed", 100)),
        pitch=int(kept.get("pitch", 100)),
        volume=int(kept.get("volume", 100)),
    )


def voice_of(manner: Manner, *, language: str) -> Voice:
    """Return the voice of a manner. Raises UnknownVoiceError."""
    voices = load_voices(settings.VOICES_FILE)
    return find_voice(manner.voice, language=language, voices=voices)


def keepable(manner: Manner) -> dict[str, Any]:
    """Return a checked manner as it is kept.

    Raises UnknownVoiceError, InvalidError `speech.manner_unsafe`.
    """
    check_manner(manner)
    voice_of(manner, language="vi")
    return {
        "voice": manner.voice,
        "speed": manner.speed,
        "pitch": manner.pitch,
        "volume": manner.volume,
    }


def settings_of(manner: Manner) -> dict[str, int]:
    """Return speed, pitch and volume without the voice; empty when all are usual."""
    chosen = {
        "speed": manner.speed,
        "pitch": manner.pitch,
        "volume": manner.volume,
    }
    return chosen if any(value != 100 for value in chosen.values()) else {}


def list_voices() -> list[Voice]:
    """Return the voices that may read Vietnamese."""
    voices = load_voices(settings.VOICES_FILE).values()
    return [voice for voice in voices if voice.language == "vi"]
