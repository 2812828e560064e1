"""A station's papers: written by one, put into force by another about one hash.

Every change of what sounds when goes this way. Approval and ending rebuild the plans
that the paper touches, in the same transaction, and no others.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max, Q, TextField
from django.db.models.functions import Cast

from nguon.audit import actions as audit
from nguon.audit import guards
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.people import access
from nguon.people import actions as people
from nguon.people import queries as people_queries
from nguon.people.models import APPROVER, AUTHOR, Officer
from nguon.schedule import checks, inspection, rules, station
from nguon.schedule.actions.plans import build_plans
from nguon.schedule.models import Paper, PaperInvolvement
from nguon.schedule.papers import lock_paper
from nguon.territory.models import COMMUNE, Unit
from nguon.territory.queries import find_ancestors

REASON_LIMIT = 2000
TITLE_LIMIT = 200


class OwnPaperError(RefusedError):
    """Whoever wrote, changed or sent a paper does not approve it."""


class PaperChangedError(ConflictError):
    """What would be approved is not what was read."""


@transaction.atomic
def draft_paper(
    *,
    unit: Unit,
    kind: str,
    body: Mapping[str, Any] | station.Body,
    title: str,
    first_date: date,
    last_date: date | None,
    by: Officer,
    at: datetime,
) -> Paper:
    """Begin a paper of a unit, numbered within its kind.

    `body` is JSON values or a value of `schedule.station`. Raises InvalidError
    (`schedule.paper_malformed`, `paper_untitled`, `dates_reversed`, `unit_ended`,
    `paper_elsewhere`, for a source what its address alone says), AbsentError or
    NoRightError.
    """
    access.check_can(by, AUTHOR, unit=unit, at=at)
    if kind not in station.KINDS:
        raise InvalidError("schedule.paper_malformed", field="kind", why=kind)
    inspection.check_home(unit, kind, at=at)
    # The lock makes two who begin a paper at once take two numbers.
    Unit.objects.select_for_update(of=("self",)).get(pk=unit.pk)
    latest = Paper.objects.filter(unit=unit, kind=kind).aggregate(n=Max("number"))["n"]
    paper = Paper(unit=unit, kind=kind, number=(latest or 0) + 1, created_at=at)
    _write(paper, body, title, first_date, last_date)
    paper.save(force_insert=True)
    _note_edit(paper, by=by, at=at)
    audit.record("schedule.paper.drafted", target=paper, by=by, at=at)
    return paper


@transaction.atomic
def save_draft(
    *,
    paper_uid: str,
    body: Mapping[str, Any] | station.Body,
    title: str,
    first_date: date,
    last_date: date | None,
    by: Officer,
    at: datetime,
) -> Paper:
    """Change a draft; whoever does becomes one of its writers.

    Raises ConflictError once it was sent, and what `draft_paper` raises.
    """
    paper = lock_paper(paper_uid)
    access.check_can(by, AUTHOR, unit=paper.unit, at=at)
    if paper.state != rules.DRAFT:
        raise ConflictError(
            "schedule.paper_sent", state=rules.PAPER_STATES[paper.state]
        )
    _note_edit(paper, by=by, at=at)
    _write(paper, body, title, first_date, last_date)
    paper.save(
        update_fields=["body", "sha256", "subject", "title", "first_date", "last_date"]
    )
    audit.record("schedule.paper.changed", target=paper, by=by, at=at)
    return paper


def _write(
    paper: Paper,
    body: Mapping[str, Any] | station.Body,
    title: str,
    first_date: date,
    last_date: date | None,
) -> None:
    """Put the content into a draft, in its one canonical form."""
    if not 0 < len(title.strip()) <= TITLE_LIMIT:
        raise InvalidError("schedule.paper_untitled", limit=TITLE_LIMIT)
    if last_date is not None and last_date < first_date:
        raise InvalidError("schedule.dates_reversed")
    given = dict(body) if isinstance(body, Mapping) else body
    value = station.decode(paper.kind, given)
    if isinstance(value, station.Source):
        # Who typed it learns at once; where a name leads is looked at when it is sent.
        checks.check_written(value, allowed=settings.RELAY_ALLOWED)
    paper.title = title.strip()
    paper.first_date, paper.last_date = first_date, last_date
    paper.body = station.encode(paper.kind, value)
    paper.subject = station.subject_of(paper.kind, value)
    paper.sha256 = _hash(paper)


def _hash(paper: Paper) -> str:
    return station.hash_of(
        kind=paper.kind,
        unit=paper.unit.uid,
        body=paper.body,
        first_date=paper.first_date,
        last_date=paper.last_date,
    )


def _note_edit(paper: Paper, *, by: Officer, at: datetime) -> None:
    PaperInvolvement.objects.get_or_create(
        paper=paper,
        person=by,
        defaults={"kind": PaperInvolvement.EDIT, "at": at},
    )


@transaction.atomic
def send_paper(
    *,
    paper_uid: str,
    by: Officer,
    at: datetime,
    resolve: checks.Resolve = inspection.resolve_name,
) -> Paper:
    """Send a draft to be approved, after checking all that it says.

    `resolve` finds the IP addresses of a source. Raises InvalidError with the first
    thing that is wrong, ConflictError, AbsentError or NoRightError.
    """
    paper = lock_paper(paper_uid)
    access.check_can(by, AUTHOR, unit=paper.unit, at=at)
    _check_move(paper, rules.WAITING)
    inspection.inspect(paper, at=at, resolve=resolve)
    _note_edit(paper, by=by, at=at)
    paper.state = rules.WAITING
    paper.submitted_by, paper.submitted_at = by, at
    paper.save(update_fields=["state", "submitted_by", "submitted_at"])
    people.notify(
        officers=people_queries.list_approvers(
            paper.unit, at=at, without=frozenset(_writers(paper))
        ),
        subject=f"Chờ duyệt: {paper.title}",
        body=f"{by.full_name} gửi duyệt {station.KINDS[paper.kind]} này.",
        url=url_of(paper),
        at=at,
    )
    audit.record(
        "schedule.paper.sent",
        target=paper,
        by=by,
        at=at,
        data={"sha256": paper.sha256},
    )
    return paper


def _writers(paper: Paper) -> list[int]:
    edits = paper.involvements.filter(kind=PaperInvolvement.EDIT)
    return list(edits.values_list("person", flat=True))


def url_of(paper: Paper) -> str:
    """Return where people read a paper."""
    return f"/giay-to/{paper.uid}/"


def _check_move(paper: Paper, new: str) -> None:
    """Refuse a step that the life of a paper does not have: ConflictError."""
    if new not in rules.PAPER_MOVES[paper.state]:
        raise ConflictError(
            "schedule.paper_decided", state=rules.PAPER_STATES[paper.state]
        )


@transaction.atomic
def approve_paper(
    *,
    paper_uid: str,
    sha256: str,
    by: Officer,
    at: datetime,
    resolve: checks.Resolve = inspection.resolve_name,
) -> Paper:
    """Put a paper into force.

    1. Refuse whoever wrote in it, and any hash but that of what was read.
    2. Check again all that it says: since it was sent, things may have gone.
    3. Write the approval, then rebuild and sign the plans that it touches.

    Raises OwnPaperError, PaperChangedError, ConflictError, InvalidError,
    GuardsMissingError, CannotSignError, AbsentError or NoRightError; then nothing
    has changed.
    """
    guards.check_set(connection)
    paper = lock_paper(paper_uid)
    access.check_can(by, APPROVER, unit=paper.unit, at=at)
    _check_move(paper, rules.APPROVED)
    if paper.submitted_by_id == by.pk or by.pk in _writers(paper):
        raise OwnPaperError("schedule.own_paper")
    if not sha256 == paper.sha256 == _hash(paper):
        raise PaperChangedError("schedule.paper_changed")
    inspection.inspect(paper, at=at, resolve=resolve)
    _write_approval(paper, by=by, at=at)
    build_plans(units=list_touched(paper, at=at), by=by, at=at)
    _tell_writer(paper, f"Đã duyệt: {paper.title}", f"{by.full_name} đã duyệt.", at=at)
    audit.record(
        "schedule.paper.approved",
        target=paper,
        by=by,
        at=at,
        data={"sha256": sha256},
    )
    return paper


def _write_approval(paper: Paper, *, by: Officer, at: datetime) -> None:
    try:
        with transaction.atomic():
            PaperInvolvement.objects.create(
                paper=paper,
                person=by,
                kind=PaperInvolvement.APPROVE,
                at=at,
                approved_sha256=paper.sha256,
            )
    except IntegrityError as error:
        # Somebody was faster between our look and our write.
        raise ConflictError(
            "schedule.paper_decided", state=rules.PAPER_STATES[rules.APPROVED]
        ) from error
    paper.state = rules.APPROVED
    paper.approved_by, paper.approved_at = by, at
    paper.save(update_fields=["state", "approved_by", "approved_at"])


def _tell_writer(paper: Paper, subject: str, body: str, *, at: datetime) -> None:
    if paper.submitted_by is not None:
        people.notify(
            officers=[paper.submitted_by],
            subject=subject,
            body=body,
            url=url_of(paper),
            at=at,
        )


@transaction.atomic
def return_paper(*, paper_uid: str, reason: str, by: Officer, at: datetime) -> Paper:
    """Send a paper back to its writer with a reason; a new one takes its place.

    Raises InvalidError without a reason, ConflictError, AbsentError or NoRightError.
    """
    paper = lock_paper(paper_uid)
    access.check_can(by, APPROVER, unit=paper.unit, at=at)
    _check_move(paper, rules.RETURNED)
    paper.state = rules.RETURNED
    paper.returned_by, paper.returned_at = by, at
    paper.reason = _checked(reason)
    paper.save(update_fields=["state", "returned_by", "returned_at", "reason"])
    told = f"{by.full_name}: {paper.reason}"
    _tell_writer(paper, f"Bị trả lại: {paper.title}", told, at=at)
    audit.record("schedule.paper.returned", target=paper, by=by, at=at)
    return paper


@transaction.atomic
def end_paper(*, paper_uid: str, reason: str, by: Officer, at: datetime) -> Paper:
    """Take a paper out of force at once, or withdraw one that is not yet in force.

    What is in force takes an approver; one is enough, since an end only takes away:
    rules or a programme whose end would bring older ones back on air are changed by
    a new paper instead, which two persons see. Raises InvalidError without a reason,
    ConflictError, AbsentError or NoRightError.
    """
    paper = lock_paper(paper_uid)
    was_in_force = paper.state == rules.APPROVED
    if was_in_force or not access.can(by, AUTHOR, unit=paper.unit, at=at):
        access.check_can(by, APPROVER, unit=paper.unit, at=at)
    _check_move(paper, rules.ENDED)
    if was_in_force:
        _check_brings_nothing_back(paper, at=at)
    paper.state = rules.ENDED
    paper.ended_by, paper.ended_at = by, at
    paper.reason = _checked(reason)
    paper.save(update_fields=["state", "ended_by", "ended_at", "reason"])
    if was_in_force:
        build_plans(units=list_touched(paper, at=at), by=by, at=at)
    if paper.submitted_by_id != by.pk:
        told = f"{by.full_name}: {paper.reason}"
        _tell_writer(paper, f"Hết hiệu lực: {paper.title}", told, at=at)
    audit.record("schedule.paper.ended", target=paper, by=by, at=at)
    return paper


def _check_brings_nothing_back(paper: Paper, *, at: datetime) -> None:
    """Refuse an end after which an older paper would decide what sounds."""
    if paper.kind not in (station.RULES, station.PROGRAMME):
        return
    today = inspection.today(at)
    older = Paper.objects.filter(
        Q(last_date__isnull=True) | Q(last_date__gte=max(today, paper.first_date)),
        unit=paper.unit,
        kind=paper.kind,
        subject=paper.subject,
        state=rules.APPROVED,
        approved_at__lte=paper.approved_at,
    ).exclude(pk=paper.pk)
    if paper.last_date is not None:
        older = older.filter(first_date__lte=paper.last_date)
    found = older.order_by("-approved_at", "-pk").first()
    if found is not None:
        raise ConflictError("schedule.end_brings_back", title=found.title)


def _checked(reason: str) -> str:
    """Return the reason as it is kept. Raises InvalidError when there is none."""
    if not reason.strip():
        raise InvalidError("schedule.reason_missing")
    return reason.strip()[:REASON_LIMIT]


def list_touched(paper: Paper, *, at: datetime) -> list[Unit]:
    """Return the units whose plans a paper may change; only changed ones are signed.

    Rules touch their station and, as long as it has none, the plans above it, which
    carry the quiet hours of stations without rules; those of a province every station
    below it. A source touches the stations that name it; other papers touch none.
    """
    day = inspection.today(at)
    if paper.kind in (station.AUTHORITY, station.CHAIN):
        return []
    if paper.kind == station.SOURCE:
        return _list_relaying(paper, day=day)
    if paper.kind != station.RULES:
        return [paper.unit]
    above = [unit for unit in find_ancestors(paper.unit) if unit.pk != paper.unit_id]
    planned = Unit.objects.filter(pk__in=[u.pk for u in above], plan__isnull=False)
    below = Unit.objects.none()
    if paper.unit.kind != COMMUNE:
        below = (
            Unit.objects.as_of(day)
            .under(paper.unit)
            .filter(kind=COMMUNE, plan__isnull=False)
        )
    return [*planned.order_by("pk"), paper.unit, *below.order_by("pk")]


def _list_relaying(source: Paper, *, day: date) -> list[Unit]:
    """Return the stations whose papers name a source, in any of its forms."""
    forms = Paper.objects.filter(
        unit=source.unit, kind=station.SOURCE, subject=source.subject
    )
    named = Q(pk__in=[])
    for uid in forms.values_list("uid", flat=True):
        named |= Q(text__contains=uid)
    users = (
        Paper.objects.filter(
            Q(last_date__isnull=True) | Q(last_date__gte=day),
            kind__in=[station.RULES, station.PROGRAMME],
            state=rules.APPROVED,
            unit__path__startswith=source.unit.path,
        )
        .annotate(text=Cast("body", TextField()))
        .filter(named)
    )
    found = Unit.objects.filter(pk__in=users.values("unit"), kind=COMMUNE)
    return list(found.order_by("pk"))
