"""The register as a table: its columns, and reading a table row by row.

One list of columns serves the export, the import and the form, so that what was
exported comes back unchanged. Every wrong row is told, in words for whoever typed it,
before anything is written. An empty cell leaves what is known; a dash clears it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.fleet.models import Device, Registration
from nguon.fleet.models.register import POWERS
from nguon.territory import names
from nguon.territory.models import VILLAGE, Unit

CLEAR = "-"
MAX_PRICE = 10**12
# The mainland and the islands of Viet Nam.
LATITUDES, LONGITUDES = (6.0, 24.0), (101.0, 118.0)


class WrongCellError(ValueError):
    """A cell cannot be used; its text says what to write instead."""


@dataclass(frozen=True)
class Column:
    """One column: its field, its heading, how a cell is read."""

    name: str
    heading: str
    read: Callable[[str], Any]
    empty: Any = ""


def text_cell(limit: int) -> Callable[[str], str]:
    """Return what reads a line of so many characters; it raises WrongCellError."""

    def read(cell: str) -> str:
        if len(cell) > limit:
            raise WrongCellError(f"dài quá {limit} ký tự")
        return cell

    return read


def whole_cell(limit: int) -> Callable[[str], int]:
    """Return what reads a whole number up to a limit; it raises WrongCellError."""

    def read(cell: str) -> int:
        digits = re.sub(r"[ .,đ]", "", cell)
        if not (digits.isascii() and digits.isdecimal()) or int(digits) > limit:
            raise WrongCellError(f"“{cell[:20]}” không phải là số nguyên phù hợp")
        return int(digits)

    return read


def _phone(cell: str) -> str:
    digits = re.sub(r"[ .\-]", "", cell)
    if not re.fullmatch(r"\+?\d{8,15}", digits):
        raise WrongCellError(f"“{cell[:20]}” không phải là số SIM")
    return digits


def day_cell(cell: str) -> date:
    """Return the day of a cell. Raises WrongCellError."""
    try:
        return typed.read_day(cell)
    except ValueError as error:
        raise WrongCellError(
            f"ngày “{cell[:20]}” không đọc được; hãy viết như 01/07/2025"
        ) from error


def _clock(cell: str) -> time:
    try:
        return typed.read_clock(cell)
    except ValueError as error:
        raise WrongCellError(
            f"giờ “{cell[:20]}” không đọc được; hãy viết như 05:00"
        ) from error


def _degrees(low: float, high: float) -> Callable[[str], float]:
    def read(cell: str) -> float:
        try:
            value = float(cell.replace(",", "."))
        except ValueError as error:
            raise WrongCellError(f"tọa độ “{cell[:20]}” không đọc được") from error
        if not low <= value <= high:
            raise WrongCellError(f"tọa độ “{cell[:20]}” nằm ngoài Việt Nam")
        return value

    return read


_POWERS = {names.fold(words): code for code, words in POWERS.items()}


def _power(cell: str) -> str:
    code = _POWERS.get(names.fold(cell))
    if code is None:
        raise WrongCellError(
            f"nguồn điện phải là một trong: {', '.join(POWERS.values())}"
        )
    return code


# How a device is found in a table: by its id or by the code on its label.
UID, LABEL = "Mã thiết bị", "Mã nhãn"
COLUMNS: tuple[Column, ...] = (
    Column("make", "Hãng", text_cell(60)),
    Column("model", "Kiểu máy", text_cell(60)),
    Column("serial", "Số máy", text_cell(60)),
    Column("sim_number", "Số SIM", _phone),
    Column("sim_expires_date", "SIM hết hạn", day_cell, None),
    Column("data_plan_mb", "Gói dữ liệu (MB)", whole_cell(10**8), None),
    Column("amplifier_w", "Tăng âm (W)", whole_cell(100_000), None),
    Column("horns", "Số củ loa", whole_cell(200), None),
    Column("power", "Nguồn điện", _power),
    Column("battery", "Pin, ắc quy", text_cell(60)),
    Column("mounting", "Cách lắp", text_cell(120)),
    Column("mast", "Trạm, tuyến điện", text_cell(60)),
    Column("hours_from", "Bật từ", _clock, None),
    Column("hours_to", "Tắt lúc", _clock, None),
    Column("lat", "Vĩ độ", _degrees(*LATITUDES), None),
    Column("lon", "Kinh độ", _degrees(*LONGITUDES), None),
    Column("villages", "Phủ các thôn", text_cell(800)),
    Column("purchased_date", "Ngày mua", day_cell, None),
    Column("price", "Giá (đồng)", whole_cell(MAX_PRICE), None),
    Column("funding", "Nguồn vốn", text_cell(120)),
    Column("warranty_date", "Bảo hành đến", day_cell, None),
    Column("contract", "Hợp đồng bảo trì", text_cell(120)),
    Column("contractor", "Đơn vị bảo trì", text_cell(120)),
    Column("repair_hours", "Sửa trong (giờ)", whole_cell(10_000), None),
    Column("notes", "Ghi chú", text_cell(500)),
)
BY_NAME = {column.name: column for column in COLUMNS}
BY_HEADING = {names.fold(column.heading): column for column in COLUMNS}
ON_DEVICE = ("lat", "lon")
HEAD = (UID, LABEL, "Tên", "Nơi đặt", *(column.heading for column in COLUMNS))


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row; `row` counts like a spreadsheet, from 1."""

    row: int
    words: str


