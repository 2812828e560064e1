"""Placeholders of a Word form: found, and filled in the face of their first letter.

Word cuts a line into runs where it likes, also within `{{ }}`; a paragraph is read
whole, and what is written stands in the run where the placeholder began.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nguon.core.typed import without_unseen
from nguon.reports.foreign import places
from nguon.reports.foreign.packages import Package

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_TEXTS = re.compile(
    r"word/(document|header\d*|footer\d*|footnotes|endnotes)\.xml", re.ASCII
)


def find_places(package: Package) -> list[str]:
    """Return the placeholders of a form, each once, in their order."""
    found: dict[str, None] = {}
    for _name, root in _trees(package):
        for nodes in _paragraphs(root):
            for name in places.find(_text(nodes)):
                found[name] = None
    return list(found)


def fill(package: Package, values: Mapping[str, str]) -> bytes:
    """Return the form with its placeholders filled; what has no value is a blank."""
    changed = {}
    for name, root in _trees(package):
        for nodes in _paragraphs(root):
            _fill(nodes, values)
        changed[name] = root
    return package.pack(changed)


def _trees(package: Package) -> Iterator[tuple[str, Any]]:
    for name in package.parts:
        if _TEXTS.fullmatch(name):
            yield name, package.tree(name)


def _paragraphs(root: Any) -> Iterator[list[Any]]:
    """Yield the pieces of text of each paragraph; a text box has paragraphs inside."""
    for paragraph in root.iter(f"{_WORD}p"):
        own = []
        for node in paragraph.iter(f"{_WORD}t"):
            if next(node.iterancestors(f"{_WORD}p")) is paragraph:
                own.append(node)
        yield own


def _text(nodes: Sequence[Any]) -> str:
    return "".join(node.text or "" for node in nodes)


def _fill(nodes: Sequence[Any], values: Mapping[str, str]) -> None:
    # From the end on: what stands before keeps its place.
    for name, begin, end in reversed(places.spans(_text(nodes))):
        _write(nodes, begin, end, values.get(name, places.BLANK))


def _write(nodes: Sequence[Any], begin: int, end: int, value: str) -> None:
    """Put a value where text from `begin` to `end` stands, over several pieces."""
    value = without_unseen(value)
    at = 0
    for node in nodes:
        text = node.text or ""
        first, last = max(begin - at, 0), min(end - at, len(text))
        at += len(text)
        if first >= last:
            continue
        node.text = text[:first] + value + text[last:]
        node.set(_SPACE, "preserve")
        value = ""
