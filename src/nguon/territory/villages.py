"""Reads a list of villages (thôn, làng, buôn, tổ dân phố, khu vực) from CSV.

No open list of villages exists: an operator brings one, from a spreadsheet. Every
row is looked at, and everything wrong is said at once, in words for whoever typed it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import StringIO

from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.territory import names
from nguon.territory.models import COMMUNE, VILLAGE, Unit

MAX_BYTES = 2_000_000
MAX_ROWS = 5_000
MAX_NAME = 120
MAX_POPULATION = 1_000_000
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,19}")

# Folded heading → field; several spellings of one heading are understood.
HEADINGS = {
    "ma_xa": "commune",
    "ma_xa_phuong": "commune",
    "loai": "kind",
    "ten": "name",
    "ten_thon": "name",
    "ma": "code",
    "ma_thon": "code",
    "dan_so": "population",
    "so_dan": "population",
    "tu_ngay": "valid_from",
}
NEEDED = {
    "commune": "Mã xã",
    "kind": "Loại",
    "name": "Tên",
    "valid_from": "Từ ngày",
}
KINDS = {names.fold(kind): kind for kind in names.VILLAGE_KINDS} | {
    "tdp": "Tổ dân phố",
    "to": "Tổ dân phố",
    "buon lang": "Buôn",
}
SAMPLE = (
    "Mã xã,Loại,Tên,Mã,Dân số,Từ ngày\r\n"
    "23764,Làng,Jút,,640,01/07/2025\r\n"
    "23764,Tổ dân phố,3,,1210,01/07/2025\r\n"
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row; `row` counts like a spreadsheet, from 1."""

    row: int
    words: str


@dataclass(frozen=True)
class Village:
    """One good row."""

    row: int
    commune: Unit
    subkind: str
    name: str
    code: str
    population: int | None
    valid_from: date
    known: Unit | None = None

    @property
    def changes(self) -> bool:
        """Say whether the row changes a village that is known already."""
        return self.known is not None and (
            self.population not in {None, self.known.population}
            or (bool(self.code) and self.code != self.known.code)
        )


@dataclass
class Reading:
    """What a file says: good rows, what they bring, and everything that is wrong."""

    villages: list[Village] = field(default_factory=list)
    fresh: list[Village] = field(default_factory=list)
    changed: list[Village] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, village: Village) -> None:
        """Take a good row."""
        self.villages.append(village)
        if village.known is None:
            self.fresh.append(village)
        elif village.changes:
            self.changed.append(village)


class _WrongRowError(ValueError):
    """One row cannot be used; its text says why and what to write instead."""


