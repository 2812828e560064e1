"""Voices behind one interface: spoken sentences in, samples out, within a time limit.

The built-in voice is espeak-ng; a file of voices (`load_voices`) adds Piper by voice
file and providers by HTTP. Never another voice in silence: an unknown voice is an
error, and `speak` says when the built-in one stepped in for one that hung or broke.
"""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from nguon.core.errors import DomainError, InvalidError
from nguon.speech import audio, chain
from nguon.speech.audio import Samples
from nguon.speech.chain import STRONG, WEAK
from nguon.speech.numbers import NORTH, SOUTH, Region

_LIMIT_SECONDS = 3_600.0
_MOST_BYTES = 64 * 1024 * 1024
_PIECE = 64 * 1024


class UnknownVoiceError(InvalidError):
    """There is no such voice; nothing is said in its stead."""


class VoiceError(DomainError):
    """The voice broke or took too long; trying again may help."""


@dataclass(frozen=True)
class Manner:
    """How a text is spoken: the voice, its speed, pitch and volume in percent."""

    voice: str = "vi"
    speed: int = 100
    pitch: int = 100
    volume: int = 100


# What stays understandable on a horn at a hundred metres.
SPEEDS, PITCHES, VOLUMES = (75, 125), (70, 130), (50, 100)


def check_manner(manner: Manner) -> None:
    """Raise InvalidError for a speed, pitch or volume beyond the safe bounds."""
    for name, value, (least, most) in (
        ("speed", manner.speed, SPEEDS),
        ("pitch", manner.pitch, PITCHES),
        ("volume", manner.volume, VOLUMES),
    ):
        if not least <= value <= most:
            raise InvalidError(
                "speech.manner_unsafe", what=name, value=value, least=least, most=most
            )


class Engine(Protocol):
    """One voice: says sentences, or raises VoiceError when its time is over."""

    @property
    def mark(self) -> str:
        """Return name and version, part of what names a sound."""

    def say(self, texts: Sequence[str], manner: Manner) -> list[Samples]:
        """Return the samples of each text."""


@dataclass(frozen=True)
class Espeak:
    """The built-in voice, in a process of its own (decision 0004)."""

    voice: str
    timeout_seconds: float = chain.VOICE_TIMEOUT_SECONDS

    @property
    def mark(self) -> str:
        """Return name and version."""
        return f"espeak-ng/2/{self.voice}"

    def say(self, texts: Sequence[str], manner: Manner) -> list[Samples]:
        """Return the samples of each text, from one process."""
        asked = {
            "voice": self.voice,
            "speed": manner.speed,
            "pitch": manner.pitch // 2,
            "texts": list(texts),
        }
        command = [sys.executable, "-m", "nguon.speech.espeak"]
        out = _run(
            command, json.dumps(asked).encode(), self.voice, self.timeout_seconds
        )
        sounds = []
        while out:
            size = int.from_bytes(out[:4], "big")
            sounds.append(_decoded(out[4 : 4 + size], self.voice))
            out = out[4 + size :]
        if len(sounds) != len(texts):
            raise VoiceError("speech.voice_broken", voice=self.voice)
        return sounds


@dataclass(frozen=True)
class Piper:
    """A Piper voice file, spoken by the external program `command`."""

    name: str
    model: str
    command: str = "piper"
    timeout_seconds: float = 20.0

    @property
    def mark(self) -> str:
        """Return the name and the file, with its size: another file, another sound."""
        path = Path(self.model)
        size = path.stat().st_size if path.is_file() else 0
        return f"piper/1/{path.name}/{size}"

    def say(self, texts: Sequence[str], manner: Manner) -> list[Samples]:
        """Return the samples of each text, a process each, within one limit."""
        until = time.monotonic() + self.timeout_seconds
        return [self._one(text, manner, until) for text in texts]

    def _one(self, text: str, manner: Manner, until: float) -> Samples:
        with tempfile.TemporaryDirectory(prefix="nguon-voice-") as folder:
            out = Path(folder) / "out.wav"
            command = [self.command, "--model", self.model, "--output_file", str(out)]
            command += ["--length_scale", f"{100 / manner.speed:.3f}"]
            left = max(0.1, until - time.monotonic())
            _run(command, _plain(text).encode(), self.name, left)
            if not out.is_file():
                raise VoiceError("speech.voice_broken", voice=self.name)
            return _decoded(out.read_bytes(), self.name)


@dataclass(frozen=True)
class Provider:
    """A provider's voice by HTTP; the key stands in the environment, never here."""

    name: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str
    audio_field: str = ""
    timeout_seconds: float = 10.0

    @property
    def mark(self) -> str:
        """Return the name, the address and what is asked, without any key."""
        return f"http/1/{self.name}/{self.url}/{self.body}"

    def say(self, texts: Sequence[str], manner: Manner) -> list[Samples]:
        """Return the samples of each text, a request each, within one limit."""
        until = time.monotonic() + self.timeout_seconds
        return [self._one(text, manner, until) for text in texts]

    def _one(self, text: str, manner: Manner, until: float) -> Samples:
        fields = {
            "text": _plain(text),
            "speed": manner.speed / 100,
            "pitch": manner.pitch / 100,
        }
        body = json.dumps(_filled(json.loads(self.body), fields)).encode()
        headers = {name: _secret(value, self.name) for name, value in self.headers}
        try:
            request = urllib.request.Request(  # noqa: S310 (the operator's setting)
                self.url, data=body, headers={"Content-Type": "application/json"}
            )
            for name, value in headers.items():
                request.add_header(name, value)
            answer = _fetch(request, self.name, until)
            if self.audio_field:
                answer = base64.b64decode(json.loads(answer)[self.audio_field])
        except (OSError, ValueError, KeyError, TypeError) as error:
            code = "timeout" if isinstance(error, TimeoutError) else "broken"
            # Never the error's own words: they may hold the address with a key.
            raise VoiceError(f"speech.voice_{code}", voice=self.name) from None
        return _decoded(answer, self.name)


