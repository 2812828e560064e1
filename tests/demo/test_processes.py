"""Child processes start, are asked, and never outlive whoever started them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nguon.demo import processes
from nguon.demo.processes import Program, StackError

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def make(folder: Path, command: list[str], **more: object) -> Program:
    return Program(
        name="loa",
        command=command,
        env=os.environ.copy(),
        log=folder / "loa.log",
        **more,  # type: ignore[arg-type]
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    return state.split()[0] != "Z"


def test_program_ends_with_stop(tmp_path: Path) -> None:
    program = make(tmp_path, SLEEP)
    program.start()
    assert program.running

    program.stop()

    assert not program.running


def test_program_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = make(
        tmp_path,
        [sys.executable, "-c", "print('thiếu tệp'); raise SystemExit(3)"],
        ready=lambda: False,
    )
    program.start()

    with pytest.raises(StackError, match="thiếu tệp"):
        program.wait_ready()


def test_taken_port_is_a_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StackError, match=f"Cổng {port} .*đang có chương trình"):
            processes.check_free(port, "web")


def test_children_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    """`kill -9` of the demo leaves nothing running."""
    script = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from nguon.demo.processes import Program\n"
        f"log = Path({str(tmp_path)!r}) / 'log'\n"
        f"program = Program('loa', {SLEEP!r}, dict(os.environ), log)\n"
        "program.start()\n"
        "print(program.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until = time.monotonic() + 10
        while is_alive(child):
            assert time.monotonic() < until, "the child outlived its parent"
            time.sleep(0.02)
