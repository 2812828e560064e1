"""Figures and log lines have the form that their readers expect."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from nguon.core import logs
from nguon.core.metrics import COUNTER, GAUGE, Metric, expose, figure


def test_figures_are_told_as_prometheus_reads_them() -> None:
    states = Metric("devices", GAUGE, "By state.", [({"state": 'a"b'}, 2.0)])

    text = expose([states, figure("events_total", COUNTER, "Stored.", 1_234_567)])

    assert text.splitlines() == [
        "# HELP devices By state.",
        "# TYPE devices gauge",
        r'devices{state="a\"b"} 2',
        "# HELP events_total Stored.",
        "# TYPE events_total counter",
        "events_total 1234567",
    ]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give the root logger back as it was."""
    found = logging.getLogger()
    kept, level = list(found.handlers), found.level
    yield found
    found.handlers[:] = kept
    found.setLevel(level)


def test_a_log_for_machines_is_one_object_a_line(root: logging.Logger) -> None:
    out = io.StringIO()
    logs.configure(logs.JSON, to=out)

    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("nguon.a").exception("Not %s", "done")

    (line,) = out.getvalue().splitlines()
    told = json.loads(line)
    assert (told["level"], told["logger"], told["message"]) == (
        "error",
        "nguon.a",
        "Not done",
    )
    assert "ValueError" in told["error"]
