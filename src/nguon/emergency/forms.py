"""What the stop form sends: what falls silent, and until when."""

from datetime import datetime, timedelta

from django.http import QueryDict

from nguon.core.errors import InvalidError
from nguon.emergency import rules
from nguon.people import access
from nguon.people.models import Officer
from nguon.territory.models import Unit


def read_until(sent: QueryDict, *, at: datetime) -> datetime:
    """Read the end of a stop: minutes, or a moment with its zone."""
    try:
        moment = sent.get("until")
        if moment:
            until = datetime.fromisoformat(moment)
            if until.tzinfo is None:
                raise ValueError("no zone")
            return until
        minutes = sent.get("minutes")
        return at + (
            timedelta(minutes=int(minutes)) if minutes else rules.DEFAULT_LENGTH
        )
    except (ValueError, OverflowError) as error:
        raise InvalidError("emergency.until_wrong", hours=24) from error


def list_grounds(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the units that an officer may silence as a whole."""
    return access.units_of(officer, at=at, kinds=rules.MAY_STOP)
