"""Sentences through espeak-ng: JSON on standard input, one WAV per sentence out.

    {"voice": "vi", "speed": 100, "pitch": 50, "texts": ["…", "…"]}

Each WAV follows its length in four bytes. espeak-ng is GPL: it is loaded here and
nowhere else, in a process of its own that `speech.voice` starts. A voice that is not
there ends with status 3; espeak-ng itself would go on with the voice it had.
"""

import ctypes
import io
import json
import sys
import wave
from typing import Any
from xml.sax.saxutils import escape

import espeakng_loader  # type: ignore[import-untyped]

from nguon.speech import chain
from nguon.speech.chain import STRONG, WEAK

_SYNCHRONOUS = 2
_UTF8, _SSML = 1, 0x10
_RATE_PARAMETER, _PITCH_PARAMETER = 1, 3
WORDS_PER_MINUTE = 150
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def main() -> int:
    """Speak what standard input asks for."""
    asked = json.loads(sys.stdin.buffer.read())
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
    if rate <= 0:
        sys.stderr.write("espeak-ng does not start\n")
        return 1
    if library.espeak_SetVoiceByName(str(asked["voice"]).encode()) != 0:
        sys.stderr.write(f"no such voice: {asked['voice']}\n")
        return chain.UNKNOWN_VOICE_STATUS
    words = WORDS_PER_MINUTE * int(asked.get("speed", 100)) // 100
    library.espeak_SetParameter(_RATE_PARAMETER, words, 0)
    library.espeak_SetParameter(_PITCH_PARAMETER, int(asked.get("pitch", 50)), 0)

    chunks: list[bytes] = []

    def keep(samples: Any, count: int, _event: int) -> int:
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, count * 2))
        return 0

    # The variable keeps the callback alive while the library holds its address.
    callback = _Callback(keep)
    library.espeak_SetSynthCallback(callback)
    for text in asked["texts"]:
        chunks.clear()
        status = _speak(library, str(text))
        if status != 0:
            sys.stderr.write(f"espeak-ng ends with {status}\n")
            return 1
        sound = _wav(b"".join(chunks), rate)
        sys.stdout.buffer.write(len(sound).to_bytes(4, "big") + sound)
    sys.stdout.buffer.flush()
    return 0


def _speak(library: Any, text: str) -> int:
    """Speak one text; an emphasis is said slower and stronger."""
    flags = _UTF8
    if STRONG in text:
        flags |= _SSML
        strong = '<prosody rate="85%" volume="+6dB">'
        text = escape(text).replace(STRONG, strong).replace(WEAK, "</prosody>")
    encoded = text.encode("utf-8") + b"\0"
    status: int = library.espeak_Synth(
        encoded, ctypes.c_size_t(len(encoded)), 0, 1, 0, flags, None, None
    )
    return status or int(library.espeak_Synchronize())


def _wav(samples: bytes, rate: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples)
    return target.getvalue()


if __name__ == "__main__":
    sys.exit(main())
