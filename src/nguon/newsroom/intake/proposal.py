"""From the text of a letter to what a station says: fixed rules, no guessing machine.

A proposal is for a person to finish. Each thing it changed or left out is told in a
note, and the whole text that came stays beside the draft.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

OPENING = "Kính thưa bà con. Mời bà con chú ý lắng nghe"
CLOSING = "Đề nghị bà con chú ý thực hiện. Xin cảm ơn bà con đã lắng nghe."
# About a minute and a half of speech: what people still follow from a loudspeaker.
SPOKEN_LIMIT = 1_200
TITLE_LIMIT = 120
SHORT_LINE = 60
# Control and format characters, and halves of letters that no database takes.
_UNSPOKEN = frozenset({"Cc", "Cf", "Cs"})

# Source: decree 30/2020/NĐ-CP, annex I: the parts of an administrative letter.
_HEADING = re.compile(
    r"^(c[ộô]ng h[òo]a x[ãa] h[ộo]i|đ[ộo]c l[ậa]p\s*[-–]|đảng cộng sản việt nam"
    r"|số\s*:?\s*[\w/.-]*/|kính gửi|căn cứ|theo đề nghị của|xét đề nghị"
    r"|[-–—_*.\s]+$)",
    re.IGNORECASE,
)
_END = re.compile(r"^(nơi nhận|t/?m\.?\s|tl\.?\s|kt\.?\s|như trên)", re.IGNORECASE)
_SIGNED = re.compile(
    r"^(chủ tịch|phó chủ tịch|bí thư|trưởng (ban|phòng|trạm|thôn|công an)|giám đốc"
    r"|\(?đã ký\)?|\(ký)",
    re.IGNORECASE,
)
_AGENCY = (
    r"(?:ủy ban nhân dân|uỷ ban nhân dân|ubnd|hội đồng nhân dân|hđnd|đảng ủy|ubmttq"
    r"|ủy ban mặt trận|công an|trạm y tế|ban chỉ (?:huy|đạo)|hội (?:phụ nữ|nông dân))\b"
)
_ISSUER = re.compile(rf"^{_AGENCY}", re.IGNORECASE)
# Where a paragraph of grounds turns to what is told: "Căn cứ …, UBND xã thông báo …".
_GROUNDS = re.compile(r"^(căn cứ|theo đề nghị của|xét đề nghị)", re.IGNORECASE)
_TELLS = re.compile(r"\b(thông báo|đề nghị|mời|kêu gọi|yêu cầu)\b", re.IGNORECASE)
_TURN = re.compile(rf",\s+(?={_AGENCY}[^,;.]{{0,80}}{_TELLS.pattern})", re.IGNORECASE)
_WHERE = re.compile(r"^(xã|phường|tỉnh|thôn|làng)\b", re.IGNORECASE)
_PLACE_AND_DAY = re.compile(r"^[^.]{2,60},\s*ngày\s+\d{1,2}\s+tháng", re.IGNORECASE)
_KIND = re.compile(
    r"^(thông báo|kế hoạch|công văn|giấy mời|công điện|quyết định|báo cáo"
    r"|tờ trình|chỉ thị|hướng dẫn|lời kêu gọi)\b[\s:]*(.*)$",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"^(v/v|về việc|về)\s*:?\s*(.+)$", re.IGNORECASE)
_DAY = re.compile(
    r"(?:ngày\s+)?\b(\d{1,2})\s*(?:/|-|\.|\s+tháng\s+)\s*(\d{1,2})"
    r"(?:\s*(?:/|-|\.|,?\s+năm\s+)\s*(\d{4}))?\b(?!\s*(?:/|%|người|hộ|con|m\b|kg))",
    re.IGNORECASE,
)
_HOUR = re.compile(r"\b\d{1,2}\s*(?:giờ|h)(?:\s*\d{2})?\b", re.IGNORECASE)
_CALLS = re.compile(
    r"\b(đề nghị|yêu cầu|mời|không (được )?|cần|phải|hãy|tập trung|địa điểm|thời gian"
    r"|từ ngày|đến ngày|tại|liên hệ|mang theo|trước ngày)\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^(?:[-–+*•]|\d{1,2}[.)]|[a-zđ][.)]|[IVX]+\.)\s+")
_SENTENCE = re.compile(r"(?<=[.!?…;])\s+(?=[^\s\d]|\d+[.)])")

# Words that tell a field of the exchange (LoaiLinhVuc); the most hits win.
FIELD_WORDS: dict[int, tuple[str, ...]] = {
    2: (
        "bão",
        "lũ",
        "lụt",
        "sạt lở",
        "cháy",
        "khẩn cấp",
        "xả lũ",
        "xả nước",
        "sơ tán",
        "di dời",
        "áp thấp",
        "động đất",
        "tai nạn",
        "công điện",
    ),
    3: (
        "luật",
        "nghị định",
        "nghị quyết",
        "pháp luật",
        "chính sách",
        "bầu cử",
        "bảo hiểm y tế",
        "căn cước",
        "nghĩa vụ quân sự",
        "an toàn giao thông",
    ),
    4: (
        "họp",
        "kế hoạch",
        "chỉ đạo",
        "chỉ thị",
        "ủy ban nhân dân xã",
        "tiếp dân",
        "quy hoạch",
        "đại hội",
        "ra quân",
        "cúp điện",
        "mất điện",
    ),
    5: (
        "tiêm phòng",
        "dịch bệnh",
        "trồng",
        "chăn nuôi",
        "giống",
        "phân bón",
        "cà phê",
        "lúa",
        "học sinh",
        "văn nghệ",
        "thể thao",
        "vay vốn",
        "khám bệnh",
        "vắc xin",
        "sốt xuất huyết",
        "sâu bệnh",
        "lễ hội",
    ),
    6: ("gương", "người tốt", "việc tốt", "khen thưởng", "điển hình", "hiến đất"),
}


@dataclass(frozen=True)
class Proposal:
    """A draft for a person to finish, and what was done to the text that came."""

    title: str
    body: str
    field: int
    days: Sequence[date] = ()
    expires_on: date | None = None
    notes: Sequence[str] = ()


def clean(text: str) -> str:
    """Return a text in composed letters, without control characters.

    Line ends stay; a soft hyphen, a byte order mark and the like are dropped.
    """
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    composed = composed.replace("\r", "\n").replace("\t", " ").replace("\f", "\n")
    kept = (
        c for c in composed if c == "\n" or unicodedata.category(c) not in _UNSPOKEN
    )
    lines = (
        re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(kept).split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def propose(text: str, *, day: date, issuer: str, title: str = "") -> Proposal:
    """Return a bulletin as a station speaks it, from a letter or a message.

    A `title` that came with the text stays.

    `day` is today, for dates without a year; `issuer` speaks when the letter does not
    say whose it is.
    """
    came = clean(text)
    notes: list[str] = []
    parts = _take_apart(came.split("\n"))
    title = title or _title(parts, notes)
    if parts.dropped:
        notes.append(
            "Đã bỏ phần đầu và cuối văn bản: quốc hiệu, số, căn cứ, nơi nhận, chữ ký."
        )
    told = _sentences(parts.body)
    kept = _shorten(told, notes)
    days = find_days(" ".join(told), day=day)
    coming = [one for one in days if one >= day]
    if coming:
        notes.append(
            f"Ngày cuối còn đúng: {max(coming):%d/%m/%Y}, là ngày muộn nhất được nhắc."
        )
    number = guess_field(f"{title} {' '.join(told)}")
    speaker = _calm(parts.issuer) or issuer
    what = "thông báo" if not parts.kind else parts.kind.lower()
    body = f"{OPENING} {what} của {speaker}.\n" + "\n".join(kept) + f"\n{CLOSING}"
    return Proposal(
        title=title,
        body=body if kept else "",
        field=number,
        days=days,
        expires_on=max(coming) if coming else None,
        notes=tuple(notes),
    )


@dataclass
class _Parts:
    """A letter taken apart."""

    body: list[str] = field(default_factory=list)
    kind: str = ""
    about: str = ""
    issuer: str = ""
    dropped: bool = False


def _take_apart(lines: Sequence[str]) -> _Parts:
    parts = _Parts()
    joined = _join_lines(lines)
    for line in joined:
        bare = _BULLET.sub("", line)
        if _END.match(bare) or (_SIGNED.match(line) and len(line) < SHORT_LINE):
            parts.dropped = parts.dropped or bool(parts.body)
            if parts.body:
                break
            continue
        if _HEADING.match(line) or _PLACE_AND_DAY.match(line):
            parts.dropped = True
            told = _after_grounds(line)
            if told:
                parts.body.append(told[:1].upper() + told[1:])
            continue
        _place(parts, line)
    return parts


def _after_grounds(line: str) -> str:
    """Return what a paragraph of grounds goes on to tell, "" for grounds alone.

    The hour of a vaccination often stands in the same paragraph as its decree.
    """
    if not _GROUNDS.match(line):
        return ""
    turn = _TURN.search(line)
    if turn:
        return line[turn.end() :]
    pieces = _SENTENCE.split(line)
    for place, piece in enumerate(pieces):
        if not _GROUNDS.match(piece) and (_TELLS.search(piece) or _HOUR.search(piece)):
            return " ".join(pieces[place:])
    return ""


def _place(parts: _Parts, line: str) -> None:
    """Put one line where it belongs."""
    kind, about = _KIND.match(line), _ABOUT.match(line)
    early = not parts.body
    if early and not parts.issuer and _ISSUER.match(line) and _is_capital(line):
        parts.issuer, parts.dropped = line, True
    elif early and parts.issuer and _WHERE.match(line) and _is_capital(line):
        # The name of the agency went over two lines.
        parts.issuer += f" {line}"
    elif early and not parts.kind and kind and len(line) < SHORT_LINE:
        parts.kind = kind[1]
        rest = _ABOUT.match(kind[2])
        parts.about = parts.about or (rest[2] if rest else kind[2])
    elif early and not parts.about and about:
        parts.about = about[2]
    elif early and _is_capital(line) and len(line) < SHORT_LINE and not parts.about:
        parts.about = _calm(line)
    else:
        parts.body.append(line)


def _join_lines(lines: Sequence[str]) -> list[str]:
    """Join the lines that a PDF broke inside a sentence."""
    out: list[str] = []
    for line in filter(None, lines):
        goes_on = (
            bool(out)
            and out[-1][-1] not in ".!?:;…"
            and line[0].islower()
            and not _ABOUT.match(line)
        )
        if goes_on:
            out[-1] += f" {line}"
        else:
            out.append(line)
    return out


def _is_capital(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return bool(letters) and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def _calm(line: str) -> str:
    """Return a line of capitals as it is written inside a sentence."""
    if not _is_capital(line):
        return line
    small = line.lower()
    for kind in ("xã", "phường", "tỉnh", "thôn", "làng"):
        found = re.search(rf"\b{kind}\b\s+(.+)$", small)
        if found:
            return (
                small[: found.start(1)].capitalize().replace("Ubnd", "UBND")
                + found[1].title()
            )
    return small.capitalize().replace("Ubnd", "UBND")


def _title(parts: _Parts, notes: list[str]) -> str:
    if parts.about:
        title = parts.about.rstrip(" .;:")
        if parts.kind and len(title) < SHORT_LINE:
            title = f"{parts.kind.capitalize()} {title[0].lower()}{title[1:]}"
        notes.append("Tiêu đề lấy từ dòng nói về việc gì của văn bản.")
    else:
        first = parts.body[0] if parts.body else ""
        title = _SENTENCE.split(first)[0].rstrip(" .;:")
        if title:
            notes.append("Tiêu đề lấy từ câu đầu; hãy viết lại cho ngắn.")
    title = title[:1].upper() + title[1:]
    if len(title) <= TITLE_LIMIT:
        return title
    return title[: TITLE_LIMIT + 1].rsplit(" ", 1)[0]


def _sentences(lines: Sequence[str]) -> list[str]:
    found = []
    for line in lines:
        for sentence in _SENTENCE.split(_BULLET.sub("", line)):
            said = sentence.strip().rstrip(";").rstrip()
            if said:
                found.append(said if said[-1] in ".!?…:" else f"{said}.")
    return found


def _shorten(told: Sequence[str], notes: list[str]) -> list[str]:
    """Keep what a listener must know, in its order, within SPOKEN_LIMIT."""
    whole = sum(len(sentence) + 1 for sentence in told)
    if whole <= SPOKEN_LIMIT:
        return list(told)
    ranked = sorted(
        range(len(told)), key=lambda place: (-_weight(told[place], place), place)
    )
    kept: set[int] = set()
    used = 0
    for place in ranked:
        if used + len(told[place]) + 1 <= SPOKEN_LIMIT:
            kept.add(place)
            used += len(told[place]) + 1
    if not kept:
        kept, used = {0}, len(told[0])
    notes.append(
        f"Rút ngắn từ {whole} còn {used} ký tự: giữ câu có ngày giờ, nơi chốn, việc "
        f"phải làm; bỏ {len(told) - len(kept)} câu. Hãy so với bản gốc."
    )
    return [told[place] for place in sorted(kept)]


def _weight(sentence: str, place: int) -> int:
    return (
        3 * (place == 0)
        + 3 * bool(_DAY.search(sentence))
        + 2 * bool(_HOUR.search(sentence))
        + 2 * bool(_CALLS.search(sentence))
        - len(sentence) // 300
    )


def find_days(text: str, *, day: date) -> list[date]:
    """Return the days that a text names, in order; one without a year comes next."""
    found = set()
    for match in _DAY.finditer(text):
        number, month, year = match[1], match[2], match[3]
        has_word = match[0].lower().startswith("ngày") or "tháng" in match[0].lower()
        if year is None and not ("/" in match[0] or has_word):
            continue
        try:
            named = date(int(year) if year else day.year, int(month), int(number))
        except ValueError:
            continue
        if year is None and (day - named).days > 180:
            named = named.replace(year=day.year + 1, day=min(named.day, 28))
        found.add(named)
    return sorted(found)


def guess_field(text: str) -> int:
    """Return the field whose words a text uses most; 1 (general) when none."""
    low = text.lower()
    hits = {
        number: sum(low.count(word) for word in words)
        for number, words in FIELD_WORDS.items()
    }
    best = max(hits, key=lambda number: (hits[number], -number))
    return best if hits[best] else 1
