"""Mains and battery: by a contact, by the kernel's supplies, or by volts."""

from collections.abc import Mapping
from pathlib import Path

from nguon.agent.drivers.lines import Inputs
from nguon.agent.drivers.wiring import PowerWires

SUPPLIES = "sys/class/power_supply"


class Power:
    """What feeds the pole."""

    name = "power"

    def __init__(
        self, wires: PowerWires, inputs: Inputs | None, *, root: Path = Path("/")
    ) -> None:
        self._wires = wires
        self._inputs = inputs
        self._root = root

    def read(self) -> Mapping[str, object]:
        """Return `mains` and `battery_percent`. Raises OSError, ValueError."""
        found: dict[str, object] = {}
        mains = self._mains()
        if mains is not None:
            found["mains"] = mains
        percent = self._percent()
        if percent is not None:
            found["battery_percent"] = percent
        return found

    def _mains(self) -> bool | None:
        if self._wires.mains and self._inputs:
            return self._inputs.value("mains")
        if self._wires.mains_supply:
            return self._supply(self._wires.mains_supply, "online") != "0"
        return None

    def _percent(self) -> int | None:
        wires = self._wires
        if wires.battery:
            return percent_of(
                wires.battery.read(), empty=wires.empty_v, full=wires.full_v
            )
        if wires.battery_supply:
            return int(self._supply(wires.battery_supply, "capacity"))
        return None

    def _supply(self, name: str, what: str) -> str:
        path = self._root / SUPPLIES / name / what
        return path.read_text(encoding="ascii").strip()


def percent_of(volts: float, *, empty: float, full: float) -> int:
    """Return how full a battery at rest is by its voltage, 0 to 100."""
    return round(100 * min(1.0, max(0.0, (volts - empty) / (full - empty))))
