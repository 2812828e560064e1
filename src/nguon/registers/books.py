"""The three registers as tables: their columns, and how a cell is read and written.

One list of columns serves form, table in and table out, so that what was exported
comes back unchanged.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from nguon.core import phones, typed
from nguon.core.errors import AbsentError
from nguon.fleet.register import Column, WrongCellError, day_cell, text_cell
from nguon.newsroom.rules import LANGUAGES
from nguon.registers import rules
from nguon.registers.models import Propagandist, StaffMember, Station
from nguon.territory.models import COMMUNE, PROVINCE, VILLAGE
from nguon.territory.names import fold

AnyLine = Station | StaffMember | Propagandist
UID, CODE, PLACE, VILLAGE_NAME = "Mã dòng", "Mã đơn vị", "Đơn vị", "Thôn, làng"


@dataclass(frozen=True)
class Book:
    """One register: `needed` fields of a new line, `kinds` of unit it is about."""

    code: str
    title: str
    model: type[Station] | type[StaffMember] | type[Propagandist]
    columns: tuple[Column, ...]
    needed: frozenset[str]
    kinds: tuple[str, ...]
    empty: str

    @property
    def is_of_people(self) -> bool:
        """Say whether its lines are persons."""
        return self.model is not Station

    @property
    def is_of_villages(self) -> bool:
        """Say whether its lines stand in villages."""
        return self.kinds == (VILLAGE,)

    @property
    def head(self) -> tuple[str, ...]:
        """The headings of its table."""
        village = (VILLAGE_NAME,) if self.is_of_villages else ()
        return (UID, CODE, PLACE, *village, *(one.heading for one in self.columns))

    @property
    def name_field(self) -> str:
        """The field by which a line is called."""
        return "full_name" if self.is_of_people else "name"

    @property
    def key_fields(self) -> tuple[str, ...]:
        """What tells two lines of one unit apart."""
        if self.is_of_people:
            return ("folded", "from_date")
        return ("kind", "folded")

    def check(self, values: Mapping[str, Any], *, today: date) -> None:
        """Refuse a line that cannot be. Raises InvalidError `registers.…`."""
        if self.is_of_people:
            first, after = values["from_date"], values.get("to_date")
            rules.check_period(first, after, today=today)
        else:
            year, ended_on = values["year"], values.get("ended_on")
            rules.check_station(year=year, ended_on=ended_on, today=today)


def _choice(words: Mapping[str, str]) -> Callable[[str], str]:
    codes = {fold(name): code for code, name in words.items()} | {c: c for c in words}

    def read(cell: str) -> str:
        code = codes.get(fold(cell))
        if code is None:
            raise WrongCellError(f"phải là một trong: {', '.join(words.values())}")
        return code

    return read


def _phone(cell: str) -> str:
    try:
        return phones.read(cell, landline=True)
    except ValueError as error:
        raise WrongCellError(
            f"“{cell[:20]}” không phải số điện thoại; hãy viết như 0905 123 456"
        ) from error


_LANGUAGES = {fold(name): code for code, name in LANGUAGES.items()} | {
    fold(name.removeprefix("Tiếng ")): code for code, name in LANGUAGES.items()
}


def _languages(cell: str) -> str:
    found = set()
    for part in re.split(r"[;,]", cell):
        if part.strip():
            code = _LANGUAGES.get(fold(part))
            if code is None:
                raise WrongCellError(
                    f"không rõ “{part.strip()[:20]}”; hãy chọn trong:"
                    f" {'; '.join(LANGUAGES.values())}"
                )
            found.add(code)
    return rules.pack(found)


def _year(cell: str) -> int:
    if not re.fullmatch(r"[12]\d{3}", cell, re.ASCII):
        raise WrongCellError(f"“{cell[:20]}” không phải là năm; hãy viết như 2019")
    return int(cell)


STATIONS = Book(
    "dai",
    "Đài truyền thanh",
    Station,
    (
        Column("name", "Tên đài", text_cell(120)),
        Column("kind", "Loại", _choice(rules.STATION_KINDS)),
        Column("year", "Năm đưa vào dùng", _year, None),
        Column("source", "Nguồn vốn", _choice(rules.SOURCES)),
        Column("ended_on", "Thôi dùng từ ngày", day_cell, None),
        Column("notes", "Ghi chú", text_cell(500)),
    ),
    frozenset({"name", "kind", "year", "source"}),
    (COMMUNE,),
    "Ghi từng đài, hoặc nhập cả bảng: loại đài, năm đưa vào dùng, nguồn vốn.",
)
_PERSON = (
    Column("full_name", "Họ tên", text_cell(120)),
    Column("phone", "Điện thoại", _phone),
)
STAFF = Book(
    "nhan-luc",
    "Nhân lực truyền thông",
    StaffMember,
    (
        *_PERSON,
        Column("post", "Chức danh, công việc", text_cell(120)),
        Column("from_date", "Từ ngày", day_cell, None),
        Column("to_date", "Thôi từ ngày", day_cell, None),
    ),
    frozenset({"full_name", "post", "from_date"}),
    (PROVINCE, COMMUNE),
    "Ghi từng người, hoặc nhập cả bảng: họ tên, chức danh, từ ngày.",
)
PROPAGANDISTS = Book(
    "tuyen-truyen-vien",
    "Tuyên truyền viên cơ sở",
    Propagandist,
    (
        *_PERSON,
        Column("decision_number", "Số quyết định", text_cell(60)),
        Column("from_date", "Ngày quyết định", day_cell, None),
        Column("languages", "Ngôn ngữ", _languages),
        Column("to_date", "Thôi từ ngày", day_cell, None),
    ),
    frozenset({"full_name", "decision_number", "from_date"}),
    (VILLAGE,),
    "Ghi từng người theo quyết định công nhận của Chủ tịch xã, hoặc nhập cả bảng.",
)
BOOKS: Mapping[str, Book] = {one.code: one for one in (STATIONS, STAFF, PROPAGANDISTS)}


def find(code: str) -> Book:
    """Return a register by its address. Raises AbsentError."""
    found = BOOKS.get(code)
    if found is None:
        raise AbsentError("registers.line_absent")
    return found


def of(line: AnyLine) -> Book:
    """Return the register of a line."""
    return next(one for one in BOOKS.values() if isinstance(line, one.model))


def clean(text: str) -> str:
    """Return a cell on one line without stray blanks."""
    return typed.one_line(text)


def read_cell(column: Column, text: str) -> Any:
    """Return what a cell says; an empty one clears. Raises WrongCellError."""
    cell = clean(text)
    try:
        return column.read(cell) if cell else column.empty
    except WrongCellError as error:
        raise WrongCellError(f"{column.heading}: {error}") from error


def read_values(
    book: Book, told: Mapping[str, str], *, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the fields of a form, one text each; an empty text clears a field.

    Raises WrongCellError, also for a needed field that is empty.
    """
    columns = [one for one in book.columns if one.name not in without]
    found = {one.name: read_cell(one, told.get(one.name, "")) for one in columns}
    check_needed(book, found, without=without)
    return found


