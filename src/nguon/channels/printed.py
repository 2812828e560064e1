"""The printed bulletin: one clean A4 page or more, ready to pin up and to hand out.

The same text gives the same bytes, whoever prints it and whenever. Times New Roman is
asked for on paper of the State; Liberation Serif has its measures and may be shipped.
"""

import html
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import qrcode
from reportlab.lib.colors import HexColor, black
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
)

from nguon.core.typed import without_unseen

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD, ITALIC = "Nguon", "Nguon-Bold", "Nguon-Italic"
FACES = {PLAIN: "Regular", BOLD: "Bold", ITALIC: "Italic"}
# Margins of decree 30/2020/NĐ-CP, annex I: 20–25 mm above and below, 30–35 mm left,
# 15–20 mm right.
TOP, BOTTOM, LEFT, RIGHT = 20 * mm, 22 * mm, 30 * mm, 18 * mm
CODE_SIDE = 22 * mm
ALARM = HexColor("#b3261e")


@dataclass(frozen=True)
class Sheet:
    """What stands on a printed bulletin."""

    issuer: str
    title: str
    body: str
    field: str
    approved_by: str
    approved_at: datetime
    code: str
    link: str
    alarm: str = ""


def print_sheet(sheet: Sheet) -> bytes:
    """Return a PDF of A4 pages."""
    load_fonts()
    buffer = BytesIO()
    width, height = A4
    frame = Frame(
        LEFT,
        BOTTOM + CODE_SIDE,
        width - LEFT - RIGHT,
        height - TOP - BOTTOM - CODE_SIDE,
        *(0, 0, 0, 0),
    )
    document = BaseDocTemplate(
        buffer,
        pagesize=A4,
        title=sheet.title,
        author=sheet.issuer,
        invariant=1,
    )
    template = PageTemplate(
        frames=[frame], onPage=lambda canvas, _document: _draw_foot(canvas, sheet)
    )
    document.addPageTemplates([template])
    document.build(_story(sheet))
    return buffer.getvalue()


@cache
def load_fonts() -> None:
    """Make the three faces known to reportlab; once is enough."""
    for name, face in FACES.items():
        file = FONTS / f"LiberationSerif-{face}.ttf"
        pdfmetrics.registerFont(TTFont(name, str(file)))


def style(size: float, font: str = PLAIN, **more: Any) -> ParagraphStyle:
    """Return how letters of a size, in points, are set."""
    return ParagraphStyle(
        font, fontName=font, fontSize=size, leading=size * 1.4, **more
    )


def _story(sheet: Sheet) -> list[Any]:
    day = sheet.approved_at.astimezone(LOCAL)
    story: list[Any] = [
        line(sheet.issuer.upper(), style(13, BOLD, alignment=TA_CENTER)),
        line("BẢN TIN THÔNG TIN CƠ SỞ", style(13, alignment=TA_CENTER)),
        line(
            f"Ngày {day.day:02} tháng {day.month:02} năm {day.year}. {sheet.field}",
            style(13, ITALIC, alignment=TA_CENTER),
        ),
        Spacer(0, 8 * mm),
    ]
    if sheet.alarm:
        alarm = style(18, BOLD, alignment=TA_CENTER, textColor=ALARM)
        story += [line(sheet.alarm.upper(), alarm), Spacer(0, 4 * mm)]
    story += [
        line(sheet.title, style(19, BOLD, alignment=TA_CENTER)),
        Spacer(0, 6 * mm),
    ]
    text = style(
        14, alignment=TA_JUSTIFY, firstLineIndent=10 * mm, spaceAfter=6, allowWidows=0
    )
    story += [line(one, text) for one in sheet.body.splitlines() if one.strip()]
    return story


def line(text: str, look: ParagraphStyle) -> Paragraph:
    """Return a paragraph in which no sign of the text is a command."""
    return Paragraph(html.escape(without_unseen(text), quote=False), look)


class Code(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A square of `CODE_SIDE` that leads a phone to an address."""

    def __init__(self, link: str) -> None:
        super().__init__()
        self.width = self.height = CODE_SIDE
        self._link = link

    def draw(self) -> None:
        """Draw the dark squares of the code, from the top."""
        code = qrcode.QRCode(
            border=0, error_correction=qrcode.constants.ERROR_CORRECT_M
        )
        code.add_data(self._link)
        matrix = code.get_matrix()
        side = CODE_SIDE / len(matrix)
        self.canv.setFillColor(black)
        for row, darks in enumerate(matrix):
            for column, dark in enumerate(darks):
                if dark:
                    y = CODE_SIDE - (row + 1) * side
                    self.canv.rect(column * side, y, side, side, stroke=0, fill=1)


def _draw_foot(canvas: Canvas, sheet: Sheet) -> None:
    """Draw who answers for it, and a code that leads to the page of the commune."""
    canvas.saveState()
    width, _height = A4
    Code(sheet.link).drawOn(canvas, width - RIGHT - CODE_SIDE, BOTTOM - 4 * mm)
    moment = sheet.approved_at.astimezone(LOCAL)
    lines = [
        f"{sheet.approved_by} duyệt lúc {moment:%H:%M} ngày {moment:%d/%m/%Y}.",
        f"Nghe lại và xem tin mới: {sheet.link}",
        f"Mã nội dung {sheet.code}. Trang {canvas.getPageNumber()}.",
    ]
    for number, words in enumerate(lines):
        canvas.setFont(PLAIN, 10)
        canvas.drawString(LEFT, BOTTOM + 12 * mm - number * 5 * mm, words)
    canvas.setLineWidth(0.5)
    canvas.line(LEFT, BOTTOM + CODE_SIDE, width - RIGHT, BOTTOM + CODE_SIDE)
    canvas.restoreState()
