"""`python -m nguon.demo`: the whole system here until Ctrl-C, or once with proof."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from nguon.demo.client import UnexpectedAnswerError
from nguon.demo.once import NotProvenError, Story
from nguon.demo.processes import StackError, hold
from nguon.demo.stack import Stack

WEB_PORT, LAST_PORT = 8000, 65535
WATCH_SECONDS = 1.0
RESTARTS = 5


# Where each of the demo people has something to look at first.
FIRST_LOOK = {
    "lan": "/ban-tin/ soạn tin; /bao-cao/ có báo cáo bị trả lại; /ke-hoach/",
    "minh": "/duyet/ duyệt tin của Lan; /bao-cao/so-nhat-ky/ thù lao",
    "hoa": "/tong-quan/ của xã mình; /ke-hoach/ việc đã báo xong",
    "tung": "/thiet-bi/ tình trạng loa, lần mất kết nối",
    "quan": "/tong-quan/ cả tỉnh; /chi-tieu/; /bao-cao/; /chi-tieu/hoi-nghe/",
    "mai": "/sap-xep/ chạy việc sắp xếp do Quân lập; /bao-cao/ duyệt",
}

BEGAN = time.monotonic()


def say(text: str) -> None:
    """Tell the person at the terminal; standard output is for JSON."""
    sys.stderr.write(f"{time.monotonic() - BEGAN:6.1f} s  {text}\n" if text else "\n")
    sys.stderr.flush()


def a_port(text: str) -> int:
    """Read a port from the command line. Raises ArgumentTypeError."""
    if not (text.isdecimal() and 0 < int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"từ 1 đến {LAST_PORT} / 1 to {LAST_PORT}")
    return int(text)


class Parser(argparse.ArgumentParser):
    """A command line that speaks Vietnamese: the library's own words are English."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, add_help=False)
        self._optionals.title = "Tùy chọn"
        self.add_argument("-h", "--help", action="help", help="in phần này rồi thôi")

    def format_usage(self) -> str:
        """Return the usage line."""
        return super().format_usage().replace("usage:", "Cách dùng:")

    def format_help(self) -> str:
        """Return the whole help."""
        return super().format_help().replace("usage:", "Cách dùng:")

    def error(self, message: str) -> NoReturn:
        """Say what could not be read, and how it is written."""
        self.print_usage(sys.stderr)
        words = f"Không đọc được dòng lệnh ({message}). Xem {self.prog} --help."
        self.exit(2, words + "\n")


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(
        "./nguon demo",
        "Chạy thử toàn bộ hệ thống trên máy này, có sẵn 60 ngày hoạt động làm ví dụ; "
        "Ctrl-C để dừng. / The whole system on this machine.",
    )
    add = parser.add_argument
    add("--fresh", action="store_true", help="làm lại từ đầu: xóa dữ liệu cũ")
    add("--once", action="store_true", help="làm việc chính một lần, có bằng chứng")
    add("--json", action="store_true", help="in kết quả của --once dạng JSON")
    add("--port", type=a_port, default=0, metavar="SỐ", help="cổng của trang web")
    add("--devices", type=int, default=200, metavar="SỐ", help="số loa mô phỏng")
    add(
        "--folder",
        type=Path,
        default=Path("var"),
        metavar="THƯ_MỤC",
        help="nơi để dữ liệu (mặc định: var)",
    )
    add("--keep", type=Path, metavar="THƯ_MỤC", help="giữ dữ liệu của --once ở đây")
    return parser.parse_args()


def run_once(arguments: argparse.Namespace) -> int:
    """Do the main job in a temporary folder; 0 only when all of it happened."""
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="nguon-once-"))
    began = time.monotonic()
    facts: dict[str, Any] = {"ok": False}
    try:
        stack = Stack(
            folder,
            os.environ.get("NGUON_DATABASE_URL"),
            devices=arguments.devices,
            say=say,
        )
        with stack:
            facts["set_up_seconds"] = round(time.monotonic() - began, 1)
            story = Story(stack, say)
            try:
                facts |= story.tell()
            except (NotProvenError, UnexpectedAnswerError):
                facts |= story.facts
                raise
            facts["ok"] = True
    except (StackError, NotProvenError, UnexpectedAnswerError) as error:
        facts["error"] = str(error)
        say(str(error))
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    facts["seconds"] = round(time.monotonic() - began, 1)
    if arguments.json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    elif facts["ok"]:
        say("Đạt: loa đã phát đúng bản tin đã duyệt, mỗi loa một lần.")
    return 0 if facts["ok"] else 1


