"""How fast a text is read, spoken and brought on the air, and one sentence changed.

1. Normalising: 1,000 words of real bulletins, the median of 20 rounds. Beside it a
   bare pass of one regular expression over the same words.
2. A minute of speech: 60 s made from nothing, with an empty cache: sentences spoken,
   levelled, joined, encoded, and measured after encoding. Beside it the bare voice
   and the bare encoder alone, without any level or proof.
3. One sentence: the same text with one word changed, with the cache of step 2; the
   whole sound is made anew and must have just one new sentence in it.

Each is done several times and the median counts.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nguon.newsroom
from benchmarks import _bench
from nguon.speech import audio, sentences, text, voice
from nguon.speech.render import Rendered, render_spoken
from nguon.speech.sentences import Cache
from nguon.speech.voice import Manner

BULLETINS = Path(nguon.newsroom.__file__).parent / "data" / "bulletins-vi.json"
WORDS_LIMIT_MS, MINUTE_LIMIT_S, SENTENCE_LIMIT_S = 100.0, 3.0, 1.0
ROUNDS = 5


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    written = _real_text()
    words = " ".join((written.split() * 3)[:1_000])
    normalise = _median(lambda: text.normalise(words), arguments.rounds) * 1e3
    bare_words = _median(lambda: re.findall(r"\w+|\W", words), arguments.rounds) * 1e3

    spoken = _minute(text.normalise(written), folder)
    minutes, changes, bare = [], [], []
    for number in range(ROUNDS):
        cache = Cache(folder / f"cache-{number}")
        took, sound = _timed(partial(_render, spoken, cache))
        minutes.append(took * 60_000 / sound.duration_ms)
        changed = _with_one_word_more(spoken)
        _bench.check(changed != spoken, "no sentence could be changed")
        new = {s.text for s in sentences.split(changed)}
        new -= {s.text for s in sentences.split(spoken)}
        _bench.check(len(new) == 1, f"{len(new)} sentences changed, not one")
        took, sound = _timed(partial(_render, changed, cache))
        kept = len(list((folder / f"cache-{number}").iterdir()))
        before = len({s.text for s in sentences.split(spoken)})
        _bench.check(kept == before + 1, "more than one sentence was made")
        changes.append(took * 60_000 / sound.duration_ms)
        bare.append(_bare(spoken))
        _bench.say(f"{number + 1}/{ROUNDS}: {minutes[-1]:.2f} {changes[-1]:.2f} s")
    minute, change = statistics.median(minutes), statistics.median(changes)
    return {
        "bench": "speech",
        "normalise_ms_per_1000_words": round(normalise, 1),
        "normalise_ratio_to_bare": round(normalise / bare_words, 1),
        "minute_of_speech_s": round(minute, 2),
        "minute_ratio_to_bare": round(minute / statistics.median(bare), 2),
        "one_sentence_s": round(change, 2),
        "bare_minute_s": round(statistics.median(bare), 2),
        "limits": {
            "normalise_ms_per_1000_words": WORDS_LIMIT_MS,
            "minute_of_speech_s": MINUTE_LIMIT_S,
            "one_sentence_s": SENTENCE_LIMIT_S,
        },
        "passed": normalise <= WORDS_LIMIT_MS
        and minute <= MINUTE_LIMIT_S
        and change <= SENTENCE_LIMIT_S,
    }


def _real_text() -> str:
    rows = json.loads(BULLETINS.read_text(encoding="utf-8"))
    return "\n".join(row["body"] for row in rows if row.get("language", "vi") == "vi")


def _minute(spoken: str, folder: Path) -> str:
    """Return so many sentences as sound for a minute."""
    chosen: list[str] = []
    for one in sentences.split(spoken):
        chosen.append(one.text)
        if len(" ".join(chosen)) > 500:
            made = _render("\n".join(chosen), Cache(folder / "length"))
            if made.duration_ms >= 60_000:
                break
    _bench.check(made.duration_ms >= 60_000, "the text is no minute long")
    return "\n".join(chosen)


def _with_one_word_more(spoken: str) -> str:
    lines = spoken.split("\n")
    middle = len(lines) // 2
    lines[middle] = lines[middle].rstrip(".") + " nhé."
    return "\n".join(lines)


def _render(spoken: str, cache: Cache) -> Rendered:
    return render_spoken(spoken, language="vi", voice_name="vi", cache=cache)


def _bare(spoken: str) -> float:
    """Return how long the voice and the encoder alone take for a minute."""
    began = time.perf_counter()
    texts = [one.text for one in sentences.split(spoken)]
    sounds = voice.Espeak("vi").say(texts, Manner())
    samples = b"".join(sounds)
    audio.encode(samples)
    return (time.perf_counter() - began) * 60 / audio.seconds(samples)


def _timed(work: Callable[[], Rendered]) -> tuple[float, Rendered]:
    began = time.perf_counter()
    made = work()
    return time.perf_counter() - began, made


def _median(work: Callable[[], object], rounds: int) -> float:
    took = []
    for _number in range(rounds):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure))