def decode(content: bytes) -> str:
    """Return the text of a file: UTF-8, with or without BOM, or Excel's UTF-16.

    Raises InvalidError for another encoding, or a file that is too big.
    """
    if len(content) > MAX_BYTES:
        raise InvalidError("territory.file_too_big", limit=MAX_BYTES // 1_000_000)
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError("territory.file_encoding") from error
    return text


def read(text: str, *, ground: Sequence[str]) -> Reading:
    """Read a list of villages for the ground of somebody, `["/"]` for all.

    Raises InvalidError when it is no such list at all: headings, no rows, too many.
    """
    if "\0" in text:
        raise InvalidError("territory.file_encoding")
    rows = list(_rows(text))
    communes = _communes({cells.get("commune", "") for _row, cells in rows})
    codes = {cells.get("code", "") for _row, cells in rows} - {""}
    known = _Known(communes.values(), codes)
    reading = Reading()
    for row, cells in rows:
        try:
            village = _read_row(row, cells, communes=communes, ground=ground)
            reading.add(known.place(village))
        except _WrongRowError as error:
            reading.problems.append(Problem(row, str(error)))
    return reading


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows that hold something, with their numbers and named cells."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        head = [_heading(cell) for cell in next(lines, [])]
        missing = [NEEDED[name] for name in NEEDED if name not in head]
        if missing:
            raise InvalidError("territory.headings_missing", names=", ".join(missing))
        count = 0
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_ROWS:
                raise InvalidError("territory.too_many_rows", limit=MAX_ROWS)
            pairs = zip(head, cells, strict=False)
            yield (
                lines.line_num,
                {name: " ".join(cell.split()) for name, cell in pairs if name},
            )
    except csv.Error as error:
        raise InvalidError("territory.file_unreadable") from error
    if not count:
        raise InvalidError("territory.no_rows")


def _heading(cell: str) -> str:
    folded = re.sub(r"[^a-z0-9]+", "_", names.fold(cell)).strip("_")
    return HEADINGS.get(folded, "")


def _communes(codes: Iterable[str]) -> dict[str, Unit]:
    """Return the communes of today's map by code; villages are of today's map."""
    units = Unit.objects.filter(
        kind=COMMUNE, code__in=set(codes), valid_to__isnull=True
    )
    return {unit.code: unit for unit in units}


def _read_row(
    row: int,
    cells: Mapping[str, str],
    *,
    communes: Mapping[str, Unit],
    ground: Sequence[str],
) -> Village:
    commune = communes.get(cells.get("commune", ""))
    if commune is None:
        raise _WrongRowError(
            f"không có xã nào hiện nay mang mã “{cells.get('commune', '')[:20]}”"
        )
    if not any(commune.path.startswith(path) for path in ground):
        raise _WrongRowError(f"{commune.full_name} không thuộc phần việc của bạn")
    subkind = KINDS.get(names.fold(cells.get("kind", "")))
    if subkind is None:
        kinds = ", ".join(names.VILLAGE_KINDS)
        raise _WrongRowError(f"loại phải là một trong: {kinds}")
    valid_from = _read_day(cells.get("valid_from", ""))
    if valid_from < commune.valid_from:
        raise _WrongRowError(
            f"{commune.full_name} chỉ có từ {commune.valid_from:%d/%m/%Y}; "
            "hãy ghi từ ngày ấy hoặc sau đó"
        )
    return Village(
        row=row,
        commune=commune,
        subkind=subkind,
        name=_read_name(cells.get("name", ""), subkind),
        code=_read_code(cells.get("code", "")),
        population=_read_population(cells.get("population", "")),
        valid_from=valid_from,
    )


def _read_name(text: str, subkind: str) -> str:
    """Return a name without its kind: "Làng Jút" is the làng called Jút."""
    kind, rest = names.split(text)
    name = rest if kind == subkind else text
    if not name:
        raise _WrongRowError("chưa có tên")
    if len(name) > MAX_NAME - len(subkind) - 1:
        raise _WrongRowError("tên quá dài; hãy viết dưới 100 ký tự")
    return name


def _read_code(text: str) -> str:
    if text and not CODE.fullmatch(text):
        raise _WrongRowError(
            "mã chỉ gồm chữ không dấu, số, dấu chấm, gạch nối; nhiều nhất 20 ký tự"
        )
    return text


def _read_population(text: str) -> int | None:
    if not text:
        return None
    digits = re.sub(r"[ .,]", "", text)
    if not (digits.isascii() and digits.isdecimal()) or int(digits) > MAX_POPULATION:
        raise _WrongRowError(f"dân số “{text[:20]}” không phải là số người")
    return int(digits)


def _read_day(text: str) -> date:
    try:
        return typed.read_day(text)
    except ValueError as error:
        raise _WrongRowError(
            f"ngày “{text[:20]}” không đọc được; hãy viết như 01/07/2025"
        ) from error


class _Known:
    """The villages that exist, and those that the file has named so far."""

    def __init__(self, communes: Iterable[Unit], codes: set[str]) -> None:
        villages = Unit.objects.filter(kind=VILLAGE)
        today = villages.filter(valid_to__isnull=True)
        self.by_name = {
            (unit.parent_id, unit.folded): unit
            for unit in today.filter(parent__in=[commune.pk for commune in communes])
        }
        self.by_code = {unit.code: unit for unit in today.filter(code__in=codes)}
        self.ended: dict[str, date | None] = dict(
            villages.filter(valid_to__isnull=False, code__in=codes)
            .order_by("valid_to")
            .values_list("code", "valid_to")
        )
        self.names: dict[tuple[int, str], int] = {}
        self.codes: dict[str, int] = {}

    def place(self, village: Village) -> Village:
        """Return the row with the village it speaks of. Raises _WrongRowError."""
        folded = names.fold(f"{village.subkind} {village.name}")
        key = (village.commune.pk, folded)
        title = f"{village.subkind} {village.name}"
        if key in self.names:
            raise _WrongRowError(f"{title} đã có ở dòng {self.names[key]}")
        if village.code and village.code in self.codes:
            raise _WrongRowError(
                f"mã {village.code} đã dùng ở dòng {self.codes[village.code]}"
            )
        known = self.by_name.get(key)
        holder = self.by_code.get(village.code)
        if holder is not None and holder != known:
            raise _WrongRowError(
                f"mã {village.code} đang là của {holder.full_name}; hãy dùng mã khác"
            )
        until = self.ended.get(village.code)
        if until is not None and until > village.valid_from:
            raise _WrongRowError(
                f"mã {village.code} còn là của nơi khác đến {until:%d/%m/%Y}"
            )
        self.names[key] = village.row
        if village.code:
            self.codes[village.code] = village.row
        return Village(**{**vars(village), "known": known})
