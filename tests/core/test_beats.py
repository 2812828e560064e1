"""A beat is believed field by field: what is wrong is dropped and named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.core.beats import DECODED, MEASURED, Beat
from nguon.core.signing import DocumentRefusedError

UID = "abcdefghijkl"
FULL = Beat(
    device=UID,
    at=1_795_600_000_000,
    sounding=False,
    mains=True,
    battery_percent=88,
    amplifier=False,
    line="ok",
    evidence={DECODED: 60, MEASURED: 86_400},
    clock_offset_ms=-12,
    clock_doubt_ms=40,
    clock_trusted=True,
    storage_free_mb=5_000,
    temperature_c=41,
    signal_dbm=-77,
    network="4g",
    version="0.1.0",
    data_used_mb=310,
    volume=80,
)


def test_a_beat_comes_back_as_it_was_told() -> None:
    assert Beat.decode(FULL.encode(), device=UID) == FULL


def test_what_is_not_known_is_not_told() -> None:
    bare = Beat(device=UID, at=1)

    assert bare.encode() == {"v": 1, "device": UID, "at": 1}
    assert Beat.decode(bare.encode(), device=UID) == bare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature_c", "nóng"),
        ("temperature_c", True),
        ("battery_percent", 101),
        ("battery_percent", 88.5),
        ("line", "broken"),
        ("mains", 1),
        ("version", "x" * 41),
        ("network", ["4g"]),
        ("evidence", [2]),
    ],
)
def test_a_wrong_field_is_dropped_and_named(name: str, value: Any) -> None:
    beat = Beat.decode({**FULL.encode(), name: value}, device=UID)

    assert beat.wrong == (name,)
    assert getattr(beat, name) in (None, {})
    assert beat.volume == 80


def test_one_wrong_age_leaves_the_others() -> None:
    told = FULL.encode() | {"evidence": {"decoded": -1, "measured": 5, "dreamt": 3}}

    beat = Beat.decode(told, device=UID)

    assert beat.evidence == {MEASURED: 5}
    assert beat.wrong == ("evidence.decoded",)


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {"device": UID, "at": 1},
        {"v": 2, "device": UID, "at": 1},
        {"v": 1, "device": "mnopqrstuvwx", "at": 1},
        {"v": 1, "device": UID, "at": "now"},
    ],
)
def test_a_beat_without_its_frame_is_refused(payload: Any) -> None:
    with pytest.raises(DocumentRefusedError):
        Beat.decode(payload, device=UID)


@given(
    st.dictionaries(
        st.sampled_from([*FULL.encode()]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
    )
)
def test_no_field_whatever_breaks_a_beat(told: dict[str, Any]) -> None:
    beat = Beat.decode({**told, "v": 1, "device": UID, "at": 5}, device=UID)

    assert Beat.decode(beat.encode(), device=UID).wrong == ()
