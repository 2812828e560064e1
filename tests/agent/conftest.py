"""A fake province, and the real agent as a process of its own."""

import json
import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from nguon.core import topics
from nguon.speech import audio
from tests.fakes.province import FakeProvince

ROOT = Path(__file__).resolve().parents[2]
WAV_HEADER_BYTES = 44


@pytest.fixture
def fake_province() -> Iterator[FakeProvince]:
    fake = FakeProvince().start()
    yield fake
    fake.stop()


def make_sound(seconds: float, *, seed: int = 1) -> tuple[bytes, np.ndarray]:
    """Return an MP3 of noise that resembles nothing else, and its samples."""
    noise = np.random.default_rng(seed).standard_normal(int(seconds * 48_000))
    smooth = np.convolve(noise * 9_000, np.ones(12) / 12, "same")
    mp3 = audio.encode(smooth.astype("<i2").tobytes())
    decoded = audio.decode(mp3, limit_seconds=seconds + 1)
    return mp3, np.frombuffer(decoded, "<i2").astype(float)


@dataclass
class Recording:
    """A WAV file and the exact time of its first sample."""

    samples: np.ndarray
    started_at: float

    def find(self, sound: np.ndarray) -> tuple[float, float]:
        """Return (when `sound` begins, ms since 1970; how alike, 0 to 1)."""
        size = 1 << (len(self.samples) + len(sound)).bit_length()
        product = np.fft.rfft(self.samples, size) * np.conj(np.fft.rfft(sound, size))
        curve = np.fft.irfft(product, size)[: len(self.samples)]
        at = int(np.argmax(curve))
        piece = self.samples[at : at + len(sound)]
        scale = np.linalg.norm(piece) * np.linalg.norm(sound[: len(piece)]) + 1e-9
        return self.started_at + at / 48, float(piece @ sound[: len(piece)] / scale)

    def sounding(self, begin: float, end: float) -> np.ndarray:
        """Return the samples of a stretch of time (ms since 1970)."""
        first = max(0, round((begin - self.started_at) * 48))
        return self.samples[first : max(first, round((end - self.started_at) * 48))]


@dataclass
class Agent:
    """The real program, started, killed and started again on one home."""

    fake: FakeProvince
    home: Path
    wavs: Path
    extra: list[str] = field(default_factory=list)
    # This machine need not have a battery clock, the agent of most tests has.
    clock: tuple[str, ...] = ("--rtc",)
    process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "nguon.agent", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}

    def enrol(self, *extra: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(
                "enrol", "--server", self.fake.url, "--claim", self.fake.claim,
                "--home", str(self.home), "--kind", self.fake.kind, *extra,
            ),
            env=self.environment, capture_output=True, check=False, timeout=30,
        )  # fmt: skip

    def run(self, *, wait: bool = True) -> None:
        log = (self.home / "log.txt").open("ab")
        output = self.extra or ["--wav", str(self.wavs)]
        self.process = subprocess.Popen(
            self.command("run", "--home", str(self.home), *self.clock, *output),
            env=self.environment, stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        if wait:
            topic = topics.area(self.fake.commune, "alert")
            self.fake.bus.wait_until_heard(topic)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(10)
        with self.fake.changed:
            self.fake.bus.subscribed.clear()

    def end(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(10)

    def recordings(self) -> list[Recording]:
        found = []
        for path in sorted(self.wavs.glob("*.wav")):
            with wave.open(str(path)) as file:
                assert file.getparams()[:3] == (1, 2, 48_000)
            # A killed process leaves its last blocks behind what the header counts.
            data = path.read_bytes()[WAV_HEADER_BYTES:]
            data = data[: len(data) // 2 * 2]
            about = json.loads(path.with_suffix(".json").read_text())
            samples = np.frombuffer(data, "<i2").astype(float)
            found.append(Recording(samples, about["started_at_ms"]))
        return found

    def log(self) -> str:
        return (self.home / "log.txt").read_text()


@pytest.fixture
def agent(fake_province: FakeProvince, tmp_path: Path) -> Iterator[Agent]:
    """Return an agent that is enrolled and not yet running."""
    found = Agent(fake_province, tmp_path / "home", tmp_path / "wav")
    enrolled = found.enrol()
    assert enrolled.returncode == 0, enrolled.stderr
    yield found
    if found.process and found.process.poll() is None:
        found.process.kill()
        found.process.wait(10)


def wait_until(check: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for something that only another process can bring about."""
    ends = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)
