"""How a place wants words said; a province's words hold in all its communes."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from nguon.newsroom import lexicon

models.CharField.register_lookup(Length)


class DictionaryWord(models.Model):
    """A word of a unit's dictionary (từ điển cách đọc) as it is said now.

    A removed word stays as a row, so that the number of a dictionary only grows.
    """

    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="dictionary_words"
    )
    written = models.CharField(max_length=lexicon.WRITTEN_LIMIT)
    spoken = models.CharField(max_length=lexicon.SPOKEN_LIMIT)
    folded = models.CharField(max_length=300)
    number = models.PositiveIntegerField()
    removed = models.BooleanField(default=False)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "written"], name="dictionary_word_once_per_unit"
            ),
            models.CheckConstraint(
                condition=Q(written__length__gte=2, spoken__length__gte=1)
                & ~Q(written=models.F("spoken")),
                name="dictionary_word_says_something",
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1), name="dictionary_word_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.written} #{self.pk}"
