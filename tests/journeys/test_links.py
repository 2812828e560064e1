"""What is cut off goes on: devices without a network or on a bad one, live speech.

Each is a bench that decides for itself whether everything happened; here it is run
smaller. Where the machine has no namespaces they fail and say so: nobody skips them.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.server]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 10 * 60


class Bench:
    """One bench in a process of its own."""

    def __init__(self, name: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.{name}", "--json", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: list[str] = []
        # Nobody may be held up by a full pipe.
        self._listener = threading.Thread(target=self._listen, name=name, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        self._said += self._process.communicate()

    def end(self) -> dict[str, Any]:
        """Wait for its end; return what it measured. Fails with what it said."""
        self._listener.join(PATIENCE_SECONDS)
        assert self._said, f"no end after {PATIENCE_SECONDS} s"
        out, errors = self._said
        assert out, errors[-2000:]
        told: dict[str, Any] = json.loads(out)
        assert self._process.returncode == 0, told
        return told

    def stop(self) -> None:
        """End it, if it has not ended."""
        self._process.terminate()
        self._listener.join(30)


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[dict[str, Bench]]:
    """Start those that mostly wait; the others are measured meanwhile."""
    found = {
        # A sound of every hour of the day, and of two of them twice.
        "outage": Bench("outage", "--devices", "4", "--hours", "26"),
        "impaired": Bench("impaired", "--sentences", "4", "--delay-ms", "200"),
    }
    yield found
    for bench in found.values():
        bench.stop()


def test_a_day_alone_leaves_nothing_lost_doubled_or_out_of_order(
    patient: dict[str, Bench],
) -> None:
    told = patient["outage"].end()

    assert (told["lost"], told["doubled"], told["out_of_order"]) == (0, 0, 0)
    assert told["silent"] == 0
    assert told["devices"] == 4 + 2
    assert told["plays"] >= 4 * told["devices"]
    assert told["kills"] == 4


def test_a_sound_goes_on_where_a_bad_link_broke_it(patient: dict[str, Bench]) -> None:
    told = patient["impaired"].end()

    assert told["pieces_from"] == sorted(told["pieces_from"])
    assert told["pieces_from"].count(0) == 1
    assert told["carried_to_size"] <= 1.6


def test_behind_a_mobile_link_an_approval_sounds_within_three_seconds() -> None:
    told = Bench("agent_4g", "--devices", "2", "--rounds", "2").end()

    assert told["go_to_sound_ms"]["n"] == 4
    assert told["go_to_sound_ms"]["max"] <= 3_000


def test_speech_goes_on_through_another_web_process_when_one_is_killed() -> None:
    told = Bench("live", "--webs", "2", "--rounds", "10").end()

    assert told["webs"] == 2
    # Ten rounds have a burst at either end: eleven, on each of two agents.
    assert told["live_latency_ms"]["n"] == 11 * 2
    assert told["live_latency_ms"]["max"] <= 2_000
