"""`./nguon speak`: a text becomes a sound, or the words of it; no database.

`--text "…" --out file.wav` speaks; the ending says the form, .wav or .mp3.
`--normalise` writes what would be said, line by line: of `--text`, or else of standard
input.
"""

import argparse
import io
import sys
import wave
from pathlib import Path

from nguon.core.errors import DomainError
from nguon.speech import chain, text


def main() -> int:
    """Speak or normalise; return the exit status."""
    parser = argparse.ArgumentParser(prog="nguon speak", description=__doc__)
    parser.add_argument("--text", help="câu cần đọc / what to speak")
    parser.add_argument("--out", type=Path, help="tệp .wav hoặc .mp3")
    parser.add_argument(
        "--normalise", action="store_true", help="chỉ in lời đọc / words only"
    )
    parser.add_argument("--voice", default="vi", choices=chain.VOICES["vi"])
    parser.add_argument("--drill", action="store_true", help="diễn tập")
    asked = parser.parse_args()
    if asked.normalise:
        return _normalise(asked.text)
    if not asked.text or not asked.out:
        parser.error('cần --text "…" --out tệp.wav, hoặc --normalise')
    return _speak(asked)


def _normalise(given: str | None) -> int:
    lines = (
        io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace")
        if given is None
        else given.splitlines()
    )
    for line in lines:
        said = text.normalise(line).replace("\n", " ")
        sys.stdout.buffer.write(f"{said}\n".encode())
    sys.stdout.buffer.flush()
    return 0


def _speak(asked: argparse.Namespace) -> int:
    # Here, so that --normalise needs no FFmpeg.
    from nguon.speech import audio
    from nguon.speech.render import render

    try:
        sound = render(
            asked.text, language="vi", voice_name=asked.voice, drill=asked.drill
        )
    except DomainError as error:
        sys.stderr.write(f"Không đọc được: {error.code}\n")
        return 1
    if asked.out.suffix == ".mp3":
        asked.out.write_bytes(sound.mp3)
    else:
        samples = audio.decode(sound.mp3, limit_seconds=sound.duration_ms / 1_000 + 5)
        with wave.open(str(asked.out), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(audio.BYTES_PER_SAMPLE)
            file.setframerate(chain.SAMPLE_RATE)
            file.writeframes(samples)
    sys.stderr.write(f"{asked.out}: {sound.duration_ms / 1_000:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
