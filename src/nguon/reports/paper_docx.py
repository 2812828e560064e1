"""A report as DOCX, in the form of decree 30/2020/NĐ-CP, annex I, to be issued.

The file names Times New Roman, as the decree asks; margins are those of the PDF.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from nguon.core.typed import without_unseen
from nguon.reports import papers
from nguon.reports.papers import Paper

FONT = "Times New Roman"
PAGE = (Mm(210), Mm(297))
# 20–25 mm above and below, 30–35 mm left, 15–20 mm right.
MARGINS = {"top": Mm(20), "bottom": Mm(22), "left": Mm(30), "right": Mm(18)}
HEAD = (Mm(68), Mm(94))
FOOT = (Mm(81), Mm(81))
COLUMNS = (Mm(11), Mm(70), Mm(33), Mm(48))
INDENT = Mm(10)
# As in the PDF.
RED = RGBColor(0xB3, 0x26, 0x1E)
# Word's own, on both sides of a cell.
CELL_MARGIN = 108  # twentieths of a point


def write(paper: Paper) -> bytes:
    """Return the report as a document of Word."""
    document = docx.Document()
    _set_page(document)
    _head(document, paper)
    if paper.is_draft:
        draft = _add(document, papers.NOT_YET, size=13, bold=True, align=ALIGN.CENTER)
        draft.runs[0].font.color.rgb = RED
        draft.paragraph_format.space_before = Pt(12)
    name = _add(document, "BÁO CÁO", bold=True, align=ALIGN.CENTER)
    name.paragraph_format.space_before = Pt(12)
    title = _add(document, paper.title, bold=True, align=ALIGN.CENTER)
    _rule(title, indent_mm=57)
    _add(document, "", size=6)
    for one in paper.opening:
        _body(document, one)
    for heading, words in paper.sections:
        _part(document, heading, words)
    if paper.rows:
        if paper.sections:
            _heading(document, papers.FIGURES)
        _table(document, paper)
    for heading, words in paper.texts:
        _part(document, heading, words)
    _add(document, "")
    _foot(document, paper)
    document.core_properties.title = without_unseen(paper.title)
    document.core_properties.author = without_unseen(paper.unit)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _set_page(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = PAGE
    section.top_margin, section.bottom_margin = MARGINS["top"], MARGINS["bottom"]
    section.left_margin, section.right_margin = MARGINS["left"], MARGINS["right"]
    section.header_distance = Mm(10)
    # Pages are numbered in the middle above the text; the first shows none.
    section.different_first_page_header_footer = True
    number = section.header.paragraphs[0]
    number.alignment = ALIGN.CENTER
    run = number.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        element.text = text or None
        run._r.append(element)
    style: Any = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(14)
    # East Asian letters have a face of their own, and Word asks for it by itself.
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = 1.15


def _add(
    where: Document | _Cell,
    text: str,
    *,
    size: float = 14,
    bold: bool = False,
    italic: bool = False,
    align: ALIGN | None = None,
) -> Paragraph:
    paragraph = where.add_paragraph()
    paragraph.alignment = align
    run = paragraph.add_run(without_unseen(text))
    run.font.size, run.font.bold, run.font.italic = Pt(size), bold, italic
    return paragraph


def _body(document: Document, text: str) -> None:
    paragraph = _add(document, text, align=ALIGN.JUSTIFY)
    paragraph.paragraph_format.first_line_indent = INDENT
    paragraph.paragraph_format.space_after = Pt(6)


def _part(document: Document, heading: str, words: str) -> None:
    _heading(document, heading)
    for line in words.splitlines():
        _body(document, line)


def _heading(document: Document, text: str) -> None:
    form = _add(document, text, bold=True).paragraph_format
    form.keep_with_next = True
    form.space_before, form.space_after = Pt(10), Pt(4)


def _rule(paragraph: Paragraph, *, indent_mm: float) -> None:
    """Draw the line under a paragraph, shorter than it on both sides."""
    ruled = paragraph.insert_paragraph_before("")
    # The text first, then the line: the new paragraph stands before, so they swap.
    paragraph._p.addnext(ruled._p)
    form = ruled.paragraph_format
    form.left_indent = form.right_indent = Mm(indent_mm)
    form.line_spacing = Pt(4)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "0")):
        top.set(qn(f"w:{name}"), value)
    top.set(qn("w:color"), "000000")
    borders.append(top)
    # Word refuses properties that do not stand in their order.
    properties: Any = ruled._p.get_or_add_pPr()
    properties.insert_element_before(borders, "w:spacing", "w:ind", "w:jc")


def _pair(document: Document, widths: Iterable[Any]) -> list[_Cell]:
    """Return two cells side by side, without lines, emptied."""
    table = document.add_table(rows=1, cols=2)
    table.autofit = False
    _widen(table, widths)
    return list(table.rows[0].cells)


def _widen(table: Any, widths: Iterable[Any]) -> None:
    """Set widths of columns: Word reads those of cells, LibreOffice the grid's."""
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
        for cell in column.cells:
            cell.width = width


