"""Tables from spreadsheets: CSV of any usual encoding, or XLSX, as rows of text.

Older Vietnamese programs write Windows-1258, where a letter and its tone are two
characters; they are put together here. A file may be hostile: sizes are bounded
before anything is unpacked.
"""

import csv
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO, StringIO

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from nguon.core.errors import InvalidError
from nguon.core.typed import one_line, without_unseen

MAX_BYTES = 32 * 1024 * 1024
MAX_UNPACKED = 64 * 1024 * 1024
MAX_ROWS = 60_000
MAX_CELL = 1_000
# What a spreadsheet takes for a formula; in our files an apostrophe stands before.
FORMULA_STARTS = ("=", "+", "-", "@")

Row = tuple[int, list[str]]


def read(content: bytes) -> Iterator[Row]:
    """Yield the rows that hold something, with their numbers as spreadsheets count.

    Raises InvalidError: `fleet.file_too_big`, `fleet.file_unpacks`,
    `fleet.file_unreadable`, `fleet.file_rows`.
    """
    if len(content) > MAX_BYTES:
        raise InvalidError("fleet.file_too_big", limit=MAX_BYTES // 1024**2)
    rows = _read_xlsx(content) if content.startswith(b"PK") else _read_csv(content)
    for count, (number, cells) in enumerate(rows):
        if count > MAX_ROWS:
            raise InvalidError("fleet.file_rows", limit=MAX_ROWS)
        yield number, cells


def decode(content: bytes) -> str:
    """Return the text of a CSV file: UTF-8, UTF-16 or Windows-1258, composed (NFC).

    Raises InvalidError `fleet.file_unreadable`.
    """
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "cp1258"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return unicodedata.normalize("NFC", text)
    raise InvalidError("fleet.file_unreadable")


def _read_csv(content: bytes) -> Iterator[Row]:
    text = decode(content)
    first = text.split("\n", 1)[0]
    lines = csv.reader(
        StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)
    )
    try:
        for cells in lines:
            if any(cells):
                yield lines.line_num, [_kept(cell) for cell in cells]
    except csv.Error as error:
        raise InvalidError("fleet.file_unreadable") from error


def _read_xlsx(content: bytes) -> Iterator[Row]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_UNPACKED:
            raise InvalidError("fleet.file_unpacks", limit=MAX_UNPACKED // 1024**2)
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            texts = [_text(cell) for cell in cells]
            if any(texts):
                yield number, texts
        book.close()
    except (
        zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError,
        OSError, SyntaxError,
    ) as error:  # fmt: skip
        raise InvalidError("fleet.file_unreadable") from error


def _text(cell: object) -> str:
    """Return a cell as a person would type it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return _kept(unicodedata.normalize("NFC", str(cell)))


def _kept(text: str) -> str:
    """Return a cell's words, without the mark that our files set before a formula.

    So a file that was given out and comes back says what was kept.
    """
    line = one_line(text)
    is_marked = line.startswith("'") and line[1:].startswith(FORMULA_STARTS)
    return (line[1:] if is_marked else line)[:MAX_CELL]


def write_xlsx(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "Hồ sơ thiết bị",
) -> bytes:
    """Return a workbook of one sheet; text that begins like a formula stays text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(head))
    for row in rows:
        sheet.append([_plain(cell) for cell in row])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _plain(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = without_unseen(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
