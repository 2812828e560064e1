"""Each driver on simulated lines: thresholds, bounces, broken wires, wrong files."""

import inspect
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import gpiod
import pytest
from gpiod.line import Value
from hypothesis import given
from hypothesis import strategies as st

from nguon.agent.drivers import realtime, wiring
from nguon.agent.drivers.lines import (
    STEADY,
    Debounce,
    FileChip,
    GpiodChip,
    Inputs,
    NoLinesError,
    open_chip,
)
from nguon.agent.drivers.modem import Modem, read_modem
from nguon.agent.drivers.power import Power, percent_of
from nguon.agent.drivers.speakerline import SpeakerLine, word_of
from nguon.agent.drivers.watchdog import Pulse, Watchdog
from nguon.agent.drivers.wiring import Analog, LineWires, Pin, PowerWires, WiringError
from tests.fakes.pole import Desk, FakeChip

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy/pole/pole.toml"


# --- the file ------------------------------------------------------------------------


def load(tmp_path: Path, text: str) -> wiring.Wiring:
    path = tmp_path / "pole.toml"
    path.write_text(text, encoding="utf-8")
    return wiring.load(path)


def test_a_pole_without_the_file_has_no_wires(tmp_path: Path) -> None:
    found = wiring.load(tmp_path / "pole.toml")

    assert found == wiring.Wiring()
    assert open_chip(found.chip, inputs=found.inputs, output=None) is None


