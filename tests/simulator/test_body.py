"""A virtual body tells plausible beats, proves its sounds, and fails on request."""

import pytest

from nguon.core import beats
from nguon.core.beats import Beat
from nguon.simulator.body import FAULTS, Body

AT = 1_795_000_000_000
UID = "abcdefghijkl"


def told(body: Body, *, sounding: bool = False, at: int = AT) -> Beat:
    return body.beat(device=UID, at=at, sounding=sounding, clock_trusted=True)


@pytest.mark.parametrize("number", range(12))
def test_a_healthy_body_tells_what_every_server_can_read(number: int) -> None:
    beat = told(Body(number))

    assert Beat.decode(beat.encode(), device=UID) == beat
    assert (beat.mains, beat.line, beat.amplifier) == (True, "ok", False)


def test_a_sound_is_proven_by_what_the_hardware_has() -> None:
    plain, sensing, measuring = Body(1), Body(2), Body(4)

    for body in (plain, sensing, measuring):
        body.sounded(at=AT)

    assert told(plain, at=AT + 5_000).evidence == {beats.DECODED: 5}
    assert set(told(sensing).evidence) == {2, 3}
    assert set(told(measuring).evidence) == {2, 3, 4}


def test_at_no_volume_nothing_is_proven() -> None:
    body = Body(4)

    body.sounded(at=AT, volume=0)
    silent = dict(body.proofs)
    body.sounded(at=AT, volume=1)

    assert silent == {}
    assert set(body.proofs) == {beats.DECODED, beats.AMPLIFIED, beats.MEASURED}


def test_a_muted_body_decodes_and_measures_nothing() -> None:
    body = Body(4)
    body.sounded(at=AT)
    body.faults.add("mute")

    body.sounded(at=AT + 3_600_000)

    evidence = told(body, at=AT + 3_600_000).evidence
    assert (evidence[beats.DECODED], evidence[beats.MEASURED]) == (0, 3600)


def test_every_fault_shows() -> None:
    well = told(Body(4), sounding=True)

    for fault in FAULTS:
        body = Body(4)
        body.faults.add(fault)
        body.sounded(at=AT)
        proven = beats.MEASURED in body.proofs
        changed = told(body, sounding=True) != well or not proven or not body.beats
        assert changed, fault
