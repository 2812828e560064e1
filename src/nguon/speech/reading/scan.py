"""One pass over a written text: at each place the first rule that speaks wins.

Returns pieces that remember where they stood, so that a preview can show written
and spoken text side by side and mark what is doubtful.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nguon.speech import chain
from nguon.speech.numbers import NORTH, Region, say_digits
from nguon.speech.reading import calls, documents, figures, letters, marks, moments
from nguon.speech.reading.rule import NUMBER, Place, Rule, Said

_LONGEST_WORD = 80
_EMPHASIS = re.compile(r"(?<![\w*])\*([^\s*\n](?:[^*\n]{0,98}[^\s*\n])?)\*(?![\w*])")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufe0f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# A line that a small letter goes on from was cut by a typewriter, not by a writer.
_WRAPPED = re.compile(r"(?<=[\w,])\n(?P<next>[^\W\d_]{2})")
_FIGURES = set("0123456789²³½¼¾⅓⅔")
_SPACE = re.compile(r"[^\S\n]+")
_AT_DIGIT: tuple[Rule, ...] = (
    *letters.ADDRESSES,
    *calls.RULES,
    *documents.NUMBERED,
    *moments.RULES,
    *figures.RULES,
)
_AT_LETTER: tuple[Rule, ...] = (*letters.ADDRESSES, *letters.RULES)
_AT_MARK: tuple[Rule, ...] = (*calls.RULES[:2], *figures.RULES, *marks.RULES)


@dataclass(frozen=True)
class Piece:
    """Written text from `start` to `end`, and what is said of it."""

    start: int
    end: int
    said: str
    doubt: str = ""


@dataclass(frozen=True)
class Word:
    """One entry of a dictionary: said so wherever it is written as a whole word."""

    written: str
    spoken: str


def clean(text: str) -> str:
    """Return a text in one form of Unicode, without what nobody can see.

    Positions of pieces are about this text.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.translate(_numerals(text))
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", text))
    text = "\n".join(" ".join(line.split()) for line in text.splitlines())
    text = re.sub(r"\n{2,}", "\n", text).strip("\n")
    text = _WRAPPED.sub(_joined, text)
    # No word is that long; without this a hostile text makes the patterns slow.
    return re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", r"\1 ", text)


def _numerals(text: str) -> dict[int, str]:
    """Return how the numerals of other scripts in a text are written with 0 to 9."""
    odd = {
        c for c in set(text) if c.isnumeric() and not c.isalpha() and c not in _FIGURES
    }
    plain = {c: unicodedata.normalize("NFKC", c).replace("\u2044", "/") for c in odd}
    return {
        ord(c): f" {p}" if p.isascii() else f" {round(unicodedata.numeric(c))} "
        for c, p in plain.items()
    }


def _joined(match: re.Match[str]) -> str:
    return f" {match['next']}" if match["next"][0].islower() else match[0]


def scan(
    text: str, *, region: Region = NORTH, dictionary: Sequence[Word] = ()
) -> list[Piece]:
    """Return the pieces of a clean text in order; every letter is in one of them."""
    own = _dictionary(tuple(dictionary), region)
    text = _EMPHASIS.sub(rf"{chain.STRONG}\1{chain.WEAK}", text)
    pieces: list[Piece] = []
    at, length = 0, len(text)
    while at < length:
        piece = _next(text, at, region, own)
        pieces.append(piece)
        at = piece.end
    return pieces


def _next(text: str, at: int, region: Region, own: Rule | None) -> Piece:
    first = text[at]
    if first == "\n":
        return Piece(at, at + 1, "\n")
    space = _SPACE.match(text, at)
    if space and not re.match(r"\s[-–—/]", text[at : at + 2]):
        return Piece(at, space.end(), " ")
    place = Place(text, at, region)
    in_word = at > 0 and text[at - 1].isalnum()
    rules = _rules_for(first)
    if own is not None and not in_word:
        rules = (own, *rules)
    for one in rules:
        match = one.pattern.match(text, at)
        if match is None or match.end() == at:
            continue
        said = one.read(match, place)
        if said is not None:
            found = said if isinstance(said, Said) else Said(said)
            return Piece(at, match.end(), found.text, found.doubt)
    if first.isnumeric():
        return Piece(at, at + 1, f" {say_digits(first)} ", NUMBER)
    return Piece(at, at + 1, " ")


def _rules_for(first: str) -> tuple[Rule, ...]:
    if "0" <= first <= "9":
        return _AT_DIGIT
    if first.isalpha():
        return _AT_LETTER
    return _AT_MARK


@lru_cache(maxsize=64)
def _dictionary(words: tuple[Word, ...], region: Region) -> Rule | None:
    """Return one rule for all words; what it says is read by the rules alone.

    So no word can lead to another: a dictionary cannot go round in circles.
    """
    if not words:
        return None
    said = {
        unicodedata.normalize("NFC", word.written): say(
            scan(clean(word.spoken), region=region)
        )
        for word in words
    }
    longest = sorted(said, key=len, reverse=True)
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, longest))})(?!\w)")
    return Rule(pattern, lambda match, _place: said[match[0]])


def say(pieces: Sequence[Piece]) -> str:
    """Join what is said of pieces, tidy: one space, no doubled stops."""
    out: list[str] = []
    for piece in pieces:
        said = piece.said
        # Two words that touch in the written text are two words in the spoken one.
        if out and said and out[-1] and _touch(out[-1][-1], said[0]):
            out.append(" ")
        out.append(said)
    return tidy("".join(out))


def _touch(left: str, right: str) -> bool:
    return (left.isalpha() or left == "'") and right.isalpha()


def tidy(text: str) -> str:
    """Return spoken text with single spaces and stops."""
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    text = re.sub(rf"{chain.PAUSE} (?={chain.PAUSE})", chain.PAUSE, text)
    text = re.sub(r" +([.,;:!?…])", r"\1", text)
    text = re.sub(r"([,;:])(?: ?[,;:])+", r"\1", text)
    text = re.sub(r"[,;:] ?([.!?…])", r"\1", text)
    text = re.sub(r"([.!?…])(?: ?[.,;:])+", r"\1", text)
    text = re.sub(r"([!?])(?: ?[!?])+", r"\1", text)
    text = re.sub(r"(?m)^[ ,;:.!?…]+|[ ,;:]+$", "", text)
    text = re.sub(rf"{chain.STRONG} ?{chain.WEAK}", "", text)
    text = re.sub(rf"{chain.STRONG} +", chain.STRONG, text)
    text = re.sub(rf" +{chain.WEAK}", chain.WEAK, text)
    return re.sub(r"\n{2,}", "\n", text).strip()
