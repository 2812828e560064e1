"""What a word of the dictionary may be. Tables and plain functions, no Django.

A word is a name or an abbreviation. It never begins with a figure: an hour or a day
is read by the rules alone, so that no dictionary can make ten o'clock eleven.
"""

import re
import unicodedata

from nguon.core.errors import InvalidError
from nguon.speech import text

WRITTEN_LIMIT, SPOKEN_LIMIT, WORDS_LIMIT = 60, 200, 2_000


class WordError(InvalidError):
    """The word cannot be kept as it is; the code says why."""


def clean(value: str) -> str:
    """Return a word in one form of Unicode with single spaces."""
    return unicodedata.normalize("NFC", " ".join(value.split()))


def check_word(written: str, spoken: str) -> None:
    """Raise WordError unless both forms may be kept."""
    if not 2 <= len(written) <= WRITTEN_LIMIT or not written[0].isalpha():
        raise WordError("newsroom.word_written", limit=WRITTEN_LIMIT)
    if re.search(r"[\n.!?]\s|[<>\x00-\x1f\x7f]", written):
        raise WordError("newsroom.word_written", limit=WRITTEN_LIMIT)
    if not 1 <= len(spoken) <= SPOKEN_LIMIT or not any(c.isalpha() for c in spoken):
        raise WordError("newsroom.word_spoken", limit=SPOKEN_LIMIT)
    if written == spoken:
        raise WordError("newsroom.word_same")
    doubts = text.read(spoken).doubts
    if doubts:
        raise WordError("newsroom.word_doubtful", token=doubts[0].token)
