"""Placeholders and cells of an Excel form: found, and filled in their own style.

Text is written as text whatever it begins with: no cell of ours is a formula. The
sender's formulas stay, and are worked out anew when the file is opened.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from nguon.core.errors import InvalidError
from nguon.core.typed import without_unseen
from nguon.reports.foreign import places
from nguon.reports.foreign.packages import Package
from nguon.reports.foreign.places import Share, Value

_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_S = f"{{{_NS}}}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_STRINGS, _BOOK = "xl/sharedStrings.xml", "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_AFTER_SHEETS = ("definedNames", "externalReferences", "functionGroups", "sheets")
_ADDRESS = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)


def list_sheets(package: Package) -> list[str]:
    """Return the names of the sheets in their order."""
    return list(_sheets(package))


def find_places(package: Package) -> list[str]:
    """Return the placeholders of a form, each once, in their order."""
    strings = _strings(package)
    found: dict[str, None] = {}
    for name in _sheets(package).values():
        for cell in package.tree(name).iter(f"{_S}c"):
            for place in places.find(_text(cell, strings)):
                found[place] = None
    return list(found)


def check_cell(package: Package, place: str) -> None:
    """Refuse a cell that cannot be written. Raises InvalidError `reports.cell_…`."""
    told = places.cell_of(place)
    sheets = _sheets(package)
    if told is None or told[0] not in sheets:
        raise InvalidError("reports.cell_absent", names=", ".join(sheets)[:200])
    sheet, column, row = told
    root = package.tree(sheets[sheet])
    address = f"{column}{row}"
    cell = next((one for one in root.iter(f"{_S}c") if one.get("r") == address), None)
    if cell is not None and cell.find(f"{_S}f") is not None:
        raise InvalidError("reports.cell_formula", cell=place)
    for one in root.iter(f"{_S}mergeCell"):
        first, _, last = one.get("ref", "").partition(":")
        if last and address != first and _is_within(address, first, last):
            raise InvalidError("reports.cell_merged", cell=place, first=first)


def fill(package: Package, values: Mapping[str, Value]) -> bytes:
    """Return the form filled: placeholders and cells by their place."""
    strings, percents = _strings(package), _percents(package)
    book = package.tree(_BOOK)
    _count_anew(book)
    changed = {_BOOK: book}
    for sheet, name in _sheets(package).items():
        root = package.tree(name)
        for cell in list(root.iter(f"{_S}c")):
            _fill(cell, strings, values, percents)
        for place, value in values.items():
            told = places.cell_of(place)
            if told is not None and told[0] == sheet:
                _put(_cell(root, told[1], told[2]), value, percents)
        changed[name] = root
    return package.pack(changed)


def _sheets(package: Package) -> dict[str, str]:
    """Return the part of each sheet by its name."""
    links = {
        one.get("Id"): one.get("Target", "")
        for one in package.tree("xl/_rels/workbook.xml.rels").iter("{*}Relationship")
    }
    found = {}
    for one in package.tree(_BOOK).iter(f"{_S}sheet"):
        target = links.get(one.get(_RELATION), "")
        name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if name in package.parts:
            found[str(one.get("name"))] = name
    return found


def _strings(package: Package) -> list[str]:
    if _STRINGS not in package.parts:
        return []
    items = package.tree(_STRINGS).iter(f"{_S}si")
    return ["".join(_letters(item)) for item in items]


def _percents(package: Package) -> set[str]:
    """Return the numbers of the cell styles that show percents."""
    if _STYLES not in package.parts:
        return set()
    styles = package.tree(_STYLES)
    shown = {
        one.get("numFmtId")
        for one in styles.iter(f"{_S}numFmt")
        if "%" in one.get("formatCode", "")
    }
    shown |= {"9", "10"}
    kinds = styles.find(f"{_S}cellXfs")
    return {
        str(number)
        for number, one in enumerate(() if kinds is None else kinds)
        if one.get("numFmtId") in shown
    }


def _letters(item: Any) -> Iterator[str]:
    """Yield the text of an entry, without what is only said of how it is read."""
    for one in item.iter(f"{_S}t"):
        if one.getparent().tag != f"{_S}rPh":
            yield one.text or ""


def _text(cell: Any, strings: list[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(_letters(cell))
    value = cell.findtext(f"{_S}v") or ""
    if kind != "s" or not value.isdecimal():
        return ""
    return strings[int(value)] if int(value) < len(strings) else ""


def _fill(
    cell: Any,
    strings: list[str],
    values: Mapping[str, Value],
    percents: Collection[str],
) -> None:
    if cell.find(f"{_S}f") is not None:
        # What the sender's program worked out last is old now.
        for old in cell.findall(f"{_S}v"):
            cell.remove(old)
        cell.attrib.pop("t", None)
        return
    text = _text(cell, strings)
    found = places.spans(text)
    if not found:
        return
    name, begin, end = found[0]
    if len(found) == 1 and not (text[:begin] + text[end:]).strip():
        _put(cell, values.get(name, places.BLANK), percents)
        return
    for name, begin, end in reversed(found):
        told = values.get(name, places.BLANK)
        text = f"{text[:begin]}{places.plain(told)}{text[end:]}"
    _put(cell, text)


def _put(cell: Any, value: Value, percents: Collection[str] = ()) -> None:
    """Write a number as a number and text as text, in the cell's own style.

    A cell that shows percents holds 0.75 for 75 %.
    """
    for child in list(cell):
        cell.remove(child)
    if isinstance(value, Share):
        is_percent = cell.get("s", "0") in percents
        value = value.hundredths / 100 if is_percent else value.hundredths
    if isinstance(value, Decimal):
        cell.attrib.pop("t", None)
        etree.SubElement(cell, f"{_S}v").text = f"{value:f}"
        return
    cell.set("t", "inlineStr")
    text = etree.SubElement(etree.SubElement(cell, f"{_S}is"), f"{_S}t")
    text.text = without_unseen(value)
    text.set(_SPACE, "preserve")


def _cell(root: Any, column: str, number: int) -> Any:
    """Return a cell, made in its order when the sheet does not have it yet."""
    data = root.find(f"{_S}sheetData")
    row = _ordered(data, "row", str(number), lambda one: int(one.get("r", 0)), number)
    address, wanted = f"{column}{number}", _column(column)
    return _ordered(row, "c", address, lambda one: _column(one.get("r", "")), wanted)


def _ordered(parent: Any, tag: str, name: str, rank: Any, wanted: int) -> Any:
    at = 0
    for at, one in enumerate(parent, 1):
        if one.get("r") == name:
            return one
        if rank(one) > wanted:
            at -= 1
            break
    made = etree.Element(f"{_S}{tag}", {"r": name})
    parent.insert(at, made)
    return made


def _column(address: str) -> int:
    """Return the number of a column: A is 1."""
    number = 0
    for letter in address.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _is_within(address: str, first: str, last: str) -> bool:
    corners = [_ADDRESS.fullmatch(one) for one in (address, first, last)]
    if not all(corners):
        return False
    here, begin, end = ((_column(one[1]), int(one[2])) for one in corners if one)
    return begin[0] <= here[0] <= end[0] and begin[1] <= here[1] <= end[1]


def _count_anew(book: Any) -> None:
    """Let every formula be worked out when the file is opened."""
    told = book.find(f"{_S}calcPr")
    if told is None:
        told = etree.Element(f"{_S}calcPr")
        before = next(
            one
            for name in _AFTER_SHEETS
            if (one := book.find(f"{_S}{name}")) is not None
        )
        before.addnext(told)
    told.set("fullCalcOnLoad", "1")