def test_the_example_names_every_wire() -> None:
    found = wiring.load(EXAMPLE)

    assert found.amplifier.relay
    assert found.amplifier.sense
    assert found.power.mains
    assert found.line.volts
    assert found.microphone.command[0] == "arecord"
    assert found.contacts
    assert found.modem == ("mmcli",)
    assert found.watchdog


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("[amplifier]\nrely = 17", "agent.pole_unknown", "relay"),
        ("[amplifier]\nrelay = 'x'", "agent.pole_value", "amplifier.relay"),
        ("[amplifier]\nrelay = {pull='up'}", "agent.pole_value", "line"),
        ("[amplifier]\nlead_ms = 60000", "agent.pole_value", "0…5000"),
        ("[amplifier]\nlead_ms = true", "agent.pole_value", "lead_ms"),
        (
            "[amplifier]\nrelay = 4\nsense = 4",
            "agent.pole_line_twice",
            "4",
        ),
        ("[line]\nshort_below_v = 2.6", "agent.pole_limits", "open_above_v"),
        ("[power]\nempty_v = 13.0", "agent.pole_limits", "full_v"),
        ("[power]\nbattery = {file='/x'}", "agent.pole_value", "per_count"),
        ("[power]\nmains_supply = '../x'", "agent.pole_value", "mains_supply"),
        ("[contacts]\ndoor = {line=3, active='off'}", "agent.pole_value", "low"),
        ("microphone = 1", "agent.pole_value", "microphone"),
        ("chip = 'gpiochip0'", "agent.pole_value", "chip"),
        ("[amplifier", "agent.pole_unreadable", "pole.toml"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(
    tmp_path: Path, text: str, code: str, hint: str
) -> None:
    with pytest.raises(WiringError) as caught:
        load(tmp_path, text)

    assert caught.value.code == code
    assert hint in str(caught.value.data)


# --- lines ---------------------------------------------------------------------------


@given(st.lists(st.booleans(), max_size=60))
def test_what_is_believed_was_so_for_some_looks(readings: list[bool]) -> None:
    settled = Debounce()
    for n, reading in enumerate(readings):
        before = settled.value
        changed = settled.look(reading)
        last = readings[max(0, n - STEADY + 1) : n + 1]
        assert changed == (settled.value is not before)
        if changed:
            assert last == [settled.value] * STEADY
        if len(last) == STEADY and len(set(last)) == 1:
            assert settled.value is last[0]


@given(st.integers(1, STEADY - 1), st.integers(1, 20))
def test_a_spike_shorter_than_the_rest_is_never_told(width: int, gap: int) -> None:
    settled = Debounce()
    steady = [False] * (gap + STEADY)
    for reading in (steady + [True] * width) * 5 + steady:
        settled.look(reading)
        assert settled.value is not True


def test_a_contact_is_told_once_and_not_at_the_start() -> None:
    chip = FakeChip(**{"contact door": True, "mains": True})
    told: list[tuple[str, bool]] = []
    inputs = Inputs(chip, changed=lambda name, value: told.append((name, value)))
    for closed in (True, False, True, False, False, False, False):
        chip.lines["contact door"] = closed
        inputs.look()
    assert told == []
    for _look in range(STEADY):
        inputs.look()
    chip.lines["contact door"] = True
    for _look in range(STEADY + 2):
        inputs.look()

    assert told == [("contact door", True)]


def test_a_broken_chip_makes_everything_unknown_and_comes_back() -> None:
    chip = FakeChip(mains=True)
    inputs = Inputs(chip, changed=lambda *_: None)
    for _look in range(STEADY):
        inputs.look()
    assert inputs.value("mains") is True

    chip.is_broken = True
    inputs.look()
    with pytest.raises(OSError, match="gone"):
        inputs.value("mains")

    chip.is_broken = False
    inputs.look()
    assert inputs.value("mains") is None


def test_lines_in_a_folder_are_read_and_the_relay_falls_at_the_end(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    desk.line(4, 0)
    desk.line(5, 1)
    relay = desk.line(6, 1)
    chip = open_chip(
        desk.chip,
        inputs={"mains": Pin(4, low=True), "contact a": Pin(5)},
        output=Pin(6, low=True),
    )

    assert isinstance(chip, FileChip)
    assert chip.read() == {"mains": True, "contact a": True}
    chip.write(active=True)
    assert relay.read_text() == "0"
    chip.close()
    assert relay.read_text() == "1"


def test_a_line_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoLinesError) as caught:
        open_chip(tmp_path, inputs={"mains": Pin(9)}, output=None)

    assert caught.value.code == "agent.pole_no_line"
    assert caught.value.data == {"line": 9}


def test_without_gpiod_or_its_chip_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(NoLinesError) as caught:
        GpiodChip(tmp_path / "gpiochip0", inputs={"mains": Pin(1)}, output=None)
    assert caught.value.code == "agent.pole_no_chip"

    monkeypatch.setitem(sys.modules, "gpiod", None)
    with pytest.raises(NoLinesError) as caught:
        GpiodChip(tmp_path / "gpiochip0", inputs={"mains": Pin(1)}, output=None)
    assert caught.value.code == "agent.pole_no_gpiod"


class FakeRequest:
    """Lines of libgpiod, as far as we use them."""

    def __init__(self, values: dict[int, Value]) -> None:
        self.values = values
        self.is_released = False

    def get_values(self, lines: list[int]) -> list[Value]:
        return [self.values[line] for line in lines]

    def set_value(self, line: int, value: Value) -> None:
        self.values[line] = value

    def release(self) -> None:
        self.is_released = True


def test_libgpiod_is_asked_for_the_lines_as_they_are_wired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = FakeRequest({17: Value.INACTIVE, 27: Value.ACTIVE})
    asked: dict[str, Any] = {}

    def ask(path: str, *, consumer: str, config: dict[Any, Any]) -> FakeRequest:
        asked.update(path=path, consumer=consumer, config=config)
        return request

    # The real call takes these names.
    assert {"consumer", "config"} <= set(
        inspect.signature(gpiod.request_lines).parameters
    )
    for name in ("get_values", "set_value", "release"):
        assert hasattr(gpiod.LineRequest, name)
    monkeypatch.setattr(gpiod, "request_lines", ask)
    chip = GpiodChip(
        Path("/dev/gpiochip0"),
        inputs={"mains": Pin(27, low=True, pull="up")},
        output=Pin(17),
    )

    assert asked["path"] == "/dev/gpiochip0"
    wanted = asked["config"][27]
    assert wanted.active_low
    assert wanted.bias == gpiod.line.Bias.PULL_UP
    assert asked["config"][17].output_value == Value.INACTIVE
    assert chip.read() == {"mains": True}
    chip.write(active=True)
    assert request.values[17] == Value.ACTIVE
    chip.close()
    assert request.values[17] == Value.INACTIVE
    assert request.is_released


# --- power ---------------------------------------------------------------------------


def test_mains_and_battery_of_the_kernel(tmp_path: Path) -> None:
    for name, what, text in (("ac", "online", "0\n"), ("bat", "capacity", "37\n")):
        path = tmp_path / "sys/class/power_supply" / name
        path.mkdir(parents=True)
        (path / what).write_text(text)
    power = Power(
        PowerWires(mains_supply="ac", battery_supply="bat"), None, root=tmp_path
    )

    assert power.read() == {"mains": False, "battery_percent": 37}


def test_a_battery_by_its_volts(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    wires = PowerWires(battery=Analog(desk.folder / "battery", 0.001))
    desk.volts(battery=11.1)

    assert Power(wires, None).read() == {"battery_percent": 6}


@given(st.floats(-5, 60), st.floats(-5, 60))
def test_more_volts_are_never_less_charge(a: float, b: float) -> None:
    low, high = sorted((a, b))

    lower = percent_of(low, empty=11.0, full=12.7)
    assert 0 <= lower <= percent_of(high, empty=11.0, full=12.7) <= 100


# --- the speaker line ----------------------------------------------------------------


@given(st.sampled_from(["ok", "open", "short"]), st.floats(-1, 6))
def test_a_voltage_beyond_the_margins_is_told_whatever_was_before(
    before: str, volts: float
) -> None:
    wires = LineWires()
    word = word_of(volts, wires, before=before)

    if volts < wires.short_below_v:
        assert word == "short"
    elif volts > wires.open_above_v:
        assert word == "open"
    elif wires.short_below_v + 0.1 <= volts <= wires.open_above_v - 0.1:
        assert word == "ok"


@given(st.sampled_from([0.8, 2.6]), st.lists(st.floats(-0.049, 0.049), max_size=40))
def test_noise_at_a_limit_changes_the_word_once(
    limit: float, noise: list[float]
) -> None:
    words = ["ok"]
    for step in noise:
        words.append(word_of(limit + step, LineWires(), before=words[-1]))

    changes = sum(a != b for a, b in itertools.pairwise(words))
    assert changes <= 1


@pytest.mark.parametrize(
    ("is_open", "is_short", "word"),
    [(False, False, "ok"), (True, False, "open"), (True, True, "short")],
)
def test_contacts_of_a_line_watcher(is_open: bool, is_short: bool, word: str) -> None:
    chip = FakeChip(line_open=is_open, line_short=is_short)
    inputs = Inputs(chip, changed=lambda *_: None)
    line = SpeakerLine(LineWires(open=Pin(1), short=Pin(2)), inputs)
    assert line.read() == {}

    for _look in range(STEADY):
        inputs.look()

    assert line.read() == {"line": word}


# --- modem ---------------------------------------------------------------------------

STATE = {
    "modem": {
        "3gpp": {"operator-name": "Viettel", "registration-state": "home"},
        "generic": {"state": "connected", "state-failed-reason": "--",
                    "unlock-required": "sim-pin2"},
    }
}  # fmt: skip
SIGNAL = {"modem": {"signal": {"lte": {"rsrp": "-97.00", "rssi": "-70"}, "gsm": {}}}}


@pytest.mark.parametrize(
    ("generic", "network", "word"),
    [
        ({"state-failed-reason": "--"}, {"registration-state": "roaming"}, "ok"),
        ({"state-failed-reason": "sim-missing"}, {}, "missing"),
        ({"unlock-required": "sim-pin"}, {}, "locked"),
        ({}, {"registration-state": "denied"}, "refused"),
        ({}, {}, "refused"),
    ],
)
def test_the_sim_as_modemmanager_tells_it(
    generic: dict[str, str], network: dict[str, str], word: str
) -> None:
    found = read_modem({"modem": {"generic": generic, "3gpp": network}}, {})

    assert found == {"sim": word}


def test_a_modem_that_hangs_is_broken_and_old_words_are_forgotten() -> None:
    now = [0.0]
    answers: list[Any] = [STATE, SIGNAL]

    def run(command: Any) -> str:
        assert command[:3] == ["mmcli", "-m", "any"]
        if not answers:
            raise OSError("no modem")
        return json.dumps(answers.pop(0))

    modem = Modem(("mmcli",), monotonic=lambda: now[0], run=run)
    modem.ask()
    assert modem.read() == {"sim": "ok", "operator": "Viettel", "signal_dbm": -97}

    now[0] = 200.0
    assert modem.read() == {}
    modem.ask()
    with pytest.raises(OSError, match="no modem"):
        modem.read()


@given(st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda inner: st.dictionaries(
        st.sampled_from(["modem", "generic", "3gpp", "signal", "lte"]), inner
    ),
    max_leaves=8,
))  # fmt: skip
def test_no_answer_of_a_modem_breaks_the_driver(told: Any) -> None:
    assert read_modem(told, told)["sim"] in {"ok", "missing", "locked", "refused"}


# --- clock ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "keeps"),
    [("1795600010", True), ("1795599000", False), ("35", False), ("x", False)],
)
def test_only_a_battery_clock_that_agrees_keeps_the_time(
    tmp_path: Path, since: str, keeps: bool
) -> None:
    assert not realtime.keeps_time(now=1_795_600_000, root=tmp_path)
    clock = tmp_path / "sys/class/rtc/rtc0"
    clock.mkdir(parents=True)
    (clock / "since_epoch").write_text(since + "\n")

    assert realtime.keeps_time(now=1_795_600_000, root=tmp_path) is keeps


# --- watchdog ------------------------------------------------------------------------


def test_the_watchdog_is_fed_and_let_go_on_purpose(tmp_path: Path) -> None:
    device = tmp_path / "watchdog"
    device.touch()
    dog = Watchdog()
    dog.open(device)

    dog.feed()
    dog.feed()
    dog.close()

    assert device.read_bytes() == b"\0\0V"


def test_a_pulse_that_stands_still_is_dead_after_its_patience() -> None:
    count = [0]
    pulse = Pulse(lambda: count[0], patience_s=20)
    assert pulse.is_alive(100)
    assert pulse.is_alive(120)
    assert not pulse.is_alive(120.1)

    count[0] = 1
    assert pulse.is_alive(130)
