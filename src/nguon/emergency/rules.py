"""How long a stop may last, and who may lift it. No clock, no database."""

from datetime import datetime, timedelta

from nguon.core.errors import InvalidError, RefusedError

DEFAULT_LENGTH = timedelta(hours=2)
LONGEST = timedelta(hours=24)

# Roles that may order silence: whoever is on duty. Silence is the safe side.
MAY_STOP = ("approver", "author", "technician", "administrator")
MAY_LIFT = ("approver", "administrator")


class SamePersonError(RefusedError):
    """Whoever asked to lift a stop does not confirm it."""


def check_until(*, until: datetime, at: datetime) -> None:
    """Refuse an end that is past or too far away: InvalidError."""
    if not at < until <= at + LONGEST:
        raise InvalidError("emergency.until_wrong", hours=24)


def check_second_person(*, asked_by: int, confirms: int) -> None:
    """Refuse lifting by one person alone: SamePersonError."""
    if asked_by == confirms:
        raise SamePersonError("emergency.same_person")
