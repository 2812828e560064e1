"""`python -m tests.postgresql COMMAND…`: run it with a PostgreSQL of its own.

The cluster lives in a temporary folder, listens on loopback only, is owned by a
user that is not root, and ends with the command. Tests read its address from
NGUON_DATABASE_URL, and from NGUON_TEST_TEMPLATE which database has ready tables.
Without a command only the ready cluster is made, to be copied later.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nguon.demo import template
from nguon.demo.processes import free_port, run_step

SOURCE = Path(__file__).resolve().parents[1] / "src"
TABLES = "nguon_tables"


def environment() -> dict[str, str]:
    """Return the environment in which what tests begin with is made."""
    kept = {n: value for n, value in os.environ.items() if not n.startswith("NGUON_")}
    return kept | {"PYTHONPATH": str(SOURCE), "NGUON_SECRET_KEY": "x" * 50}


def find_program(name: str) -> str:
    """Return the newest PostgreSQL program of this name. Raises FileNotFoundError."""
    found = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        key=lambda path: int(path.parts[4]),
    )
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name}: install the package postgresql.")
    return path


def find_user() -> str | None:
    """Return who runs the cluster: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class Cluster:
    """One cluster in a temporary folder."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nguon-pg-"))
        self.port = free_port()
        self._user = find_user()
        if self._user:
            shutil.chown(self.folder, self._user)
        self._password = ""
        self._host = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "nguon"]
        self._options = f"-c listen_addresses=127.0.0.1 -c port={self.port}"
        self._options += " -c fsync=on" if durable else " -c fsync=off"
        self._options += f" -c unix_socket_directories={self.folder}"
        self._options += " -c max_connections=200"

    @property
    def url(self) -> str:
        """The address of its database `nguon`."""
        return f"postgresql://nguon:{self._password}@127.0.0.1:{self.port}/nguon"

    def make(self) -> None:
        """Make and start it, with an empty database."""
        self._password = secrets.token_hex(16)
        secret = self.folder / "password"
        secret.write_text(self._password)
        if self._user:
            shutil.chown(secret, self._user)
        init = ["initdb", "-D", str(self.folder / "data"), "-U", "nguon", "-E", "UTF8"]
        init += ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}"]
        self._run(*init)
        self._control("-o", self._options, "start")
        self._run("createdb", *self._host, "nguon")

    def make_ready(self) -> None:
        """Make it with the tables and both maps; `nguon_tables` has tables alone."""
        self.make()
        environ = environment() | {
            "NGUON_DATABASE_URL": self.url,
            "NGUON_DATA_DIR": str(self.folder / "work"),
        }
        for step in (["migrate", "--verbosity", "0"], ["load_territory"]):
            command = [sys.executable, "-m", "nguon.web", *step]
            run_step(step[0], command, environ, self.folder / "work" / "log")
            if step[0] == "migrate":
                self._run("createdb", *self._host, "--template=nguon", TABLES)

    def keep(self, kept: Path) -> None:
        """End it in order, and keep it for others to begin with."""
        self.stop("fast")
        shutil.rmtree(part := kept.with_suffix(".part"), ignore_errors=True)
        part.mkdir(mode=0o700)
        for name in ("password", "data"):
            subprocess.run(["cp", "-a", self.folder / name, part], check=True)
        part.rename(kept)

    def begin_with(self, kept: Path) -> None:
        """Start as a copy of what another one kept."""
        subprocess.run(["cp", "-a", f"{kept}/.", self.folder], check=True)
        self.folder.chmod(0o700)
        if self._user:
            shutil.chown(self.folder, self._user)
        self._password = (self.folder / "password").read_text()
        self._control("-o", self._options, "start")

    def stop(self, how: str = "immediate") -> None:
        """End it."""
        self._control("-m", how, "stop")

    def _control(self, *arguments: str) -> None:
        data, log = self.folder / "data", self.folder / "log"
        self._run("pg_ctl", "-D", str(data), "-w", "-l", str(log), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        user = self._user
        as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid} if user else {}
        subprocess.run(
            [find_program(program), *arguments],
            check=True,
            cwd=self.folder,
            env={**os.environ, "PGPASSWORD": self._password},
            stdout=subprocess.DEVNULL,
            **as_user,  # type: ignore[call-overload]
        )


@contextlib.contextmanager
def hold_cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Yield a cluster that is to be started; end and remove it afterwards."""
    cluster = Cluster(durable=durable)
    try:
        yield cluster
    finally:
        if (cluster.folder / "data" / "postmaster.pid").exists():
            cluster.stop()
        shutil.rmtree(cluster.folder, ignore_errors=True)


@contextlib.contextmanager
def run_cluster(*, durable: bool = False) -> Iterator[str]:
    """Yield the address of an empty database `nguon`; remove all of it afterwards.

    Only a durable one waits for the disk at each commit, as one in service does.
    """
    with hold_cluster(durable=durable) as cluster:
        cluster.make()
        yield cluster.url


@contextlib.contextmanager
def run_ready_cluster() -> Iterator[str]:
    """Yield the address of a database with today's tables and both maps."""
    with hold_cluster() as cluster:
        with template.hold("postgresql") as kept:
            if kept is None:
                cluster.make_ready()
            else:
                if not kept.exists():
                    with hold_cluster() as first:
                        first.make_ready()
                        first.keep(kept)
                    template.forget_old(kept, "postgresql")
                cluster.begin_with(kept)
        yield cluster.url


def main() -> int:
    """Run the command of the arguments with NGUON_DATABASE_URL set."""
    with run_ready_cluster() as url:
        environ = {"NGUON_DATABASE_URL": url, "NGUON_TEST_TEMPLATE": TABLES}
        command = sys.argv[1:] or ["true"]
        return subprocess.run(
            command, env={**os.environ, **environ}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
