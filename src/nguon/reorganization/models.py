"""A merge, what a person decided for it, and every thing that it moved.

Only `reorganization.actions` writes here.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid
from nguon.reorganization import rules


def state_choices() -> list[tuple[str, str]]:
    """Return the states of a merge with their Vietnamese names."""
    return list(rules.STATES.items())


class Merge(models.Model):
    """A merge of units (sắp xếp), `drafted → run → undone | confirmed`.

    `unit` is the province on the new map, `day` its first day. `sha256` is the hash of
    the preview that was run; `counts` what stood on the ground before and after, by
    kind.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    unit = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    day = models.DateField()
    title = models.CharField(max_length=rules.MAX_TITLE)
    successions = models.ManyToManyField("territory.Succession", related_name="+")
    state = models.CharField(max_length=9, choices=state_choices, default=rules.DRAFTED)
    sha256 = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField()
    run_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    run_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=list(rules.STATES)), name="merge_state_known"
            ),
            *(
                models.CheckConstraint(
                    condition=Q(
                        **{f"{act}_by__isnull": True, f"{act}_at__isnull": True}
                    )
                    | Q(**{f"{act}_by__isnull": False, f"{act}_at__isnull": False}),
                    name=f"merge_{act}_whole",
                )
                for act in ("run", "undone", "confirmed")
            ),
            models.CheckConstraint(
                condition=Q(state=rules.DRAFTED, run_at__isnull=True, sha256="")
                | ~Q(state=rules.DRAFTED) & Q(run_at__isnull=False, sha256__length=64),
                name="merge_run_has_a_hash",
            ),
            models.CheckConstraint(
                condition=Q(state=rules.UNDONE, undone_at__isnull=False)
                | ~Q(state=rules.UNDONE) & Q(undone_at__isnull=True),
                name="merge_undone_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state=rules.CONFIRMED, confirmed_at__isnull=False)
                | ~Q(state=rules.CONFIRMED) & Q(confirmed_at__isnull=True),
                name="merge_confirmed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(run_by__isnull=True) | ~Q(run_by=F("made_by")),
                name="merge_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"merge {self.uid} #{self.pk}"


class Heir(models.Model):
    """What a person decided for one old unit that the table leaves open.

    Without `unit`, what stands at `old` stays there.
    """

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="heirs")
    old = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(
        "territory.Unit",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merge", "old"], name="heir_once"),
            models.CheckConstraint(
                condition=Q(unit__isnull=True) | ~Q(unit=F("old")),
                name="heir_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"heir #{self.unit_id} of unit #{self.old_id} #{self.pk}"


class Moved(models.Model):
    """One thing that a merge moved: from it, undo is exact.

    `key` is its row in the table `kind`; `made` the row that took its place where the
    old one ended; `told` what else was changed, as it was before.
    """

    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, related_name="moved")
    kind = models.CharField(max_length=40)
    key = models.BigIntegerField()
    old = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    new = models.ForeignKey(
        "territory.Unit", on_delete=models.PROTECT, related_name="+"
    )
    made = models.BigIntegerField(null=True, blank=True)
    told = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "moved"
        constraints = [
            models.UniqueConstraint(fields=["merge", "kind", "key"], name="moved_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.key} to unit #{self.new_id} #{self.pk}"
