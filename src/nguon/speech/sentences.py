"""Spoken text → sentences → samples, each made once and kept; joined without clicks.

The cache is a folder with a bound. A file is written beside and renamed, and carries
its own hash, so that a torn one is made anew and never sounds.
"""

import hashlib
import os
import re
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nguon.speech import audio, chain, loudness
from nguon.speech.audio import Samples
from nguon.speech.chain import PAUSE, STRONG, WEAK
from nguon.speech.voice import Engine, Manner

LONGEST_SENTENCE = 300
_FADE_SAMPLES = chain.SAMPLE_RATE * 3 // 1_000
_PARAGRAPH_MS, _STOP_MS, _COMMA_MS, _HALF_MS = 650, chain.PAUSE_MS, 150, 500
_SENTENCE = re.compile(rf"[^.!?…\n{PAUSE}]+[.!?…]*|[\n{PAUSE}]+|[.!?…]+")


@dataclass(frozen=True)
class Sentence:
    """What is said in one breath, and the silence after it."""

    text: str
    pause_ms: int


def split(spoken: str) -> list[Sentence]:
    """Return the sentences of a spoken text with the pauses between them."""
    out: list[Sentence] = []
    for piece in _SENTENCE.findall(spoken):
        bare = piece.strip()
        if not bare or not any(letter.isalpha() for letter in bare):
            if out:
                more = _HALF_MS * piece.count(PAUSE)
                least = _PARAGRAPH_MS if "\n" in piece else 0
                last = out[-1]
                out[-1] = Sentence(last.text, max(last.pause_ms, least) + more)
            continue
        parts = _breaths(bare)
        out += [Sentence(part, _COMMA_MS) for part in parts[:-1]]
        out.append(Sentence(parts[-1], _STOP_MS))
    return _balanced(out)


def _breaths(text: str) -> list[str]:
    """Cut a sentence that no voice can take in one breath: at commas, then words."""
    parts, rest = [], text
    while len(rest) > LONGEST_SENTENCE:
        cut = max(rest.rfind(mark, 0, LONGEST_SENTENCE) for mark in ",;:") + 1
        if cut < LONGEST_SENTENCE // 3:
            cut = rest.rfind(" ", 0, LONGEST_SENTENCE) + 1 or LONGEST_SENTENCE
        parts.append(rest[:cut].strip())
        rest = rest[cut:]
    return [part for part in [*parts, rest.strip()] if part]


def _balanced(sentences: list[Sentence]) -> list[Sentence]:
    """Close an emphasis where its sentence ends, and open it in the next one."""
    out, inside = [], False
    for one in sentences:
        text = f"{STRONG}{one.text}" if inside else one.text
        inside = text.rfind(STRONG) > text.rfind(WEAK)
        out.append(Sentence(f"{text}{WEAK}" if inside else text, one.pause_ms))
    return out


@dataclass
class Cache:
    """Samples of sentences in a folder, at most `limit_bytes` of them."""

    folder: Path
    limit_bytes: int = 256 * 1024 * 1024
    _written: int = field(default=0, init=False)

    def find(self, key: str) -> Samples | None:
        """Return the samples kept under a key, or None; a torn file is none."""
        path = self.folder / key
        try:
            data = path.read_bytes()
        except OSError:
            return None
        digest, samples = data[:32], data[32:]
        if hashlib.sha256(samples).digest() != digest:
            path.unlink(missing_ok=True)
            return None
        try:
            os.utime(path)
        except OSError:
            return samples  # another worker has just dropped it; we have it
        return samples

    def keep(self, key: str, samples: Samples) -> None:
        """Keep samples whole or not at all; a full disk costs time, not the sound."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=self.folder, prefix=".", delete=False
            ) as file:
                file.write(hashlib.sha256(samples).digest() + samples)
            Path(file.name).replace(self.folder / key)
        except OSError:
            return
        self._written += len(samples)
        if self._written > self.limit_bytes // 16:
            self._written = 0
            self._trim()

    def _trim(self) -> None:
        """Drop what was longest not used, down to nine tenths of the bound."""
        files = []
        for path in self.folder.iterdir():
            try:
                told = path.stat()
            except OSError:
                continue
            files.append((told.st_mtime, told.st_size, path))
        size = sum(row[1] for row in files)
        for _used, length, path in sorted(files, key=lambda row: row[0]):
            if size <= self.limit_bytes * 9 // 10:
                return
            path.unlink(missing_ok=True)
            size -= length


@dataclass(frozen=True)
class Made:
    """The samples of a text, and how many of its sentences were made just now."""

    samples: Samples
    made: int
    kept: int


def make(spoken: str, *, engine: Engine, manner: Manner, cache: Cache | None) -> Made:
    """Return a spoken text as samples, each sentence on the level of the air.

    Only sentences that the cache has not are said. Raises VoiceError, SilentError.
    """
    sentences = split(spoken)
    if not sentences:
        raise loudness.SilentError("speech.silent")
    keys = [_key(one.text, engine, manner) for one in sentences]
    known = {key: cache.find(key) for key in set(keys)} if cache else {}
    texts = {
        key: one.text
        for key, one in zip(keys, sentences, strict=True)
        if known.get(key) is None
    }
    if texts:
        sounds = engine.say(list(texts.values()), manner)
        for key, sound in zip(texts, sounds, strict=True):
            known[key] = _faded(loudness.even(audio.trimmed(sound)))
            if cache:
                cache.keep(key, known[key] or b"")
    return Made(_joined(sentences, keys, known), len(texts), len(keys) - len(texts))


def _key(text: str, engine: Engine, manner: Manner) -> str:
    """Return the name of a sentence's sound: the hash of all that decides it."""
    parts = (chain.VERSION, engine.mark, str(manner.speed), str(manner.pitch), text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _joined(
    sentences: Sequence[Sentence], keys: Sequence[str], known: dict[str, Samples | None]
) -> Samples:
    out = bytearray()
    for one, key in zip(sentences, keys, strict=True):
        out += known[key] or b""
        out += audio.silence(one.pause_ms)
    return bytes(out[: len(out) - len(audio.silence(sentences[-1].pause_ms))])


def _faded(samples: Samples) -> Samples:
    """Let a sound begin and end at nothing, so that a join does not click."""
    values = array("h", samples)
    length = min(_FADE_SAMPLES, len(values) // 2)
    for index in range(length):
        values[index] = values[index] * index // length
        values[-1 - index] = values[-1 - index] * index // length
    return values.tobytes()
