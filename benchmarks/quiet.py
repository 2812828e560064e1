"""A million device-days of bad luck, to find one that is loud when it must be quiet.

Each day is drawn from its number (`_days.live_through`): wrong clocks, repairs with a
test tone, late plans, dead relay sources, software rolled back to message version 1,
nights, month ends and leap days. The device decides by `core.playout` at the time it
believes; what sounded is counted in real time against the clock on the wall. All
processors work on it.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import _bench, _days

CHUNK = 1_000


def measure(arguments: argparse.Namespace, _folder: Path) -> dict[str, Any]:
    """Live through so many days, and say whether all were quiet when they had to be."""
    began = time.perf_counter()
    found: Counter[str] = Counter()
    bad: list[int] = []
    chunks = [
        range(start, min(start + CHUNK, arguments.days))
        for start in range(0, arguments.days, CHUNK)
    ]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, (counts, loud) in enumerate(pool.map(live, chunks), start=1):
            found.update(counts)
            bad += loud
            if done % 50 == 0:
                rate = found["days"] / (time.perf_counter() - began)
                _bench.say(f"{found['days']} days, {rate:.0f}/s, {len(bad)} loud")
    seconds = time.perf_counter() - began
    return {
        "bench": "quiet",
        "device_days": found["days"],
        "seconds_outside_allowed_hours": found["outside_ms"] / 1000,
        "sounded_seconds": found["sounded_ms"] // 1000,
        "emergency_seconds": found["emergency_ms"] // 1000,
        "test_tones": found["tones"],
        "plans_refused_by_old_software": found["refused"],
        "days_per_second": round(found["days"] / seconds),
        "loud_days": sorted(bad)[:10],
        "passed": found["days"] == arguments.days > 0
        and found["outside_ms"] == 0
        and found["sounded_ms"] > 0
        and not bad,
    }


def live(numbers: range) -> tuple[Counter[str], list[int]]:
    """Live through the days with these numbers; return sums, and which were loud."""
    sums: Counter[str] = Counter()
    loud = []
    for number in numbers:
        tally = _days.live_through(random.Random(number)).tally
        sums["days"] += 1
        sums["outside_ms"] += tally.outside_ms
        sums["sounded_ms"] += tally.sounded_ms
        sums["emergency_ms"] += tally.emergency_ms
        sums["tones"] += tally.tones
        sums["refused"] += tally.refused
        if tally.outside_ms:
            loud.append(number)
    return sums, loud


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, days=1_000_000))
