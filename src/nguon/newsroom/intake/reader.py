"""`python -m nguon.newsroom.intake.reader FOLDER PURPOSE`: read one foreign file.

A process of its own, so that a hostile file can only end itself: memory, processor
time and the size of files are limited before a byte of it is read, and there is no
database here. In FOLDER lies `file`; `answer.json` is left there and perhaps a clean
picture, an MP3, a film as `made` (and its `poster`).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nguon.core.errors import DomainError, InvalidError
from nguon.newsroom.intake import kinds

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120
FILE_BYTES = 256 * 1024**2
OCR_SECONDS = 40.0
OCR_LANGUAGE = "vie"

DOCUMENT, RECORDING = "document", "recording"
# A file beside a text; a video is looked into first, and made anew by the worker.
ATTACHED, PROBE, FILM = "attached", "probe", "film"
# A film takes all the time it may; it gives way to whoever speaks meanwhile.
FILM_CPU_SECONDS = 900
FILM_NICE = 10


@dataclass(frozen=True)
class Options:
    """How a sound is to be made; the part of it that is kept, in milliseconds."""

    recording_seconds: float
    drill: bool = False
    from_ms: int = 0
    to_ms: int | None = None


def main(folder: str, purpose: str, *options: str) -> int:
    """Limit this process, read the file, leave the answer."""
    limit_process(FILM_CPU_SECONDS if purpose == FILM else CPU_SECONDS)
    place = Path(folder)
    try:
        answer = _read(place, purpose, options)
    except DomainError as error:
        answer = {"error": error.code, "data": dict(error.data)}
    except (MemoryError, RecursionError):
        answer = {"error": "newsroom.file_too_hard", "data": {}}
    (place / "answer.json").write_text(json.dumps(answer, default=str))
    return 0


def limit_process(cpu_seconds: int, *, memory_bytes: int = MEMORY_BYTES) -> None:
    """Let this process have no more than so much, for good."""
    for what, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))


def _read(place: Path, purpose: str, options: tuple[str, ...]) -> dict[str, Any]:
    if purpose in {PROBE, FILM}:
        return _film(place, purpose)
    data = (place / "file").read_bytes()
    kind = kinds.tell(data)
    if purpose == ATTACHED:
        return {"kind": kind, **_attached(place, data, kind)}
    if purpose == RECORDING:
        if kind != kinds.SOUND:
            raise InvalidError("speech.audio_unsupported")
        return _sound(place, data, options)
    if kind == kinds.SOUND:
        return {"kind": kind, **_sound(place, data, options)}
    if kind == kinds.PICTURE:
        return {"kind": kind, **_picture(place, data)}
    return {"kind": kind, "text": _text(data, kind)}


def _film(place: Path, purpose: str) -> dict[str, Any]:
    from nguon.newsroom.intake import films

    if purpose == PROBE:
        return {"duration_ms": films.probe(place / "file")}
    os.nice(FILM_NICE)
    film = films.make(place / "file", to=place / "made")
    (place / "poster").write_bytes(film.poster)
    return {"duration_ms": film.duration_ms}


def _attached(place: Path, data: bytes, kind: str) -> dict[str, Any]:
    """Make a picture anew, or a PDF without what runs in it."""
    from nguon.fleet import photos
    from nguon.newsroom.intake import documents

    clean = documents.clean_pdf if kind == kinds.PDF else photos.make_clean
    (place / "made").write_bytes(clean(data))
    return {}


def _text(data: bytes, kind: str) -> str:
    from nguon.newsroom.intake import documents

    if kind == kinds.TEXT:
        return data.decode("utf-8-sig")
    if kind == kinds.PDF:
        return documents.read_pdf(data)
    return documents.read_packed(data, kind)


def _picture(place: Path, data: bytes) -> dict[str, Any]:
    """Make the picture anew, and read it when there is an engine for Vietnamese."""
    from nguon.fleet import photos

    clean = place / "made"
    clean.write_bytes(photos.make_clean(data))
    return {"text": _seen(clean), "engine": find_engine() is not None}


def find_engine() -> str | None:
    """Return the OCR program when it is installed with Vietnamese data."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    command = [program, "--list-langs"]
    known = subprocess.run(  # noqa: S603 (found on the path, fixed words)
        command, capture_output=True, text=True, timeout=OCR_SECONDS, check=False
    )
    return program if OCR_LANGUAGE in known.stdout.split() else None


def _seen(picture: Path) -> str:
    program = find_engine()
    if program is None:
        return ""
    command = [program, str(picture), "-", "-l", OCR_LANGUAGE]
    try:
        done = subprocess.run(  # noqa: S603 (found on the path, our own file)
            command, capture_output=True, text=True, timeout=OCR_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _sound(place: Path, data: bytes, options: tuple[str, ...]) -> dict[str, Any]:
    """Bring a voice to the air's level; a video is refused whatever its name."""
    from nguon.speech import audio
    from nguon.speech.render import render_recording

    if audio.has_video(data):
        raise kinds.FileRefusedError("newsroom.file_is_video")
    told = Options(**json.loads(options[0]))
    sound = render_recording(
        data,
        limit_seconds=told.recording_seconds,
        drill=told.drill,
        between_ms=(told.from_ms, told.to_ms),
    )
    (place / "made").write_bytes(sound.mp3)
    facts = asdict(sound)
    del facts["mp3"]
    return {"sound": facts}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