@dataclass(frozen=True)
class Entry:
    """One good row: a device, and the fields that the row gives."""

    row: int
    device_id: int
    values: Mapping[str, Any]
    villages: tuple[int, ...] | None = None


@dataclass
class Reading:
    """What a table says: good rows, and everything that is wrong."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """A device that the table may speak of."""

    pk: int
    commune_id: int
    make: str
    serial: str


def read(rows: Iterable[tuple[int, list[str]]], *, ground: Sequence[str]) -> Reading:
    """Read a table for the ground of somebody, `["/"]` for all.

    Raises InvalidError when it is no such table at all: `fleet.headings_missing`,
    `fleet.no_rows`, and what reading the file raises.
    """
    lines = iter(rows)
    _number, head = next(lines, (0, []))
    folded = [names.fold(cell) for cell in head]
    if names.fold(UID) not in folded and names.fold(LABEL) not in folded:
        raise InvalidError("fleet.headings_missing", names=f"{UID} / {LABEL}")
    reader = _Reader(folded, ground)
    count = 0
    for number, cells in lines:
        count += 1
        reader.take(number, cells)
    if not count:
        raise InvalidError("fleet.no_rows")
    return reader.reading


def read_values(told: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a form, one text each. Raises WrongCellError.

    Here an empty text clears a field: the form shows all of them.
    """
    found = {}
    for name, text in told.items():
        column = BY_NAME[name]
        cell = " ".join(text.replace("\0", "").split())
        try:
            found[name] = column.read(cell) if cell else column.empty
        except WrongCellError as error:
            raise WrongCellError(f"{column.heading}: {error}") from error
    check_hours(found.get("hours_from"), found.get("hours_to"))
    return found


def check_hours(begin: time | None, end: time | None) -> None:
    """Refuse half of a pair, or a day of no length. Raises WrongCellError."""
    if (begin is None) != (end is None):
        raise WrongCellError("hãy ghi cả giờ bật và giờ tắt, hoặc bỏ cả hai")
    if begin is not None and begin == end:
        raise WrongCellError("giờ bật và giờ tắt trùng nhau")


