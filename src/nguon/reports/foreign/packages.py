"""A .docx or .xlsx as its parts; whatever could act, reach out or swell is refused.

What a ZIP says of its sizes is not believed: bytes are counted while unpacking.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lxml import etree

from nguon.core.errors import InvalidError

DOCX, XLSX = "docx", "xlsx"
MIMES = {
    DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MAX_BYTES = 4 * 1024**2
ENTRIES_LIMIT = 2_000
UNPACKED_LIMIT = 24 * 1024**2
# A form of ordinary size never has these; a bomb is made of them.
RATIO_LIMIT, RATIO_COUNTS_FROM = 200, 1024**2
CHUNK = 64 * 1024
CONTENT_TYPES = "[Content_Types].xml"
BODY = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
# Macros, controls, files within, and what fetches from elsewhere.
_ACTIVE = re.compile(
    r"vbaproject|vbadata|macrosheets|dialogsheets|activex|embeddings|oleobject|"
    r"externallinks|connections\.xml|querytables|customui|afchunk|webextension",
    re.IGNORECASE,
)
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_FIELDS = re.compile(
    r"\b(DDE|DDEAUTO|INCLUDETEXT|INCLUDEPICTURE|IMPORT|LINK|DATABASE|MACROBUTTON)\b",
    re.IGNORECASE,
)
_FORMULAS = re.compile(
    r"\|.*!|\b(WEBSERVICE|FILTERXML|CALL|REGISTER(\.ID)?|EXEC|RTD|DDE)\s*\(",
    re.IGNORECASE | re.DOTALL,
)
_LINKS = ("http://", "https://", "mailto:", "#")


@dataclass(frozen=True)
class Package:
    """The parts of a document by their names, in their order."""

    kind: str
    parts: Mapping[str, bytes]

    def tree(self, name: str) -> Any:
        """Return a part as its root element."""
        return _parse(self.parts[name])

    def pack(self, changed: Mapping[str, Any]) -> bytes:
        """Return the file with some parts exchanged for other roots.

        The same parts give the same bytes.
        """
        out = BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in self.parts.items():
                data = _write(changed[name]) if name in changed else content
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(info, data)
        return out.getvalue()


def _write(root: Any) -> bytes:
    written: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", standalone=True
    )
    return written


def open_package(data: bytes) -> Package:
    """Return a sender's form, when nothing in it can act.

    Raises InvalidError: `reports.call_file`, `reports.call_big`, `reports.call_bomb`,
    `reports.call_broken`, `reports.call_active`, `reports.call_external`.
    """
    if len(data) > MAX_BYTES:
        raise InvalidError("reports.call_big", most=MAX_BYTES // 1024**2)
    if not data.startswith(b"PK"):
        raise InvalidError("reports.call_file")
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            parts = _unpack(packed)
    except (
        zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError,
        EOFError,
    ) as error:  # fmt: skip
        raise InvalidError("reports.call_broken") from error
    kind = next((BODY[name] for name in parts if name in BODY), "")
    if not kind or CONTENT_TYPES not in parts:
        raise InvalidError("reports.call_file")
    _check_parts(parts)
    return Package(kind, parts)


def _unpack(packed: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [entry for entry in packed.infolist() if not entry.is_dir()]
    names = [entry.filename for entry in entries]
    if len(entries) > ENTRIES_LIMIT or len(set(names)) != len(names):
        raise InvalidError("reports.call_bomb")
    parts, whole = {}, 0
    for entry in entries:
        out = bytearray()
        with packed.open(entry) as file:
            while piece := file.read(CHUNK):
                out += piece
                whole += len(piece)
                swollen = len(out) > RATIO_LIMIT * max(entry.compress_size, 1)
                if whole > UNPACKED_LIMIT or (swollen and len(out) > RATIO_COUNTS_FROM):
                    raise InvalidError("reports.call_bomb")
        parts[entry.filename] = bytes(out)
    return parts


def _check_parts(parts: Mapping[str, bytes]) -> None:
    """Refuse what can act or reach out. Raises InvalidError as `open_package`."""
    for name, content in parts.items():
        if _ACTIVE.search(name):
            raise InvalidError("reports.call_active")
        if not name.lower().endswith((".xml", ".rels")):
            continue
        root = _parse(content)
        if name == CONTENT_TYPES and b"macroenabled" in content.lower():
            raise InvalidError("reports.call_active")
        if name.lower().endswith(".rels"):
            _check_links(root)
        if _has_commands(root):
            raise InvalidError("reports.call_active")


def _parse(content: bytes) -> Any:
    """Return the root of a part: no entities, no network, no DTD at all."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InvalidError("reports.call_broken") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidError("reports.call_bomb")
    return root


def _check_links(root: Any) -> None:
    """Keep of what leads out of the file the links a person clicks."""
    for one in root.iter("{*}Relationship"):
        is_link = one.get("Type", "").endswith("/hyperlink")
        is_web = one.get("Target", "").lower().startswith(_LINKS)
        if one.get("TargetMode") == "External" and not (is_link and is_web):
            raise InvalidError("reports.call_external")


def _has_commands(root: Any) -> bool:
    """Say whether a field of Word or a formula fetches or runs something.

    A field's words may be cut into runs; where one begins, the last has ended.
    """
    said = []
    for one in root.iter(f"{_WORD}instrText", f"{_WORD}fldChar", f"{_WORD}fldSimple"):
        if one.tag == f"{_WORD}instrText":
            said.append(one.text or "")
        else:
            said.append(f" {one.get(f'{_WORD}instr', '')} ")
    if _FIELDS.search("".join(said)):
        return True
    return any(_FORMULAS.search(one.text or "") for one in root.iter(f"{_SHEET}f"))
