"""What a request to the registers says: who asks, and for which unit."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.people.answers import officer_of
from nguon.registers import access
from nguon.registers.access import Reader
from nguon.territory.models import Unit

# Longer is no list to choose from: a commune is asked for first.
MOST_CHOICES = 300


def reader(request: HttpRequest) -> Reader:
    """Return who asks, at this moment."""
    return access.reader_of(officer_of(request), at=timezone.now())


def office(request: HttpRequest) -> str:
    """Return the uid of the unit by which choices are narrowed, or nothing."""
    return request.GET.get("don_vi", "")[:12]


def unit(request: HttpRequest, units: Iterable[Unit]) -> Unit:
    """Return the unit that was chosen. Raises InvalidError `registers.unit_missing`."""
    for one in units:
        if one.uid == request.POST.get("unit", ""):
            return one
    raise InvalidError("registers.unit_missing")
