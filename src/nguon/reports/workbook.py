"""All units of a period as a workbook whose sums and shares are live formulas.

A cell of text is never a formula, whatever it begins with.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from math import ceil

import openpyxl
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from nguon.core.typed import without_unseen
from nguon.indicators.catalogue import ASKED, INDICATORS, SHARE
from nguon.reports import rules
from nguon.reports.models import Answer, Field, Period, Submission

HEAD_ROW, FIRST_ROW = 4, 5
FIRST_COLUMN = 4
NUMBER = "#,##0.##"
SAID = (
    "Chỉ số của báo cáo đã duyệt. Dòng Cộng cộng các dòng trên; dòng dưới cùng là báo"
    " cáo của cấp trên, gồm cả việc riêng của cấp đó."
)
# Words break before a column of 14 is full; one line of the face in points.
LETTERS, LINE_HEIGHT = 11, 16
MARGIN = 0.4  # inches
FONT = "Times New Roman"
Row = tuple[Submission, Mapping[int, Answer]]


def write(
    period: Period, fields: Sequence[Field], rows: Sequence[Row], top: Row | None
) -> bytes:
    """Return the workbook: a row for each unit that is asked, their sum, then `top`.

    Only accepted figures stand in it. What is counted for `top` may hold more than
    the sum: what it did itself. A share of a listening sample has no sum.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Tổng hợp"
    _put(sheet, 1, 1, period.form.title, bold=True)
    _put(sheet, 2, 1, f"{period.name}. {SAID}")
    for column, text in enumerate(("Mã đơn vị", "Đơn vị", "Trạng thái"), 1):
        _put(sheet, HEAD_ROW, column, text, bold=True)
    for number, (row, _answers) in enumerate(rows, FIRST_ROW):
        told = (row.unit.code, row.unit.full_name, row.get_state_display())
        for column, text in enumerate(told, 1):
            _put(sheet, number, column, text)
    last = FIRST_ROW + len(rows) - 1
    _put(sheet, last + 1, 2, "Cộng", bold=True)
    if top and top[0].pk in {row.pk for row, _answers in rows}:
        top = None
    if top:
        told = (top[0].unit.code, top[0].unit.full_name, top[0].get_state_display())
        for column, text in enumerate(told, 1):
            _put(sheet, last + 2, column, text, bold=True)
    column = FIRST_COLUMN
    for field in fields:
        column += _write_field(sheet, column, field, rows, top)
    _set_page(sheet)
    sheet.freeze_panes = sheet.cell(FIRST_ROW, FIRST_COLUMN)
    for number in range(1, column):
        wide = 30 if number == FIRST_COLUMN - 2 else 14
        sheet.column_dimensions[get_column_letter(number)].width = wide
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _set_page(sheet: Worksheet) -> None:
    """Let it be printed: A4 across, one page wide, the heads on every page."""
    sheet.page_setup.orientation = sheet.ORIENTATION_LANDSCAPE
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.page_margins = PageMargins(MARGIN, MARGIN, MARGIN, MARGIN)
    sheet.print_title_rows = f"{HEAD_ROW}:{HEAD_ROW}"
    longest = max(len(str(cell.value or "")) for cell in sheet[HEAD_ROW])
    lines = ceil(longest / LETTERS)
    sheet.row_dimensions[HEAD_ROW].height = LINE_HEIGHT * lines


def _write_field(
    sheet: Worksheet, column: int, field: Field, rows: Sequence[Row], top: Row | None
) -> int:
    """Write one field from a column on; return how many columns it took."""
    name = f"{field.name} ({field.unit})" if field.unit else field.name
    is_divided = field.ratio in rules.DIVIDED
    heads = [f"{name}: tử số", f"{name}: mẫu số", name] if is_divided else [name]
    for step, text in enumerate(heads):
        _put(sheet, HEAD_ROW, column + step, text, bold=True)
    for number, (row, answers) in enumerate(rows, FIRST_ROW):
        answer = answers.get(field.pk)
        if answer is not None and row.state == rules.ACCEPTED:
            _write_answer(sheet, number, column, field, answer)
    total = FIRST_ROW + len(rows)
    answer = top[1].get(field.pk) if top and top[0].state == rules.ACCEPTED else None
    if answer is not None:
        _write_answer(sheet, total + 1, column, field, answer)
    if field.is_counted and INDICATORS[field.indicator].source == ASKED:
        _put(sheet, total, column + len(heads) - 1, "mẫu hỏi, không cộng")
    elif field.ratio != rules.TEXT:
        for step in range(2 if is_divided else 1):
            letter = get_column_letter(column + step)
            span = f"{letter}{FIRST_ROW}:{letter}{total - 1}"
            # Of nobody's figures there is no sum, not 0.
            _compute(
                sheet, total, column + step, f'=IF(COUNT({span})=0,"",SUM({span}))'
            )
        if is_divided:
            _compute(sheet, total, column + 2, _ratio(total, column, field))
    return len(heads)


def _write_answer(
    sheet: Worksheet, number: int, column: int, field: Field, answer: Answer
) -> None:
    if field.ratio == rules.TEXT:
        _put(sheet, number, column, answer.words)
        return
    _number(sheet, number, column, answer.above)
    if field.ratio in rules.DIVIDED:
        _number(sheet, number, column + 1, answer.below)
        _compute(sheet, number, column + 2, _ratio(number, column, field))


def _ratio(number: int, column: int, field: Field) -> str:
    """Return the formula of a share or mean; nothing to divide by is no figure."""
    above = f"{get_column_letter(column)}{number}"
    below = f"{get_column_letter(column + 1)}{number}"
    times = "*100" if field.ratio == SHARE else ""
    return f'=IF(N({below})=0,"",{above}/{below}{times})'


def _put(
    sheet: Worksheet, row: int, column: int, text: str, *, bold: bool = False
) -> None:
    cell: Cell = sheet.cell(row, column, without_unseen(text))
    cell.data_type = "s"
    cell.font = Font(name=FONT, bold=bold)
    cell.alignment = Alignment(wrap_text=row >= HEAD_ROW, vertical="top")


def _number(sheet: Worksheet, row: int, column: int, value: Decimal | None) -> None:
    cell: Cell = sheet.cell(row, column, value)
    cell.number_format, cell.font = NUMBER, Font(name=FONT)


def _compute(sheet: Worksheet, row: int, column: int, formula: str) -> None:
    cell: Cell = sheet.cell(row, column, formula)
    cell.number_format, cell.font = NUMBER, Font(name=FONT)