def _head(document: Document, paper: Paper) -> None:
    left, right = _pair(document, HEAD)
    middle = ALIGN.CENTER
    _first(left, papers.BODY, size=13, bold=True)
    unit = _add(left, paper.unit.upper(), size=13, bold=True, align=middle)
    _rule(unit, indent_mm=20)
    _add(left, f"Số: {paper.number}", size=13, align=middle)
    _first(right, papers.NATION, size=12, bold=True)
    motto = _add(right, papers.MOTTO, size=13, bold=True, align=middle)
    _rule(motto, indent_mm=16)
    _add(right, paper.place_and_day, size=13, italic=True, align=middle)


def _foot(document: Document, paper: Paper) -> None:
    left, right = _pair(document, FOOT)
    said = _first(left, "Nơi nhận:", size=12, bold=True)
    said.alignment, said.runs[0].font.italic = ALIGN.LEFT, True
    for one in paper.recipients:
        _add(left, f"- {one}", size=11)
    _first(right, papers.SIGNED, size=14, bold=True)


def _first(cell: _Cell, text: str, *, size: float, bold: bool) -> Paragraph:
    """Write into the paragraph that a cell has from the start."""
    paragraph: Paragraph = cell.paragraphs[0]
    paragraph.alignment = ALIGN.CENTER
    run = paragraph.add_run(without_unseen(text))
    run.font.size, run.font.bold = Pt(size), bold
    return paragraph


def _table(document: Document, paper: Paper) -> None:
    table = document.add_table(rows=1, cols=len(papers.HEAD))
    table.style = "Table Grid"
    table.autofit = False
    _fill(table.rows[0].cells, papers.HEAD, bold=True)
    _repeat(table.rows[0])
    for row in paper.rows:
        _fill(table.add_row().cells, row, bold=False)
    _widen(table, COLUMNS)
    _indent(table)
    _add(document, "", size=6)


def _fill(cells: Iterable[_Cell], texts: Iterable[str], *, bold: bool) -> None:
    for number, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        paragraph = _first(cell, text, size=12, bold=bold)
        form = paragraph.paragraph_format
        form.space_before = form.space_after = Pt(3)
        # What it is and its note are read, numbers are seen in the middle.
        if not bold and number in (1, 3):
            paragraph.alignment = ALIGN.LEFT


def _repeat(row: Any) -> None:
    """Let the head of a table stand on each of its pages."""
    _mark(row, "w:tblHeader")


def _mark(row: Any, name: str) -> None:
    element = OxmlElement(name)
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().insert(0, element)


def _indent(table: Any) -> None:
    """Let lines begin where the text begins, and no row be cut by a page."""
    element = OxmlElement("w:tblInd")
    element.set(qn("w:w"), str(CELL_MARGIN))
    element.set(qn("w:type"), "dxa")
    after = ("w:tblBorders", "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")
    table._tbl.tblPr.insert_element_before(element, *after)
    for row in table.rows:
        _mark(row, "w:cantSplit")
