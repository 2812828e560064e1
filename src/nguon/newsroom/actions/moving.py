"""Words and suppliers of a unit that go on in another, since units were rearranged.

They are copied: what was read and written by the old ones stays true. The right is
asked by whoever rearranges.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from nguon.newsroom import lexicon
from nguon.newsroom.models import DictionaryWord, Supplier
from nguon.people.models import Officer
from nguon.territory.models import Unit

CHUNK = 500


@transaction.atomic
def copy_words(
    *, moves: Mapping[int, int], by: Officer, at: datetime
) -> dict[int, tuple[int, bool]]:
    """Have words said so in other units too; return of each its copy, whether new.

    A word that the unit says already, in whatever way, stays as it is there.
    """
    fresh: list[DictionaryWord] = []
    again: list[DictionaryWord] = []
    copied: dict[int, DictionaryWord] = {}
    doubles: dict[int, DictionaryWord] = {}
    wanted: dict[int, list[DictionaryWord]] = {}
    for word in DictionaryWord.objects.filter(pk__in=moves).order_by("unit", "pk"):
        wanted.setdefault(moves[word.pk], []).append(word)
    for unit in sorted(wanted):
        Unit.objects.select_for_update().get(pk=unit)
        rows = DictionaryWord.objects.filter(unit=unit)
        held = {row.written: row for row in rows}
        number = (rows.aggregate(latest=Max("number"))["latest"] or 0) + 1
        for word in wanted[unit]:
            known = held.get(word.written)
            if known is not None and not known.removed:
                doubles[word.pk] = known
                continue
            copy = known or DictionaryWord(unit_id=unit, written=word.written)
            copy.spoken, copy.folded = word.spoken, word.folded
            copy.number, copy.removed = number, False
            copy.saved_by, copy.saved_at = by, at
            (again if known else fresh).append(copy)
            held[word.written] = copy
            copied[word.pk] = copy
        count = sum(not row.removed for row in held.values())
        if count > lexicon.WORDS_LIMIT:
            raise lexicon.WordError("newsroom.word_too_many", limit=lexicon.WORDS_LIMIT)
    DictionaryWord.objects.bulk_create(fresh, batch_size=CHUNK)
    fields = ["spoken", "folded", "number", "removed", "saved_by", "saved_at"]
    DictionaryWord.objects.bulk_update(again, fields, batch_size=100)
    # A double may be of one that was copied just now: it has its key by here.
    return {key: (copy.pk, True) for key, copy in copied.items()} | {
        key: (row.pk, False) for key, row in doubles.items()
    }


@transaction.atomic
def remove_copies(*, words: Sequence[int], by: Officer, at: datetime) -> None:
    """Have copied words read by the rules again."""
    for word in DictionaryWord.objects.filter(pk__in=words, removed=False):
        latest = DictionaryWord.objects.filter(unit=word.unit).aggregate(
            n=Max("number")
        )["n"]
        word.number, word.removed = latest + 1, True
        word.saved_by, word.saved_at = by, at
        word.save(update_fields=["number", "removed", "saved_by", "saved_at"])


@transaction.atomic
def copy_suppliers(
    *, moves: Mapping[int, int], by: Officer, at: datetime
) -> dict[int, tuple[int, bool]]:
    """Name suppliers in other units too; return of each its copy, whether new."""
    done: dict[int, tuple[int, bool]] = {}
    for supplier in Supplier.objects.filter(pk__in=moves).order_by("pk"):
        copy, is_new = Supplier.objects.get_or_create(
            unit_id=moves[supplier.pk],
            folded=supplier.folded,
            ended_at=None,
            defaults={"name": supplier.name, "added_by": by, "added_at": at},
        )
        done[supplier.pk] = (copy.pk, is_new)
    return done


@transaction.atomic
def end_copies(*, suppliers: Sequence[int], at: datetime) -> None:
    """Name copied suppliers no longer."""
    for start in range(0, len(suppliers), CHUNK):
        rows = Supplier.objects.filter(pk__in=suppliers[start : start + CHUNK])
        rows.filter(ended_at=None).update(ended_at=at)
