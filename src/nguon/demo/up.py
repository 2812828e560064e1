"""`./nguon up --profile one|leaf`: the processes of a province on this machine.

The shapes are those of `deploy/`: one server, or a hub with a leaf node for the home
commune. `--devices` enrols simulated ones. `--cut-after` and `--cut-for` break the
link to the leaf once, to see what happens.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from nguon.demo.__main__ import Parser, a_port, greet, say
from nguon.demo.processes import StackError, hold
from nguon.demo.stack import LEAF, ONE, PROFILES, Stack


def main() -> int:
    """Run until Ctrl-C."""
    parser = Parser(
        "./nguon up",
        "Chạy các tiến trình của một tỉnh trên máy này theo dạng trong deploy/. "
        "/ The processes of a province, in a shape of deploy/.",
    )
    add = parser.add_argument
    words = "one: một máy chủ; leaf: có nút nhánh của xã"
    add("--profile", choices=PROFILES, default=ONE, help=words)
    add("--devices", type=int, default=20, metavar="SỐ", help="số loa mô phỏng")
    add("--port", type=a_port, default=0, metavar="SỐ", help="cổng của trang web")
    add("--folder", type=Path, default=Path("var-up"), metavar="THƯ_MỤC",
        help="nơi để dữ liệu (mặc định: var-up)")  # fmt: skip
    words = "cắt đường nối tới nút nhánh sau ngần này giây"
    add("--cut-after", type=float, default=0.0, metavar="GIÂY", help=words)
    add(
        "--cut-for", type=float, default=600.0, metavar="GIÂY", help="cắt trong bao lâu"
    )
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    try:
        with hold(folder):
            return _run(folder, arguments)
    except StackError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Đã dừng tất cả. Dữ liệu còn trong " + str(folder))
        return 0


def _run(folder: Path, arguments: argparse.Namespace) -> int:
    stack = Stack(
        folder / arguments.profile,
        os.environ.get("NGUON_DATABASE_URL"),
        devices=arguments.devices,
        boards=1,
        web_port=arguments.port,
        programme=True,
        profile=arguments.profile,
        say=say,
    )
    with stack:
        greet(stack, kept=False)
        if arguments.profile == LEAF and arguments.cut_after:
            time.sleep(arguments.cut_after)
            stack.line.cut()
            say(f"Đã cắt đường nối tới nút nhánh trong {arguments.cut_for:.0f} giây.")
            time.sleep(arguments.cut_for)
            stack.line.mend()
            say("Đường nối tới nút nhánh đã có lại.")
        while not stack.dead():
            time.sleep(1)
        say("Dừng vì có tiến trình tự kết thúc: " + ", ".join(stack.dead()))
    return 1


if __name__ == "__main__":
    sys.exit(main())
