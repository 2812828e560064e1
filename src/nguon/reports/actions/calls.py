"""A call is opened with its sender's form, its places mapped once, and answered."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import AbsentError, ConflictError, InvalidError
from nguon.fleet.actions import store_media
from nguon.fleet.models import Media
from nguon.indicators import catalogue
from nguon.indicators.rules import Period as Days
from nguon.people import access as people
from nguon.people.actions import notify
from nguon.people.models import APPROVER, Officer
from nguon.plan.rules import MAX_TITLE, clean
from nguon.reports import access, calls, rules
from nguon.reports.foreign import places, sheets
from nguon.reports.foreign.packages import XLSX, Package, open_package
from nguon.reports.models import Call, Field, Mapping
from nguon.schedule.recurrence import holidays
from nguon.territory.models import Unit
from nguon.territory.names import fold

# The store of media knows no types of Office; a page names them when it gives them.
MIME = "application/octet-stream"


@transaction.atomic
def open_call(
    *,
    unit: Unit,
    title: str,
    sender: str,
    days: Days,
    due_date: date,
    file: bytes,
    by: Officer,
    at: datetime,
) -> Call:
    """Take a call with its sender's form; what was mapped before is mapped again.

    Raises InvalidError (those of `open_package` and of texts, `indicators.period`,
    `reports.call_due` for a day that is over), NoRightError, AbsentError.
    """
    access.check_writes_for(by, unit, at=at)
    days.check()
    if due_date < timezone.localdate(at):
        raise InvalidError("reports.call_due")
    package = open_package(file)
    words = clean(title, most=MAX_TITLE, what="tên yêu cầu")
    from_whom = clean(sender, most=MAX_TITLE, what="nơi yêu cầu")
    call = Call.objects.create(
        unit=unit,
        title=words,
        folded=fold(words),
        sender=from_whom,
        folded_sender=fold(from_whom),
        first_date=days.first,
        after_date=days.after,
        due_date=due_date,
        kind=package.kind,
        file=_keep(file, at),
        sha256=hashlib.sha256(file).hexdigest(),
        opened_by=by,
        opened_at=at,
    )
    remembered = _remember(call, package, by=by, at=at)
    audit.record(
        "reports.call.opened",
        target=call,
        by=by,
        at=at,
        data={"sha256": call.sha256, "remembered": remembered},
    )
    return call


def _keep(data: bytes, at: datetime) -> Media:
    return store_media(data=data, mime=MIME, duration_ms=0, at=at)


def _remember(call: Call, package: Package, *, by: Officer, at: datetime) -> int:
    """Copy what was mapped: of the same file all, else of the same sender's places.

    Cells are of one file only: in another one they may hold anything.
    """
    earlier = Call.objects.filter(unit=call.unit).exclude(pk=call.pk)
    same = earlier.filter(sha256=call.sha256).order_by("-opened_at", "-pk").first()
    known: dict[str, Mapping] = {}
    theirs = earlier.filter(folded_sender=call.folded_sender, kind=call.kind)
    for one in Mapping.objects.filter(call__in=theirs).order_by("mapped_at", "pk"):
        if places.cell_of(one.place) is None:
            known[one.place] = one
    names = set(calls.find_places(package))
    kept = {place: one for place, one in known.items() if place in names}
    if same is not None:
        kept |= {one.place: one for one in same.mappings.all()}
    today = timezone.localdate(at)
    standing = set(
        Unit.objects.as_of(today)
        .filter(pk__in={one.unit_id for one in kept.values()})
        .values_list("pk", flat=True)
    )
    fresh = [
        Mapping(
            call=call,
            place=place,
            what=one.what,
            key=one.key,
            field_id=one.field_id,
            words=one.words,
            unit_id=one.unit_id,
            span=one.span,
            part=one.part,
            mapped_by=by,
            mapped_at=at,
        )
        for place, one in sorted(kept.items())
        if one.unit_id in standing
    ]
    Mapping.objects.bulk_create(fresh)
    return len(fresh)


@dataclass(frozen=True)
class Target:
    """What a place is to hold, as it was chosen."""

    what: str
    key: str = ""
    field: Field | None = None
    words: str = ""
    span: str = rules.SAME
    part: str = rules.VALUE


@transaction.atomic
def map_place(
    *,
    call_id: int,
    place: str,
    target: Target,
    unit: Unit,
    by: Officer,
    at: datetime,
) -> Mapping:
    """Say what a place of the form holds; what it held before is exchanged.

    Raises InvalidError (`reports.place_absent`, `reports.cell_…`, `reports.target`,
    `reports.target_unit`, `indicators.unknown`), ConflictError
    `reports.call_answered`, NoRightError, AbsentError.
    """
    call = _lock(call_id, by=by, at=at)
    _check_place(call, place)
    facts = _check_target(target)
    if not unit.path.startswith(call.unit.path):
        raise InvalidError("reports.target_unit")
    mapping, _fresh = Mapping.objects.update_or_create(
        call=call,
        place=place,
        defaults={**facts, "unit": unit, "mapped_by": by, "mapped_at": at},
    )
    audit.record(
        "reports.place.mapped", target=call, by=by, at=at, data={"place": place}
    )
    return mapping


def _check_place(call: Call, place: str) -> None:
    package = calls.package_of(call)
    if place in calls.find_places(package):
        return
    is_cell = places.cell_of(place) is not None and len(place) <= rules.MAX_PLACE
    if call.kind != XLSX or not is_cell:
        raise InvalidError("reports.place_absent")
    sheets.check_cell(package, place)


def _check_target(target: Target) -> dict[str, object]:
    """Return the columns of a target that holds exactly one thing."""
    facts: dict[str, object] = {
        "what": target.what, "key": "", "field": None, "words": "",
        "span": target.span, "part": target.part,
    }  # fmt: skip
    if target.span not in rules.SPANS or target.part not in rules.PARTS:
        raise InvalidError("reports.target")
    if target.what == rules.FIGURE:
        return facts | {"key": catalogue.find(target.key).code}
    if target.what == rules.KNOWN_WHAT and target.key in rules.KNOWN:
        return facts | {"key": target.key}
    if target.what == rules.FIELD and target.field is not None:
        return facts | {"field": target.field}
    if target.what == rules.WORDS:
        return facts | {"words": clean(target.words, most=MAX_TITLE, what="lời")}
    raise InvalidError("reports.target")


@transaction.atomic
def unmap_place(*, call_id: int, place: str, by: Officer, at: datetime) -> None:
    """Let a place be empty again. Raises as `map_place`."""
    call = _lock(call_id, by=by, at=at)
    gone, _kinds = call.mappings.filter(place=place).delete()
    if not gone:
        raise InvalidError("reports.place_absent")
    audit.record(
        "reports.place.unmapped", target=call, by=by, at=at, data={"place": place}
    )


@transaction.atomic
def answer_call(
    *, call_id: int, is_sure: bool = False, by: Officer, at: datetime
) -> Call:
    """Keep the form as it is filled now: that is what is given back.

    With places that stay empty only who `is_sure` of it may. Raises ConflictError
    (`reports.call_answered`, `reports.call_empty`), NoRightError, AbsentError.
    """
    call = _lock(call_id, by=by, at=at)
    people.check_can(by, APPROVER, unit=call.unit, at=at)
    package = calls.package_of(call)
    told = calls.list_places(call, package, at=at)
    empty = [one.name for one in told if one.value is None]
    if empty and not is_sure:
        raise ConflictError("reports.call_empty", count=len(empty))
    call.answer = _keep(calls.fill(package, told), at)
    call.answered_by, call.answered_at = by, at
    call.save(update_fields=["answer", "answered_by", "answered_at"])
    audit.record(
        "reports.call.answered",
        target=call,
        by=by,
        at=at,
        data={
            "sha256": call.answer.sha256,
            "empty": empty[:50],
        },
    )
    return call


@transaction.atomic
def remove_call(*, call_id: int, by: Officer, at: datetime) -> None:
    """Take away a call that was taken by mistake and that nobody answered.

    Whoever was reminded of it is told. Raises ConflictError `reports.call_answered`,
    NoRightError, AbsentError.
    """
    call = _lock(call_id, by=by, at=at)
    told = {"title": call.title, "sender": call.sender, "sha256": call.sha256}
    audit.record("reports.call.removed", target=call, by=by, at=at, data=told)
    if call.reminded_on is not None:
        _tell_gone(
            call,
            "Yêu cầu báo cáo đã bỏ, không phải trả lời nữa",
            f"{call.title}. {call.sender}",
            url=reverse("reports:calls"),
            by=by,
            at=at,
        )
    call.mappings.all().delete()
    call.delete()


@transaction.atomic
def withdraw_call(*, call_id: int, reason: str, by: Officer, at: datetime) -> Call:
    """Take an answered call back with the reason; what was given back stays seen.

    Raises ConflictError (`reports.call_open`, `reports.call_withdrawn`), InvalidError
    `plan.text_…`, NoRightError, AbsentError.
    """
    call = _find(call_id, by=by, at=at)
    people.check_can(by, APPROVER, unit=call.unit, at=at)
    if call.is_open:
        raise ConflictError("reports.call_open")
    if call.withdrawn_at is not None:
        raise ConflictError("reports.call_withdrawn")
    call.reason = clean(reason, most=rules.MAX_REASON, what="lý do")
    call.withdrawn_by, call.withdrawn_at = by, at
    call.save(update_fields=["reason", "withdrawn_by", "withdrawn_at"])
    _tell_gone(
        call,
        "Yêu cầu báo cáo đã rút lại",
        f"{call.title}. Lý do: {call.reason}",
        url=reverse("reports:call", args=[call.uid]),
        by=by,
        at=at,
    )
    audit.record(
        "reports.call.withdrawn",
        target=call,
        by=by,
        at=at,
        data={"reason": call.reason},
    )
    return call


def _tell_gone(
    call: Call, subject: str, body: str, *, url: str, by: Officer, at: datetime
) -> None:
    writers = access.list_writers([call.unit], at=at)
    notify(
        officers=[officer for officer in writers if officer.pk != by.pk],
        subject=subject,
        body=body,
        url=url,
        at=at,
    )


def _lock(call_id: int, *, by: Officer, at: datetime) -> Call:
    call = _find(call_id, by=by, at=at)
    if not call.is_open:
        raise ConflictError("reports.call_answered")
    return call


def _find(call_id: int, *, by: Officer, at: datetime) -> Call:
    rows = Call.objects.select_for_update(of=("self",)).select_related("unit")
    call = rows.filter(pk=call_id).first()
    if call is None:
        raise AbsentError("reports.call_absent")
    access.check_writes_for(by, call.unit, at=at)
    return call


@transaction.atomic
def remind_calls(*, at: datetime) -> int:
    """Remind of calls that wait, as of periods; return how many."""
    today = timezone.localdate(at)
    rows = Call.objects.filter(answered_at=None).select_for_update(of=("self",))
    due = [
        call
        for call in rows.select_related("unit").order_by("due_date", "pk")
        if _is_due(call, today)
    ]
    Call.objects.filter(pk__in=[call.pk for call in due]).update(reminded_on=today)
    for call in due:
        words = rules.due_words(call.due_date, today=today)
        notify(
            officers=access.list_writers([call.unit], at=at),
            subject=f"Yêu cầu báo cáo chưa trả lời, {words}",
            body=f"{call.title}. {call.sender}",
            url=reverse("reports:call", args=[call.uid]),
            at=at,
        )
    return len(due)


def _is_due(call: Call, today: date) -> bool:
    day = rules.reminder_on(call.due_date, today=today, holidays=holidays())
    return day is not None and (call.reminded_on is None or call.reminded_on < day)
