"""The machine's voice: spoken text in, samples out, in a process of its own.

Never another voice than the one asked for: an unknown voice, a voice that hangs or
breaks is an error, and a language without a voice says so.
"""

import os
import subprocess
import sys

from nguon.core.errors import DomainError, InvalidError
from nguon.speech import audio, chain
from nguon.speech.audio import Samples

_LIMIT_SECONDS = 3_600.0


class UnknownVoiceError(InvalidError):
    """There is no such voice; nothing is said in its stead."""


class VoiceError(DomainError):
    """The voice broke or took too long; trying again may help."""


def synthesise(
    text: str,
    *,
    language: str,
    voice: str,
    timeout_seconds: float = chain.VOICE_TIMEOUT_SECONDS,
) -> Samples:
    """Return the samples of a spoken text.

    Raises UnknownVoiceError (`speech.no_machine_voice` for a language that has
    none), VoiceError.
    """
    voices = chain.VOICES.get(language)
    if not voices:
        raise UnknownVoiceError("speech.no_machine_voice", language=language)
    if voice not in voices:
        raise UnknownVoiceError("speech.voice_unknown", voice=voice, language=language)
    wav = _run(text, voice, timeout_seconds)
    if not wav:
        raise VoiceError("speech.voice_broken", voice=voice)
    return audio.decode(wav, limit_seconds=_LIMIT_SECONDS)


def _run(text: str, voice: str, timeout_seconds: float) -> bytes:
    command = [sys.executable, "-m", "nguon.speech.espeak", "--voice", voice]
    try:
        done = subprocess.run(  # noqa: S603 (our own module, an allowed voice)
            command,
            input=text.encode("utf-8"),
            capture_output=True,
            timeout=timeout_seconds,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceError("speech.voice_timeout", voice=voice) from error
    if done.returncode == chain.UNKNOWN_VOICE_STATUS:
        raise UnknownVoiceError("speech.voice_unknown", voice=voice)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-200:]
        raise VoiceError("speech.voice_broken", voice=voice, said=said)
    return done.stdout
