"""Child processes: started, asked whether they are ready, killed, ended.

A child is told by the kernel when its parent dies, even by `kill -9`, so nothing is
left running. The kernel means the *thread* that started it: start and restart
children from one thread that lives as long as the stack.
"""

import contextlib
import ctypes
import fcntl
import itertools
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

# How often a process is asked whether it is ready; it is an asking, not a guess.
ASK_SECONDS = 0.05
END_SECONDS = 10.0

FIRST_PORT, KERNEL_PORTS = 15_000, 32_768
PORTS_A_PROCESS = 64
# So a line begins in which a step says how far it is.
TOLD = "» "
_chosen = itertools.count()

CHOOSE = (
    "chọn cổng khác: ./nguon demo --port SỐ",
    "choose another: ./nguon demo --port NUMBER",
)
START_OVER = (
    "làm lại từ đầu: ./nguon demo --fresh",
    "start over: ./nguon demo --fresh",
)


class StackError(Exception):
    """A process did not start or a port is taken; the message says what to do."""


@dataclass
class Program:
    """One child process with its log and its own way to be asked "ready?"."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[], bool] = lambda: True
    ready_seconds: float = 60.0
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    # Where in the log this life of the process begins.
    began: int = 0

    @property
    def pid(self) -> int:
        """The process id. Raises StackError when it was never started."""
        if self.process is None:
            raise StackError(f"{self.name}: chưa chạy.")
        return self.process.pid

    @property
    def running(self) -> bool:
        """Tell whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the process; `wait_ready` waits for it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.began = log.tell()
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def wait_ready(self) -> None:
        """Ask until it is ready. Raises StackError when it ended or took too long."""
        until = time.monotonic() + self.ready_seconds
        while not self.ready():
            if not self.running:
                raise StackError(
                    f"{self.name}: dừng ngay khi khởi động.\n{self.last_words()}"
                )
            if time.monotonic() > until:
                raise StackError(
                    f"{self.name}: sau {self.ready_seconds:.0f} giây vẫn chưa sẵn sàng."
                    f"\n{self.last_words()}"
                )
            time.sleep(ASK_SECONDS)

    def kill(self) -> None:
        """End it without warning, as a power cut does, and see it gone."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end, then insist; its own children go too."""
        if self.process is None:
            return
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def has_said(self, words: str) -> bool:
        """Tell whether its log has these words since it was started last."""
        if not self.log.exists():
            return False
        return words.encode() in self.log.read_bytes()[self.began :]

    def last_words(self, lines: int = 15) -> str:
        """Return the end of its log."""
        if not self.log.exists():
            return ""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def run_step(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    *,
    hear: Callable[[str], None] | None = None,
) -> str:
    """Run one step to its end; return what it printed. Raises StackError.

    `hear` is told, while it runs, each line of its standard error that begins with
    `TOLD`: how far it is.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        began = out.tell()
        with subprocess.Popen(
            list(command),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=out if hear is None else subprocess.PIPE,
        ) as step:
            # What a step prints is one short line: no pipe fills up meanwhile.
            for line in step.stderr or ():
                out.write(line)
                text = line.decode("utf-8", errors="replace").strip()
                if hear is not None and text.startswith(TOLD):
                    hear(text.removeprefix(TOLD))
            printed = step.stdout.read() if step.stdout else b""
        out.write(printed)
    text = printed.decode("utf-8", errors="replace")
    if step.returncode:
        said = log.read_bytes()[began:].decode("utf-8", errors="replace")
        raise StackError("\n".join([f"{name}: không xong.", *said.splitlines()[-15:]]))
    return text


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep a folder to this process. Raises StackError while another one has it.

    The kernel lets go when the process ends, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"Bản chạy thử ở {folder} đang chạy. Hãy dừng nó bằng Ctrl-C trước.\n"
                f"The demo in {folder} is running; end that one with Ctrl-C first."
            ) from None
        yield
    finally:
        os.close(handle)


# --- ports and readiness ---------------------------------------------------------


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Return a port that is free now and that nobody is given by chance.

    The kernel takes the ports of connections from 32768 on; below, a server that was
    killed finds its own again. Every process of ours looks in a place of its own, so
    several may choose at once.
    """
    while True:
        turn = os.getpid() * PORTS_A_PROCESS + next(_chosen)
        port = FIRST_PORT + turn % (KERNEL_PORTS - FIRST_PORT)
        if is_free(port, kind):
            return port


def is_free(port: int, kind: int = socket.SOCK_STREAM) -> bool:
    """Tell whether a port can be taken."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def check_free(port: int, what: str) -> None:
    """Raise StackError with a clear sentence when a port is taken.

    Devices remember the other ports, so only that of the web can be chosen again.
    """
    if not is_free(port):
        ours, theirs = CHOOSE if what == "web" else START_OVER
        raise StackError(
            f"Cổng {port} ({what}) đang có chương trình khác dùng. Hãy tắt chương "
            f"trình đó, hoặc {ours}.\n"
            f"Port {port} ({what}) is taken by another program; end that one "
            f"or {theirs}."
        )


def answers_http(url: str) -> bool:
    """Tell whether an address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def greets(port: int, greeting: bytes = b"INFO ") -> bool:
    """Tell whether a server on this port says its greeting."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(len(greeting)) == greeting
    except OSError:
        return False


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether somebody listens on a port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
