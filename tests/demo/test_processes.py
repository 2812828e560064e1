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


def test_step_that_fails_tells_its_own_words_only(tmp_path: Path) -> None:
    log, run = tmp_path / "setup.log", [sys.executable, "-c"]
    processes.run_step("nạp", [*run, "print('mật khẩu')"], os.environ, log)

    with pytest.raises(StackError, match="thiếu loa") as told:
        processes.run_step("chờ", [*run, "exit('thiếu loa')"], os.environ, log)

    assert "mật khẩu" not in str(told.value)


def test_taken_port_is_a_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StackError, match=f"Cổng {port} .*đang có chương trình"):
            processes.check_free(port, "web")


def test_taken_port_that_devices_remember_is_not_to_be_chosen_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        with pytest.raises(StackError, match="--fresh") as told:
            processes.check_free(taken.getsockname()[1], "nats")

    assert "--port" not in str(told.value)


def test_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """`--fresh` beside a running demo takes nothing away from it."""
    kept = tmp_path / "nguon.sqlite3"
    kept.touch()
    fresh = [sys.executable, "-m", "nguon.demo", "--fresh", "--folder", str(tmp_path)]

    with processes.hold(tmp_path):
        second = subprocess.run(fresh, capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert f"Bản chạy thử ở {tmp_path} đang chạy" in second.stderr
    assert kept.exists()


def test_folder_is_let_go_at_the_end(tmp_path: Path) -> None:
    for _time in range(2):
        with processes.hold(tmp_path):
            pass


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
