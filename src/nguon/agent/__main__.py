"""The command line of the device program: `enrol` once, then `run` for ever."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from nguon import __version__
from nguon.agent import identity, joining, station
from nguon.agent.drivers import realtime, wiring
from nguon.agent.identity import Home
from nguon.agent.sentences import sentence
from nguon.core.errors import DomainError

EXIT_ERROR = 1
# The device is to be started anew.
EXIT_AGAIN = 75
_NICE = -10


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    # The audio thread must not wait long for the interpreter, nor for a thread that
    # holds it and is not let run itself.
    sys.setswitchinterval(0.001)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    try:
        status = int(asyncio.run(options.work(options)))
        if status == EXIT_AGAIN and os.environ.get("NGUON_KEPT") != "1":
            # Without a keeper, in place: who watches over this process need do nothing.
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606  (itself, as it was started)
        return status
    except DomainError as error:
        sys.stderr.write(f"nguon.agent: {sentence(error)}\n")
        return EXIT_ERROR
    except OSError as error:
        sys.stderr.write(f"nguon.agent: {error}\n")
        return EXIT_ERROR
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nguon.agent", description=__doc__)
    commands = parser.add_subparsers(required=True)
    enrol = commands.add_parser("enrol", help="ask to be enrolled with a claim code")
    enrol.add_argument("--server", required=True, help="https://… of the province")
    enrol.add_argument("--claim", required=True, help="the claim code")
    enrol.add_argument("--home", required=True, type=Path)
    enrol.add_argument("--kind", choices=identity.KINDS, default="speaker")
    enrol.set_defaults(work=_enrol)
    check = commands.add_parser("check", help="look whether this program is whole")
    check.add_argument("--version", required=True, help="which it should be")
    check.set_defaults(work=_check)
    run = commands.add_parser("run", help="be the device until told to end")
    run.add_argument("--home", required=True, type=Path)
    output = run.add_mutually_exclusive_group()
    output.add_argument("--wav", help="write what sounds into this file or folder")
    output.add_argument("--sound-card", action="store_true", help="the usual output")
    output.add_argument("--null", action="store_true", help="sound nowhere")
    run.add_argument(
        "--rtc",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="a battery keeps the clock while power is off; found out if not said",
    )
    run.add_argument(
        "--pole", type=Path, help="what is wired to this pole: pole.toml of the home"
    )
    run.add_argument(
        "--allow-inside",
        action="store_true",
        help="fetch relays from inside a network too (tests and the demo)",
    )
    run.add_argument("--board-port", type=int, default=0, help="of a board's page")
    run.set_defaults(work=_run)
    return parser


async def _enrol(options: argparse.Namespace) -> int:
    """Enrol, and print the device's name as JSON."""
    identity.check_address(options.server)
    enrolled = await joining.enrol(
        Home(options.home),
        server=options.server.rstrip("/"),
        claim=identity.check_claim(options.claim),
        kind=options.kind,
    )
    sys.stdout.write(json.dumps({"device": enrolled.device}) + "\n")
    return 0


async def _check(options: argparse.Namespace) -> int:
    """Say by the exit status whether this program is whole and of that version.

    All its parts have been loaded by now: what cannot be loaded never comes so far.
    """
    return 0 if __version__ == options.version else EXIT_ERROR


async def _run(options: argparse.Namespace) -> int:
    """Be the device until SIGTERM or SIGINT."""
    output = options.wav or ("null" if options.null else "card")
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    home = Home(options.home)
    rtc = options.rtc
    if rtc is None:
        rtc = realtime.keeps_time(now=time.time())
    device = station.Station(
        home,
        output=output,
        board_port=options.board_port,
        rtc=rtc,
        allow_inside=options.allow_inside,
        wiring=wiring.load(options.pole or options.home / "pole.toml"),
    )
    await device.run(ending)
    return EXIT_AGAIN if device.again else 0


if __name__ == "__main__":
    sys.exit(main())
