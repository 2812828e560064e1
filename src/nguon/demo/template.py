"""Ready databases, kept beside the environment: empty tables, or both maps in them.

Migrating takes half a minute and loading 24,000 units some seconds more. A copy is
named by the hash of what makes it (migrations, loader, lists), so it is never older
than the code.
"""

import fcntl
import hashlib
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from nguon.demo.processes import run_step

ROOMS = Path(__file__).resolve().parents[1]
TABLES, TERRITORY = "tables", "territory"
MOST_KEPT = 4


def fingerprint() -> str:
    """Return the hash of everything that decides what a template holds."""
    digest = hashlib.sha256(sys.version.encode())
    files = [*ROOMS.glob("*/migrations/*.py"), *ROOMS.glob("*/guards.py")]
    files += [path for path in (ROOMS / "territory").rglob("*") if path.is_file()]
    for path in sorted(files):
        if "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOMS).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@contextmanager
def hold(kind: str) -> Iterator[Path | None]:
    """Yield where a kind of template is kept, made or not yet; None: nowhere.

    Several may start at once: one makes it, and none copies what just goes.
    """
    cache = Path(sys.prefix) / "nguon-cache"
    try:
        cache.mkdir(exist_ok=True)
        lock = (cache / f"{kind}.lock").open("w")
    except OSError:
        yield None
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache / f"{kind}-{fingerprint()}"


def forget_old(kept: Path, kind: str) -> None:
    """Remove all but the newest of a kind; several checkouts share one environment."""
    found = sorted(kept.parent.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
    for old in found[:-MOST_KEPT]:
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()


def copy_to(database: Path, env: Mapping[str, str], kind: str = TERRITORY) -> None:
    """Copy a template to a place where no database is yet; make it when needed.

    Without a writable cache nothing is copied and the caller loads as usual.
    """
    if database.exists():
        return
    with hold(kind) as kept:
        if kept is None:
            return
        if not kept.exists():
            _make(kept, env, kind)
        shutil.copyfile(kept, database)


def _make(kept: Path, env: Mapping[str, str], kind: str) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        made = Path(folder) / "nguon.sqlite3"
        there = {**env, "NGUON_DATA_DIR": folder}
        step = ["migrate", "--verbosity", "0"]
        if kind == TERRITORY:
            copy_to(made, env, TABLES)
            step = ["load_territory"]
        command = [sys.executable, "-m", "nguon.web", *step]
        run_step(step[0], command, there, Path(folder) / "log")
        with closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        made.replace(kept)
    forget_old(kept, kind)
