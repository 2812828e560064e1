"""What a unit reports: written, sent, returned with a reason, accepted, unlocked."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.indicators import actions as indicators
from nguon.indicators import catalogue
from nguon.indicators.catalogue import SHARE
from nguon.people import access as people
from nguon.people.actions import notify
from nguon.people.models import APPROVER, Officer
from nguon.people.queries import list_holders_in
from nguon.reports import access, queries, rules
from nguon.reports.actions.locks import check_above, check_revision, lock
from nguon.reports.models import Answer, Field, Issue, Step, Submission


@transaction.atomic
def save_answers(
    *,
    submission_id: int,
    revision: int,
    typed: Mapping[int, rules.Typed],
    by: Officer,
    at: datetime,
) -> Submission:
    """Write what a unit typed; `typed` is by the id of the field.

    Figures that the system counts, or that come from below, are not typed: of those
    only the explanation is kept. Raises ConflictError (`reports.revision` when somebody
    saved since, `reports.locked`, `reports.closed`), InvalidError (those of
    `rules.check_pair`, `reports.field_foreign`), NoRightError, AbsentError.
    """
    row = lock(submission_id)
    access.check_writer(by, row, at=at)
    rules.check_open(row.state)
    check_revision(row, revision)
    fields = {field.pk: field for field in row.period.form.fields.all()}
    if not typed.keys() <= fields.keys():
        raise InvalidError("reports.field_foreign")
    has_below = row.below.exists()
    for key, one in typed.items():
        _write(row, fields[key], one, has_below=has_below)
    row.revision += 1
    row.changed_by = by
    row.missing = _count_missing(row)
    row.save(update_fields=["revision", "changed_by", "missing"])
    audit.record(
        "reports.submission.saved",
        target=row,
        by=by,
        at=at,
        data={"revision": row.revision},
    )
    return row


def _write(row: Submission, field: Field, one: rules.Typed, *, has_below: bool) -> None:
    source = queries.source_of(field, has_below=has_below)
    facts: dict[str, object] = {
        "source": source,
        "is_share": field.ratio == SHARE,
        "explanation": rules.clean_words(
            one.explanation, what="giải trình", needed=False
        ),
    }
    if source == rules.TYPED:
        _check_typed(field, one)
        is_text = field.ratio == rules.TEXT
        facts |= {
            "above": None if is_text else one.pair.above,
            "below": one.pair.below if field.ratio in rules.DIVIDED else None,
            "words": rules.clean_words(one.words, what=field.name, needed=False)
            if is_text
            else "",
        }
    Answer.objects.update_or_create(submission=row, field=field, defaults=facts)


def _check_typed(field: Field, one: rules.Typed) -> None:
    """Refuse a figure that cannot be so, and say of which field it is."""
    try:
        rules.check_pair(
            field.name,
            field.ratio,
            one.pair,
            least=field.least,
            most=field.most,
            is_whole=field.is_whole,
        )
    except InvalidError as error:
        raise InvalidError(error.code, **error.data, field=field.pk) from error


def _count_missing(row: Submission) -> int:
    return sum(line.is_missing for line in queries.list_lines(row))


@transaction.atomic
def send(
    *, submission_id: int, revision: int, words: str = "", by: Officer, at: datetime
) -> Submission:
    """Sign a report off and send it up; what was counted is fixed from here on.

    `words` is needed while not everybody below is accepted. Raises ConflictError
    (`reports.revision`, `reports.not_now`, `reports.period_running`,
    `reports.closed`), InvalidError (`reports.incomplete`, `reports.unexplained`,
    `reports.below_waiting`), NoRightError, AbsentError.
    """
    row = lock(submission_id)
    people.check_can(by, APPROVER, unit=row.unit, at=at)
    rules.check_move(row.state, rules.SENT)
    check_revision(row, revision)
    today = timezone.localdate(at)
    if today < row.period.after_date:
        raise ConflictError(
            "reports.period_running", day=f"{row.period.days.last:%d/%m/%Y}"
        )
    said = rules.clean_words(words, what="ghi chú", needed=False)
    waiting = row.below.exclude(state=rules.ACCEPTED).count()
    if waiting and not said:
        raise InvalidError("reports.below_waiting", count=waiting)
    lines = queries.list_lines(row)
    _check_lines(lines)
    _fix(row, lines)
    row.missing = sum(line.is_missing for line in lines)
    row.state, row.sent_by, row.sent_at, row.moved_at = rules.SENT, by, at, at
    row.first_sent_on = row.first_sent_on or today
    row.save(
        update_fields=[
            "missing", "state", "sent_by", "sent_at", "moved_at", "first_sent_on",
        ]
    )  # fmt: skip
    _step(row, rules.SENT, said, by=by, at=at)
    deciders = list_holders_in([access.decider_of(row)], kind=APPROVER, at=at)
    _tell(row, [one for one in deciders if one != by], "Báo cáo chờ duyệt", said, at=at)
    audit.record("reports.submission.sent", target=row, by=by, at=at)
    return row


@transaction.atomic
def save_and_send(
    *,
    submission_id: int,
    revision: int,
    typed: Mapping[int, rules.Typed],
    words: str = "",
    by: Officer,
    at: datetime,
) -> Submission:
    """Write what a unit typed and send it up: both, or nothing of it.

    The right to send is asked first. Raises as `save_answers` and `send`.
    """
    row = lock(submission_id)
    people.check_can(by, APPROVER, unit=row.unit, at=at)
    saved = save_answers(
        submission_id=submission_id, revision=revision, typed=typed, by=by, at=at
    )
    return send(
        submission_id=submission_id,
        revision=saved.revision,
        words=words,
        by=by,
        at=at,
    )


def _check_lines(lines: list[queries.Line]) -> None:
    """Refuse what is neither there nor explained. Raises InvalidError."""
    empty = [one for one in lines if one.is_missing and not one.explanation]
    if empty:
        names = "; ".join(one.field.name for one in empty[:5])
        raise InvalidError(
            "reports.incomplete", count=len(empty), names=names, fields=_keys(empty)
        )
    strange = [one for one in lines if one.is_unusual and not one.explanation]
    if strange:
        names = "; ".join(one.field.name for one in strange[:5])
        raise InvalidError("reports.unexplained", names=names, fields=_keys(strange))


def _keys(lines: list[queries.Line]) -> list[int]:
    return [line.field.pk for line in lines]


def _fix(row: Submission, lines: list[queries.Line]) -> None:
    """Write down what the system counted and what came from below, as of now."""
    for line in lines:
        if line.source == rules.TYPED:
            continue
        Answer.objects.update_or_create(
            submission=row,
            field=line.field,
            defaults={
                "source": line.source,
                "is_share": line.field.ratio == SHARE,
                "above": line.pair.above,
                "below": line.pair.below,
                "words": line.words,
            },
        )


@transaction.atomic
def send_back(
    *, submission_id: int, reason: str, by: Officer, at: datetime
) -> Submission:
    """Return what was sent, with the reason.

    Raises ConflictError `reports.not_now`, InvalidError `plan.text_missing`,
    NoRightError, AbsentError.
    """
    row = lock(submission_id)
    people.check_can(by, APPROVER, unit=access.decider_of(row), at=at)
    if row.state != rules.SENT:
        raise ConflictError("reports.not_now", state=rules.STATES[row.state])
    _go_back(row, rules.RETURNED, reason, "Báo cáo bị trả lại", by=by, at=at)
    audit.record("reports.submission.returned", target=row, by=by, at=at)
    return row


@transaction.atomic
def accept(
    *, submission_id: int, revision: int, by: Officer, at: datetime
) -> Submission:
    """Accept the revision that was read; it is locked from here on.

    Raises RefusedError `reports.own_report` for who sent it, ConflictError
    (`reports.not_now`, `reports.revision`, `reports.above_sent`), NoRightError,
    AbsentError.
    """
    row = lock(submission_id)
    people.check_can(by, APPROVER, unit=access.decider_of(row), at=at)
    rules.check_move(row.state, rules.ACCEPTED)
    check_revision(row, revision)
    if row.sent_by_id == by.pk:
        raise RefusedError("reports.own_report")
    check_above(row)
    row.state, row.accepted_by, row.moved_at = rules.ACCEPTED, by, at
    row.save(update_fields=["state", "accepted_by", "moved_at"])
    _step(row, rules.ACCEPTED, "", by=by, at=at)
    _tell_figures(row, by=by, at=at)
    if row.sent_by is not None:
        _tell(row, [row.sent_by], "Báo cáo đã duyệt", "", at=at)
    audit.record("reports.submission.accepted", target=row, by=by, at=at)
    return row


def _tell_figures(row: Submission, *, by: Officer, at: datetime) -> None:
    """Give what a unit typed itself of indicators on; sums are made there anew."""
    told = row.answers.filter(source=rules.TYPED, above__isnull=False)
    figures = {
        answer.field.indicator: (answer.above, answer.below)
        for answer in told.select_related("field")
        if answer.above is not None
        and answer.field.indicator
        and catalogue.find(answer.field.indicator).source == catalogue.REPORTED
    }
    if figures:
        indicators.record_reported(
            submission=row.uid,
            unit=row.unit,
            period=row.period.days,
            figures=figures,
            by=by,
            at=at,
        )


@transaction.atomic
def unlock(*, submission_id: int, reason: str, by: Officer, at: datetime) -> Submission:
    """Give an accepted report back to be changed, with the reason.

    Raises ConflictError (`reports.not_now`, `reports.issued`, `reports.above_sent`
    while the report that sums it up is sent), InvalidError `plan.text_missing`,
    NoRightError, AbsentError.
    """
    row = lock(submission_id)
    people.check_can(by, APPROVER, unit=access.decider_of(row), at=at)
    if row.state != rules.ACCEPTED:
        raise ConflictError("reports.not_now", state=rules.STATES[row.state])
    issued = Issue.objects.filter(submission=row).first()
    if issued is not None:
        raise ConflictError("reports.issued", number=issued.number)
    check_above(row)
    _go_back(row, rules.UNLOCKED, reason, "Báo cáo được mở khóa", by=by, at=at)
    indicators.withdraw_reported(submission=row.uid, by=by, at=at)
    audit.record("reports.submission.unlocked", target=row, by=by, at=at)
    return row


def _go_back(
    row: Submission, kind: str, reason: str, said: str, *, by: Officer, at: datetime
) -> None:
    words = rules.clean_words(reason, what="lý do")
    # The step first: the database takes no way back without its reason.
    _step(row, kind, words, by=by, at=at)
    row.state, row.accepted_by, row.moved_at = rules.RETURNED, None, at
    row.save(update_fields=["state", "accepted_by", "moved_at"])
    told = access.list_writers([row.unit], at=at)
    if row.sent_by is not None and row.sent_by not in told:
        told.append(row.sent_by)
    _tell(row, told, said, words, at=at)


def _step(row: Submission, kind: str, words: str, *, by: Officer, at: datetime) -> None:
    Step.objects.create(submission=row, kind=kind, words=words, by=by, at=at)


def _tell(
    row: Submission, officers: list[Officer], subject: str, body: str, *, at: datetime
) -> None:
    notify(
        officers=officers,
        subject=f"{subject}: {row.period.name}",
        body=f"{row.period.form.title}. {row.unit.full_name}. {body}",
        url=reverse("reports:submission", args=[row.uid]),
        at=at,
    )
