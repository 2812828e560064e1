"""Reads of reports: who is asked for what, what is late, what it all comes to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    F,
    Q,
    QuerySet,
    Value,
    When,
)

from nguon.indicators import queries as indicators
from nguon.indicators.catalogue import COUNT
from nguon.indicators.estimating import Estimate
from nguon.indicators.rules import RECIPES
from nguon.people import access as people
from nguon.people.models import APPROVER, Officer
from nguon.reports import access, rules
from nguon.reports.models import Answer, Field, Period, Step, Submission
from nguon.reports.rules import Pair, Typed
from nguon.territory.names import fold

CENT, TENTH = Decimal("0.01"), Decimal("0.1")


def late_rows(today: date, *, of: str = "", due: str = "period__due_date") -> Q:
    """Hold for late submissions, as `rules.is_late` says it; `of` leads to them."""
    came = Q(**{f"{of}first_sent_on__gt": F(due)})
    waits = Q(**{f"{of}state__in": rules.OPEN, f"{due}__lt": today})
    return came | waits


def _words(asked: Mapping[str, str]) -> list[str]:
    return fold(asked.get("tim", "").replace("\0", "")).split()


def list_forms(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Any]:
    """Return the forms an officer may see, the latest first. `asked`: `tim`."""
    found = access.fence_forms(officer, at=at)
    for word in _words(asked):
        found = found.filter(folded__contains=word)
    counted = found.annotate(
        field_count=Count("fields", distinct=True),
        period_count=Count("periods", distinct=True),
    )
    return counted.select_related("unit").order_by("-created_at", "-pk")


def list_periods(
    officer: Officer, asked: Mapping[str, str], *, today: date, at: datetime
) -> QuerySet[Any]:
    """Return periods with counts over the units an officer sees, the latest first.

    `asked`: `tim` (words of the form), `loai` (kind), `tinh_trang` (`open`, `closed`).
    """
    mine = access.fence_submissions(officer, at=at).values("pk")
    found = access.fence_periods(officer, at=at)
    for word in _words(asked):
        found = found.filter(form__folded__contains=word)
    if asked.get("loai") in rules.KINDS:
        found = found.filter(kind=asked["loai"])
    if asked.get("tinh_trang") in {"open", "closed"}:
        found = found.filter(closed_at__isnull=asked["tinh_trang"] == "open")
    seen = Q(submissions__in=mine)
    late = late_rows(today, of="submissions__", due="due_date")
    return (
        found.annotate(
            asked_count=Count("submissions", filter=seen),
            sent_count=Count(
                "submissions", filter=seen & Q(submissions__state=rules.SENT)
            ),
            accepted_count=Count(
                "submissions", filter=seen & Q(submissions__state=rules.ACCEPTED)
            ),
            late_count=Count("submissions", filter=seen & late),
        )
        .select_related("form__unit")
        .order_by("-after_date", "-pk")
    )


def list_submissions(
    officer: Officer,
    asked: Mapping[str, str],
    *,
    today: date,
    at: datetime,
    period: Period | None = None,
) -> QuerySet[Any]:
    """Return submissions an officer sees: what waits first, late before the others.

    `asked`: `tim` (unit), `tinh_trang` (a shown state, `late`, `incomplete`,
    `waiting`: not sent).
    """
    found = access.fence_submissions(officer, at=at)
    if period is not None:
        found = found.filter(period=period)
    wanted = asked.get("tinh_trang", "")
    if wanted == rules.UNTOUCHED:
        found = found.filter(state=rules.DRAFT, revision=0)
    elif wanted == rules.DRAFT:
        found = found.filter(state=rules.DRAFT, revision__gt=0)
    elif wanted in rules.STATES:
        found = found.filter(state=wanted)
    elif wanted == "late":
        found = found.filter(late_rows(today))
    elif wanted == "incomplete":
        found = found.filter(missing__gt=0)
    elif wanted == "waiting":
        found = found.filter(state__in=rules.OPEN)
    for word in _words(asked):
        found = found.filter(unit__folded__contains=word)
    is_late = Case(
        When(late_rows(today), then=Value(value=True)),
        default=Value(value=False),
        output_field=BooleanField(),
    )
    order = Case(
        *(
            When(state=state, then=Value(n))
            for n, state in enumerate(rules.STATES)
        )
    )  # fmt: skip
    return (
        found.annotate(is_late=is_late, order=order)
        .select_related("period__form", "unit", "above__unit", "sent_by")
        .order_by("period__closed_at", "order", "-is_late", "unit__folded", "pk")
    )


def list_open(officer: Officer, *, today: date, at: datetime) -> QuerySet[Any]:
    """Return what an officer's own units still have to send, the earliest due first.

    Only roles at exactly that unit count: a commune's report is the commune's work.
    """
    own = [unit.pk for unit in people.units_of(officer, at=at, kinds=access.WRITERS)]
    found = list_submissions(officer, {}, today=today, at=at)
    return found.filter(
        unit__in=own, state__in=rules.OPEN, period__closed_at=None
    ).order_by("period__due_date", "pk")


def list_pressing(officer: Officer, *, today: date, at: datetime) -> QuerySet[Any]:
    """Return what an officer's own units were given back, or owe past its due day."""
    found = list_open(officer, today=today, at=at)
    return found.filter(Q(state=rules.RETURNED) | late_rows(today))