def check_needed(
    book: Book, values: Mapping[str, Any], *, without: frozenset[str] = frozenset()
) -> None:
    """Refuse values that leave a needed field empty. Raises WrongCellError."""
    for column in book.columns:
        needed = column.name in book.needed - without
        if needed and values.get(column.name) in {None, ""}:
            raise WrongCellError(f"{column.heading}: chưa ghi")


WORDS = {"kind": rules.STATION_KINDS, "source": rules.SOURCES}


def written(name: str, value: Any) -> str:
    """Return a value as a cell, a form field and the history write it."""
    if value is None or value == "":
        return ""
    if name in WORDS:
        return str(WORDS[name].get(value, value))
    if name == "languages":
        return "; ".join(rules.unpack(value))
    if name == "phone":
        return phones.shown(value)
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def shown(line: AnyLine, name: str, *, is_own: bool) -> str:
    """Return a field as somebody may read it: personal ones only in their own unit."""
    value = getattr(line, name)
    if name in rules.PERSONAL and not is_own:
        return rules.mask(name, value)
    return written(name, value)


def row_of(book: Book, line: AnyLine, *, is_own: bool) -> list[str]:
    """Return a line as a row of its table; asks for unit and its parent."""
    unit = line.unit
    office = unit.parent if unit.kind == VILLAGE and unit.parent else unit
    village = [unit.full_name] if book.is_of_villages else []
    told = [shown(line, one.name, is_own=is_own) for one in book.columns]
    return [line.uid, office.code, office.full_name, *village, *told]
