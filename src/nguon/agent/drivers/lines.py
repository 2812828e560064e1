"""Digital lines: read twenty times a second, told when they have settled.

Through gpiod where the chip is a device (`/dev/gpiochip0`); through files where it is
a folder (`/sys/class/gpio`), for boards with an older kernel or without the library.
The agent runs without gpiod as long as no device is named.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from nguon.agent.drivers.wiring import Pin
from nguon.core.errors import DomainError

log = logging.getLogger(__name__)

POLL_S = 0.05
# A contact that bounces, or a spike on a long wire, is shorter than this many looks.
STEADY = 3
CONSUMER = "nguon"


class NoLinesError(DomainError):
    """The chip or one of its lines cannot be had."""


class Chip(Protocol):
    """Lines by name; True is what the wiring calls active."""

    def read(self) -> Mapping[str, bool]:
        """Return all inputs. Raises OSError."""

    def write(self, *, active: bool) -> None:
        """Set the one output. Raises OSError."""

    def close(self) -> None:
        """Let the lines go; the output falls to inactive."""


class FileChip:
    """Lines as files: `<folder>/gpio17/value` holds 0 or 1 (Linux gpio sysfs)."""

    def __init__(
        self, folder: Path, *, inputs: Mapping[str, Pin], output: Pin | None
    ) -> None:
        self._folder = folder
        self._inputs = dict(inputs)
        self._output = output
        for pin in inputs.values():
            self._prepare(pin, "in")
        if output:
            # "high" and "low" set direction and first value in one step, so that
            # a relay does not click at the start.
            self._prepare(output, "high" if output.low else "low")
            # A program that was killed may have left it on.
            self.write(active=False)

    def _prepare(self, pin: Pin, direction: str) -> None:
        line = self._folder / f"gpio{pin.line}"
        try:
            if not line.exists():
                (self._folder / "export").write_text(str(pin.line), encoding="ascii")
            if (line / "direction").exists():
                (line / "direction").write_text(direction, encoding="ascii")
        except OSError as error:
            raise NoLinesError("agent.pole_no_line", line=pin.line) from error
        if not line.exists():
            raise NoLinesError("agent.pole_no_line", line=pin.line)

    def read(self) -> Mapping[str, bool]:
        """Return all inputs. Raises OSError, ValueError."""
        return {name: self._value(pin) for name, pin in self._inputs.items()}

    def _value(self, pin: Pin) -> bool:
        path = self._folder / f"gpio{pin.line}" / "value"
        return (int(path.read_text(encoding="ascii")) != 0) is not pin.low

    def write(self, *, active: bool) -> None:
        """Set the output. Raises OSError."""
        if self._output:
            path = self._folder / f"gpio{self._output.line}" / "value"
            path.write_text(str(int(active is not self._output.low)), encoding="ascii")

    def close(self) -> None:
        """Let the output fall to inactive."""
        self.write(active=False)


class GpiodChip:
    """Lines of a character device, by libgpiod 2."""

    def __init__(
        self, device: Path, *, inputs: Mapping[str, Pin], output: Pin | None
    ) -> None:
        try:
            import gpiod
            from gpiod.line import Bias, Direction, Value
        except ImportError as error:
            raise NoLinesError("agent.pole_no_gpiod") from error
        biases = {"": Bias.AS_IS, "up": Bias.PULL_UP, "down": Bias.PULL_DOWN}
        self._active, self._inactive = Value.ACTIVE, Value.INACTIVE
        self._inputs, self._output = dict(inputs), output
        config: dict[Any, Any] = {
            pin.line: gpiod.LineSettings(
                direction=Direction.INPUT, active_low=pin.low, bias=biases[pin.pull]
            )
            for pin in inputs.values()
        }
        if output:
            config[output.line] = gpiod.LineSettings(
                direction=Direction.OUTPUT,
                active_low=output.low,
                output_value=Value.INACTIVE,
            )
        try:
            self._request = gpiod.request_lines(
                str(device), consumer=CONSUMER, config=config
            )
        except (OSError, ValueError) as error:
            raise NoLinesError(
                "agent.pole_no_chip", chip=str(device), why=str(error)
            ) from error

    def read(self) -> Mapping[str, bool]:
        """Return all inputs. Raises OSError."""
        lines = [pin.line for pin in self._inputs.values()]
        values = self._request.get_values(lines) if lines else []
        return {
            name: value == self._active
            for name, value in zip(self._inputs, values, strict=True)
        }

    def write(self, *, active: bool) -> None:
        """Set the output. Raises OSError."""
        if self._output:
            value = self._active if active else self._inactive
            self._request.set_value(self._output.line, value)

    def close(self) -> None:
        """Let the output fall to inactive, and the lines go."""
        self.write(active=False)
        self._request.release()


def open_chip(
    chip: Path, *, inputs: Mapping[str, Pin], output: Pin | None
) -> Chip | None:
    """Return the chip, or None where nothing is wired to it. Raises NoLinesError."""
    if not inputs and output is None:
        return None
    kind = FileChip if chip.is_dir() else GpiodChip
    return kind(chip, inputs=inputs, output=output)


class Debounce:
    """Believes a value that was the same in `STEADY` looks; before that the old one."""

    def __init__(self, times: int = STEADY) -> None:
        self._times = times
        self._seen: bool | None = None
        self._count = 0
        self.value: bool | None = None

    def look(self, value: bool) -> bool:  # noqa: FBT001  (a reading)
        """Take a reading; say whether what is believed changed with it."""
        self._count = self._count + 1 if value is self._seen else 1
        self._seen = value
        if self._count < self._times or value is self.value:
            return False
        self.value = value
        return True


class Inputs:
    """All inputs of the pole, settled; `changed` is called from its thread."""

    def __init__(self, chip: Chip, *, changed: Callable[[str, bool], None]) -> None:
        self._chip = chip
        self._changed = changed
        self._settled: dict[str, Debounce] = {}
        self._error: Exception | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def value(self, name: str) -> bool | None:
        """Return what an input says; None before it has settled. Raises OSError."""
        if self._error:
            raise OSError(str(self._error))
        settled = self._settled.get(name)
        return settled.value if settled else None

    def look(self) -> None:
        """Read all lines once."""
        try:
            found = self._chip.read()
        except (OSError, ValueError) as error:
            # What was believed is not known any more.
            self._error, self._settled = error, {}
            return
        self._error = None
        for name, value in found.items():
            settled = self._settled.setdefault(name, Debounce())
            was = settled.value
            if settled.look(value) and was is not None:
                self._changed(name, value)

    def _run(self) -> None:
        while not self._ending.wait(POLL_S):
            self.look()
