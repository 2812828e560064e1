"""The broadcast log and the remuneration of a station's month as papers to sign.

Both lie across A4, as tables of an office do; the log's words are those of the screen.
The workbook adds up by live formulas.
"""

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from reportlab.lib.colors import black
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    KeepTogether,
    PageTemplate,
    Spacer,
    Table,
)

from nguon.channels.printed import BOLD, ITALIC, PLAIN, line, load_fonts, style
from nguon.core.typed import without_unseen
from nguon.newsroom.pay import Line as Pay
from nguon.newsroom.rules import TASKS
from nguon.reports import log_words as words
from nguon.reports.logs import Log
from nguon.reports.papers import BODY, MOTTO, NATION
from nguon.territory.models import Unit

PAGE = landscape(A4)
SIDE, EDGE = 20 * mm, 18 * mm
WIDTH = PAGE[0] - 2 * SIDE
TALL = PAGE[1] - 2 * EDGE
# So many rows of a table, or lines below it, stay with its signatures.
KEPT_ROWS, KEPT_LINES = 2, 3
# Of the width, by the columns of `log_words.HEAD`.
LOG_COLUMNS = (0.04, 0.085, 0.055, 0.22, 0.07, 0.15, 0.085, 0.085, 0.11, 0.1)
PAY_COLUMNS = (0.04, 0.24, 0.06, 0.1, 0.06, 0.1, 0.06, 0.1, 0.12, 0.12)
LOG_SIGNERS = ("Người ghi sổ", "Trưởng đài truyền thanh", "Thủ trưởng đơn vị")
PAY_SIGNERS = ("Người lập bảng", "Kế toán", "Thủ trưởng đơn vị")
FONT = "Times New Roman"
PAY_TITLE = "BẢNG THANH TOÁN NHUẬN BÚT, THÙ LAO"


def write_log(log: Log) -> bytes:
    """Return the log as PDF; the same log gives the same bytes."""
    load_fonts()
    small = style(9.5)
    rows = [[line(text, small) for text in row] for row in words.rows(log)]
    below = [
        *(line(text, style(11)) for text in words.sums(log)),
        *(line(text, style(10)) for text in words.faults(log)),
    ]
    story = [
        *_head(log.station.unit, "SỔ NHẬT KÝ PHÁT THANH", log.first, words.until(log)),
        *(line(text, style(11)) for text in words.notes(log)),
        Spacer(0, 2 * mm),
        *_signed(words.HEAD, rows, LOG_COLUMNS, below, LOG_SIGNERS),
    ]
    return _build(story, f"Sổ nhật ký phát thanh {log.first:%m/%Y}", log.station.unit)


def write_pay(unit: Unit, month: date, lines: Sequence[Pay]) -> bytes:
    """Return the month's remuneration as PDF, with places to sign."""
    load_fonts()
    small = style(11)
    right = style(11, alignment=TA_RIGHT)
    looks = (small, small, *(right for _n in range(7)), small)
    rows = [
        [line(text, look) for text, look in zip(row, looks, strict=True)]
        for row in pay_rows(lines)
    ]
    story = [
        *_head(unit, PAY_TITLE, month),
        *_signed(
            PAY_HEAD,
            rows,
            PAY_COLUMNS,
            [line(text, style(11, ITALIC)) for text in pay_notes(lines)],
            PAY_SIGNERS,
        ),
    ]
    return _build(story, f"Nhuận bút, thù lao {month:%m/%Y}", unit)


PAY_HEAD = (
    "TT", "Họ và tên",
    *(f"{name} ({what})" for name in TASKS.values() for what in ("tin", "đồng")),
    "Cộng (đồng)", "Ký nhận",
)  # fmt: skip


def pay_rows(lines: Sequence[Pay]) -> list[list[str]]:
    """Return the lines of the table as it is printed, the sum last."""
    rows = [
        [str(number), one.person, *_pay_cells(one), _whole(one.total), ""]
        for number, one in enumerate(lines, 1)
    ]
    sums: list[str] = []
    for task in TASKS:
        sums += [
            _whole(sum(one.pieces[task] for one in lines)),
            _whole(sum(one.amounts[task] for one in lines)),
        ]
    return [*rows, ["", "Cộng", *sums, _whole(sum(one.total for one in lines)), ""]]


