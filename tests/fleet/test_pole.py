"""A fault of a simulated pole, through the agent's own code, is the right fault here.

Wires in, drivers, senses, the beat's bytes, the rules: nothing between is pretended.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nguon.agent.drivers.hearing import HEARD, UNHEARD, Judgement
from nguon.agent.drivers.host import Host
from nguon.agent.drivers.modem import Modem
from nguon.agent.drivers.pole import Pole
from nguon.agent.drivers.wiring import (
    AmplifierWires,
    Analog,
    LineWires,
    MicrophoneWires,
    Pin,
    PowerWires,
    Wiring,
)
from nguon.agent.senses import Senses
from nguon.core.beats import Beat
from nguon.fleet import actions, health
from nguon.fleet.models import Device, Fault, Health, SignalChange
from nguon.territory.models import Unit
from tests.fakes.pole import Desk, FakeChip

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LOOKS = 4


class Ear:
    """An ear that has made up its mind."""

    word = HEARD
    is_listening = False

    def judge(self) -> Judgement:
        return Judgement(self.word)


class Rig:
    """A pole on the desk with all its wires; what it says arrives as a beat."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(folder)
        self.sim: dict[str, Any] = {"registration-state": "home"}
        wiring = Wiring(
            amplifier=AmplifierWires(relay=Pin(1), sense=Pin(2)),
            power=PowerWires(mains=Pin(3), battery=Analog(folder / "battery", 0.001)),
            line=LineWires(volts=Analog(folder / "line", 0.001)),
            microphone=MicrophoneWires(("true",)),
            modem=("mmcli",),
        )
        self.chip = FakeChip(amplifier=True, mains=True)
        modem = Modem(("mmcli",), monotonic=lambda: 5.0, run=self.mmcli)
        self.pole = Pole(wiring, monotonic=lambda: 5.0, chip=self.chip, modem=modem)
        self.ear = Ear()
        self.pole.ear = self.ear  # type: ignore[assignment]
        self.modem = modem
        self.senses = Senses(self.pole.drivers, monotonic=lambda: 5.0)

    def mmcli(self, command: Any) -> str:
        signal = {"signal": {"lte": {"rsrp": "-88"}}}
        told = signal if "--signal-get" in command else {"3gpp": self.sim}
        return json.dumps({"modem": told})

    def beat(self, device: Device) -> Beat:
        inputs = self.pole.inputs
        assert inputs
        for _look in range(LOOKS):
            inputs.look()
        self.modem.ask()
        self.pole.ended()
        told = Beat(device=device.uid, at=1, sounding=True, **self.senses.read())
        return Beat.decode(json.loads(json.dumps(told.encode())), device=device.uid)


def cut_mains(rig: Rig) -> None:
    rig.chip.lines["mains"] = False


def mute(rig: Rig) -> None:
    rig.chip.lines["amplifier"] = False


def deafen(rig: Rig) -> None:
    rig.ear.word = UNHEARD


def refuse_sim(rig: Rig) -> None:
    rig.sim = {"registration-state": "denied"}


@pytest.mark.parametrize(
    ("break_it", "causes", "state"),
    [
        (lambda rig: None, set(), health.ACTIVE),
        (cut_mains, {"mains"}, health.FAULTY),
        (lambda rig: rig.desk.volts(battery=11.2), {"battery"}, health.FAULTY),
        (lambda rig: rig.desk.volts(line=3.1), {"line_open"}, health.SILENT),
        (lambda rig: rig.desk.volts(line=0.2), {"line_short"}, health.SILENT),
        (mute, {"amplifier", "unmeasured"}, health.SILENT),
        (deafen, {"unmeasured"}, health.SILENT),
        (refuse_sim, {"no_sim"}, health.ACTIVE),
    ],
    ids=["whole", "mains", "battery", "open", "short", "mute", "unheard", "sim"],
)
def test_a_broken_wire_is_the_right_fault_and_ends_when_mended(
    tmp_path: Path,
    install: Callable[..., list[Device]],
    village: Unit,
    now: datetime,
    break_it: Callable[[Rig], None],
    causes: set[str],
    state: str,
) -> None:
    (device,) = install(village)
    rig = Rig(tmp_path)
    break_it(rig)

    told = rig.beat(device)
    for late in (0 * SECOND, 16 * SECOND, 11 * MINUTE):
        actions.record_beats(heard={device.uid: told}, at=now + late)
        actions.examine_fleet(at=now + late)

    assert not told.wrong
    found = Fault.objects.filter(device=device, closed_at__isnull=True)
    assert set(found.values_list("cause", flat=True)) == causes
    assert Health.objects.get(pk=device.pk).state == state

    mended = Rig(tmp_path / "new").beat(device)
    later = now + 12 * MINUTE
    actions.record_beats(heard={device.uid: mended}, at=later)
    actions.examine_fleet(at=later)
    assert not Fault.objects.filter(device=device, closed_at__isnull=True).exists()


def test_wires_that_cannot_be_read_are_not_known_and_nothing_is_guessed(
    tmp_path: Path,
    install: Callable[..., list[Device]],
    village: Unit,
) -> None:
    (device,) = install(village)
    rig = Rig(tmp_path)
    rig.chip.is_broken = True
    (tmp_path / "line").unlink()

    told = rig.beat(device)

    assert (told.mains, told.amplifier, told.line) == (None, None, None)
    assert told.sim == "ok"


def test_a_cut_cable_is_told_at_once_and_stands_in_the_timeline(
    tmp_path: Path, install: Callable[..., list[Device]], village: Unit, now: datetime
) -> None:
    (device,) = install(village)
    routes = tmp_path / "proc/net/route"
    routes.parent.mkdir(parents=True)
    mobile = "wwan0 00000000 0102A8C0 0003 0 0 700 00000000\n"
    cable = "eth0 00000000 0101A8C0 0003 0 0 100 00000000\n"
    senses = Senses([Host(storage=tmp_path, root=tmp_path)], monotonic=lambda: 5.0)

    for minute, text in enumerate((mobile + cable, mobile, mobile + cable)):
        routes.write_text("head\n" + text)
        assert senses.has_news()
        told = Beat(device=device.uid, at=1, **senses.read())
        at = now + minute * MINUTE
        actions.record_beats(heard={device.uid: told}, at=at)
        assert not senses.has_news()

    changes = SignalChange.objects.filter(device=device, signal="network")
    found = list(changes.order_by("pk").values_list("old", "new"))
    assert found == [("", "ethernet"), ("ethernet", "4g"), ("4g", "ethernet")]
