"""A ready database with both maps of the country, kept beside the environment.

Loading 24,000 units takes some seconds; the copy is named by the hash of what makes
it (migrations, loader, lists), so it is never older than the code.
"""

import fcntl
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from nguon.demo.processes import run_step

ROOMS = Path(__file__).resolve().parents[1]


def fingerprint() -> str:
    """Return the hash of everything that decides what the template holds."""
    digest = hashlib.sha256(sys.version.encode())
    files = [*ROOMS.glob("*/migrations/*.py"), *ROOMS.glob("*/guards.py")]
    files += [path for path in (ROOMS / "territory").rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOMS).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def copy_to(database: Path, env: Mapping[str, str]) -> None:
    """Copy the template to a place where no database is yet; make it when needed.

    Without a writable cache nothing is copied and the caller loads as usual.
    """
    if database.exists():
        return
    cache = Path(sys.prefix) / "nguon-cache"
    kept = cache / f"territory-{fingerprint()}.sqlite3"
    try:
        cache.mkdir(exist_ok=True)
        lock = (cache / "territory.lock").open("w")
    except OSError:
        return
    # Several stacks may start at once: one makes it, and none copies what just goes.
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _make(kept, env)
        shutil.copyfile(kept, database)


def _make(kept: Path, env: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "nguon.sqlite3"
        there = {**env, "NGUON_DATA_DIR": folder}
        for step in (["migrate", "--verbosity", "0"], ["load_territory"]):
            command = [sys.executable, "-m", "nguon.web", *step]
            run_step(step[0], command, there, Path(folder) / "log")
        with closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for old in kept.parent.glob("territory-*.sqlite3"):
            old.unlink(missing_ok=True)
        made.replace(kept)
