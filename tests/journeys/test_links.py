"""What is cut off goes on: devices without a network or on a bad one, live speech.

Each is a bench that decides for itself whether everything happened; here it is run
smaller. Where the machine has no namespaces they fail and say so: nobody skips them.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.server]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 10 * 60


def run(name: str, *arguments: str) -> dict[str, Any]:
    """Run one bench; return what it measured. Fails with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, told
    return told


def test_a_day_alone_leaves_nothing_lost_doubled_or_out_of_order() -> None:
    # A sound of every hour of the day, and of two of them twice.
    told = run("outage", "--devices", "4", "--hours", "26")

    assert (told["lost"], told["doubled"], told["out_of_order"]) == (0, 0, 0)
    assert told["silent"] == 0
    assert told["devices"] == 4 + 2
    assert told["plays"] >= 4 * told["devices"]
    assert told["kills"] == 4


def test_a_sound_goes_on_where_a_bad_link_broke_it() -> None:
    told = run("impaired", "--sentences", "4", "--delay-ms", "200")

    assert told["pieces_from"] == sorted(told["pieces_from"])
    assert told["pieces_from"].count(0) == 1
    assert told["carried_to_size"] <= 1.6


def test_behind_a_mobile_link_an_approval_sounds_within_three_seconds() -> None:
    told = run("agent_4g", "--devices", "2", "--rounds", "2")

    assert told["go_to_sound_ms"]["n"] == 4
    assert told["go_to_sound_ms"]["max"] <= 3_000


def test_speech_goes_on_through_another_web_process_when_one_is_killed() -> None:
    told = run("live", "--webs", "2", "--rounds", "10")

    assert told["webs"] == 2
    # Ten rounds have a burst at either end: eleven, on each of two agents.
    assert told["live_latency_ms"]["n"] == 11 * 2
    assert told["live_latency_ms"]["max"] <= 2_000
