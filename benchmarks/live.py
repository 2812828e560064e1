"""How long live speech takes from the speaker's mouth to a real speaker's output.

1. Everything runs for real: bus, web, gateway, worker, two agents that write WAVs.
2. Lan speaks under a standing authority: a quarter of a second of samples leaves,
   over HTTP, at the moment at which a browser would have heard it whole.
   With `--webs 2` each further piece goes to another web process, and one of them is
   killed (`kill -9`) in the middle: the others go on.
3. Every second such piece begins with a burst of noise that is like no other. Each is
   found again in both WAVs by cross-correlation. Its latency runs from the moment at
   which its first sample was spoken to the moment at which it sounded.
"""

import argparse
import http.client
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks import _bench
from nguon.demo import wav
from nguon.demo.client import Client
from nguon.demo.stack import Stack

LIMIT_MS = 2_000.0
RATE = 16_000
PIECE_S = 0.25
PIECE = int(RATE * PIECE_S)
BURST = int(RATE * 0.2)
# The attention tone sounds in the place of the first 1.5 s.
FIRST = 8
ALIKE = 0.8
REACH_S = 4.0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    stack = Stack(
        folder / "stack",
        devices=0,
        agents=2,
        boards=0,
        webs=arguments.webs,
        say=_bench.say,
    )
    with stack:
        stack.manage("load_authority")
        return _measure(stack, arguments.rounds)


def _measure(stack: Stack, bursts: int) -> dict[str, Any]:
    lan = stack.login("lan")
    begun = lan.tell("/noi-truc-tiep/bat-dau/", units=str(stack.world["home"]))
    _bench.check(begun["targeted"] == stack.agents, "not every agent is meant")
    pieces, sounds = make_speech(bursts)
    _bench.say(f"{len(pieces) * PIECE_S:.0f} s of speech, {len(sounds)} bursts")
    spoken = speak(lan, begun["uid"], pieces, stack)
    state = lan.ask(f"/noi-truc-tiep/{begun['uid']}/")
    _bench.check(state["sounding"] == stack.agents, "not every agent sounds it")
    lan.tell(f"/noi-truc-tiep/{begun['uid']}/dung/")

    def over() -> bool:
        told = lan.ask(f"/noi-truc-tiep/{begun['uid']}/")
        return bool(told["sounded"] == stack.agents and not told["sounding"])

    _bench.wait(over, "the agents did not fall silent", seconds=15, every=0.2)
    latencies = []
    for number in range(stack.agents):
        (path,) = stack.wavs(number)
        life = wav.read_life(path)
        for turn, sound in sounds.items():
            latencies.append(find(life, sound, spoken[turn]) - spoken[turn])
    found = _bench.distribution(latencies)
    return {
        "bench": "live",
        "agents": stack.agents,
        "webs": len(stack.web_urls),
        "piece_ms": round(PIECE_S * 1000),
        "live_latency_ms": found,
        "limits": {"max_ms": LIMIT_MS},
        "passed": found["max"] <= LIMIT_MS,
    }


def make_speech(bursts: int) -> tuple[list[bytes], dict[int, np.ndarray]]:
    """Return the pieces, and for those that begin with one the burst at 48 kHz."""
    random = np.random.default_rng(20_261_125)
    pieces, sounds = [], {}
    for turn in range(FIRST + 2 * bursts + 1):
        samples = np.zeros(PIECE)
        if turn >= FIRST and (turn - FIRST) % 2 == 0:
            noise = np.convolve(random.standard_normal(BURST), np.ones(3) / 3, "same")
            samples[:BURST] = noise * 12_000
            sounds[turn] = _wider(samples[:BURST])
        pieces.append(np.clip(samples, -32_768, 32_767).astype("<i2").tobytes())
    return pieces, sounds


def speak(lan: Client, uid: str, pieces: list[bytes], stack: Stack) -> list[float]:
    """Send each piece when it has been spoken; return when each began (ms)."""
    lines = [
        http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        for parts in map(urlsplit, stack.web_urls)
    ]
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in lan.cookies)
    token = next(c.value or "" for c in lan.cookies if c.name == "csrftoken")
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/octet-stream",
        "Cookie": cookies,
        "X-CSRFToken": token,
        "Referer": lan.base,
    }
    begin, spoken = time.time(), []
    for turn, piece in enumerate(pieces):
        if turn == len(pieces) // 2 and stack.more_webs:
            stack.kill(stack.more_webs[-1])
            lines.pop().close()
        spoken.append((begin + turn * PIECE_S) * 1000)
        time.sleep(max(0.0, begin + (turn + 1) * PIECE_S - time.time()))
        path = f"/noi-truc-tiep/{uid}/am-thanh/?n={turn + 1}"
        line = lines[turn % len(lines)]
        line.request("POST", path, body=piece, headers=headers)
        answer = line.getresponse()
        told = json.loads(answer.read())
        _bench.check(answer.status == http.HTTPStatus.OK, f"refused: {told}")
    for line in lines:
        line.close()
    return spoken


def find(life: wav.Life, sound: np.ndarray, spoken_ms: float) -> float:
    """Return when a burst sounded (ms). Raises NotMeasuredError when it did not."""
    first = max(0, life.index(spoken_ms))
    reach = int(REACH_S * wav.RATE)
    piece = np.asarray(life.samples[first : first + reach], dtype=float)
    curve = np.correlate(piece, sound, "valid")
    squares = np.concatenate(([0.0], np.cumsum(piece**2)))
    energy = squares[len(sound) :] - squares[: -len(sound)]
    alike = curve / np.sqrt(np.maximum(energy, 1.0) * float(sound @ sound))
    at = int(np.argmax(alike))
    _bench.check(alike[at] >= ALIKE, f"a burst was not heard ({alike[at]:.2f})")
    return life.moment(first + at)


def _wider(samples: np.ndarray) -> np.ndarray:
    """Return samples of 16 kHz as they are at 48 kHz."""
    spectrum = np.fft.rfft(samples)
    size = len(samples) * wav.RATE // RATE
    wide = np.zeros(size // 2 + 1, dtype=complex)
    wide[: len(spectrum)] = spectrum
    return np.fft.irfft(wide, size) * wav.RATE / RATE


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=0, rounds=40, options=(
        ("--webs", {"type": int, "default": 1}),
    )))  # fmt: skip
