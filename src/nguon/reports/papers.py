"""A report as a paper of the State: its parts, whatever file they go into.

The parts and their order are those of decree 30/2020/NĐ-CP, annex I. The register
number, the day and the signature are given when the agency's own document system
issues it; until then their places stay empty.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from nguon.reports import rules
from nguon.reports.models import Issue, Period, Submission
from nguon.reports.queries import Line

NATION = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
BODY = "ỦY BAN NHÂN DÂN"
# Blanks that stay as wide as they are written: a pen writes into them.
_GAP = "\N{NO-BREAK SPACE}" * 6
NUMBER = f"{_GAP}/BC-UBND"
FIGURES = "Biểu số liệu"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
HEAD = ("TT", "Nội dung", "Số liệu", "Ghi chú")
SIGNED = "TM. ỦY BAN NHÂN DÂN"
NOT_YET = "DỰ THẢO, CHƯA ĐƯỢC DUYỆT"


@dataclass(frozen=True)
class Paper:
    """What stands on the pages; `draft` until the report is accepted.

    Without recipients nobody signs it: the system itself wrote it.
    """

    unit: str
    place: str
    title: str
    opening: Sequence[str]
    rows: Sequence[tuple[str, str, str, str]]
    texts: Sequence[tuple[str, str]]
    recipients: Sequence[str]
    is_draft: bool
    sections: Sequence[tuple[str, str]] = ()
    number: str = NUMBER
    issued_on: date | None = None
    kind: str = "BÁO CÁO"
    # Where to see that it is true; printed as an address and a code.
    link: str = ""

    @property
    def place_and_day(self) -> str:
        """Where and when it is issued; the day is written when it is."""
        if self.issued_on is not None:
            day = self.issued_on
            # Days under ten and the first two months bear a nought (decree 30/2020).
            month = f"{day.month:02}" if day.month <= 2 else str(day.month)
            return f"{self.place}, ngày {day.day:02} tháng {month} năm {day.year}"
        return f"{self.place}, ngày {_GAP} tháng {_GAP} năm {_GAP}"


def describe(row: Submission, lines: Iterable[Line]) -> Paper:
    """Return a report's paper from its fields as they stand."""
    period = row.period
    kept = list(lines)
    opening = [
        f"{row.unit.full_name} báo cáo theo biểu mẫu “{period.form.title}”,"
        f" kỳ {period.name[0].lower()}{period.name[1:]}"
        f" (từ ngày {period.first_date:%d/%m/%Y} đến ngày"
        f" {period.days.last:%d/%m/%Y})."
    ]
    if row.sent_by is not None and not row.is_open:
        opening.append(
            f"Số liệu do {row.sent_by.full_name} ký gửi trên Hệ thống thông tin nguồn"
            f" {_moment(row.sent_at)}; số ghi “hệ thống đếm” lấy từ số liệu thật."
        )
    issue = Issue.objects.filter(submission=row).first()
    return Paper(
        unit=row.unit.full_name,
        place=row.unit.name,
        title=_title(period),
        opening=opening,
        rows=[
            (str(number), one.field.name, one.said, _note(one))
            for number, one in enumerate(
                (one for one in kept if one.field.ratio != rules.TEXT), 1
            )
        ],
        texts=[
            (one.field.name, one.words)
            for one in kept
            if one.field.ratio == rules.TEXT and one.words
        ],
        recipients=_recipients(row),
        is_draft=row.state != rules.ACCEPTED,
        sections=[
            (f"{ROMAN[one.number - 1]}. {one.heading.upper()}", one.words)
            for one in row.sections.order_by("number", "pk")
        ],
        number=issue.number if issue else NUMBER,
        issued_on=issue.issued_on if issue else None,
    )


def _title(period: Period) -> str:
    """Return what a report is about; its kind, BÁO CÁO, stands above by itself."""
    words = period.form.title
    if words.lower().startswith("báo cáo "):
        words = words[len("báo cáo ") :]
    return f"{words[0].upper()}{words[1:]} {period.name[0].lower()}{period.name[1:]}"


def _note(one: Line) -> str:
    """Write where a figure comes from, and what was said about it."""
    parts = []
    # Of a sample the answers are weighted: yes over all would tell nobody anything.
    if one.pair.below is not None and one.pair.above is not None and not one.words:
        parts.append(f"{rules.plain(one.pair.above)}/{rules.plain(one.pair.below)}")
    if one.source != rules.TYPED:
        parts.append(rules.SOURCES[one.source].lower())
    if one.explanation:
        parts.append(one.explanation)
    return "; ".join(parts)


def _moment(at: datetime | None) -> str:
    return f"lúc {timezone.localtime(at):%H:%M ngày %d/%m/%Y}" if at else ""


def _recipients(row: Submission) -> list[str]:
    above = [f"{row.above.unit.full_name} (báo cáo);"] if row.above else []
    return [*above, "Lưu: VT."]
