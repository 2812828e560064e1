"""The text of .docx, .odt and PDF files that may be hostile; runs in the reader.

Only the body's own XML is opened: macros, links, embedded files are never looked at.
What a ZIP says of its sizes is not believed; bytes are counted while unpacking.
"""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from nguon.newsroom.intake.kinds import DOCX, FileRefusedError

ENTRIES_LIMIT = 2_000
UNPACKED_LIMIT = 64 * 1024 * 1024
RATIO_LIMIT = 200
# A letter of ordinary size never has these; a bomb is made of them.
RATIO_COUNTS_FROM = 1024 * 1024
PAGES_LIMIT = 60
TEXT_LIMIT = 400_000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ODF = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def read_packed(data: bytes, kind: str) -> str:
    """Return the text of a .docx or .odt, one paragraph a line.

    Raises FileRefusedError: `newsroom.file_bomb`, `newsroom.file_broken`,
    `newsroom.file_locked`.
    """
    name = "word/document.xml" if kind == DOCX else "content.xml"
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            root = fromstring(_unpack(packed, name), forbid_dtd=True)
    except DefusedXmlException as error:
        raise FileRefusedError("newsroom.file_bomb") from error
    except RuntimeError as error:
        raise FileRefusedError("newsroom.file_locked") from error
    except (zipfile.BadZipFile, ParseError, OSError, ValueError, KeyError) as error:
        raise FileRefusedError("newsroom.file_broken") from error
    lines = _word_lines(root) if kind == DOCX else _odf_lines(root)
    return "\n".join(lines)[:TEXT_LIMIT]


def _unpack(packed: zipfile.ZipFile, name: str) -> bytes:
    """Return one entry, counting what really comes out."""
    entries = packed.infolist()
    told = sum(entry.file_size for entry in entries)
    if len(entries) > ENTRIES_LIMIT or told > 4 * UNPACKED_LIMIT:
        raise FileRefusedError("newsroom.file_bomb")
    entry = packed.getinfo(name)
    out = bytearray()
    with packed.open(entry) as file:
        while piece := file.read(64 * 1024):
            out += piece
            swollen = len(out) > RATIO_LIMIT * max(entry.compress_size, 1)
            if len(out) > UNPACKED_LIMIT or (swollen and len(out) > RATIO_COUNTS_FROM):
                raise FileRefusedError("newsroom.file_bomb")
    return bytes(out)


def _word_lines(root: Element) -> Iterator[str]:
    for paragraph in root.iter(f"{_WORD}p"):
        parts = []
        for node in paragraph.iter():
            if node.tag == f"{_WORD}t":
                parts.append(node.text or "")
            elif node.tag in {f"{_WORD}tab", f"{_WORD}br"}:
                parts.append("\n" if node.tag.endswith("br") else " ")
        yield "".join(parts)


def _odf_lines(root: Element) -> Iterator[str]:
    body = root.find(f"{_OFFICE}body")
    for node in (root if body is None else body).iter():
        if node.tag in {f"{_ODF}p", f"{_ODF}h"}:
            yield "".join(_odf_text(node))


def _odf_text(node: Element) -> Iterator[str]:
    if node.tag in {f"{_ODF}tab", f"{_ODF}s"}:
        yield " "
    if node.tag == f"{_ODF}line-break":
        yield "\n"
    yield node.text or ""
    for child in node:
        yield from _odf_text(child)
        yield child.tail or ""


def read_pdf(data: bytes) -> str:
    """Return the text of a PDF; empty when it holds pictures of pages only.

    Raises FileRefusedError: `newsroom.file_locked`, `newsroom.file_broken`.
    """
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileRefusedError("newsroom.file_locked")
        pages = [page.extract_text() or "" for page in reader.pages[:PAGES_LIMIT]]
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileRefusedError("newsroom.file_broken") from error
    return "\n".join(pages)[:TEXT_LIMIT]


def clean_pdf(data: bytes) -> bytes:
    """Return the pages of a PDF alone: no scripts, no files inside, no authors.

    Raises FileRefusedError: `newsroom.file_locked`, `newsroom.file_broken`,
    `newsroom.document_too_long`.
    """
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileRefusedError("newsroom.file_locked")
        if not 0 < len(reader.pages) <= PAGES_LIMIT:
            raise FileRefusedError("newsroom.document_too_long", pages=PAGES_LIMIT)
        writer = PdfWriter()
        for page in reader.pages:
            _drop_actions(writer.add_page(page))
        writer.metadata = None
        out = BytesIO()
        writer.write(out)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileRefusedError("newsroom.file_broken") from error
    except RecursionError as error:
        raise FileRefusedError("newsroom.file_broken") from error
    return out.getvalue()


def _drop_actions(page: DictionaryObject) -> None:
    """Keep of what a page does when touched its links to the web alone."""
    page.pop("/AA", None)
    page.pop("/Metadata", None)
    kept = ArrayObject()
    for one in page.get("/Annots", ArrayObject()).get_object():
        note = one.get_object()
        action = note.get("/A", DictionaryObject()).get_object()
        link = note.get("/Subtype") == "/Link" and action.get("/S") in {None, "/URI"}
        if link and "/AA" not in note and "/Next" not in action:
            kept.append(one)
    if "/Annots" in page:
        page[NameObject("/Annots")] = kept
