"""The 4G modem, as ModemManager tells it: SIM, operator, signal.

`mmcli` takes a tenth of a second, and more when a modem hangs: it is asked in a thread
of its own, and what it said last counts for two minutes.
"""

import json
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nguon.core import beats

log = logging.getLogger(__name__)

ASK_S, STALE_S, PATIENCE_S = 30.0, 120.0, 10.0
_REGISTERED = {"home", "roaming"}
_UNLOCKED = {"", "--", "none", "sim-pin2", "sim-puk2"}

Run = Callable[[Sequence[str]], str]


class Modem:
    """Asks ModemManager twice a minute."""

    name = "modem"

    def __init__(
        self,
        program: Sequence[str],
        *,
        monotonic: Callable[[], float],
        run: Run | None = None,
    ) -> None:
        self._program = tuple(program)
        self._monotonic = monotonic
        self._run = run or run_program
        self._found: Mapping[str, object] = {}
        self._asked = -STALE_S
        self._error: Exception | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="modem", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def close(self) -> None:
        """Stop asking; a question on its way ends by itself."""
        self._ending.set()

    def read(self) -> Mapping[str, object]:
        """Return `sim`, `operator`, `signal_dbm`. Raises OSError when it is silent."""
        if self._error:
            raise OSError(str(self._error))
        fresh = self._monotonic() - self._asked < STALE_S
        return self._found if fresh else {}

    def ask(self) -> None:
        """Ask once."""
        try:
            state = json.loads(self._run([*self._program, "-m", "any", "-J"]))
            signal = json.loads(
                self._run([*self._program, "-m", "any", "--signal-get", "-J"])
            )
            self._found, self._error = read_modem(state, signal), None
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            self._error = error
        self._asked = self._monotonic()

    def _loop(self) -> None:
        self._prepare()
        while not self._ending.is_set():
            self.ask()
            self._ending.wait(ASK_S)

    def _prepare(self) -> None:
        """Have ModemManager measure: it does so only when it was told how often."""
        try:
            rate = f"--signal-setup={ASK_S:.0f}"
            self._run([*self._program, "-m", "any", rate])
        except (OSError, subprocess.SubprocessError) as error:
            log.info("modem: no measuring of the signal: %s", error)


def run_program(command: Sequence[str]) -> str:
    """Return what a program writes. Raises OSError, SubprocessError."""
    done = subprocess.run(  # noqa: S603  (the owner's own configuration)
        list(command), capture_output=True, check=True, timeout=PATIENCE_S, text=True
    )
    return done.stdout


def read_modem(state: Any, signal: Any) -> dict[str, object]:
    """Return the fields of a beat in two answers of `mmcli -J`; odd ones are left out.

    Source: `mmcli(1)` and the ModemManager D-Bus interface, `MMModemState`,
    `MMModemLock`, `MMModem3gppRegistrationState`.
    """
    modem = _table(state, "modem")
    generic, network = _table(modem, "generic"), _table(modem, "3gpp")
    failed = _word(generic, "state-failed-reason")
    found: dict[str, object] = {}
    if failed == "sim-missing":
        found["sim"] = beats.SIM_MISSING
    elif _word(generic, "unlock-required") not in _UNLOCKED:
        found["sim"] = beats.SIM_LOCKED
    elif _word(network, "registration-state") in _REGISTERED:
        found["sim"] = beats.OK
    else:
        found["sim"] = beats.SIM_REFUSED
    operator = _word(network, "operator-name")
    if operator:
        found["operator"] = operator[:40]
    technologies = _table(_table(signal, "modem"), "signal")
    for name in ("5g", "lte", "umts", "gsm"):
        table = _table(technologies, name)
        level = _word(table, "rsrp") or _word(table, "rscp") or _word(table, "rssi")
        if level:
            found["signal_dbm"] = round(float(level))
            break
    return found


def _table(told: Any, name: str) -> Mapping[str, Any]:
    table = told.get(name) if isinstance(told, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def _word(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    return "" if value in (None, "--") else str(value)