def run(arguments: argparse.Namespace) -> int:
    """Keep everything up until Ctrl-C or SIGTERM."""
    folder = arguments.folder.resolve()
    try:
        with hold(folder):
            if arguments.fresh:
                empty(folder)
            return run_here(folder, arguments)
    except StackError as error:
        say(str(error))
        return 1


def empty(folder: Path) -> None:
    """Remove all that a folder holds; the folder itself stays held."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def run_here(folder: Path, arguments: argparse.Namespace) -> int:
    """Run in a folder that nobody else runs in. Raises StackError."""
    kept = (folder / "ports.json").exists()
    ending = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if ending.is_set():
            return
        ending.set()
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        stack = Stack(
            folder,
            os.environ.get("NGUON_DATABASE_URL"),
            devices=arguments.devices,
            quiet_hours="22:00-05:00",
            web_port=arguments.port or (0 if kept else WEB_PORT),
            spread=True,
            programme=True,
            past=True,
            say=say,
        )
        if not kept:
            say("Lần đầu mất khoảng hai phút: máy dựng cả tỉnh và 60 ngày đã qua.")
        with stack:
            greet(stack, kept=kept)
            watch(stack, ending)
    except KeyboardInterrupt:
        say("Đã dừng tất cả. Dữ liệu còn trong " + str(folder))
    return 0


def greet(stack: Stack, *, kept: bool) -> None:
    """Print where to go and who to be."""
    world = stack.world
    lines = [
        "",
        f"  Nguồn đang chạy: {stack.web_url}",
        f"  Trang công khai của xã: {stack.web_url}/xa/{world['home']}/",
        f"  Bảng tin điện tử: {stack.board_url(stack.agents)}",
        "",
        f"  Mật khẩu của mọi tài khoản: {world['password']}",
    ]
    words = {
        "author": "soạn tin",
        "approver": "duyệt tin",
        "technician": "kỹ thuật",
        "viewer": "xem",
        "administrator": "quản trị",
    }
    for username, officer in world["officers"].items():
        roles = ", ".join(words[role] for role in officer["roles"])
        name, place = officer["name"], officer["place"]
        lines.append(f"    {username:<8}{name} ({roles}), {place}")
        if stack.past and username in FIRST_LOOK:
            lines.append(f"            xem trước: {FIRST_LOOK[username]}")
    lines += [
        "",
        f"  {stack.agents} loa thật (ghi ra tệp WAV), {stack.boards} bảng tin thật, "
        f"{stack.devices} loa mô phỏng.",
        "  Tiếp tục với dữ liệu cũ; --fresh để làm lại từ đầu."
        if kept
        else f"  Dữ liệu ở {stack.folder}",
        "  Ctrl-C để dừng tất cả.",
        "",
    ]
    sys.stderr.write("\n".join(lines) + "\n")


def watch(stack: Stack, ending: threading.Event) -> None:
    """Start again what ends by itself, and say so. Raises StackError in a loop."""
    restarts: dict[str, int] = {}
    while not ending.wait(WATCH_SECONDS):
        for name in stack.dead():
            restarts[name] = restarts.get(name, 0) + 1
            if restarts[name] > RESTARTS:
                raise StackError(
                    f"{name}: dừng {RESTARTS} lần.\n{stack.programs[name].last_words()}"
                )
            say(f"{name} đã dừng; đang chạy lại (xem {stack.programs[name].log})")
            stack.restart(name)


def main() -> int:
    """Run the demo."""
    arguments = read_arguments()
    return run_once(arguments) if arguments.once else run(arguments)


if __name__ == "__main__":
    sys.exit(main())
