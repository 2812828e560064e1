"""Vietnamese names: the kind apart, folded for search, in the order people count."""

import re
import unicodedata

# Longest first: "Tổ dân phố" before "Tổ".
SUBKINDS = (
    "Thành phố",
    "Tỉnh",
    "Thị xã",
    "Quận",
    "Huyện",
    "Thị trấn",
    "Phường",
    "Đặc khu",
    "Xã",
    "Tổ dân phố",
    "Khu vực",
    "Thôn",
    "Làng",
    "Buôn",
)
VILLAGE_KINDS = ("Thôn", "Làng", "Buôn", "Tổ dân phố", "Khu vực")


def split(name: str) -> tuple[str, str]:
    """Return (kind, name): "Xã Ia Grai" gives ("Xã", "Ia Grai")."""
    for kind in SUBKINDS:
        if name.startswith(kind + " "):
            return kind, name[len(kind) + 1 :]
    return "", name


def fold(text: str) -> str:
    """Return text for search: lower case, no tone marks, đ as d.

    "Hoà" and "Hòa" both occur in the official lists; both fold to "hoa".
    """
    plain = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    kept = (c for c in plain if not unicodedata.combining(c) and c != "\0")
    return "".join(kept).strip()


def order_key(text: str) -> str:
    """Return text so that it sorts as people count: "Cụm 2" before "Cụm 10"."""
    return re.sub("[0-9]+", lambda found: found[0].zfill(6), fold(text))