def list_to_decide(officer: Officer, *, today: date, at: datetime) -> QuerySet[Any]:
    """Return what was sent and waits for an officer's own units to accept it."""
    own = [unit.pk for unit in people.units_of(officer, at=at, kinds=[APPROVER])]
    found = list_submissions(officer, {}, today=today, at=at)
    decided = Q(above__unit__in=own) | Q(above=None, unit__in=own)
    mine = found.filter(decided, state=rules.SENT, period__closed_at=None)
    return mine.exclude(sent_by=officer).order_by("sent_at", "pk")


# --- figures of one submission ------------------------------------------------------


def count_fields(row: Submission, fields: Iterable[Field]) -> dict[int, Typed]:
    """Return by field what the system counts for a unit and period.

    A figure that cannot be counted has no numerator: never 0. One of the listening
    sample says its error in words. Raises InvalidError `indicators.…`.
    """
    wanted = [field for field in fields if field.is_counted]
    if not wanted:
        return {}
    if row.unit.kind not in ("province", "district", "commune"):
        return {field.pk: Typed() for field in wanted}
    codes = {field.indicator for field in wanted}
    figures = {
        one.indicator.code: one
        for one in indicators.list_figures(row.unit, row.period.days, codes=codes)
    }
    found = {}
    for field in wanted:
        figure = figures[field.indicator]
        if figure.missing:
            found[field.pk] = Typed()
        elif figure.estimate is not None:
            found[field.pk] = _estimated(figure.estimate)
        else:
            scale = RECIPES[field.indicator].scale if field.indicator in RECIPES else 1
            above = (Decimal(figure.ratio.above) / scale).quantize(CENT)
            below = Decimal(figure.ratio.below) if field.ratio != COUNT else None
            found[field.pk] = Typed(Pair(above, below))
    return found


def _estimated(one: Estimate) -> Typed:
    """Return a share of the listening sample as weighted yes of all, and its error."""
    share = Decimal(str(one.share or 0))
    low, high = (
        rules.plain((100 * Decimal(str(side))).quantize(TENTH))
        for side in (one.low, one.high)
    )
    pair = Pair((share * one.answers).quantize(CENT), Decimal(one.answers))
    return Typed(pair, f"hỏi mẫu {one.answers} người: từ {low} đến {high} %")


def roll_up(row: Submission, fields: Iterable[Field]) -> dict[int, Pair]:
    """Return by field what the accepted submissions directly below come to."""
    pairs: dict[int, list[Pair]] = defaultdict(list)
    told = Answer.objects.filter(
        submission__above=row, submission__state=rules.ACCEPTED
    )
    for answer in told:
        pairs[answer.field_id].append(answer.pair)
    return {
        field.pk: rules.roll_up(pairs[field.pk])
        for field in fields
        if not field.is_counted and field.ratio != rules.TEXT
    }


def list_earlier(row: Submission) -> dict[int, list[Decimal]]:
    """Return by field the unit's last accepted figures of periods of the same kind."""
    period = row.period
    before = Submission.objects.filter(
        unit=row.unit,
        state=rules.ACCEPTED,
        period__form=period.form,
        period__kind=period.kind,
        period__after_date__lte=period.first_date,
    ).order_by("-period__after_date")
    keys = list(before.values_list("pk", flat=True)[: rules.EARLIER])
    found: dict[int, list[Decimal]] = defaultdict(list)
    told = Answer.objects.filter(submission__in=keys).select_related("field")
    for answer in told:
        value = rules.value_of(answer.field.ratio, answer.pair)
        if value is not None:
            found[answer.field_id].append(value)
    return found


