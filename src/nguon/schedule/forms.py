"""What the schedule's forms send: a time, and who is meant. Rules are elsewhere."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.http import QueryDict

from nguon.core import typed
from nguon.core.errors import AbsentError, InvalidError
from nguon.fleet.models import Device, DeviceGroup
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.rules import Draft
from nguon.people import access
from nguon.people.models import AUTHOR, Officer
from nguon.schedule import rules
from nguon.schedule.audience import MOST_CHOSEN
from nguon.territory.models import Unit


def read_timing(sent: QueryDict, *, klass: str, at: datetime) -> rules.Timing:
    """Read when a bulletin should sound. Raises InvalidError for unreadable times."""
    kind = sent.get("timing", rules.NOW)
    try:
        if klass == "emergency":
            return rules.Timing(rules.NOW, expires_at=_expiry(sent, at))
        if kind == rules.ONCE:
            return rules.Timing(kind, starts_at=_start(sent, at))
        if kind == rules.DAILY:
            return _daily(sent, at)
    except ValueError as error:
        raise InvalidError("schedule.time_unreadable") from error
    return rules.Timing(kind)


def _expiry(sent: QueryDict, at: datetime) -> datetime:
    moment = sent.get("expires_at")
    if moment:
        return _local(moment, at)
    hours = sent.get("hours")
    return at + (timedelta(hours=float(hours)) if hours else rules.EMERGENCY_LIFE)


def _start(sent: QueryDict, at: datetime) -> datetime:
    moment = sent.get("starts_at")
    if moment:
        return _local(moment, at)
    day = typed.read_day(sent.get("date", ""), today=_today(at))
    return datetime.combine(day, typed.read_clock(sent.get("time", "")), rules.LOCAL)


def _daily(sent: QueryDict, at: datetime) -> rules.Timing:
    today = _today(at)
    first, last = sent.get("first_date"), sent.get("last_date")
    return rules.Timing(
        rules.DAILY,
        time_of_day=typed.read_clock(sent.get("time_of_day", "")),
        first_date=typed.read_day(first, today=today) if first else today,
        last_date=(
            typed.read_day(last, today=today) if last else today + timedelta(days=6)
        ),
    )


def _local(text: str, at: datetime) -> datetime:
    """Read a moment; one without a zone is a clock on the wall here."""
    return typed.read_moment(text, zone=rules.LOCAL, today=_today(at))


def _today(at: datetime) -> date:
    return at.astimezone(rules.LOCAL).date()


def read_audience(
    sent: QueryDict, *, officer: Officer, at: datetime
) -> tuple[Sequence[Unit], Sequence[Device]]:
    """Read the chosen units and devices, as far as they are the officer's to choose.

    Raises AbsentError for a foreign or unknown one: never fewer than was asked for.
    """
    unit_uids, device_uids = set(sent.getlist("units")), set(sent.getlist("devices"))
    if len(unit_uids) + len(device_uids) > MOST_CHOSEN:
        raise InvalidError("schedule.too_many_places", limit=MOST_CHOSEN)
    units = access.fence(
        Unit.objects.filter(uid__in=unit_uids),
        officer=officer,
        at=at,
        unit="",
        kinds=[AUTHOR],
    )
    devices = access.fence(
        Device.objects.filter(uid__in=device_uids),
        officer=officer,
        at=at,
        kinds=[AUTHOR],
    )
    found_units = list(units.order_by("path", "pk"))
    found_devices = list(devices.select_related("unit").order_by("pk"))
    if len(found_units) < len(unit_uids) or len(found_devices) < len(device_uids):
        raise AbsentError("people.not_your_ground")
    return found_units, found_devices


def read_groups(
    sent: QueryDict, *, officer: Officer, at: datetime
) -> Sequence[DeviceGroup]:
    """Read the chosen groups of devices. Raises AbsentError as `read_audience` does."""
    uids = set(sent.getlist("groups"))
    groups = access.fence(
        DeviceGroup.objects.filter(uid__in=sorted(uids)[:MOST_CHOSEN]),
        officer=officer,
        at=at,
        kinds=[AUTHOR],
    )
    found = list(groups.select_related("unit").order_by("name", "pk"))
    if len(found) < len(uids):
        raise AbsentError("people.not_your_ground")
    return found


def read_announcement(sent: QueryDict, *, unit: Unit, is_recorded: bool) -> Draft:
    """Read what is to be said at once; without a title, its first words are one.

    A voice without words still has something to show on boards and pages.
    """
    text = newsroom_rules.without_unseen(sent.get("text", ""))
    text = text.replace("\r\n", "\n").strip()
    if not text and (is_recorded or sent.get("is_recorded")):
        text = f"Thông báo bằng giọng nói của {unit.full_name}."
    title = newsroom_rules.without_unseen(sent.get("title", "")).strip()
    title = title or newsroom_rules.first_words(text)
    return Draft(title=title, body=text)
