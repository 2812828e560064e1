"""Whose month a page of a station is asked for."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from nguon.audit import months
from nguon.core.errors import AbsentError
from nguon.people.answers import officer_of
from nguon.people.models import Officer
from nguon.reports import stations
from nguon.reports.stations import Station
from nguon.territory.models import Unit

MONTHS = 25


class Asked:
    """Whose month a page is asked for: `don_vi` (a uid), `thang` (2026-11)."""

    def __init__(self, request: HttpRequest) -> None:
        self.officer: Officer = officer_of(request)
        self.at: datetime = timezone.now()
        self.month = _month(request, timezone.localdate(self.at))
        self.units = stations.list_stations(self.officer, self.month, at=self.at)
        uid = request.GET.get("don_vi", "")[:12]
        if not uid and not self.units:
            raise AbsentError("reports.no_station")
        self.station: Station = stations.find_station(
            self.officer,
            uid or self.units[0].uid,
            self.month,
            months.next_month(self.month),
            at=self.at,
        )

    @property
    def unit(self) -> Unit:
        """The commune."""
        return self.station.unit

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the choice of station and month needs."""
        this = timezone.localdate(self.at).replace(day=1)
        latest = [months.next_month(this, -n) for n in range(MONTHS)]
        return {
            "station": self.station,
            "unit": self.unit,
            "month": self.month,
            "months": sorted({*latest, self.month}, reverse=True),
            "units": self.units,
            "asked": request.GET,
        }

    @property
    def query(self) -> str:
        """Return what leads back to the same station and month."""
        return urlencode({"don_vi": self.unit.uid, "thang": f"{self.month:%Y-%m}"})


def _month(request: HttpRequest, today: date) -> date:
    """Read "2026-11"; anything else, and what is to come, is this month."""
    this = today.replace(day=1)
    try:
        asked = date.fromisoformat(f"{request.GET.get('thang', '')}-01")
    except ValueError:
        return this
    return asked if date(2000, 1, 1) <= asked < this else this
