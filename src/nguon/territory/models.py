"""Units and their successions. Periods are half-open: `[valid_from, valid_to)`."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from nguon.core.topics import new_uid

PROVINCE, DISTRICT, COMMUNE, VILLAGE = "province", "district", "commune", "village"
# What stands in `level` on the wire: 0 is the country.
LEVELS = {PROVINCE: 1, DISTRICT: 2, COMMUNE: 2, VILLAGE: 3}


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of unit with their Vietnamese names."""
    return [
        (PROVINCE, "Tỉnh, thành phố"),
        (DISTRICT, "Huyện, quận"),
        (COMMUNE, "Xã, phường"),
        (VILLAGE, "Thôn, làng, tổ dân phố"),
    ]


class UnitQuerySet(models.QuerySet["Unit"]):
    """Questions about ground are always asked as of a date."""

    def as_of(self, day: date) -> "UnitQuerySet":
        """Keep the units on the map of a day."""
        still = Q(valid_to__isnull=True) | Q(valid_to__gt=day)
        return self.filter(still, valid_from__lte=day)

    def under(self, unit: "Unit") -> "UnitQuerySet":
        """Keep a unit and everything below it."""
        return self.filter(path__startswith=unit.path) if unit.path else self.none()


class Unit(models.Model):
    """A province, district, commune or village while it exists.

    `path` lists the ids from the top down to this one, `/1/23/456/`, so that
    "this unit and below" is one prefix.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    code = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=kind_choices)
    subkind = models.CharField(max_length=20, blank=True)
    name = models.CharField(max_length=120)
    folded = models.CharField(max_length=120, db_index=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    path = models.CharField(max_length=120, blank=True, db_index=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    lat = models.FloatField(null=True, blank=True)
    lon = models.FloatField(null=True, blank=True)
    area_km2 = models.FloatField(null=True, blank=True)
    population = models.PositiveIntegerField(null=True, blank=True)

    objects = UnitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "code", "valid_from"], name="unit_code_and_date"
            ),
            models.UniqueConstraint(
                fields=["kind", "code"],
                condition=Q(valid_to__isnull=True),
                name="unit_code_once_today",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="unit_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[PROVINCE, DISTRICT, COMMUNE, VILLAGE]),
                name="unit_kind_known",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "valid_from"], name="unit_kind_from"),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} #{self.pk}"

    @property
    def full_name(self) -> str:
        """The name as people say it; old names already carry their kind."""
        if self.subkind and not self.name.startswith(self.subkind):
            return f"{self.subkind} {self.name}"
        return self.name

    @property
    def level(self) -> int:
        """The level of this unit as an issuer: 1 province, 2 commune, 3 village."""
        return LEVELS[self.kind]

    @property
    def ancestor_ids(self) -> list[int]:
        """Ids from the top down to, and with, this unit."""
        return [int(part) for part in self.path.strip("/").split("/") if part]


class Succession(models.Model):
    """Which old commune went into which new one, on the new one's first day."""

    old = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="heirs")
    new = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="origins")
    kind = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["old", "new"], name="succession_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["whole", "part-main", "part"]),
                name="succession_kind_known",
            ),
            models.CheckConstraint(
                condition=~Q(old=F("new")), name="succession_to_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old_id} into {self.new_id} ({self.kind}) #{self.pk}"
