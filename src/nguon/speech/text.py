"""Written Vietnamese → what a reader would say: the door to `speech.reading`.

`read` tells where each spoken piece came from and what is doubtful; `normalise` and
`spoken` give the text alone. Pure and deterministic: same text, dictionary and
region, same answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nguon.speech.numbers import NORTH, Region
from nguon.speech.reading import scan
from nguon.speech.reading.scan import Piece, Word

# Part of what names a sound: a change of what is said is a new number.
VERSION = "2"
DRILL_WORDS = "Đây là diễn tập."

_END = re.compile(r"[.!?…\n‖]")


@dataclass(frozen=True)
class Doubt:
    """A token nobody told us how to say: where it stands in `Reading.written`."""

    start: int
    end: int
    token: str
    why: str


@dataclass(frozen=True)
class Part:
    """A sentence as written and as spoken, with the doubts in it."""

    start: int
    written: str
    spoken: str
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class Reading:
    """A text as written (cleaned), as spoken, and piece by piece."""

    written: str
    pieces: tuple[Piece, ...]

    @property
    def spoken(self) -> str:
        """Return what the voice says."""
        return scan.say(self.pieces)

    @property
    def doubts(self) -> list[Doubt]:
        """Return what a person should look at, in the order of the text."""
        return [
            Doubt(one.start, one.end, self.written[one.start : one.end], one.doubt)
            for one in self.pieces
            if one.doubt
        ]

    @property
    def parts(self) -> list[Part]:
        """Return the sentences, each written and spoken."""
        parts: list[Part] = []
        held: list[Piece] = []
        for index, piece in enumerate(self.pieces):
            held.append(piece)
            following = self.pieces[index + 1 : index + 2]
            spaced = not following or following[0].said[:1] in {" ", "\n", "’", ""}
            if _END.search(piece.said) and (spaced or piece.said == "\n"):
                parts += self._part(held)
                held = []
        return parts + self._part(held)

    def _part(self, pieces: list[Piece]) -> list[Part]:
        if not pieces:
            return []
        start, end = pieces[0].start, pieces[-1].end
        written = self.written[start:end].strip()
        if not written:
            return []
        doubts = [d for d in self.doubts if start <= d.start < end]
        return [Part(start, written, scan.say(pieces), tuple(doubts))]


def read(
    text: str, *, region: Region = NORTH, dictionary: Sequence[Word] = ()
) -> Reading:
    """Read a written text; the words of the dictionary go before every rule."""
    written = scan.clean(text)
    pieces = scan.scan(written, region=region, dictionary=dictionary)
    return Reading(written, tuple(pieces))


def normalise(
    text: str, *, region: Region = NORTH, dictionary: Sequence[Word] = ()
) -> str:
    """Return the text as it is read aloud: no digit, symbol or abbreviation left.

    Paragraphs are lines; `‖` is half a second of silence, ‹ › are emphasis.
    """
    return read(text, region=region, dictionary=dictionary).spoken


def spoken(
    text: str,
    *,
    drill: bool,
    region: Region = NORTH,
    dictionary: Sequence[Word] = (),
) -> str:
    """Return what the voice says of a written text; a drill says so first."""
    said = normalise(text, region=region, dictionary=dictionary)
    return f"{DRILL_WORDS} {said}" if drill else said
