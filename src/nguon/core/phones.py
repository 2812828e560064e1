"""Vietnamese telephone numbers, kept in one form: +84 and the digits."""

import re

_BLANKS = re.compile(r"[\s.\-()]")
_MOBILE = re.compile(r"(?:\+?84|0)([35789]\d{8})", re.ASCII)
_LANDLINE = re.compile(r"(?:\+?84|0)(2\d{9})", re.ASCII)


def read(text: str, *, landline: bool = False) -> str:
    """Return a mobile number, or with `landline` any number, as +84….

    Raises ValueError for what is none.
    """
    bare = _BLANKS.sub("", text)
    found = _MOBILE.fullmatch(bare)
    if found is None and landline:
        found = _LANDLINE.fullmatch(bare)
    if found is None:
        raise ValueError(text[:40])
    return f"+84{found[1]}"


def shown(number: str) -> str:
    """Return a kept number as people here dial it: 0905123456."""
    return f"0{number.removeprefix('+84')}" if number else ""


def mask(number: str) -> str:
    """Return what of a number may stand where others read: 090•••456."""
    return f"0{number[3:5]}•••{number[-3:]}" if number else ""