@dataclass(frozen=True)
class Line:
    """One field of a submission, as it stands."""

    field: Field
    source: str
    pair: Pair
    words: str
    explanation: str
    earlier: Sequence[Decimal]

    @property
    def value(self) -> Decimal | None:
        """The figure as it is shown."""
        return rules.value_of(self.field.ratio, self.pair)

    @property
    def is_unusual(self) -> bool:
        """Say whether the figure is far from all earlier ones."""
        return rules.is_unusual(self.value, self.earlier)

    @property
    def is_missing(self) -> bool:
        """Say whether somebody still has to fill it: a counted figure never is."""
        is_empty = not self.words if self.field.ratio == rules.TEXT else (
            self.pair.above is None
        )  # fmt: skip
        return self.field.is_needed and is_empty and self.source != rules.COUNTED

    @property
    def said(self) -> str:
        """What it says, or why it says nothing; never a 0 that nobody counted."""
        if self.field.ratio == rules.TEXT:
            return self.words or "chưa ghi"
        if self.value is not None:
            error = f" ({self.words})" if self.words else ""
            return f"{rules.plain(self.value)} {self.field.unit}".strip() + error
        if self.pair.above is not None:
            return "không có gì để tính"
        return "chưa đếm được" if self.source == rules.COUNTED else "chưa có số"

    @property
    def usual(self) -> str:
        """Between which figures it lay before."""
        if not self.earlier:
            return ""
        return f"{rules.plain(min(self.earlier))} – {rules.plain(max(self.earlier))}"


def list_lines(row: Submission) -> list[Line]:
    """Return every field of a submission: as it was sent, or as it stands now.

    While it is open, counted figures and roll-ups are worked out anew.
    """
    fields = list(row.period.form.fields.order_by("number", "pk"))
    answers = answers_of(row)
    earlier = list_earlier(row)
    fresh: dict[int, Typed] = {}
    has_below = row.below.exists()
    if row.is_open:
        fresh = count_fields(row, fields)
        if has_below:
            sums = roll_up(row, fields)
            fresh |= {key: Typed(pair) for key, pair in sums.items()}
    return [
        _line(field, answers.get(field.pk), fresh, earlier, has_below=has_below)
        for field in fields
    ]


def _line(
    field: Field,
    answer: Answer | None,
    fresh: Mapping[int, Typed],
    earlier: Mapping[int, Sequence[Decimal]],
    *,
    has_below: bool,
) -> Line:
    kept = Typed(answer.pair, answer.words) if answer else Typed()
    said = fresh.get(field.pk, kept)
    return Line(
        field=field,
        source=source_of(field, has_below=has_below),
        pair=said.pair,
        words=said.words,
        explanation=answer.explanation if answer else "",
        earlier=earlier.get(field.pk, ()),
    )


def source_of(field: Field, *, has_below: bool) -> str:
    """Return where a field's answer comes from: facts, units below, or a person."""
    if field.is_counted:
        return rules.COUNTED
    return rules.ROLLED if has_below and field.ratio != rules.TEXT else rules.TYPED


# --- all units of a period ----------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Every unit's accepted or sent figures of one period, and what they come to."""

    fields: Sequence[Field]
    rows: Sequence[tuple[Submission, Sequence[Decimal | str | None]]]


def make_table(period: Period, officer: Officer, *, at: datetime) -> Table:
    """Return the figures of the units an officer sees, those that sum up last."""
    fields = list(period.form.fields.order_by("number", "pk"))
    seen = access.fence_submissions(officer, at=at).filter(period=period)
    rows = list(seen.select_related("unit").prefetch_related("answers"))
    rows.sort(key=lambda row: (-len(row.unit.ancestor_ids), row.unit.folded))
    return Table(fields, [(row, _cells(row, fields)) for row in rows])


def _cells(row: Submission, fields: Iterable[Field]) -> list[Decimal | str | None]:
    answers = answers_of(row)
    found: list[Decimal | str | None] = []
    for field in fields:
        answer = answers.get(field.pk)
        if answer is None or row.is_open:
            found.append(None)
        elif field.ratio == rules.TEXT:
            found.append(answer.words)
        else:
            found.append(rules.value_of(field.ratio, answer.pair))
    return found


def list_leaves(
    period: Period, officer: Officer, *, at: datetime
) -> list[tuple[Submission, Mapping[int, Answer]]]:
    """Return the asked units an officer sees with their answers, by their names."""
    seen = access.fence_submissions(officer, at=at).filter(
        period=period, unit__kind=period.form.level
    )
    rows = seen.select_related("unit").prefetch_related("answers")
    return [(row, answers_of(row)) for row in rows.order_by("unit__folded", "pk")]


def find_top(
    period: Period, officer: Officer, *, at: datetime
) -> tuple[Submission, Mapping[int, Answer]] | None:
    """Return what sums a period up, for those who see it."""
    seen = access.fence_submissions(officer, at=at).filter(period=period, above=None)
    row = seen.select_related("unit").prefetch_related("answers").first()
    return (row, answers_of(row)) if row is not None else None


def answers_of(row: Submission) -> dict[int, Answer]:
    """Return a submission's answers by their field."""
    return {answer.field_id: answer for answer in row.answers.all()}


def list_steps(row: Submission) -> QuerySet[Step]:
    """Return what happened to a submission, the latest first."""
    return row.steps.select_related("by").order_by("-at", "-pk")
