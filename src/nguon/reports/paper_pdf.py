"""A report as PDF, in the form of decree 30/2020/NĐ-CP, annex I.

Liberation Serif has the measures of Times New Roman and may be shipped. The same
report gives the same bytes.
"""

from io import BytesIO
from typing import Any

from reportlab.lib.colors import black
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    HRFlowable,
    KeepTogether,
    PageTemplate,
    Spacer,
    Table,
)

from nguon.channels.printed import (
    ALARM,
    BOLD,
    BOTTOM,
    CODE_SIDE,
    ITALIC,
    LEFT,
    PLAIN,
    RIGHT,
    TOP,
    Code,
    line,
    load_fonts,
    style,
)
from nguon.reports import papers
from nguon.reports.papers import Paper

WIDTH = A4[0] - LEFT - RIGHT
# Of the text's width: number, what, figure, note.
COLUMNS = (0.07, 0.43, 0.2, 0.3)
HEAD = (0.42, 0.58)


def write(paper: Paper) -> bytes:
    """Return the report as A4 pages."""
    load_fonts()
    buffer = BytesIO()
    frame = Frame(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, *(0, 0, 0, 0))
    document = BaseDocTemplate(
        buffer, pagesize=A4, title=paper.title, author=paper.unit, invariant=1
    )
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=_number_page)])
    document.build(_story(paper))
    return buffer.getvalue()


def _number_page(canvas: Canvas, _document: Any) -> None:
    """Draw the number of a page in the middle above the text; not on the first."""
    if canvas.getPageNumber() > 1:
        canvas.saveState()
        canvas.setFont(PLAIN, 13)
        canvas.drawCentredString(
            A4[0] / 2, A4[1] - TOP / 2, str(canvas.getPageNumber())
        )
        canvas.restoreState()


def _story(paper: Paper) -> list[Any]:
    middle = {"alignment": TA_CENTER}
    text = style(14, alignment=TA_JUSTIFY, firstLineIndent=10 * mm, spaceAfter=6)
    story: list[Any] = [_head(paper), Spacer(0, 6 * mm)]
    if paper.is_draft:
        look = style(13, BOLD, alignment=TA_CENTER, textColor=ALARM)
        story += [line(papers.NOT_YET, look), Spacer(0, 2 * mm)]
    story += [
        line(paper.kind, style(14, BOLD, **middle)),
        line(paper.title, style(14, BOLD, **middle)),
        _rule("30%"),
        Spacer(0, 4 * mm),
        *(line(one, text) for one in paper.opening),
    ]
    head = style(14, BOLD, spaceAfter=4, keepWithNext=1)
    for heading, words in paper.sections:
        story += [line(heading, head), *(line(one, text) for one in words.splitlines())]
    if paper.rows:
        story += [line(papers.FIGURES, head)] if paper.sections else []
        story += [Spacer(0, 2 * mm), _table(paper), Spacer(0, 4 * mm)]
    for heading, words in paper.texts:
        story += [line(heading, head), *(line(one, text) for one in words.splitlines())]
    if paper.recipients:
        story += [Spacer(0, 6 * mm), KeepTogether([_foot(paper)])]
    if paper.link:
        story += [Spacer(0, 6 * mm), KeepTogether([_way(paper)])]
    return story


def _way(paper: Paper) -> Table:
    """Return the code and the address at which the paper can be held against."""
    words = [
        line("Kiểm tra giấy này trên hệ thống:", style(11)),
        line(paper.link, style(11)),
    ]
    share = (CODE_SIDE + 5 * mm) / WIDTH
    return _pair([Code(paper.link)], words, (share, 1 - share))


def _rule(width: str) -> HRFlowable:
    return HRFlowable(width=width, thickness=0.7, color=black, spaceBefore=2)


def _head(paper: Paper) -> Table:
    bold = style(13, BOLD, alignment=TA_CENTER)
    plain = style(13, alignment=TA_CENTER)
    return _pair(
        [
            line(papers.BODY, bold),
            line(paper.unit.upper(), bold),
            _rule("35%"),
            line(f"Số: {paper.number}", plain),
        ],
        [
            line(papers.NATION, style(12, BOLD, alignment=TA_CENTER)),
            line(papers.MOTTO, bold),
            _rule("62%"),
            line(paper.place_and_day, style(13, ITALIC, alignment=TA_CENTER)),
        ],
        HEAD,
    )


def _foot(paper: Paper) -> Table:
    small = style(11)
    return _pair(
        [
            line("Nơi nhận:", style(12, BOLD)),
            *(line(f"- {one}", small) for one in paper.recipients),
        ],
        [line(papers.SIGNED, style(14, BOLD, alignment=TA_CENTER)), Spacer(0, 28 * mm)],
        (0.5, 0.5),
    )


def _pair(left: list[Any], right: list[Any], widths: tuple[float, float]) -> Table:
    return Table(
        [[left, right]],
        colWidths=[share * WIDTH for share in widths],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            # Lines stand in the middle under what they belong to.
            ("ALIGN", (0, 0), (-1, -1), "CENTER"),
            *_no_padding(),
        ],
    )


def _no_padding() -> list[tuple[Any, ...]]:
    sides = ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")
    return [(side, (0, 0), (-1, -1), 0) for side in sides]


def _table(paper: Paper) -> Table:
    head = style(12, BOLD, alignment=TA_CENTER)
    cell, middle = style(12), style(12, alignment=TA_CENTER)
    looks = (middle, cell, middle, cell)
    rows = [[line(one, head) for one in papers.HEAD]]
    rows += [
        [line(one, look) for one, look in zip(row, looks, strict=True)]
        for row in paper.rows
    ]
    return Table(
        rows,
        colWidths=[share * WIDTH for share in COLUMNS],
        repeatRows=1,
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, black),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ],
    )
