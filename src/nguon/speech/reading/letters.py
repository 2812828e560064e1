"""The family of words: abbreviations, names, capitals, Roman numerals, addresses."""

import re
import unicodedata
from functools import lru_cache

from nguon.speech.numbers import read_roman
from nguon.speech.reading.documents import BARE, spell
from nguon.speech.reading.moments import WEEKDAYS
from nguon.speech.reading.names import FOREIGN, NAMES
from nguon.speech.reading.rule import FOREIGN as STRANGE
from nguon.speech.reading.rule import LETTERS as SPELLED
from nguon.speech.reading.rule import Place, Rule, Said, any_of, rule
from nguon.speech.reading.syllables import is_syllable, respell, split_bare
from nguon.speech.words import ABBREVIATIONS, DOTTED, LETTERS

Match = re.Match[str]

_ROMAN_BEFORE = re.compile(
    r"\b(?:cấp|chương|điều|phần|mục|khoản|phụ lục|khóa|khoá|kỳ|quý|lần thứ|lần|thế kỷ"
    r"|vùng|khu vực|loại|hạng|bậc|nhóm|đợt|tập|đại hội|tổ|báo động|quyển|mẫu|độ|giai "
    r"đoạn|trung ương|bđ|thứ|học kỳ|đô thị loại)(?: số)? "
    r"(?:[ivx]+(?:, | và | đến |,|\s?[-–]\s?))*$"
)
# Roman numerals that are syllables too: XI MĂNG, VI PHẠM.
_SYLLABLES_TOO = {"VI", "XI", "LI", "CI"}
_ISSUED = re.compile(r"\s(?:Y tế|Văn hóa|Phục vụ|Dịch vụ|Giáo dục|Phát triển|Y Tế)")


def _read_roman(match: Match, place: Place) -> str | None:
    value = read_roman(match[0])
    if value is None or match[0] in {"L", "C"}:
        return None
    if _ROMAN_BEFORE.search(place.before):
        return place.whole(value)
    after = place.after(match.end())
    heading = not place.before.strip() and re.match(r"[.)/]\s|[.)/]$", after)
    if heading:
        return place.whole(value)
    alone = len(match[0]) > 1 and match[0] not in _SYLLABLES_TOO
    shouted = re.match(r"\s[^\W\da-zà-ỹ]{2}", after)
    return place.whole(value) if alone and not shouted else None


def _read_abbreviation(match: Match, place: Place) -> str | None:
    word = match[0]
    after = place.after(match.end())
    if word in {"ĐT", "TL", "ĐH", "BĐ"} and not re.match(r"[ .-]?\d", after):
        return "điện thoại" if word == "ĐT" and re.match(r"\s?:", after) else None
    if word == "TB" and re.match(r"[-/]", after):
        return None
    return ABBREVIATIONS[word]


def _read_glued(match: Match, _place: Place) -> str:
    """Part an abbreviation from the number it is glued to: QL19, COVID-19."""
    return f"{ABBREVIATIONS[match['word']]} "


def _read_dotted(match: Match, _place: Place) -> str:
    return f"{DOTTED[match['word']]} "


def _read_centre(match: Match, place: Place) -> str | None:
    """Read TT: a centre before `Y tế`, else it is left to the letters."""
    return "Trung tâm" if _ISSUED.match(place.after(match.end())) else None


def _read_day_letter(match: Match, place: Place) -> str | None:
    """Read T2 to T7 as days, T11/2026 and T12 as months."""
    number = match["number"]
    if match["year"]:
        return f"tháng {place.whole(int(number))} năm {place.whole(int(match['year']))}"
    if number in WEEKDAYS:
        return f"thứ {WEEKDAYS[number]}"
    if number in {"1", "8", "9", "10", "11", "12"}:
        return f"tháng {place.whole(int(number))}"
    return None


def _read_mixed(match: Match, place: Place) -> Said | None:
    """Read H5N1, B1, F0: letters by name, figures as numbers."""
    parts = re.findall(r"\d+|[^\W\d_]+", match[0])
    if len(match[0]) > 12:
        return None
    said = (
        place.written(part)
        if part.isdecimal()
        else ABBREVIATIONS.get(part, spell(part))
        for part in parts
    )
    return Said(" ".join(said), SPELLED if len(match[0]) > 5 else "")


def _read_address(match: Match, _place: Place) -> Said:
    """Say an address in syllables where it has any, else by letters."""
    address = re.sub(r"^https?://|/+$", "", match[0])
    said: list[str] = []
    strange = False
    for part in re.findall(r"\d+|[^\W\d_]+|[@./_:?=&#%+~-]", address):
        if part in _ADDRESS_MARKS:
            said.append(_ADDRESS_MARKS[part])
        elif part.isdecimal():
            said.append(spell(part))
        else:
            word, known = _address_word(part.lower())
            said.append(word)
            strange = strange or not known
    return Said(" ".join(filter(None, said)), STRANGE if strange else "")


_ADDRESS_MARKS = {
    "@": "a còng",
    ".": "chấm",
    "/": "gạch chéo",
    "_": "gạch dưới",
    "-": "gạch ngang",
    ":": "hai chấm",
    "?": "hỏi",
    "=": "bằng",
    "&": "và",
    "#": "thăng",
    "%": "phần trăm",
    "+": "cộng",
    "~": "ngã",
}