class _Reader:
    """Reads rows against the devices of somebody's ground."""

    def __init__(self, head: Sequence[str], ground: Sequence[str]) -> None:
        self.reading = Reading()
        self._columns = [BY_HEADING.get(cell) for cell in head]
        self._uid = _place(head, UID)
        self._label = _place(head, LABEL)
        self._ground = tuple(ground)
        self._rows: dict[int, int] = {}
        self._cells: dict[tuple[str, str], Any] = {}
        self._by_uid: dict[str, _Known] = {}
        self._by_label: dict[str, _Known] = {}
        self._serials: dict[tuple[str, str], int] = {}
        self._load()
        self._villages: dict[int, dict[str, int]] = {}

    def _load(self) -> None:
        """Learn every device of the ground, with three columns of its register."""
        rows = Registration.objects.values_list(
            "pk", "label", "make", "serial", "device__uid",
            "device__health__commune_id", "device__unit_id", "device__unit__path",
        )  # fmt: skip
        for pk, label, make, serial, uid, commune, unit, path in rows.iterator():
            if serial:
                self._serials[make, serial] = pk
            if path.startswith(self._ground):
                known = _Known(pk, commune or unit, make, serial)
                self._by_uid[uid] = self._by_label[label] = known

    def take(self, number: int, cells: Sequence[str]) -> None:
        """Read one row: a good entry, or a problem."""
        try:
            self.reading.entries.append(self._entry(number, cells))
        except WrongCellError as error:
            self.reading.problems.append(Problem(number, str(error)))

    def _entry(self, number: int, cells: Sequence[str]) -> Entry:
        device = self._find(cells)
        if device.pk in self._rows:
            raise WrongCellError(f"thiết bị này đã có ở dòng {self._rows[device.pk]}")
        self._rows[device.pk] = number
        values: dict[str, Any] = {}
        for column, cell in zip(self._columns, cells, strict=False):
            if column is None or not cell:
                continue
            values[column.name] = self._value(column, cell)
        if "hours_from" in values or "hours_to" in values:
            check_hours(values.get("hours_from"), values.get("hours_to"))
        self._check_serial(device, values)
        villages = values.pop("villages", None)
        covered = None if villages is None else self._find_villages(device, villages)
        return Entry(number, device.pk, values, covered)

    def _value(self, column: Column, cell: str) -> Any:
        """Return what a cell says; the same cell a thousand times is read once."""
        key = (column.name, cell)
        if key not in self._cells:
            try:
                self._cells[key] = column.empty if cell == CLEAR else column.read(cell)
            except WrongCellError as error:
                raise WrongCellError(f"{column.heading}: {error}") from error
        return self._cells[key]

    def _find(self, cells: Sequence[str]) -> _Known:
        uid = _cell(cells, self._uid)
        label = _cell(cells, self._label)
        known = self._by_uid.get(uid.lower()) or self._by_label.get(label.upper())
        if known is None:
            told = (uid or label)[:20]
            raise WrongCellError(f"địa bàn của bạn không có thiết bị mang mã “{told}”")
        return known

    def _check_serial(self, device: _Known, values: Mapping[str, Any]) -> None:
        serial = values.get("serial", device.serial)
        key = (values.get("make", device.make), serial)
        holder = self._serials.get(key)
        if serial and holder not in {None, device.pk}:
            raise WrongCellError(
                f"Số máy: “{serial}” của hãng này đã có ở thiết bị khác"
            )
        if serial:
            self._serials[key] = device.pk

    def _find_villages(self, device: _Known, text: str) -> tuple[int, ...]:
        if device.commune_id not in self._villages:
            rows = Unit.objects.filter(
                parent=device.commune_id, kind=VILLAGE, valid_to__isnull=True
            )
            self._villages[device.commune_id] = dict(rows.values_list("folded", "pk"))
        known = self._villages[device.commune_id]
        found = []
        for name in filter(None, (part.strip() for part in text.split(";"))):
            if names.fold(name) not in known:
                raise WrongCellError(
                    f"Phủ các thôn: không có “{name[:40]}” trong xã đặt máy"
                )
            found.append(known[names.fold(name)])
        return tuple(dict.fromkeys(found))


def _place(head: Sequence[str], name: str) -> int | None:
    folded = names.fold(name)
    return head.index(folded) if folded in head else None


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def row_of(device: Device) -> list[object]:
    """Return one device as a row of the table; asks for register, unit, villages."""
    paper = device.registration
    covered = "; ".join(unit.full_name for unit in paper.villages.all())
    cells: list[object] = [device.uid, paper.label, device.name, device.unit.full_name]
    for column in COLUMNS:
        if column.name == "villages":
            cells.append(covered)
        else:
            owner = device if column.name in ON_DEVICE else paper
            cells.append(written(column.name, getattr(owner, column.name)))
    return cells


def written(name: str, value: Any) -> object:
    """Return a value as a cell or a form field shows it."""
    if value is None:
        return ""
    if name == "power":
        return POWERS.get(value, "")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    return value