def _fetch(request: urllib.request.Request, name: str, until: float) -> bytes:
    """Read an answer piece by piece, so that one that drips ends in time, too."""
    out = bytearray()
    left = max(0.1, until - time.monotonic())
    with urllib.request.urlopen(request, timeout=left) as answer:  # noqa: S310
        while piece := answer.read1(_PIECE):
            out += piece
            if time.monotonic() > until:
                raise VoiceError("speech.voice_timeout", voice=name)
            if len(out) > _MOST_BYTES:
                raise VoiceError("speech.voice_broken", voice=name)
    return bytes(out)


def _filled(template: Any, fields: Mapping[str, Any]) -> Any:
    """Return a template with {text}, {speed}, {pitch} in it filled in."""
    if isinstance(template, dict):
        return {name: _filled(value, fields) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, fields) for value in template]
    if isinstance(template, str) and template[:1] == "{" and template[-1:] == "}":
        return fields.get(template[1:-1], template)
    return template


def _secret(value: str, voice: str) -> str:
    """Return a header's value; `env:NAME` stands for a variable of the environment."""
    if not value.startswith("env:"):
        return value
    found = os.environ.get(value[4:])
    if not found:
        raise VoiceError("speech.voice_key_missing", voice=voice, variable=value[4:])
    return found


def _plain(text: str) -> str:
    return text.replace(STRONG, "").replace(WEAK, "")


def _decoded(data: bytes, voice: str) -> Samples:
    try:
        return audio.decode(data, limit_seconds=_LIMIT_SECONDS)
    except InvalidError as error:
        raise VoiceError("speech.voice_broken", voice=voice) from error


def _run(command: Sequence[str], given: bytes, voice: str, seconds: float) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 (our own module, or the operator's setting)
            command,
            input=given,
            capture_output=True,
            timeout=seconds,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceError("speech.voice_timeout", voice=voice) from error
    except OSError as error:
        raise VoiceError("speech.voice_broken", voice=voice) from error
    if done.returncode == chain.UNKNOWN_VOICE_STATUS:
        raise UnknownVoiceError("speech.voice_unknown", voice=voice)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip()[-200:]
        raise VoiceError("speech.voice_broken", voice=voice, said=said)
    return done.stdout


# --- which voices there are ------------------------------------------------------


@dataclass(frozen=True)
class Voice:
    """A voice as it is offered: its name, what people read, where it is from."""

    name: str
    label: str
    language: str
    engine: Engine
    region: Region = NORTH


_BUILT_IN = {
    "vi": ("Giọng Bắc (máy)", NORTH),
    "vi-VN-x-central": ("Giọng Trung (máy)", NORTH),
    "vi-VN-x-south": ("Giọng Nam (máy)", SOUTH),
}


@lru_cache(maxsize=8)
def load_voices(path: str = "") -> dict[str, Voice]:
    """Return every voice by name: the built-in ones, then those of a JSON file.

    Raises InvalidError `speech.voices_file` for a file that cannot be used.
    """
    voices = {
        name: Voice(name, label, "vi", Espeak(name), region)
        for name, (label, region) in _BUILT_IN.items()
    }
    if not path:
        return voices
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
        for row in rows:
            one = _voice(row)
            voices[one.name] = one
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidError("speech.voices_file", why=type(error).__name__) from error
    return voices


def _voice(row: Mapping[str, Any]) -> Voice:
    name, seconds = str(row["name"]), float(row.get("timeout_seconds", 15))
    if not re.fullmatch(r"[a-z0-9][a-z0-9:._-]{1,58}", name) or name in _BUILT_IN:
        raise ValueError(name)
    engine: Engine
    if row["kind"] == "piper":
        command = str(row.get("command", "piper"))
        engine = Piper(name, str(row["model"]), command, seconds)
    elif row["kind"] == "http":
        headers = tuple((str(k), str(v)) for k, v in row.get("headers", {}).items())
        body = json.dumps(row["body"], sort_keys=True)
        field = str(row.get("audio_field", ""))
        engine = Provider(name, str(row["url"]), headers, body, field, seconds)
    else:
        raise ValueError(row["kind"])
    region = SOUTH if row.get("region") == "south" else NORTH
    language = str(row.get("language", "vi"))
    return Voice(name, str(row.get("label", name)), language, engine, region)


def find_voice(name: str, *, language: str, voices: Mapping[str, Voice]) -> Voice:
    """Return a voice by its name.

    Raises UnknownVoiceError (`speech.no_machine_voice` for a language without any).
    """
    if not any(voice.language == language for voice in voices.values()):
        raise UnknownVoiceError("speech.no_machine_voice", language=language)
    voice = voices.get(name)
    if voice is None or voice.language != language:
        raise UnknownVoiceError("speech.voice_unknown", voice=name, language=language)
    return voice


def synthesise(
    text: str,
    *,
    language: str,
    voice: str,
    timeout_seconds: float = chain.VOICE_TIMEOUT_SECONDS,
) -> Samples:
    """Return the samples of a text in a built-in voice, in one breath.

    Raises UnknownVoiceError, VoiceError.
    """
    found = find_voice(voice, language=language, voices=load_voices())
    engine = Espeak(found.name, timeout_seconds)
    return engine.say([text], Manner(voice=voice))[0]