def _address_word(word: str) -> tuple[str, bool]:
    if word in FOREIGN:
        return FOREIGN[word], True
    bare = split_bare(word) if word.isascii() else None
    if bare:
        return bare, True
    if len(word) <= 4 or not word.isascii():
        return spell(word), True
    return spell(word), False


def _read_word(match: Match, place: Place) -> Said | str | None:
    word = match[0]
    if word in NAMES:
        return NAMES[word]
    if word.isupper() and len(word) > 1:
        return _read_capitals(word, place, match.end())
    if len(word) == 1:
        return _read_letter(word, place, match.end())
    return _word(word)


@lru_cache(maxsize=20_000)
def _word(word: str) -> Said | str:
    """Say a word: as it is, from the tables, or made of Vietnamese syllables."""
    if is_syllable(word):
        # Names of the highlands write k where Vietnamese writes c: Ka, Kon.
        hard = word[0] == "K" and word[1:2] in set("aăâoôơuư")
        return f"C{word[1:]}" if hard else word
    known = FOREIGN.get(word.lower())
    if known:
        return known
    shouted = NAMES.get(word.capitalize()) or NAMES.get(word.title())
    if shouted:
        return shouted
    # `5Mở`, `xãTân`: two words that lost their space.
    parts = re.findall(r"[^\W\d_](?:(?![A-ZÀ-Ỹ])[^\W\d_'’])*", word)
    if len(parts) > 1 and all(len(p) > 1 and is_syllable(p) for p in parts):
        return " ".join(parts)
    if word[0].isupper():
        name = respell(word)
        if name:
            return name[0].upper() + name[1:]
    plain = re.sub(r"[^\w'’-]", "", word)
    return Said(plain.replace("’", "'"), STRANGE)


def _read_capitals(word: str, place: Place, end: int) -> Said | str:
    """Spell what cannot be a word; say a shouted word in full."""
    low = word.lower()
    if low in FOREIGN and not is_syllable(word):
        return FOREIGN[low]
    title = NAMES.get(word.title()) or NAMES.get(word.capitalize())
    near = re.search(
        r"[^\W\da-zà-ỹ_]{2}[ ,]*$", place.text[max(0, place.start - 4) : place.start]
    )
    shouting = near or re.match(r"[ ,-]*[^\W\da-zà-ỹ_]{2}", place.after(end))
    if title and (shouting or not is_syllable(word)):
        return title.lower()
    marked = any(unicodedata.normalize("NFD", x)[0] != x or x == "Đ" for x in word)
    if is_syllable(word):
        # BAN, CHO: a word among shouted ones; alone and bare it may be letters.
        return low if shouting or marked or len(word) > 2 else Said(low, SPELLED)
    if shouting and len(word) > 3:
        name = respell(low)
        if name and any(letter in "AĂÂEÊIOÔƠUƯY" for letter in word):
            return Said(name, STRANGE)
    return Said(spell(word), SPELLED)


def _read_letter(word: str, place: Place, end: int) -> str | None:
    """Say `điểm b` and `b)` by the letter's name; leave Ông A and hạng C."""
    before = place.before
    in_list = not before.strip() and place.after(end, 1) in {")", "."}
    named = re.search(r"\b(?:điểm|tiết|mục|ý) (?:[a-zđ](?:, | và ))*$", before)
    if in_list or named:
        return LETTERS.get(word.upper(), word)
    if word in "fjwz":
        return LETTERS[word.upper()]
    return word


_CHUNK = r"(?:https?://\S+[^\s.,;:!?)\]]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_DOMAIN = (
    r"|[A-Za-z0-9][\w-]*(?:\.[\w-]+)*\.(?:vn|com|org|net|me|edu|gov|info|io)"
    r"(?:/[\w./?=&%#~+-]*[\w/])?(?![\w@]))"
)
_WORD = r"[^\W\d_²³½¼¾⅓⅔]+(?:['’][^\W\d_²³½¼¾⅓⅔]+)*"

ADDRESSES: tuple[Rule, ...] = (rule(_CHUNK + _DOMAIN, _read_address),)
RULES: tuple[Rule, ...] = (
    *BARE,
    rule(rf"(?P<word>{any_of(DOTTED)})\.\s?(?=[^\W_a-zà-ỹ]|\d)(?!\S*@)", _read_dotted),
    rule(rf"(?:{any_of(ABBREVIATIONS)})(?!\w)(?!-[A-ZĐ]{{2}})", _read_abbreviation),
    rule(rf"(?P<word>{any_of(ABBREVIATIONS)})-?(?=\d)", _read_glued),
    rule(rf"(?:{any_of(NAMES)})(?![\w'’])", lambda match, _place: NAMES[match[0]]),
    rule(r"T\.?(?P<number>\d{1,2})(?:/(?P<year>20\d\d))?(?!\w)", _read_day_letter),
    rule(r"TT(?!\w)", _read_centre),
    rule(r"[IVXLC]+(?!\w)", _read_roman),
    rule(r"[A-ZĐ]{1,5}\d+(?:[A-ZĐ]+\d*)*(?!\w)", _read_mixed),
    rule(
        rf"(?i:{any_of(tuple(w for w in FOREIGN if '-' in w or ' ' in w))})(?!\w)",
        lambda match, _place: FOREIGN[match[0].lower()],
    ),
    rule(_WORD, _read_word),
)
