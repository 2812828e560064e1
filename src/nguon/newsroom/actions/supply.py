"""The list of suppliers of a unit, kept by its administrators."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError
from nguon.newsroom import rules
from nguon.newsroom.intake.proposal import clean
from nguon.newsroom.models import Supplier
from nguon.newsroom.models.supply import SUPPLIER_LIMIT
from nguon.people import access as people_access
from nguon.people.models import ADMINISTRATOR, Officer
from nguon.territory.models import Unit
from nguon.territory.names import fold


@transaction.atomic
def add_suppliers(
    *, unit: Unit, names: Iterable[str], by: Officer, at: datetime
) -> list[Supplier]:
    """Put sources on a unit's list; one that stands there already is not doubled.

    Raises DraftError for a name too short or too long, NoRightError, AbsentError.
    """
    people_access.check_can(by, ADMINISTRATOR, unit=unit, at=at)
    added = []
    for typed in names:
        name = " ".join(clean(typed).split())
        if not 2 <= len(name) <= SUPPLIER_LIMIT:
            raise rules.DraftError("newsroom.supplier_unreadable", limit=SUPPLIER_LIMIT)
        supplier, is_new = Supplier.objects.get_or_create(
            unit=unit,
            folded=fold(name)[:SUPPLIER_LIMIT],
            ended_at=None,
            defaults={"name": name, "added_by": by, "added_at": at},
        )
        if is_new:
            audit.record(
                "newsroom.supplier.added",
                target=supplier,
                by=by,
                at=at,
                data={"name": name},
            )
            added.append(supplier)
    return added


@transaction.atomic
def end_supplier(*, key: int, by: Officer, at: datetime) -> Supplier:
    """Take a source off the list; bulletins that name it keep it.

    Raises AbsentError, NoRightError.
    """
    seen = people_access.fence(Supplier.objects.all(), officer=by, at=at)
    supplier = seen.filter(pk=key, ended_at=None).select_related("unit").first()
    if supplier is None:
        raise AbsentError("newsroom.supplier_absent")
    people_access.check_can(by, ADMINISTRATOR, unit=supplier.unit, at=at)
    supplier.ended_at = at
    supplier.save(update_fields=["ended_at"])
    audit.record("newsroom.supplier.ended", target=supplier, by=by, at=at)
    return supplier
