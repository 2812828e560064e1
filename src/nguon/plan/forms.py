"""Reads what officers type about plans: days, tasks, papers, choices of units."""

from collections.abc import Mapping
from datetime import date, datetime

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.people.models import Officer
from nguon.plan import queries, rules
from nguon.plan.models import ActionPlan, Assignment
from nguon.territory.models import Unit

EVERY, ISSUER, SOME = "every", "issuer", "some"


def read_plan(sent: Mapping[str, str], *, at: datetime) -> rules.PlanWords:
    """Return a plan's words from a form. Raises InvalidError."""
    return rules.PlanWords(
        title=sent.get("title", ""),
        number=sent.get("number", ""),
        signed_on=read_day(sent, "signed_on", at=at),
        first_date=need_day(sent, "first_date", at=at),
        last_date=need_day(sent, "last_date", at=at),
        aims=sent.get("aims", ""),
        demands=sent.get("demands", ""),
    )


def read_task(sent: Mapping[str, str], *, at: datetime) -> rules.TaskWords:
    """Return a task's words from a form. Raises InvalidError."""
    return rules.TaskWords(
        title=sent.get("title", ""),
        lead=sent.get("lead", ""),
        partners=sent.get("partners", ""),
        product=sent.get("product", ""),
        last_date=read_day(sent, "last_date", at=at),
        indicator=sent.get("indicator", ""),
    )


def read_document(sent: Mapping[str, str], *, at: datetime) -> rules.DocumentWords:
    """Return what is known of a paper from a form. Raises InvalidError."""
    return rules.DocumentWords(
        kind=sent.get("kind", ""),
        number=sent.get("number", ""),
        issuer=sent.get("issuer", ""),
        abstract=sent.get("abstract", ""),
        issued_on=read_day(sent, "issued_on", at=at),
        link=sent.get("link", ""),
    )


def read_units(sent: QueryDict, plan: ActionPlan) -> list[Unit]:
    """Return the units that a task is given to: the issuer, all below it, or some."""
    issuer, *below = queries.list_units_of(plan)
    choice = sent.get("given", EVERY)
    if choice == ISSUER:
        return [issuer]
    if choice == EVERY:
        return below
    chosen = set(sent.getlist("units"))
    return [unit for unit in (issuer, *below) if unit.uid in chosen]


def read_doer(
    sent: Mapping[str, str], doers: list[Officer], row: Assignment
) -> Officer:
    """Return who was named. Raises InvalidError `plan.not_of_unit`."""
    key = sent.get("assigned_to", "")
    for officer in doers:
        if str(officer.pk) == key:
            return officer
    raise InvalidError("plan.not_of_unit", name=row.unit.full_name)


def read_percent(sent: Mapping[str, str]) -> int | None:
    """Return a share in a hundred, or None. Raises InvalidError `plan.percent`."""
    text = sent.get("percent", "").strip().removesuffix("%").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len("100")):
        raise InvalidError("plan.percent")
    return int(text)


def read_photo(request: HttpRequest) -> bytes:
    """Return the photo that was sent, or nothing."""
    sent = request.FILES.get("photo")
    return sent.read() if sent else b""


def read_day(sent: Mapping[str, str], name: str, *, at: datetime) -> date | None:
    """Return a typed day, or None when the field is empty. Raises InvalidError."""
    text = sent.get(name, "").strip()
    if not text:
        return None
    try:
        return typed.read_day(text, today=timezone.localdate(at))
    except (ValueError, OverflowError) as error:
        raise InvalidError("people.day_unreadable", text=text[:30]) from error


def need_day(sent: Mapping[str, str], name: str, *, at: datetime) -> date:
    """Return a typed day. Raises InvalidError `plan.day_missing`."""
    day = read_day(sent, name, at=at)
    if day is None:
        raise InvalidError("plan.day_missing")
    return day


def read_unit(sent: Mapping[str, str], plan: ActionPlan) -> Unit:
    """Return one unit of a plan's own map. Raises InvalidError `plan.unit_foreign`."""
    for unit in queries.list_units_of(plan):
        if unit.uid == sent.get("unit", ""):
            return unit
    raise InvalidError("plan.unit_foreign", unit=sent.get("unit", "")[:20])
