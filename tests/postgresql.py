"""`python -m tests.postgresql COMMAND…`: run it with a PostgreSQL of its own.

The cluster lives in a temporary folder, listens on loopback only, is owned by a
user that is not root, and ends with the command. Tests read its address from
NGUON_DATABASE_URL.
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

from nguon.demo.processes import free_port


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


@contextlib.contextmanager
def run_cluster(*, durable: bool = False) -> Iterator[str]:
    """Yield the address of an empty database `nguon`; remove all of it afterwards.

    Only a durable one waits for the disk at each commit, as one in service does.
    """
    user = find_user()
    folder = Path(tempfile.mkdtemp(prefix="nguon-pg-"))
    password = secrets.token_hex(16)
    secret = folder / "password"
    secret.write_text(password)
    if user:
        shutil.chown(folder, user)
        shutil.chown(secret, user)
    port = free_port()
    data = folder / "data"
    start = [find_program("initdb"), "-D", str(data), "-U", "nguon", "-E", "UTF8"]
    start += ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}"]
    options = f"-c listen_addresses=127.0.0.1 -c port={port}"
    options += " -c fsync=on" if durable else " -c fsync=off"
    options += f" -c unix_socket_directories={folder} -c max_connections=200"
    control = [find_program("pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid} if user else {}
    environ = {**os.environ, "PGPASSWORD": password}

    def run(command: list[str]) -> None:
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            **as_user,  # type: ignore[call-overload]
        )

    run(start)
    run([*control, "-o", options, "start"])
    try:
        host = ["-h", "127.0.0.1", "-p", str(port), "-U", "nguon"]
        run([find_program("createdb"), *host, "nguon"])
        yield f"postgresql://nguon:{password}@127.0.0.1:{port}/nguon"
    finally:
        run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the command of the arguments with NGUON_DATABASE_URL set."""
    with run_cluster() as url:
        environ = {**os.environ, "NGUON_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
