"""One utterance through espeak-ng: text on standard input, WAV on standard output.

espeak-ng is GPL: it is loaded here and nowhere else, in a process of its own that
`speech.voice` starts. A voice that is not there ends with status 3; espeak-ng itself
would go on with the voice it had.
"""

import argparse
import ctypes
import sys
import wave
from typing import Any

import espeakng_loader  # type: ignore[import-untyped]

from nguon.speech import chain

_SYNCHRONOUS = 2
_UTF8 = 1
_RATE_PARAMETER = 1
WORDS_PER_MINUTE = 150
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def main() -> int:
    """Speak standard input with the voice named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", required=True)
    voice = parser.parse_args().voice
    text = sys.stdin.buffer.read().decode("utf-8")

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
    if rate <= 0:
        sys.stderr.write("espeak-ng does not start\n")
        return 1
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        sys.stderr.write(f"no such voice: {voice}\n")
        return chain.UNKNOWN_VOICE_STATUS
    library.espeak_SetParameter(_RATE_PARAMETER, WORDS_PER_MINUTE, 0)

    chunks: list[bytes] = []

    def keep(samples: Any, count: int, _event: int) -> int:
        if samples and count > 0:
            chunks.append(ctypes.string_at(samples, count * 2))
        return 0

    # The variable keeps the callback alive while the library holds its address.
    callback = _Callback(keep)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode("utf-8") + b"\0"
    status = library.espeak_Synth(
        encoded, ctypes.c_size_t(len(encoded)), 0, 1, 0, _UTF8, None, None
    )
    if status != 0 or library.espeak_Synchronize() != 0:
        sys.stderr.write(f"espeak-ng ends with {status}\n")
        return 1
    with wave.open(sys.stdout.buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(chunks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
