"""Who wants to be told by message or mail: added with consent, deleted on request."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from nguon.audit import actions as audit
from nguon.channels import rules
from nguon.channels.models import Contact
from nguon.core.errors import AbsentError, InvalidError
from nguon.people import access
from nguon.people.models import AUTHOR, Officer
from nguon.territory.models import Unit

MOST_ROWS = 5_000


@transaction.atomic
def add_contact(
    *,
    unit: Unit,
    kind: str,
    address: str,
    name: str,
    agreed: str,
    by: Officer,
    at: datetime,
) -> Contact:
    """Add somebody to a unit's book; who is there already stays as they are.

    Raises InvalidError (`channels.name_missing`, `channels.agreed_missing`, those of
    `rules.read_address`), AbsentError, NoRightError.
    """
    access.check_can(by, AUTHOR, unit=unit, at=at)
    contact = _keep(unit, kind, address, name, agreed, by=by, at=at)
    # The address stays out of the audit: it must be forgettable.
    audit.record("channels.contact.added", target=contact, by=by, at=at)
    return contact


@transaction.atomic
def import_contacts(
    *, unit: Unit, rows: Iterable[tuple[int, list[str]]], by: Officer, at: datetime
) -> int:
    """Add everybody of a table (kind or nothing, address, name, how they agreed).

    All or nothing: the first wrong row is named. Returns how many are in the table.
    Raises InvalidError `channels.row_wrong`, `channels.rows_many`.
    """
    access.check_can(by, AUTHOR, unit=unit, at=at)
    count = 0
    for number, cells in rows:
        address, name, agreed = ([*cells, "", "", ""])[:3]
        if number == 1 and not any(sign.isdigit() or sign == "@" for sign in address):
            continue
        kind = rules.EMAIL if "@" in address else rules.PHONE
        try:
            _keep(unit, kind, address, name, agreed, by=by, at=at)
        except InvalidError as error:
            raise InvalidError(
                "channels.row_wrong", number=number, text=address[:40]
            ) from error
        count += 1
        if count > MOST_ROWS:
            raise InvalidError("channels.rows_many", limit=MOST_ROWS)
    audit.record(
        "channels.contacts.imported", target=unit, by=by, at=at, data={"count": count}
    )
    return count


def _keep(
    unit: Unit,
    kind: str,
    address: str,
    name: str,
    agreed: str,
    *,
    by: Officer,
    at: datetime,
) -> Contact:
    address = rules.read_address(kind, address)
    if not 0 < len(name.strip()) <= 120:
        raise InvalidError("channels.name_missing")
    if not 0 < len(agreed.strip()) <= 200:
        raise InvalidError("channels.agreed_missing")
    contact, _new = Contact.objects.get_or_create(
        unit=unit,
        kind=kind,
        address=address,
        defaults={
            "name": name.strip(),
            "agreed": agreed.strip(),
            "added_by": by,
            "added_at": at,
        },
    )
    return contact


@transaction.atomic
def remove_contact(*, contact_id: int, by: Officer, at: datetime) -> None:
    """Forget somebody: what waits for them does not leave any more.

    Raises AbsentError, NoRightError.
    """
    mine = access.fence(Contact.objects.all(), officer=by, at=at)
    contact = mine.select_related("unit").filter(pk=contact_id).first()
    if contact is None:
        raise AbsentError("channels.contact_absent")
    access.check_can(by, AUTHOR, unit=contact.unit, at=at)
    audit.record("channels.contact.removed", target=contact, by=by, at=at)
    contact.delete()
