"""The only way to write the audit; call it last inside the action's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from nguon.audit.models import Record


class Person(Protocol):
    """Whoever acts: anything with a key and a name."""

    pk: int
    full_name: str


def record(
    action: str,
    *,
    target: object,
    by: Person | None,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> Record:
    """Write down who did what; `by` is None when a machine did it by itself."""
    return Record.objects.create(
        at=at,
        by_id=by.pk if by else None,
        by_name=by.full_name if by else "máy chủ",
        action=action,
        target=str(target)[:200],
        data=dict(data or {}),
    )
