"""The whole chain: written text, or a person's recording → an MP3 for the air."""

from dataclasses import dataclass

from nguon.speech import audio, chain, loudness, text, voice
from nguon.speech.audio import Samples


@dataclass(frozen=True)
class Rendered:
    """A sound for the air and what was measured of it."""

    mp3: bytes
    duration_ms: int
    loudness_lufs: float | None
    true_peak_dbtp: float
    spoken_text: str
    peaks: list[int]


def render(written: str, *, language: str, voice_name: str, drill: bool) -> Rendered:
    """Return the sound of a written text; a drill says so first.

    Raises UnknownVoiceError, VoiceError, LoudnessError, SilentError.
    """
    return render_spoken(
        text.spoken(written, drill=drill), language=language, voice_name=voice_name
    )


def render_spoken(spoken: str, *, language: str, voice_name: str) -> Rendered:
    """Return the sound of a text that is already as it is read aloud."""
    said = voice.synthesise(spoken, language=language, voice=voice_name)
    return _finish(audio.trimmed(said), spoken)


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


def _finish(samples: Samples, spoken: str) -> Rendered:
    whole = (
        audio.silence(chain.HEAD_MS) + samples + audio.silence(chain.TAIL_MS)
        if samples
        else samples
    )
    levelled = loudness.level(whole)
    return Rendered(
        mp3=levelled.mp3,
        duration_ms=round(audio.seconds(levelled.samples) * 1_000),
        loudness_lufs=levelled.loudness.lufs,
        true_peak_dbtp=levelled.loudness.true_peak_dbtp,
        spoken_text=spoken,
        peaks=audio.picture(levelled.samples),
    )
