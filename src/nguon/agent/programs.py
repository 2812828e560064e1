"""The programs on a device's disk: which one runs, which one is on trial.

`releases/<version>` holds sources, the link `current` says which are run; without it
the program that was installed with the device (the base) runs. A change over is a
row of steps, each of which is whole or not done, and `settle` finishes the row after a
`kill -9` between any two. Only the standard library is used here: the keeper, which
outlives all programs, must stay small.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nguon.agent.files import sync_folder, write_whole

BASE = ""


@dataclass(frozen=True)
class Trial:
    """A program that must prove itself; `former` is run again when it does not."""

    document: str
    version: str
    former: str
    tries: int = 0


@dataclass(frozen=True)
class Failure:
    """A trial that ended badly, until the device has told of it."""

    document: str
    version: str
    cause: str


class Programs:
    """The folder of programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.releases = folder / "releases"
        self.downloads = folder / "downloads"
        self._link = folder / "current"
        self._trial = folder / "trial.json"
        self._failed = folder / "failed.json"
        self.releases.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def current(self) -> str:
        """The version that is run; empty: the base."""
        try:
            version = self._link.readlink().name
        except OSError:
            return BASE
        # A link to what is not there (a disk that was mended) must not stop the device.
        return version if self.holds(version) else BASE

    def path(self) -> Path | None:
        """Return the folder of sources to be run, None for the base."""
        version = self.current
        return self.releases / version if version else None

    def holds(self, version: str) -> bool:
        """Say whether the sources of a version are here, whole."""
        return bool(version) and (self.releases / version / "nguon").is_dir()

    def trial(self) -> Trial | None:
        """Return the trial under way."""
        found = _read(self._trial)
        return Trial(**found) if found else None

    def failure(self) -> Failure | None:
        """Return the trial that ended badly and has not been told yet."""
        found = _read(self._failed)
        return Failure(**found) if found else None

    # --- the steps -----------------------------------------------------------------

    def place(self, fresh: Path, version: str) -> None:
        """Move unpacked sources to where they are run from."""
        target = self.releases / version
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
        sync_folder(self.releases)

    def begin(self, trial: Trial) -> None:
        """Put a program on trial; from here on only `prove` or `fall_back` end it."""
        self._failed.unlink(missing_ok=True)
        write_whole(self._trial, json.dumps(asdict(trial)))

    def settle(self) -> None:
        """Finish what was begun: after each start, whatever happened before."""
        trial, failed = self.trial(), self.failure()
        if trial is None:
            return
        if failed is not None and failed.document == trial.document:
            self.fall_back(failed.cause)
        elif self.current != trial.version:
            self._point(trial.version)

    def count_try(self) -> int:
        """Note that the program on trial is started; return how often it was."""
        trial = self.trial()
        if trial is None:
            return 0
        tries = trial.tries + 1
        write_whole(self._trial, json.dumps({**asdict(trial), "tries": tries}))
        return tries

    def prove(self) -> None:
        """End the trial well; of the others only the former program is kept."""
        trial = self.trial()
        if trial is None:
            return
        self._trial.unlink()
        sync_folder(self.folder)
        for path in self.releases.iterdir():
            if path.name not in {trial.version, trial.former}:
                shutil.rmtree(path, ignore_errors=True)

    def fall_back(self, cause: str) -> None:
        """End the trial badly: the former program is run again, and tells why."""
        trial = self.trial()
        if trial is None:
            return
        failed = Failure(trial.document, trial.version, cause)
        write_whole(self._failed, json.dumps(asdict(failed)))
        self._point(trial.former)
        self._trial.unlink()
        sync_folder(self.folder)

    def forget_failure(self) -> None:
        """Drop the note of a failure, once it has been told."""
        self._failed.unlink(missing_ok=True)

    def _point(self, version: str) -> None:
        """Have `current` name a version in one step; the base has no link."""
        if not version:
            self._link.unlink(missing_ok=True)
        else:
            fresh = self.folder / "current.new"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(Path("releases") / version)
            fresh.replace(self._link)
        sync_folder(self.folder)


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a note says; one that cannot be read is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
