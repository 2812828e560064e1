"""Reads of the dictionary: what holds in a unit, and how a draft is said by it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from nguon.newsroom import rules
from nguon.newsroom.manner import manner_of, voice_of
from nguon.newsroom.models import Bulletin, DictionaryWord
from nguon.speech import text
from nguon.speech.reading.scan import Word
from nguon.speech.text import Reading
from nguon.territory.models import Unit
from nguon.territory.names import fold


@dataclass(frozen=True)
class Dictionary:
    """The words in force in a unit, and the number that any change makes higher."""

    words: tuple[Word, ...]
    number: int


def dictionary_of(unit: Unit) -> Dictionary:
    """Return what holds in a unit: its own words, then those of the units above."""
    rows = DictionaryWord.objects.filter(unit_id__in=unit.ancestor_ids)
    highest = rows.values("unit_id").annotate(latest=Max("number"))
    # Every change anywhere above makes the sum one higher, so it names one state.
    number = sum(row["latest"] for row in highest)
    said: dict[str, str] = {}
    for row in rows.filter(removed=False).order_by("unit__path", "pk"):
        said[row.written] = row.spoken
    words = tuple(Word(written, said[written]) for written in sorted(said))
    return Dictionary(words, number)


def list_words(unit: Unit, *, query: str = "") -> QuerySet[DictionaryWord]:
    """Return the words that hold in a unit, found with or without accents."""
    words = DictionaryWord.objects.filter(
        unit_id__in=unit.ancestor_ids, removed=False
    ).select_related("unit", "saved_by")
    if query:
        words = words.filter(folded__contains=fold(query))
    return words.order_by("folded", "pk")


def spoken_of(
    bulletin: Bulletin, dictionary: Dictionary, *, language: str = "vi"
) -> str:
    """Return what the voice says of a draft as it stands."""
    manner = manner_of(bulletin.manner, language=language)
    return text.spoken(
        rules.written_text(title=bulletin.title, body=bulletin.body),
        drill=bulletin.drill,
        region=voice_of(manner, language=language).region,
        dictionary=dictionary.words,
    )


def reading_of(bulletin: Bulletin, words: Sequence[Word]) -> Reading:
    """Return a draft read sentence by sentence, for the preview."""
    written = rules.written_text(title=bulletin.title, body=bulletin.body)
    manner = manner_of(bulletin.manner, language="vi")
    return text.read(
        rules.shown_text(written, drill=bulletin.drill),
        region=voice_of(manner, language="vi").region,
        dictionary=words,
    )
