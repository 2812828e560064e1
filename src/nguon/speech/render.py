"""The whole chain: written text, or a person's recording → an MP3 for the air."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nguon.speech import audio, chain, loudness, sentences, text, voice
from nguon.speech.audio import Samples
from nguon.speech.loudness import Levelled
from nguon.speech.sentences import Cache
from nguon.speech.voice import Manner, Voice, VoiceError


@dataclass(frozen=True)
class Rendered:
    """A sound for the air and what was measured of it."""

    mp3: bytes
    duration_ms: int
    loudness_lufs: float | None
    true_peak_dbtp: float
    spoken_text: str
    peaks: list[int]
    # Who spoke, and why it was not the voice that was asked for, if so.
    voice: str = ""
    fallback: str = ""


def render(written: str, *, language: str, voice_name: str, drill: bool) -> Rendered:
    """Return the sound of a written text; a drill says so first.

    Raises UnknownVoiceError, VoiceError, LoudnessError, SilentError.
    """
    found = voice.find_voice(voice_name, language=language, voices=voice.load_voices())
    said = text.spoken(written, drill=drill, region=found.region)
    return render_spoken(said, language=language, voice_name=voice_name)


def render_spoken(
    spoken: str,
    *,
    language: str,
    voice_name: str,
    manner: Manner | None = None,
    voices: Mapping[str, Voice] | None = None,
    cache: Cache | None = None,
    opening: Samples = b"",
) -> Rendered:
    """Return the sound of a text that is already as it is read aloud.

    `opening` are samples that sound before it, made as loud as it is. A voice that
    hangs or breaks is replaced by the built-in one, and `fallback` has the code of
    why. Raises UnknownVoiceError, VoiceError, LoudnessError, SilentError.
    """
    manner = manner or Manner(voice=voice_name)
    voices = voices or voice.load_voices()
    asked = voice.find_voice(voice_name, language=language, voices=voices)
    fallback, spoke = "", asked
    try:
        made = sentences.make(spoken, engine=asked.engine, manner=manner, cache=cache)
    except VoiceError as error:
        built_in = voices.get(chain.VOICES.get(language, ("",))[0])
        if built_in is None or isinstance(asked.engine, voice.Espeak):
            raise
        # One text, one voice: what the other voice had said is not mixed in.
        fallback, spoke = error.code, built_in
        made = sentences.make(
            spoken, engine=built_in.engine, manner=manner, cache=cache
        )
    volume_db = 20 * math.log10(manner.volume / 100)
    before = loudness.even(opening) if opening else b""
    samples = _framed(before + made.samples)
    levelled = loudness.encode_even(samples, volume_db=volume_db)
    return _rendered(levelled, spoken, voice_name=spoke.name, fallback=fallback)


def render_recording(
    data: bytes,
    *,
    limit_seconds: float,
    drill: bool,
    between_ms: tuple[int, int | None] = (0, None),
) -> Rendered:
    """Return a person's recording on the air's level; a drill says so first.

    The words of a drill are Vietnamese, spoken by the machine, whatever the language
    of the recording. `between_ms` is the part that is kept. Raises
    UnsupportedAudioError, TooLongError, SilentError, LoudnessError.
    """
    whole = audio.decode(data, limit_seconds=limit_seconds)
    recorded = audio.trimmed(audio.part(whole, *between_ms))
    if not drill:
        return _finish(recorded, "")
    warning = voice.synthesise(
        text.DRILL_WORDS, language="vi", voice=chain.VOICES["vi"][0]
    )
    # Two speakers, two levels: each is brought to the target before they are joined.
    joined = loudness.level(audio.trimmed(warning)).samples + audio.silence(
        chain.PAUSE_MS
    )
    return _finish(joined + loudness.level(recorded).samples, text.DRILL_WORDS)


def _framed(samples: Samples) -> Samples:
    if not samples:
        return samples
    return audio.silence(chain.HEAD_MS) + samples + audio.silence(chain.TAIL_MS)


def _finish(samples: Samples, spoken: str) -> Rendered:
    return _rendered(loudness.level(_framed(samples)), spoken)


def _rendered(
    levelled: Levelled, spoken: str, *, voice_name: str = "", fallback: str = ""
) -> Rendered:
    return Rendered(
        mp3=levelled.mp3,
        duration_ms=round(audio.seconds(levelled.samples) * 1_000),
        loudness_lufs=levelled.loudness.lufs,
        true_peak_dbtp=levelled.loudness.true_peak_dbtp,
        spoken_text=spoken,
        peaks=audio.picture(levelled.samples),
        voice=voice_name,
        fallback=fallback,
    )
