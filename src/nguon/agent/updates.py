"""Taking another program: fetched, proven, tried, and told of at each step.

The device converges on the newest `update` it holds. Nothing is fetched or changed
while something sounds or begins within minutes, outside the hours named, or without a
trusted clock. What cannot be done is told with its cause, once, and left at that: the
server then decides. Whatever happens here, the program that runs goes on.
"""

import asyncio
import errno
import logging
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.media import MediaBrokenError, MediaShelf
from nguon.agent.programs import BASE, Programs, Trial
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.store import Store
from nguon.core import updates
from nguon.core.errors import DomainError
from nguon.core.updates import Update

log = logging.getLogger(__name__)

# Nothing may begin to sound so soon after a change over.
CLEAR_MS = 5 * 60_000
LOOK_S = 30.0
CHECK_S = 60.0
# A file whose bytes are wrong this often is wrong at its source.
MAX_BROKEN = 3
# So many times the archive must be free: packed, unpacked, and to live on.
_ROOM = 8
_ROOM_BYTES = 20 * 1024 * 1024

Installer = Callable[[Path, Update], str]


class RefusedUpdateError(DomainError):
    """An update cannot be taken; `code` is the cause that the server is told."""


class Updater:
    """Brings this device to the program that its newest update names."""

    def __init__(
        self,
        *,
        programs: Programs,
        store: Store,
        clock: Clock,
        server: Server,
        holdings: Holdings,
        running: str,
        base: str,
        is_kept: bool,
        occupied: Callable[[int], str],
        proves: Callable[[], bool],
        restart: Callable[[], None],
        told: Callable[[], None],
        installers: Mapping[str, Installer] | None = None,
    ) -> None:
        """Take what the station lends.

        `running` and `base` are versions; `is_kept` says that a keeper would start
        another program; `occupied` what sounds within so many ms; `proves` that this
        program is connected and heard. `installers` put firmware on other makes.
        """
        self._programs = programs
        self._store = store
        self._clock = clock
        self._server = server
        self._holdings = holdings
        self._running = running
        self._base = base
        self._is_kept = is_kept
        self._occupied = occupied
        self._proves = proves
        self._restart = restart
        self._told = told
        self._installers = installers or {}
        self._shelf = MediaShelf(programs.downloads)
        self._broken = 0

    async def turn(self) -> float:
        """Do the next step; return in how many seconds to look again."""
        self._tell_failure()
        trial = self._programs.trial()
        if trial is not None:
            return self._prove(trial)
        update = self._holdings.update
        if update is None or self._store.fact("update.done") == update.document:
            return LOOK_S
        try:
            return await self._follow(update)
        except RefusedUpdateError as error:
            log.warning("the update to %s is refused: %s", update.version, error.code)
            self._end(update, updates.FAILED, cause=error.code)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            self._end(update, updates.FAILED, cause="disk_full")
        return LOOK_S

    def _tell_failure(self) -> None:
        """Tell why a trial ended badly: told twice after a crash, never not at all."""
        failed = self._programs.failure()
        if failed is None or self._programs.trial() is not None:
            return
        self._tell(failed.document, updates.FAILED, failed.version, failed.cause)
        self._store.remember(**{"update.done": failed.document})
        self._programs.forget_failure()

    def _prove(self, trial: Trial) -> float:
        """End the trial when this program is connected, heard, and whole."""
        if not self._proves():
            return 0.5
        self._tell(trial.document, updates.PROVEN, trial.version)
        self._store.remember(**{"update.done": trial.document})
        self._programs.prove()
        log.info("this program, %s, has proven itself", trial.version)
        return LOOK_S

    async def _follow(self, update: Update) -> float:
        """Go as far as is possible now. Raises RefusedUpdateError."""
        if update.kind == updates.AGENT and update.version == self._running:
            self._end(update, updates.PROVEN)
            return LOOK_S
        cause = updates.objection(update, running=self._running_of(update))
        if cause:
            raise RefusedUpdateError(cause)
        if update.kind == updates.AGENT and not self._is_kept:
            raise RefusedUpdateError("no_keeper")
        if update.kind == updates.FIRMWARE and update.make not in self._installers:
            raise RefusedUpdateError("not_supported")
        if self._must_wait(update):
            return LOOK_S
        if not update.sha256:
            return self._go_back(update)
        self._check_room(update)
        self._tell_once(update, updates.DOWNLOADING)
        if not await self._fetch(update):
            return 2.0
        if update.kind == updates.FIRMWARE:
            return await self._install_firmware(update)
        return await self._install(update)

    def _running_of(self, update: Update) -> str:
        return self._running if update.kind == updates.AGENT else "0.0"

    def _must_wait(self, update: Update) -> bool:
        at = self._clock.now()
        if not self._clock.trusted or not update.allows(at):
            return True
        return self._holdings.update != update or bool(self._occupied(CLEAR_MS))

    def _check_room(self, update: Update) -> None:
        free = shutil.disk_usage(self._programs.folder).free
        if free < update.size * _ROOM + _ROOM_BYTES:
            raise RefusedUpdateError("disk_full")

    async def _fetch(self, update: Update) -> bool:
        """Fetch the file as long as nothing sounds; say whether it is here."""
        waits = threading.Event()
        work = asyncio.create_task(
            asyncio.to_thread(
                self._shelf.fetch,
                self._server,
                sha256=update.sha256,
                size=update.size,
                goes_on=lambda: not waits.is_set(),
            )
        )
        try:
            while not work.done():
                await asyncio.wait([work], timeout=0.5)
                if self._must_wait(update):
                    waits.set()
            await work
        except MediaBrokenError as error:
            if error.code == "agent.media_wrong_hash":
                self._broken += 1
                if self._broken >= MAX_BROKEN:
                    self._broken = 0
                    raise RefusedUpdateError("wrong_hash") from error
            return False
        except ServerRefusedError as error:
            if error.status in {404, 410, 416}:
                raise RefusedUpdateError("no_file") from error
            return False
        except ServerUnreachableError:
            return False
        finally:
            waits.set()
        return not self._must_wait(update)

    async def _install(self, update: Update) -> float:
        """Unpack, try out beside the running program, and change over."""
        await asyncio.to_thread(self._unpack, update)
        if not await asyncio.to_thread(self._checks, update.version):
            raise RefusedUpdateError("self_check")
        if self._must_wait(update):
            return LOOK_S
        self._shelf.drop(update.sha256)
        self._change_over(update, update.version)
        return LOOK_S

    def _unpack(self, update: Update) -> None:
        """Unpack the archive into its place. Raises RefusedUpdateError, OSError."""
        try:
            data = self._shelf.load(update.sha256)
            version = updates.check_archive(data)
        except MediaBrokenError as error:
            raise RefusedUpdateError("wrong_hash") from error
        except updates.UnusableArchiveError as error:
            raise RefusedUpdateError("unusable") from error
        if version != update.version:
            raise RefusedUpdateError("wrong_version")
        fresh = self._programs.folder / "unpacked"
        shutil.rmtree(fresh, ignore_errors=True)
        with zipfile.ZipFile(self._shelf.path(update.sha256)) as archive:
            updates.check_names(archive)
            archive.extractall(fresh)
        for path in [path for path in fresh.rglob("*") if path.is_file()]:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        self._programs.place(fresh, version)

    def _checks(self, version: str) -> bool:
        """Have the new program look at itself, while this one goes on."""
        folder = self._programs.releases / version
        try:
            done = subprocess.run(  # noqa: S603  (a verified program)
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "nguon.agent",
                    "check",
                    "--version",
                    version,
                ],
                env={**os.environ, "PYTHONPATH": f"{folder}"},
                cwd=folder,
                check=False,
                timeout=CHECK_S,
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )
        except (OSError, subprocess.TimeoutExpired):
            log.exception("the new program could not look at itself")
            return False
        if done.returncode:
            log.warning("self-check: %s", done.stderr[-500:].decode(errors="replace"))
        return done.returncode == 0

    def _go_back(self, update: Update) -> float:
        """Change over to a program that is still here. Raises RefusedUpdateError."""
        if update.version == self._base:
            self._change_over(update, BASE)
        elif self._programs.holds(update.version):
            self._change_over(update, update.version)
        else:
            raise RefusedUpdateError("former_gone")
        return LOOK_S

    def _change_over(self, update: Update, version: str) -> None:
        """Put a program on trial and end, so that the keeper starts it."""
        former = self._programs.current
        self._tell_once(update, updates.INSTALLED)
        self._programs.begin(Trial(update.document, version, former))
        self._programs.settle()
        self._restart()

    async def _install_firmware(self, update: Update) -> float:
        """Let the driver of this make install the file; it says why not."""
        path = self._shelf.path(update.sha256)
        cause = await asyncio.to_thread(self._installers[update.make], path, update)
        if cause:
            raise RefusedUpdateError(cause)
        self._shelf.drop(update.sha256)
        self._end(update, updates.PROVEN)
        return LOOK_S

    # --- what is told --------------------------------------------------------------

    def _end(self, update: Update, state: str, cause: str = "") -> None:
        self._tell(update.document, state, update.version, cause)
        self._store.remember(**{"update.done": update.document})

    def _tell_once(self, update: Update, state: str) -> None:
        mark = f"{update.document} {state}"
        if self._store.fact("update.told") != mark:
            self._tell(update.document, state, update.version)
            self._store.remember(**{"update.told": mark})

    def _tell(self, document: str, state: str, version: str, cause: str = "") -> None:
        data = {"document": document, "state": state, "version": version}
        if cause:
            data["cause"] = cause
        self._store.tell("update", at=self._clock.now(), **data)
        self._told()
