"""The speaker line: whole, open or short.

By two contacts of a line watcher, or by the voltage over a resistor at the far end of
the line (as fire alarms do, EN 54-4): a cut line lets it rise, a short pulls it down.
"""

from collections.abc import Mapping

from nguon.agent.drivers.lines import Inputs
from nguon.agent.drivers.wiring import LineWires
from nguon.core import beats


class SpeakerLine:
    """Watches one line; the word changes back only beyond a margin."""

    name = "line"

    def __init__(self, wires: LineWires, inputs: Inputs | None) -> None:
        self._wires = wires
        self._inputs = inputs
        self._word = beats.OK

    def read(self) -> Mapping[str, object]:
        """Return `line`. Raises OSError, ValueError."""
        wires = self._wires
        if wires.volts:
            self._word = word_of(wires.volts.read(), wires, before=self._word)
            return {"line": self._word}
        if self._inputs is None or not (wires.open or wires.short):
            return {}
        broken = self._inputs.value("line_open") if wires.open else False
        short = self._inputs.value("line_short") if wires.short else False
        if short:
            return {"line": beats.SHORT}
        if broken:
            return {"line": beats.OPEN}
        # One contact that has not settled yet: not known, never "all right".
        return {} if None in {broken, short} else {"line": beats.OK}


def word_of(volts: float, wires: LineWires, *, before: str) -> str:
    """Return what a voltage says, given what the last one said."""
    short, broken = wires.short_below_v, wires.open_above_v
    if before == beats.SHORT:
        short += wires.margin_v
    if before == beats.OPEN:
        broken -= wires.margin_v
    if volts < short:
        return beats.SHORT
    return beats.OPEN if volts > broken else beats.OK
