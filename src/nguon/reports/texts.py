"""The first words of a report, made from its figures; a person edits them after.

Only what is known is written: what has no figure says so, what nobody wrote is left
empty under its heading.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from nguon.reports import rules
from nguon.reports.models import Answer, Submission
from nguon.reports.queries import Line

GENERAL, RESULTS = "Tình hình chung", "Kết quả thực hiện"
TROUBLE, AHEAD = "Khó khăn, vướng mắc", "Phương hướng, kiến nghị"


def draft(
    row: Submission, lines: Iterable[Line], *, today: date
) -> list[tuple[str, str]]:
    """Return headings and words of a report, as far as its figures tell them."""
    kept = list(lines)
    below = list(
        row.below.select_related("unit", "period").order_by("unit__folded", "pk")
    )
    general = _synthesis(row, below, today=today) if below else _alone(row)
    wants = [one.words for one in kept if one.field.ratio == rules.TEXT and one.words]
    words = wants + _told_below(below)
    return [
        (GENERAL, general),
        (RESULTS, "\n".join(_said(one) for one in kept if _is_figure(one))),
        (TROUBLE, "\n".join(words)),
        (AHEAD, ""),
    ]


def _is_figure(one: Line) -> bool:
    return one.field.ratio != rules.TEXT


def _alone(row: Submission) -> str:
    period = row.period
    return (
        f"{period.name}, {row.unit.full_name} thực hiện nhiệm vụ thông tin cơ sở"
        f" từ ngày {period.first_date:%d/%m/%Y} đến ngày {period.days.last:%d/%m/%Y}."
    )


def _synthesis(row: Submission, below: Sequence[Submission], *, today: date) -> str:
    """Say who reported, who was late, and whose figures are not in the sums."""
    due = row.period.due_date
    done = [one for one in below if one.state == rules.ACCEPTED]
    late = [one for one in done if one.late_words(today)]
    absent = [one for one in below if one.state != rules.ACCEPTED]
    told = [
        f"Có {len(done)}/{len(below)} đơn vị có báo cáo được duyệt"
        f" (hạn {due:%d/%m/%Y})."
    ]
    if late:
        told.append(f"Báo cáo muộn: {_names(late)}.")
    if absent:
        told.append(
            f"Số liệu tổng hợp chưa gồm: {_names(absent)} (chưa có báo cáo được duyệt)."
        )
    return "\n".join(told)


def _names(rows: Iterable[Submission]) -> str:
    return ", ".join(one.unit.full_name for one in rows)


def _said(one: Line) -> str:
    note = f" ({one.explanation})" if one.explanation else ""
    return f"- {one.field.name}: {one.said}{note}."


def _told_below(below: Iterable[Submission]) -> list[str]:
    """Return what accepted reports below wrote in their own words, each by its unit."""
    answers = (
        Answer.objects.filter(
            submission__in=[one.pk for one in below if one.state == rules.ACCEPTED],
            field__ratio=rules.TEXT,
        )
        .exclude(words="")
        .select_related("submission__unit")
        .order_by("submission__unit__folded", "field__number", "pk")
    )
    return [f"- {one.submission.unit.full_name}: {one.words}" for one in answers]
