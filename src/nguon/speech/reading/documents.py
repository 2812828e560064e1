"""The family of legal papers: 49/2024/NĐ-CP, 1381/QĐ-BTTTT, NĐ-CP, 12-NQ/TW.

Source: decree 30/2020/NĐ-CP, annex III, symbols of documents and issuers.
"""

import re

from nguon.speech.numbers import say_digits
from nguon.speech.reading.rule import LETTERS as SPELLED
from nguon.speech.reading.rule import Place, Rule, Said, rule
from nguon.speech.words import ABBREVIATIONS, ISSUERS, LETTERS, PAPERS

Match = re.Match[str]

_SYMBOL = r"[A-ZĐ][A-Za-zĐ]*\d*(?:[-–&.][A-ZĐ][A-Za-zĐ]*\d*)*"
_KIND_BEFORE = re.compile(
    r"\b(?:nghị định|quyết định|thông tư|nghị quyết|chỉ thị|kế hoạch|thông báo|báo cáo"
    r"|công văn|công điện|hướng dẫn|chương trình|tờ trình|giấy mời|luật|pháp lệnh|quy "
    r"định|kết luận|văn bản)(?: liên tịch)?(?: số| của [\w ]{2,30} số)?[: ]*$"
)


def spell(letters: str) -> str:
    """Say letter by letter by their Vietnamese names."""
    said = (
        LETTERS.get(letter.upper(), say_digits(letter) or letter) for letter in letters
    )
    return " ".join(said)


def _read_number(match: Match, place: Place) -> Said:
    """Read a paper's number; what the words around say already is not said twice."""
    said = place.written(match["number"])
    if match["year"]:
        said += f" năm {place.whole(int(match['year']))}"
    kinds, issuers, doubt = _parts(match["symbol"], place)
    if _KIND_BEFORE.search(place.before):
        kinds = []
    follows = place.after(match.end(), 90).lower()
    issuers = [name for name in issuers if f"của {name.lower()}" not in follows]
    if kinds:
        said += f", {' '.join(kinds)}"
    if issuers:
        said += f" của {' '.join(issuers)}"
    return Said(said, doubt)


def _parts(symbol: str, place: Place) -> tuple[list[str], list[str], str]:
    kinds: list[str] = []
    issuers: list[str] = []
    doubt = ""
    for part in re.split(r"[-–&/.]", symbol):
        assembly = re.fullmatch(r"QH(\d+)", part)
        if part in PAPERS:
            kinds.append(PAPERS[part])
        elif part in ISSUERS:
            issuers.append(ISSUERS[part])
        elif part in ABBREVIATIONS:
            issuers.append(ABBREVIATIONS[part])
        elif assembly:
            issuers.append(f"Quốc hội khóa {place.whole(int(assembly[1]))}")
        else:
            issuers.append(spell(part))
            doubt = SPELLED if len(part) > 3 else doubt
    return kinds, issuers, doubt


def _read_bare(match: Match, place: Place) -> str | None:
    """Read NĐ-CP, QĐ-TTg without a number."""
    kinds, issuers, _doubt = _parts(match[0], place)
    if not kinds or not issuers:
        return None
    return f"{' '.join(kinds)} của {' '.join(issuers)}"


NUMBERED: tuple[Rule, ...] = (
    rule(
        r"(?P<number>\d{1,6})(?:/(?P<year>(?:19|20)\d\d))?"
        rf"[/-](?P<symbol>{_SYMBOL}(?:/[A-ZĐ]+(?:-[A-ZĐ]+)*)?)(?!\w)",
        _read_number,
    ),
)
_PAPER = "|".join(sorted(PAPERS, key=len, reverse=True))
BARE: tuple[Rule, ...] = (
    rule(rf"(?:{_PAPER})[-–][A-ZĐ][A-Za-zĐ]{{1,8}}(?!\w)", _read_bare),
)
