"""Changes of a unit's dictionary; each makes its number one higher."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError
from nguon.newsroom import lexicon
from nguon.newsroom.models import DictionaryWord
from nguon.people import access as people_access
from nguon.people.models import AUTHOR, Officer
from nguon.territory.models import Unit
from nguon.territory.names import fold


class WrongRowsError(lexicon.WordError):
    """Rows of a file cannot be kept; `rows` names the first, nothing was taken."""

    def __init__(self, rows: Sequence[int]) -> None:
        self.rows = list(rows[:20])
        super().__init__("newsroom.word_rows", rows=self.rows, count=len(rows))


@transaction.atomic
def set_word(
    *, unit: Unit, written: str, spoken: str, by: Officer, at: datetime
) -> DictionaryWord:
    """Have a word said so in a unit, and in the communes under a province.

    Raises WordError, AbsentError for a foreign unit, NoRightError.
    """
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    written, spoken = lexicon.clean(written), lexicon.clean(spoken)
    lexicon.check_word(written, spoken)
    word = _keep(unit, written, spoken, _next_number(unit), by=by, at=at)
    audit.record(
        "newsroom.word.set",
        target=word,
        by=by,
        at=at,
        data={"written": written, "spoken": spoken, "unit": unit.uid},
    )
    return word


@transaction.atomic
def remove_word(*, word_id: int, by: Officer, at: datetime) -> Unit:
    """Have a word read by the rules again; return its unit.

    Raises AbsentError for a foreign or removed word, NoRightError.
    """
    words = people_access.fence(DictionaryWord.objects.all(), officer=by, at=at)
    word = words.filter(pk=word_id, removed=False).select_related("unit").first()
    if word is None:
        raise AbsentError("newsroom.word_absent")
    people_access.check_can(by, AUTHOR, unit=word.unit, at=at)
    word.number = _next_number(word.unit)
    word.removed, word.saved_by, word.saved_at = True, by, at
    word.save(update_fields=["number", "removed", "saved_by", "saved_at"])
    audit.record(
        "newsroom.word.removed",
        target=word,
        by=by,
        at=at,
        data={"written": word.written, "unit": word.unit.uid},
    )
    return word.unit


@transaction.atomic
def import_words(
    *, unit: Unit, rows: Sequence[tuple[int, str, str]], by: Officer, at: datetime
) -> int:
    """Keep the words of a file, (row, written, spoken) each: all of them or none.

    Returns how many. Raises WrongRowsError, WordError, AbsentError, NoRightError.
    """
    people_access.check_can(by, AUTHOR, unit=unit, at=at)
    wrong, good = [], {}
    for row, written, spoken in rows:
        written, spoken = lexicon.clean(written), lexicon.clean(spoken)
        try:
            lexicon.check_word(written, spoken)
        except lexicon.WordError:
            wrong.append(row)
            continue
        good[written] = spoken
    if wrong:
        raise WrongRowsError(wrong)
    number = _next_number(unit, more=len(good))
    for written, spoken in good.items():
        _keep(unit, written, spoken, number, by=by, at=at)
    audit.record(
        "newsroom.word.imported", target=unit, by=by, at=at, data={"count": len(good)}
    )
    return len(good)


def _next_number(unit: Unit, *, more: int = 1) -> int:
    """Return the unit's next number; who changes it at once waits for the other."""
    Unit.objects.select_for_update().get(pk=unit.pk)
    words = DictionaryWord.objects.filter(unit=unit)
    if words.filter(removed=False).count() + more > lexicon.WORDS_LIMIT:
        raise lexicon.WordError("newsroom.word_too_many", limit=lexicon.WORDS_LIMIT)
    return (words.aggregate(latest=Max("number"))["latest"] or 0) + 1


def _keep(
    unit: Unit, written: str, spoken: str, number: int, *, by: Officer, at: datetime
) -> DictionaryWord:
    word, _fresh = DictionaryWord.objects.update_or_create(
        unit=unit,
        written=written,
        defaults={
            "spoken": spoken,
            "folded": fold(f"{written} {spoken}"),
            "number": number,
            "removed": False,
            "saved_by": by,
            "saved_at": at,
        },
    )
    return word
