"""Reads a table of a register row by row, before anything is written.

A row with a known id changes that line; one without is a new line, unless the unit
has the same already. An empty cell leaves what is known, a dash clears it, a masked
one (•) is left alone. Everything wrong is told, in words for whoever typed it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.fleet.register import CLEAR, WrongCellError
from nguon.registers import access, books, rules
from nguon.registers.access import Reader
from nguon.registers.books import AnyLine, Book
from nguon.territory.models import VILLAGE, Unit
from nguon.territory.names import fold


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row; `row` counts like a spreadsheet, from 1."""

    row: int
    error: Exception

    @property
    def words(self) -> str:
        """What to write instead; nothing for an error that has its own sentence."""
        return str(self.error) if isinstance(self.error, WrongCellError) else ""


@dataclass(frozen=True)
class Entry:
    """One good row: the line it changes or the unit of a new one, and its fields."""

    row: int
    line: AnyLine | None
    unit: Unit
    values: Mapping[str, Any]


@dataclass
class Reading:
    """What a table says: good rows, and everything that is wrong."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(
    book: Book, rows: Iterable[tuple[int, list[str]]], *, reader: Reader
) -> Reading:
    """Read a table for the ground that somebody keeps.

    Raises InvalidError when it is no such table at all (`registers.headings_missing`,
    `registers.no_rows`), and what reading the file raises.
    """
    lines = iter(rows)
    _number, head = next(lines, (0, []))
    folded = [fold(cell) for cell in head]
    needed = [books.CODE] + ([books.VILLAGE_NAME] if book.is_of_villages else [])
    missing = [name for name in needed if fold(name) not in folded]
    if missing and fold(books.UID) not in folded:
        raise InvalidError("registers.headings_missing", names=", ".join(missing))
    table = _Table(book, folded, reader)
    count = 0
    for number, cells in lines:
        count += 1
        table.take(number, cells)
    if not count:
        raise InvalidError("registers.no_rows")
    return table.reading


class _Table:
    """Reads rows against the lines and units of somebody's ground."""

    def __init__(self, book: Book, head: Sequence[str], reader: Reader) -> None:
        self.reading = Reading()
        self._book, self._head, self._reader = book, head, reader
        self._today = timezone.localdate(reader.at)
        by_heading = {fold(one.heading): one for one in book.columns}
        self._columns = [by_heading.get(cell) for cell in head]
        self._seen: dict[object, int] = {}
        kept = access.fence(book, reader, kinds=access.KEEPERS)
        self._lines: dict[str, AnyLine] = {line.uid: line for line in kept}
        # What its reader was given comes back: as it was, or it is refused.
        self._read_only: dict[str, AnyLine] = {
            line.uid: line
            for line in access.fence(book, reader)
            if line.uid not in self._lines
        }
        self._keys = {_key(book, line.unit_id, vars(line)): line for line in kept}
        self._units: dict[tuple[str, str], list[Unit]] = {}
        for unit in access.list_units(book, reader.officer, at=reader.at):
            code = unit.parent.code if unit.kind == VILLAGE and unit.parent else ""
            key = (code, unit.folded) if book.is_of_villages else (unit.code, "")
            self._units.setdefault(key, []).append(unit)

    def take(self, number: int, cells: Sequence[str]) -> None:
        """Read one row: a good entry, or a problem."""
        try:
            self.reading.entries.append(self._entry(number, cells))
        except (WrongCellError, InvalidError) as error:
            self.reading.problems.append(Problem(number, error))

    def _cell(self, cells: Sequence[str], heading: str) -> str:
        folded = fold(heading)
        place = self._head.index(folded) if folded in self._head else len(cells)
        return cells[place].strip() if place < len(cells) else ""

    def _entry(self, number: int, cells: Sequence[str]) -> Entry:
        line = self._find_line(cells)
        unit = line.unit if line else self._find_unit(cells)
        values = self._values(cells, line)
        if line is None:
            books.check_needed(self._book, values)
            key = _key(self._book, unit.pk, _with_folded(self._book, values))
            # The same table twice changes nothing: this line is there already.
            line = self._keys.get(key)
        if line is not None:
            values = self._changed(line, values)
            if values and line.uid in self._read_only:
                raise WrongCellError(
                    f"dòng này của {line.unit.full_name}, bạn chỉ đọc;"
                    " hãy để dòng này như khi tải về"
                )
        seen = line.uid if line else key
        if seen in self._seen:
            raise WrongCellError(f"dòng này trùng với dòng {self._seen[seen]}")
        self._seen[seen] = number
        known = vars(line) if line else {}
        self._book.check({**known, **values}, today=self._today)
        return Entry(number, line, unit, values)

    def _find_line(self, cells: Sequence[str]) -> AnyLine | None:
        uid = self._cell(cells, books.UID)
        if not uid:
            return None
        key = uid.lower()
        line = self._lines.get(key) or self._read_only.get(key)
        if line is None:
            raise WrongCellError(
                f"địa bàn của bạn không có dòng mang mã “{uid[:20]}”;"
                " dòng mới thì để trống cột Mã dòng"
            )
        return line

    def _find_unit(self, cells: Sequence[str]) -> Unit:
        code = self._cell(cells, books.CODE)
        village = self._cell(cells, books.VILLAGE_NAME)
        key = (code, "")
        if self._book.is_of_villages:
            key = (code, fold(village))
        found = self._units.get(key) or self._by_short_name(code, village)
        if len(found) != 1:
            told = f"{village} của {code}" if self._book.is_of_villages else code
            raise WrongCellError(
                f"{books.CODE}: địa bàn của bạn không có “{told[:60]}”"
                " trên bản đồ hôm nay"
            )
        return found[0]

    def _by_short_name(self, code: str, village: str) -> list[Unit]:
        """Return the villages of a commune by their name without its kind."""
        if not village:
            return []
        return [
            unit
            for (parent, _folded), units in self._units.items()
            for unit in units
            if parent == code and fold(unit.name) == fold(village)
        ]

    def _values(self, cells: Sequence[str], line: AnyLine | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column, cell in zip(self._columns, cells, strict=False):
            if column is None or not cell:
                continue
            if column.name in rules.PERSONAL and rules.is_masked(cell):
                if line is None:
                    raise WrongCellError(
                        f"{column.heading}: đã che; hãy để đơn vị của người này ghi"
                    )
                continue
            values[column.name] = books.read_cell(column, "" if cell == CLEAR else cell)
        return values

    def _changed(self, line: AnyLine, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a row changes of a line. Raises WrongCellError."""
        new = {k: v for k, v in values.items() if getattr(line, k) != v}
        without = frozenset(rules.PERSONAL) if _is_forgotten(line) else frozenset()
        books.check_needed(self._book, {**vars(line), **new}, without=without)
        personal = new.keys() & set(rules.PERSONAL)
        if personal and _is_forgotten(line):
            raise WrongCellError("dòng này đã xóa dữ liệu cá nhân theo yêu cầu")
        if personal and not self._reader.is_own(line):
            raise WrongCellError("dữ liệu cá nhân chỉ đơn vị của người này sửa")
        return new


def _is_forgotten(line: AnyLine) -> bool:
    return getattr(line, "forgotten_at", None) is not None


def _with_folded(book: Book, values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "folded": fold(values[book.name_field])}


def _key(book: Book, unit_id: int, values: Mapping[str, Any]) -> tuple[Any, ...]:
    return (unit_id, *(values[name] for name in book.key_fields))
