"""The sound chain keeps its bounds, and never says something else instead."""

import io
import math
import os
import struct
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nguon.speech import audio, chain, loudness
from nguon.speech.render import render, render_recording
from nguon.speech.voice import UnknownVoiceError, VoiceError, synthesise

TEXT = "Kính thưa bà con! Từ 7h30 hôm nay, UBND xã mời bà con đến nhà rông họp."


def tone(seconds: float, *, level: float, rate: int = 48_000) -> bytes:
    """Return a WAV file with a tone of 440 Hz."""
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        values = (
            int(32_767 * level * math.sin(2 * math.pi * 440 * i / rate))
            for i in range(int(seconds * rate))
        )
        sound.writeframes(b"".join(struct.pack("<h", value) for value in values))
    return target.getvalue()


def test_speech_comes_out_on_the_level_of_the_air() -> None:
    sound = render(TEXT, language="vi", voice_name="vi", drill=False)

    again = loudness.measure(audio.decode(sound.mp3, limit_seconds=60))
    assert sound.loudness_lufs == pytest.approx(-16, abs=1)
    assert sound.true_peak_dbtp <= -1
    assert again.lufs == sound.loudness_lufs
    assert 3_000 < sound.duration_ms < 15_000
    assert 150 <= len(sound.peaks) <= chain.PEAK_POINTS
    assert max(sound.peaks) > 50


@pytest.mark.parametrize("level", [0.001, 0.05, 0.99])
def test_quiet_and_loud_recordings_end_up_alike(level: float) -> None:
    sound = render_recording(tone(4, level=level), limit_seconds=60, drill=False)

    assert sound.loudness_lufs == pytest.approx(-16, abs=1)
    assert sound.true_peak_dbtp <= -1


def test_a_short_sound_is_levelled_by_its_peak() -> None:
    sound = render_recording(tone(1, level=0.01), limit_seconds=60, drill=False)

    assert sound.loudness_lufs is None
    assert -5 < sound.true_peak_dbtp <= -1


def test_the_first_word_stands_exactly_after_the_head() -> None:
    sound = render(TEXT, language="vi", voice_name="vi", drill=False)

    heard = np.frombuffer(audio.decode(sound.mp3, limit_seconds=60), dtype="<i2")
    onset = int(np.argmax(np.abs(heard.astype(int)) > 500)) / chain.SAMPLE_RATE * 1_000
    assert onset == pytest.approx(chain.HEAD_MS, abs=8)


def test_a_device_decodes_the_same_samples_at_the_same_place() -> None:
    miniaudio = pytest.importorskip("miniaudio")
    sound = render(TEXT, language="vi", voice_name="vi", drill=False)

    ours = np.frombuffer(audio.decode(sound.mp3, limit_seconds=60), dtype="<i2")
    theirs = np.array(
        miniaudio.decode(sound.mp3, nchannels=1, sample_rate=48_000).samples
    )

    shorter = min(len(ours), len(theirs))
    gap = np.abs(ours[:shorter].astype(int) - theirs[:shorter].astype(int))
    assert abs(len(ours) - len(theirs)) < 1_152
    assert gap.max() < 200


def test_a_drill_is_longer_by_its_first_words() -> None:
    real = render_recording(tone(4, level=0.2), limit_seconds=60, drill=False)
    drill = render_recording(tone(4, level=0.2), limit_seconds=60, drill=True)

    assert drill.duration_ms > real.duration_ms + 800
    assert drill.loudness_lufs == pytest.approx(-16, abs=1)


def test_a_language_without_a_voice_says_so() -> None:
    with pytest.raises(UnknownVoiceError) as refusal:
        synthesise("Kơnang", language="jra", voice="vi")

    assert refusal.value.code == "speech.no_machine_voice"


def test_an_unknown_voice_is_never_replaced_by_another() -> None:
    with pytest.raises(UnknownVoiceError) as refusal:
        synthesise("Xin chào", language="vi", voice="en")

    assert refusal.value.code == "speech.voice_unknown"


def test_a_voice_that_hangs_is_ended() -> None:
    with pytest.raises(VoiceError) as refusal:
        synthesise(TEXT, language="vi", voice="vi", timeout_seconds=0.001)

    assert refusal.value.code == "speech.voice_timeout"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 this is a document",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        bytes(5_000),
        tone(1, level=0.5)[:30],
    ],
)
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(audio.UnsupportedAudioError) as refusal:
        render_recording(data, limit_seconds=60, drill=False)

    assert refusal.value.code == "speech.audio_unsupported"


def test_a_playlist_never_makes_the_server_open_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(tone(4, level=0.5))
    playlists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
    ]

    for playlist in playlists:
        with pytest.raises(audio.UnsupportedAudioError):
            audio.decode(playlist.encode(), limit_seconds=60)
    assert audio.decode(secret.read_bytes(), limit_seconds=60)


def test_a_recording_that_is_too_long_is_refused() -> None:
    with pytest.raises(audio.TooLongError):
        render_recording(tone(5, level=0.5), limit_seconds=4, drill=False)


def test_a_silent_recording_is_refused() -> None:
    with pytest.raises(loudness.SilentError):
        render_recording(tone(4, level=0), limit_seconds=60, drill=False)


def test_the_command_speaks_and_reads_without_django_or_a_database(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "nguon.speech"]
    out = tmp_path / "x.wav"

    said = subprocess.run(
        [*command, "--normalise"], input="Họp 7h30\nGọi 112\n", **_OWN_PROCESS
    )
    given = subprocess.run(
        [*command, "--normalise", "--text", "Gọi 112"], input="", **_OWN_PROCESS
    )
    spoke = subprocess.run(
        [*command, "--text", "Họp 7h30", "--out", out], **_OWN_PROCESS
    )

    assert said.stdout == "Họp bảy giờ ba mươi phút\nGọi một một hai\n"
    assert given.stdout == "Gọi một một hai\n"
    assert "django" not in said.stderr + spoke.stderr
    with wave.open(str(out)) as file:
        assert file.getnframes() > file.getframerate()


_OWN_PROCESS: dict[str, Any] = {
    "capture_output": True,
    "text": True,
    "check": True,
    "env": {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
}
