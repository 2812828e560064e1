"""Sentences are made once, joined without a click, and a hanging voice is replaced."""

import http.server
import itertools
import json
import stat
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.errors import InvalidError
from nguon.speech import audio, chain
from nguon.speech.audio import Samples
from nguon.speech.render import render_spoken
from nguon.speech.sentences import Cache, make, split
from nguon.speech.voice import (
    Manner,
    Provider,
    UnknownVoiceError,
    VoiceError,
    check_manner,
    load_voices,
)

THREE = "Mời bà con họp. Họp tại nhà rông. Mang theo căn cước công dân."


@dataclass
class Tone:
    """A voice that hums one second for each text, and remembers what it was asked."""

    said: list[str] = field(default_factory=list)
    mark: str = "tone/1"

    def say(self, texts: Sequence[str], manner: Manner) -> list[Samples]:
        self.said += texts
        wave = [20_000 if i // 50 % 2 else -20_000 for i in range(chain.SAMPLE_RATE)]
        return [array("h", wave).tobytes() for _text in texts]


def test_only_the_changed_sentence_is_made_again(tmp_path: Path) -> None:
    tone, cache = Tone(), Cache(tmp_path)
    make(THREE, engine=tone, manner=Manner(), cache=cache)
    tone.said.clear()

    made = make(
        THREE.replace("nhà rông", "nhà văn hóa"),
        engine=tone,
        manner=Manner(),
        cache=cache,
    )

    assert tone.said == ["Họp tại nhà văn hóa."]
    assert (made.made, made.kept) == (1, 2)


def test_another_speed_or_voice_is_another_sound(tmp_path: Path) -> None:
    tone, cache = Tone(), Cache(tmp_path)
    make(THREE, engine=tone, manner=Manner(), cache=cache)
    tone.said.clear()

    make(THREE, engine=tone, manner=Manner(speed=90), cache=cache)
    make(THREE, engine=Tone(tone.said, "tone/2"), manner=Manner(), cache=cache)

    assert len(tone.said) == 6


def test_a_torn_file_of_the_cache_never_sounds(tmp_path: Path) -> None:
    tone, cache = Tone(), Cache(tmp_path)
    whole = make(THREE, engine=tone, manner=Manner(), cache=cache)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    tone.said.clear()

    again = make(THREE, engine=tone, manner=Manner(), cache=cache)

    assert len(tone.said) == 3
    assert again.samples == whole.samples


def test_the_cache_stays_within_its_bound(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit_bytes=1_000_000)

    for number in range(40):
        cache.keep(f"{number:064d}", bytes(100_000))

    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert 500_000 < size <= 1_070_000
    assert cache.find(f"{39:064d}") == bytes(100_000)


def test_sentences_are_joined_without_a_click(tmp_path: Path) -> None:
    made = make(THREE, engine=Tone(), manner=Manner(), cache=None)

    values = array("h", made.samples)
    pairs = list(itertools.pairwise(values))
    step = max(abs(b - a) for a, b in pairs)
    borders = [abs(b - a) for a, b in pairs if (a == 0) != (b == 0)]
    assert len(borders) >= 4
    assert max(borders) < step / 20


def test_pauses_are_as_long_as_they_were_typed() -> None:
    sentences = split("Chú ý ‖‖‖‖ bà con. Họp dân!\nMang thuốc.")

    assert [one.text for one in sentences] == [
        "Chú ý",
        "bà con.",
        "Họp dân!",
        "Mang thuốc.",
    ]
    assert sentences[0].pause_ms == chain.PAUSE_MS + 2_000
    assert sentences[2].pause_ms > sentences[1].pause_ms


@given(st.text(alphabet="ab ‹›‖.,!\n", max_size=400))
def test_no_word_is_lost_and_every_emphasis_is_closed(spoken: str) -> None:
    sentences = split(spoken)

    words = "".join(c for s in sentences for c in s.text if c.isalpha())
    assert words == "".join(c for c in spoken if c.isalpha())


def test_100_kb_without_a_full_stop_is_cut_into_breaths() -> None:
    text = "bà con họp tại nhà rông " * 4_500

    sentences = split(text)

    assert max(len(one.text) for one in sentences) <= 300
    assert " ".join(one.text for one in sentences).split() == text.split()


def test_an_emphasis_sounds_other_than_the_same_words_without_it() -> None:
    plain = render_spoken("Tuyệt đối không qua suối.", language="vi", voice_name="vi")
    strong = render_spoken(
        "‹Tuyệt đối› không qua suối.", language="vi", voice_name="vi"
    )

    assert strong.duration_ms > plain.duration_ms


def test_speed_and_volume_are_heard_and_bounded() -> None:
    text = "Mời bà con đến họp tại nhà rông của làng vào tối nay."
    usual = render_spoken(text, language="vi", voice_name="vi")
    slow = render_spoken(
        text, language="vi", voice_name="vi", manner=Manner(speed=75, volume=50)
    )

    assert slow.duration_ms > usual.duration_ms * 1.15
    assert usual.loudness_lufs is not None
    assert slow.loudness_lufs == pytest.approx(usual.loudness_lufs - 6, abs=1)
    with pytest.raises(InvalidError):
        check_manner(Manner(speed=200))


# --- voices of others ------------------------------------------------------------


def voices_file(folder: Path, *rows: dict[str, object]) -> str:
    """Write a file of voices; return its path."""
    path = folder / "voices.json"
    path.write_text(json.dumps(rows))
    return str(path)


def program(folder: Path, name: str, code: str) -> str:
    """Write a program in Python; return its path."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{code}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_voice_that_hangs_is_ended_and_the_built_in_one_says_it(
    tmp_path: Path,
) -> None:
    hanging = program(tmp_path, "piper", "import time\ntime.sleep(600)\n")
    row = {"name": "piper:hn", "kind": "piper", "command": hanging, "model": "x.onnx"}
    path = voices_file(tmp_path, row | {"timeout_seconds": 0.5})

    sound = render_spoken(
        THREE, language="vi", voice_name="piper:hn", voices=load_voices(path)
    )

    assert (sound.voice, sound.fallback) == ("vi", "speech.voice_timeout")
    assert sound.duration_ms > 3_000


def test_piper_is_given_the_text_and_its_sound_is_used(tmp_path: Path) -> None:
    code = (
        "import sys, wave\n"
        "text = sys.stdin.read()\n"
        "out = sys.argv[sys.argv.index('--output_file') + 1]\n"
        "with wave.open(out, 'wb') as file:\n"
        "    file.setnchannels(1); file.setsampwidth(2); file.setframerate(22050)\n"
        "    n = 22050 * len(text.split()) // 4\n"
        "    file.writeframes(b''.join((9000 if i // 40 % 2 else -9000)"
        ".to_bytes(2, 'little', signed=True) for i in range(n)))\n"
    )
    row = {"name": "piper:hn", "kind": "piper", "model": "hn.onnx"}
    path = voices_file(tmp_path, row | {"command": program(tmp_path, "piper", code)})

    sound = render_spoken(
        "Mời bà con họp.",
        language="vi",
        voice_name="piper:hn",
        voices=load_voices(path),
    )

    assert (sound.voice, sound.fallback) == ("piper:hn", "")
    assert 900 < sound.duration_ms < 1_500


class Stub(http.server.BaseHTTPRequestHandler):
    """A provider that remembers what it was asked, and answers, drips or refuses."""

    asked: list[dict[str, object]] = []
    keys: list[str | None] = []
    sound = b""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(json.loads(self.rfile.read(length)))
        self.keys.append(self.headers["X-Key"])
        if self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    threading.Event().wait(0.05)
            except OSError:
                return
        self.send_response(200 if self.path == "/say" else 500)
        self.end_headers()
        self.wfile.write(self.sound)

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def provider() -> Iterator[str]:
    """Run a provider on this machine; give its address."""
    Stub.asked, Stub.keys = [], []
    Stub.sound = audio.encode(Tone().say(["x"], Manner())[0])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_is_asked_by_its_template_with_the_key_of_the_environment(
    provider: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NGUON_TEST_KEY", "secret-42")
    row = {
        "name": "provider:x",
        "kind": "http",
        "url": f"{provider}/say",
        "headers": {"X-Key": "env:NGUON_TEST_KEY"},
        "body": {"input": "{text}", "voice": "hn", "rate": "{speed}"},
    }

    sound = render_spoken(
        "Họp dân.",
        language="vi",
        voice_name="provider:x",
        voices=load_voices(voices_file(tmp_path, row)),
    )

    assert Stub.asked == [{"input": "Họp dân.", "voice": "hn", "rate": 1.0}]
    assert Stub.keys == ["secret-42"]
    assert (sound.voice, sound.fallback) == ("provider:x", "")


@pytest.mark.parametrize("path", ["/drip", "/broken"])
def test_a_provider_that_drips_or_breaks_ends_in_time_and_tells_no_key(
    provider: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGUON_TEST_KEY", "secret-42")
    headers = (("X-Key", "env:NGUON_TEST_KEY"),)
    url = f"{provider}{path}?key=secret-42"
    voice = Provider("provider:x", url, headers, '{"t": "{text}"}', "", 0.5)

    with pytest.raises(VoiceError) as caught:
        voice.say(["Họp dân."], Manner())

    assert "secret-42" not in repr(caught.value) + str(caught.value.data)
    assert caught.value.__cause__ is None


def test_a_voice_that_is_not_there_is_never_replaced() -> None:
    with pytest.raises(UnknownVoiceError):
        render_spoken(THREE, language="vi", voice_name="nobody")


def test_a_file_of_voices_with_a_fault_is_refused(tmp_path: Path) -> None:
    path = voices_file(tmp_path, {"name": "vi", "kind": "piper", "model": "x"})

    with pytest.raises(InvalidError) as caught:
        load_voices(path)

    assert caught.value.code == "speech.voices_file"
