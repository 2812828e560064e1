"""Starts the reader for one file, waits for it, and takes its answer."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nguon.core import errors
from nguon.newsroom.intake import kinds, reader

WALL_SECONDS = 150.0
VIDEO_WALL_SECONDS = 600.0


@dataclass(frozen=True)
class Taken:
    """What the reader made of a file: facts, perhaps a picture, a sound, a film."""

    facts: dict[str, Any]
    made: bytes
    poster: bytes = b""


def read_file(
    data: bytes, *, purpose: str, options: reader.Options | None = None
) -> Taken:
    """Return what a foreign file holds; it is opened in a limited process only.

    Raises InvalidError with the code that the reader gave; `newsroom.file_too_hard`
    when the reader died or took too long.
    """
    kinds.tell(data)
    with tempfile.TemporaryDirectory(prefix="nguon-intake-") as folder:
        place = Path(folder)
        (place / "file").write_bytes(data)
        told = [json.dumps(asdict(options))] if options else []
        _run(place, purpose, *told)
        answer = place / "answer.json"
        if not answer.is_file():
            raise kinds.FileRefusedError("newsroom.file_too_hard")
        facts = json.loads(answer.read_text())
        if "error" in facts:
            raise errors.InvalidError(facts["error"], **facts["data"])
        return Taken(facts, _left(place / "made"), _left(place / "poster"))


def _left(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _run(place: Path, purpose: str, *options: str) -> None:
    command = [sys.executable, "-m", reader.__name__, str(place), purpose, *options]
    wall = VIDEO_WALL_SECONDS if purpose == reader.FILM else WALL_SECONDS
    paths = os.pathsep.join(filter(None, sys.path))
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": paths}
    try:
        subprocess.run(  # noqa: S603 (our own module)
            command,
            cwd=place,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=wall,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise kinds.FileRefusedError("newsroom.file_too_hard") from error
