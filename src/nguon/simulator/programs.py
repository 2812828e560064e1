"""How virtual devices change their program: every step is told, nothing is installed.

The document is verified as any other, and refused for the same reasons as on a real
device. The fault `update` makes the new program fail its trial.
"""

import asyncio
from collections.abc import Callable

from nguon.core import updates
from nguon.core.pauses import jitter
from nguon.core.updates import Update
from nguon.simulator.device import Device

FAULT = "update"
WAIT_S = 30.0
# Download, start and proof each take about so long.
_STEP_S = (0.5, 3.0)


class Programs:
    """Follows the updates of all devices of one process.

    `at` tells the time (ms), `faults` what is wrong with a device, `restart` ends its
    connection, `changed` says that it has something to tell.
    """

    def __init__(
        self,
        *,
        at: Callable[[], int],
        faults: Callable[[Device], set[str]],
        restart: Callable[[Device], None],
        changed: Callable[[Device], None],
    ) -> None:
        self._at = at
        self._faults = faults
        self._restart = restart
        self._changed = changed

    def follow(self, device: Device, update: Update) -> None:
        """Begin to bring a device to a program, unless a newer word has come."""
        held = device.update
        if held is None or held.subject != update:
            return
        if update.kind == updates.AGENT and update.version == device.version:
            self._tell(device, update, updates.PROVEN)
            return
        cause = updates.objection(update, running=device.version)
        if not cause and update.kind != updates.AGENT:
            cause = "not_supported"
        if cause:
            self._tell(device, update, updates.FAILED, cause)
        elif not update.allows(self._at()) or device.playing is not None:
            self._later(WAIT_S, self.follow, device, update)
        else:
            self._tell(device, update, updates.DOWNLOADING)
            self._later(jitter(*_STEP_S), self._install, device, update)

    def _install(self, device: Device, update: Update) -> None:
        self._tell(device, update, updates.INSTALLED)
        self._later(jitter(*_STEP_S), self._prove, device, update)

    def _prove(self, device: Device, update: Update) -> None:
        """Come back with the new program, or on the former one."""
        if FAULT in self._faults(device):
            self._tell(device, update, updates.FAILED, "not_proven")
            return
        device.version = update.version
        self._tell(device, update, updates.PROVEN)
        self._restart(device)

    def _tell(
        self, device: Device, update: Update, state: str, cause: str = ""
    ) -> None:
        data = {"document": update.document, "state": state, "version": update.version}
        if cause:
            data["cause"] = cause
        device.tell("update", at=self._at(), data=data)
        self._changed(device)

    def _later(
        self,
        seconds: float,
        do: Callable[[Device, Update], None],
        device: Device,
        update: Update,
    ) -> None:
        asyncio.get_running_loop().call_later(seconds, do, device, update)
