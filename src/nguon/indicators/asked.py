"""What a page of figures is asked for: whose ground, which days, which figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from nguon.core import typed
from nguon.core.errors import AbsentError, InvalidError
from nguon.indicators import rules, stored
from nguon.indicators.rules import Period
from nguon.people import access
from nguon.people.models import Officer
from nguon.territory.models import COMMUNE, DISTRICT, PROVINCE, VILLAGE, Unit

SPANS = {
    "tuan": "7 ngày qua",
    "thang": "Tháng này",
    "thang-truoc": "Tháng trước",
    "quy": "Quý này",
    "nam": "Năm nay",
    "nam-truoc": "Năm trước",
    "khac": "Từ ngày đến ngày",
}
USUAL = "thang"


@dataclass(frozen=True)
class Asked:
    """The ground and days of a page; `units` are what the officer may choose."""

    unit: Unit
    period: Period
    span: str
    units: Sequence[Unit]

    @property
    def day(self) -> date:
        """The day on whose map it is asked: an earlier period, on the unit's own."""
        return stored.map_day(self.unit, self.period)


def read(officer: Officer, asked: Mapping[str, str], *, at: datetime) -> Asked:
    """Return what is asked for, fenced to the officer's ground.

    `don_vi` (a unit's uid), `ky` (of `SPANS`), `tu` and `den` (days as typed).
    Raises AbsentError for other ground, InvalidError `indicators.period_unreadable`.
    """
    today = timezone.localdate(at)
    known = Unit.objects.as_of(today).filter(kind__in=[PROVINCE, DISTRICT, COMMUNE])
    mine = access.fence(known, officer=officer, at=at, unit="")
    units = sorted(mine, key=lambda one: (one.level, one.folded))
    if asked.get("don_vi"):
        unit = _find(officer, asked["don_vi"], at)
    elif units:
        unit = units[0]
    else:
        raise AbsentError("indicators.no_ground")
    span = asked.get("ky", "") if asked.get("ky") in SPANS else USUAL
    return Asked(unit, period_of(span, asked, today=today), span, units)


def _find(officer: Officer, uid: str, at: datetime) -> Unit:
    seen = access.fence(Unit.objects.filter(uid=uid), officer=officer, at=at, unit="")
    unit = seen.exclude(kind=VILLAGE).first()
    if unit is None:
        raise AbsentError("people.not_your_ground")
    return unit


def period_of(span: str, asked: Mapping[str, str], *, today: date) -> Period:
    """Return the days of a span. Raises InvalidError `indicators.period_unreadable`."""
    if span == "khac":
        return _typed(asked.get("tu", ""), asked.get("den", ""), today)
    if span == "tuan":
        return Period(today - timedelta(days=7), today)
    if span == "thang-truoc":
        last = today.replace(day=1) - timedelta(days=1)
        return rules.months(last.year, last.month, 1)
    if span == "quy":
        return rules.months(today.year, (today.month - 1) // 3 * 3 + 1, 3)
    if span in {"nam", "nam-truoc"}:
        return rules.months(today.year - (span == "nam-truoc"), 1, 12)
    return rules.months(today.year, today.month, 1)


def _typed(first: str, last: str, today: date) -> Period:
    try:
        begin, end = (typed.read_day(text, today=today) for text in (first, last))
        return Period(begin, end + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise InvalidError("indicators.period_unreadable") from error
