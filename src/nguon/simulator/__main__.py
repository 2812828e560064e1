"""`python -m nguon.simulator`: be N devices until Ctrl-C or SIGTERM.

It is told a server's address, a file of claim codes and a folder, nothing else.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from nguon.core.errors import DomainError, InvalidError, Known
from nguon.simulator import control
from nguon.simulator.sentences import SENTENCES
from nguon.simulator.swarm import Options, Swarm


def read_claims(path: Path, wanted: int) -> tuple[str, ...]:
    """Return claim codes from a file: a JSON list, or one in each line.

    Raises InvalidError when there are fewer than wanted, or one is no code.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidError("simulator.claims_unreadable", file=str(path)) from error
    if text.lstrip().startswith("["):
        rows = [str(row) for row in json.loads(text)]
    else:
        rows = [row.split("#")[0] for row in text.splitlines()]
    codes = []
    for row in filter(None, (row.strip() for row in rows)):
        letters = re.sub(r"[\s-]", "", row).upper()
        if not re.fullmatch(r"[A-Z2-7]{16}", letters):
            raise InvalidError("simulator.claim_malformed", claim=row)
        codes.append("-".join(letters[at : at + 4] for at in range(0, 16, 4)))
    unique = tuple(dict.fromkeys(codes))
    if wanted and len(unique) < wanted:
        raise InvalidError("simulator.claims_too_few", have=len(unique), need=wanted)
    return unique[:wanted] if wanted else unique


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog="nguon.simulator", description="Virtual devices on real sockets."
    )
    parser.add_argument("--server", required=True, help="address of the web server")
    parser.add_argument(
        "--claims", type=Path, required=True, help="file of claim codes"
    )
    parser.add_argument(
        "--home", type=Path, required=True, help="folder to keep all in"
    )
    parser.add_argument(
        "--devices", type=int, default=0, help="how many (0: all claims)"
    )
    parser.add_argument("--kind", choices=("speaker", "board"), default="speaker")
    parser.add_argument("--poll-seconds", type=float, default=60.0)
    parser.add_argument("--control", type=int, default=0, help="loopback port (0: any)")
    parser.add_argument("--json", action="store_true", help="print counts at the end")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(arguments)


async def run(arguments: argparse.Namespace) -> int:
    """Run the swarm until it is told to end."""
    options = Options(
        server=arguments.server,
        claims=read_claims(arguments.claims, arguments.devices),
        home=arguments.home,
        kind=arguments.kind,
        poll_seconds=arguments.poll_seconds,
    )
    swarm = Swarm(options)
    port = await control.serve(swarm, arguments.control)
    count = len(swarm.devices)
    sys.stderr.write(f"{count} thiết bị ảo; control 127.0.0.1:{port}\n")
    writer = asyncio.create_task(control.write_forever(swarm), name="stats")
    work = asyncio.create_task(swarm.run(), name="swarm")
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work
    writer.cancel()
    if arguments.json:
        sys.stdout.write(json.dumps(control.counts(swarm)) + "\n")
    return 0


def main() -> int:
    """Run from the command line; a foreseen error is one line."""
    arguments = parse_arguments()
    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    try:
        return asyncio.run(run(arguments))
    except DomainError as error:
        said = SENTENCES.get(error.code, str(error)).format_map(Known(error.data))
        sys.stderr.write(f"nguon.simulator: {said} [{error.code}]\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