def _pay_cells(one: Pay) -> list[str]:
    cells: list[str] = []
    for task in TASKS:
        cells += [_whole(one.pieces[task]), _whole(one.amounts[task])]
    return cells


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def pay_notes(lines: Sequence[Pay]) -> list[str]:
    """Return how the table was counted, and what has no price."""
    found = [
        "Đếm từ hệ thống: tin tính vào tháng được duyệt; viết tính một lần, duyệt mỗi"
        " lần duyệt, đọc mỗi giọng ghi; diễn tập không tính."
    ]
    unpriced = sum(one.unpriced for one in lines)
    if unpriced:
        found.append(f"Còn {unpriced} lượt chưa có mức thù lao nên tính 0 đồng.")
    return found


def write_pay_book(unit: Unit, month: date, lines: Sequence[Pay]) -> bytes:
    """Return the month's remuneration as a workbook that adds up by itself."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = f"Thù lao {month:%m-%Y}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True
    _text(sheet, 1, 1, f"{BODY} {unit.full_name.upper()}", bold=True)
    _text(
        sheet,
        2,
        1,
        f"{PAY_TITLE} THÁNG {month:%m/%Y}",
        bold=True,
    )
    head = 4
    for column, text in enumerate(PAY_HEAD, 1):
        _text(sheet, head, column, text, bold=True, boxed=True)
    columns = len(PAY_HEAD)
    for number, one in enumerate(lines, 1):
        row = head + number
        _number(sheet, row, 1, number)
        _text(sheet, row, 2, one.person, boxed=True)
        for step, task in enumerate(TASKS):
            _number(sheet, row, 3 + 2 * step, one.pieces[task])
            _number(sheet, row, 4 + 2 * step, one.amounts[task])
        money = "+".join(
            f"{get_column_letter(4 + 2 * step)}{row}" for step in range(len(TASKS))
        )
        _number(sheet, row, columns - 1, f"={money}")
        _text(sheet, row, columns, "", boxed=True)
    total = head + len(lines) + 1
    _text(sheet, total, 2, "Cộng", bold=True, boxed=True)
    for column in range(3, columns):
        letter = get_column_letter(column)
        span = f"{letter}{head + 1}:{letter}{total - 1}"
        _number(sheet, total, column, f"=SUM({span})" if lines else 0)
    for number, note in enumerate(pay_notes(lines), total + 2):
        _text(sheet, number, 1, note)
    for number, signer in enumerate(PAY_SIGNERS):
        _text(sheet, total + 5, (2, 5, 9)[number], signer, bold=True)
    for column in range(1, columns + 1):
        wide = {1: 5, 2: 28}.get(column, 14)
        sheet.column_dimensions[get_column_letter(column)].width = wide
    sheet.freeze_panes = sheet.cell(head + 1, 3)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_BOX = Border(*(Side(style="thin") for _side in range(4)))


def _text(
    sheet: Worksheet,
    row: int,
    column: int,
    text: str,
    *,
    bold: bool = False,
    boxed: bool = False,
) -> None:
    """Write words; a cell of words is never a formula, whatever it begins with."""
    cell: Cell = sheet.cell(row, column, without_unseen(text))
    cell.data_type = "s"
    cell.font = Font(name=FONT, bold=bold)
    if boxed:
        cell.border, cell.alignment = _BOX, Alignment(wrap_text=True, vertical="top")


def _number(sheet: Worksheet, row: int, column: int, value: int | str) -> None:
    """Write a number, or our own formula."""
    cell: Cell = sheet.cell(row, column, value)
    cell.number_format, cell.font, cell.border = "#,##0", Font(name=FONT), _BOX


# --- parts of a page ---------------------------------------------------------------


def _build(story: list[Any], title: str, unit: Unit) -> bytes:
    buffer = BytesIO()
    frame = Frame(SIDE, EDGE, WIDTH, PAGE[1] - 2 * EDGE, *(0, 0, 0, 0))
    document = BaseDocTemplate(
        buffer, pagesize=PAGE, title=title, author=unit.full_name, invariant=1
    )
    document.addPageTemplates([PageTemplate(frames=[frame], onPage=_number_page)])
    document.build(story)
    return buffer.getvalue()


def _number_page(canvas: Canvas, _document: Any) -> None:
    canvas.saveState()
    canvas.setFont(PLAIN, 10)
    canvas.drawCentredString(PAGE[0] / 2, EDGE / 2, f"Trang {canvas.getPageNumber()}")
    canvas.restoreState()


def _head(unit: Unit, title: str, month: date, until: str = "") -> list[Any]:
    bold = style(12, BOLD, alignment=TA_CENTER)
    plain = style(12, alignment=TA_CENTER)
    pair = Table(
        [
            [
                [line(BODY, plain), line(unit.full_name.upper(), bold)],
                [line(NATION, bold), line(MOTTO, bold)],
            ]
        ],
        colWidths=[0.4 * WIDTH, 0.6 * WIDTH],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP")],
    )
    return [
        pair,
        Spacer(0, 4 * mm),
        line(title, style(15, BOLD, alignment=TA_CENTER)),
        line(
            f"Tháng {month:%m năm %Y}" + (f" ({until})" if until else ""),
            style(13, ITALIC, alignment=TA_CENTER),
        ),
        Spacer(0, 3 * mm),
    ]


def _signed(
    head: Sequence[str],
    rows: list[list[Any]],
    columns: Sequence[float],
    below: list[Any],
    signers: Sequence[str],
) -> list[Any]:
    """Return a table, what stands below it and the places for signatures.

    Nobody signs a page without what is signed: the signatures stay with the last rows,
    under the head of the table, or, when too much stands between, with its last lines.
    """
    above = rows[-KEPT_ROWS:]
    signs = [Spacer(0, 5 * mm), _signs(signers)]
    foot = [[Spacer(0, 3 * mm), *below, *signs], *[""] * (len(head) - 1)]
    if _grid(head, [*above, foot], columns, kept=1).wrap(WIDTH, 0)[1] <= TALL:
        return [_grid(head, [*rows, foot], columns, kept=len(above) + 1)]
    return [
        _grid(head, rows, columns),
        Spacer(0, 3 * mm),
        *below[:-KEPT_LINES],
        KeepTogether([*below[-KEPT_LINES:], *signs]),
    ]


def _grid(
    head: Sequence[str],
    rows: list[list[Any]],
    columns: Sequence[float],
    *,
    kept: int = 0,
) -> Table:
    """Return a table; of the last `kept` rows, never parted, the last is no grid."""
    look = style(9.5, BOLD, alignment=TA_CENTER)
    last = -2 if kept else -1
    foot = [
        ("SPAN", (0, -1), (-1, -1)),
        ("NOSPLIT", (0, -kept), (0, -1)),
    ]
    return Table(
        [[line(text, look) for text in head], *rows],
        colWidths=[share * WIDTH for share in columns],
        repeatRows=1,
        style=[
            ("GRID", (0, 0), (-1, last), 0.5, black),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, last), 3),
            ("RIGHTPADDING", (0, 0), (-1, last), 3),
            *(foot if kept else ()),
        ],
    )


def _signs(signers: Sequence[str]) -> Table:
    """Return the places for signatures; the day is written when it is signed."""
    look = style(12, BOLD, alignment=TA_CENTER)
    note = style(11, ITALIC, alignment=TA_CENTER)
    return Table(
        [
            [[line(one, look), line("(ký, ghi rõ họ tên)", note)] for one in signers],
            ["" for _one in signers],
        ],
        colWidths=[WIDTH / len(signers)] * len(signers),
        rowHeights=[None, 22 * mm],
    )
