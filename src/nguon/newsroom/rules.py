"""What a bulletin may be: classes, fields, languages, lengths. Tables, no Django.

The newcomer's mistake: a drill is a kind of emergency bulletin, fixed when it is
created; it is never a class of its own and never switched on or off later.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from nguon.core.errors import InvalidError
from nguon.core.typed import UNSEEN

NORMAL, PRIORITY, EMERGENCY = "normal", "priority", "emergency"

# Source: circular 39/2020/TT-BTTTT, the three classes; the numbers are those
# of the field exchange (MucDoUuTien).
CLASSES: dict[str, str] = {
    NORMAL: "Thông thường",
    PRIORITY: "Ưu tiên",
    EMERGENCY: "Khẩn cấp",
}
CLASS_NUMBERS = {EMERGENCY: 1, PRIORITY: 2, NORMAL: 3}

# Source: the field exchange (LoaiLinhVuc).
FIELDS: dict[int, str] = {
    1: "Tin chung",
    2: "Tin đột xuất",
    3: "Đường lối của Đảng, chính sách và pháp luật của Nhà nước",
    4: "Chỉ đạo, điều hành của cấp ủy, chính quyền địa phương",
    5: "Khoa học, kỹ thuật, kinh tế, văn hóa, xã hội",
    6: "Người tốt, việc tốt",
}

# Languages that villages of the province ask for, by ISO 639 code.
LANGUAGES: dict[str, str] = {
    "vi": "Tiếng Việt",
    "jra": "Tiếng Jrai",
    "bdq": "Tiếng Bahnar",
    "hre": "Tiếng H'rê",
    "hro": "Tiếng Chăm H'roi",
    "rad": "Tiếng Ê Đê",
}
TITLE_LIMIT = 200
BODY_LIMIT = 20_000
RECORDING_BYTES = 64 * 1024 * 1024
RECORDING_SECONDS = 30 * 60
# What remuneration (thù lao) is paid for.
WRITTEN, CHECKED, READ = "written", "checked", "read"
TASKS: dict[str, str] = {WRITTEN: "Viết", CHECKED: "Duyệt", READ: "Đọc"}

# Who supplies essential information in most provinces; a list to begin with.
# Source: circular 39/2020/TT-BTTTT, what the provincial system sends out, and for whom.
USUAL_SUPPLIERS = (
    "Sở Y tế",
    "Sở Nông nghiệp và Môi trường",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Giáo dục và Đào tạo",
    "Công an tỉnh",
    "Bộ Chỉ huy Quân sự tỉnh",
    "Đài Khí tượng Thủy văn",
    "Bảo hiểm xã hội tỉnh",
)

# A recording asked of a speaker; late is one that is asked for and due.
TRACK_ASKED, TRACK_RECORDED, TRACK_DROPPED = "asked", "recorded", "dropped"
TRACK_STATES: dict[str, str] = {
    TRACK_ASKED: "Đang chờ ghi",
    TRACK_RECORDED: "Đã ghi",
    TRACK_DROPPED: "Thôi không nhờ",
}

# What comes in by itself waits for a person. Without one it can only lapse, when nobody
# opened it in time, or be seen to say what another text has just said.
ARRIVED, TAKEN, SET_ASIDE = "waiting", "taken", "aside"
LAPSED, DOUBLED = "lapsed", "double"
ARRIVAL_STATES: dict[str, str] = {
    ARRIVED: "Chờ xem",
    TAKEN: "Đã nhận",
    SET_ASIDE: "Không dùng",
    LAPSED: "Để quá lâu",
    DOUBLED: "Trùng tin đã có",
}
# What the intake of its draft is called, beside the kinds of files.
ARRIVAL = "arrival"
FROM_FEED, FROM_FORM, FROM_SYSTEM = "feed", "form", "system"
ORIGINS: dict[str, str] = {
    FROM_FEED: "Nguồn tin RSS/Atom",
    FROM_FORM: "Tin đề nghị",
    FROM_SYSTEM: "Hệ thống khác",
}
# Units that people may propose a text to: `territory` names them so.
OFFERED_TO = ("commune", "province")
# A feed is asked this often; after the n-th failure in a row after 2ⁿ times as long.
FEED_PAUSE = timedelta(minutes=15)
FEED_LONGEST_PAUSE = timedelta(hours=12)
# Whoever entered a feed is told when so many tries in a row failed, hours later.
FEED_FAILURES_TOLD = 4
FEED_NAME_LIMIT, ADDRESS_LIMIT, REASON_LIMIT = 120, 500, 300
FEEDS_PER_UNIT = 40
# What is older is no news; a feed's first answer brings its newest few.
NEWS_DAYS, FIRST_ENTRIES = 30, 10
# The same words within so many days are the same news; below so many letters words
# alone do not tell.
SAME_DAYS, SHORT_TEXT = 3, 200
# What a feed brought and nobody opened for so long is news no more.
LAPSE_DAYS = 30
# Who proposed a text is forgotten so long after the answer, and at the latest after.
# Source: law 91/2025/QH15: personal data is kept no longer than its purpose.
SENDER_DAYS, SENDER_LONGEST_DAYS = 30, 180
# Who proposed waits for an answer: the authors are reminded once.
OFFER_REMINDED = timedelta(days=1)
# Enough for an office's week; more is a program that fills boxes.
OFFERS_PER_PHONE, OFFERS_WAITING = 10, 200
OFFER_LINKS = 3
# Who sends sooner than a person reads, or later than a page lives, is a program.
OFFER_FASTEST_SECONDS, OFFER_PAGE_SECONDS = 3, 12 * 3600
# How far the clock of another system may be away; its texts are short.
SENT_TOLERANCE = timedelta(minutes=10)
MESSAGE_BYTES = 128 * 1024
SENDER_LIMIT = 120

# What may stand beside a text, on boards and on the commune's page.
PICTURE, VIDEO, DOCUMENT = "picture", "video", "document"
ATTACHED: dict[str, str] = {PICTURE: "Ảnh", VIDEO: "Video", DOCUMENT: "Tài liệu"}
MOST_ATTACHED = 8
CAPTION_LIMIT = 200
VIDEO_SECONDS = 3 * 60
DOCUMENT_BYTES = 20 * 1024 * 1024

COMMENT_LIMIT = 2_000
# A text that stood for so long is kept in the history when it is overwritten.
KEPT_AFTER_MINUTES = 10
# The largest file that anything here takes: a short video from a phone.
UPLOAD_BYTES = 200 * 1024 * 1024
UPLOADS_WAITING_BYTES = 400 * 1024 * 1024
PIECE_BYTES = 2 * 1024 * 1024
UPLOAD_HOURS = 24

# A place of a template that nobody filled in; `[nghỉ 2s]` is a pause of the voice.
_PLACE_TO_FILL = re.compile(r"\[(?!nghỉ\b)[^\W\d_][^\]\n]{0,60}\]")

DRILL_WORDS = "Đây là diễn tập."

# A sound in the making: a worker says every few seconds that it is still at it; one
# that was killed says nothing, and its work is taken up when the lease has run out.
# A failure said three times is the text's; a worker that died is nearly always the
# machine's (voices run in processes of their own), so a storm of power cuts must not
# cost the village its bulletin. Ten deaths take some three minutes, then it is told.
LEASE_SECONDS = 15
RENEW_SECONDS = 4
ATTEMPT_LIMIT = 3
LOST_LIMIT = 10
RETRY_SECONDS = 5


class DraftError(InvalidError):
    """The draft cannot be kept or sent as it is; the code says why."""


@dataclass(frozen=True)
class Draft:
    """What a person typed; everything that a save may change."""

    title: str
    body: str
    klass: str = NORMAL
    field: int = 1
    languages: tuple[str, ...] = ("vi",)
    # The last day on which it is true; None when it has no such day.
    expires_on: date | None = None
    # The key of the department or office whose information it is; None is the unit.
    supplier: int | None = None


def without_unseen(text: str) -> str:
    """Return a typed text without what nobody sees; NUL stays, and is refused."""
    return UNSEEN.sub(lambda found: found[0] if found[0] == "\0" else "", text)


def check_draft(draft: Draft, *, drill: bool) -> None:
    """Raise DraftError when a draft cannot even be kept."""
    if len(draft.title) > TITLE_LIMIT:
        raise DraftError(
            "newsroom.title_too_long", limit=TITLE_LIMIT, length=len(draft.title)
        )
    if len(draft.body) > BODY_LIMIT:
        raise DraftError(
            "newsroom.body_too_long", limit=BODY_LIMIT, length=len(draft.body)
        )
    # A database refuses NUL in text; say so before it does.
    if UNSEEN.search(draft.title) or UNSEEN.search(draft.body):
        raise DraftError("newsroom.text_unreadable")
    if draft.klass not in CLASSES:
        raise DraftError("newsroom.class_unknown", klass=draft.klass)
    if draft.field not in FIELDS:
        raise DraftError("newsroom.field_unknown", field=draft.field)
    if drill and draft.klass != EMERGENCY:
        raise DraftError("newsroom.drill_not_emergency")
    _check_languages(draft.languages)


def check_ready(draft: Draft) -> None:
    """Raise DraftError when a draft lacks what a listener needs."""
    if not draft.title.strip():
        raise DraftError("newsroom.title_missing")
    if not draft.body.strip():
        raise DraftError("newsroom.body_missing")
    if not draft.languages:
        raise DraftError("newsroom.language_missing")
    left = _PLACE_TO_FILL.search(f"{draft.title}\n{draft.body}")
    if left:
        raise DraftError("newsroom.place_to_fill", place=left[0])


def check_not_expired(expires_on: date | None, *, day: date) -> None:
    """Raise DraftError when a bulletin's last day has gone by."""
    if expires_on is not None and expires_on < day:
        raise DraftError("newsroom.expired", day=f"{expires_on:%d/%m/%Y}")


def _check_languages(languages: Sequence[str]) -> None:
    for language in languages:
        if language not in LANGUAGES:
            raise DraftError("newsroom.language_unknown", language=language)
    if len(set(languages)) != len(languages):
        raise DraftError("newsroom.language_doubled")


def shown_text(text: str, *, drill: bool) -> str:
    """Return the text as people see and hear it: a drill says so first."""
    return f"{DRILL_WORDS} {text}" if drill else text


def written_text(*, title: str, body: str) -> str:
    """Return what is read aloud, still written: the title, then the body.

    A title that was taken from the body, as `first_words` does, is not said twice.
    """
    if title.strip() and title.strip() == first_words(body):
        return body.strip()
    end = "" if title.rstrip().endswith((".", "!", "?", ":", "…")) else "."
    return f"{title.strip()}{end}\n{body.strip()}"


def first_words(text: str, *, limit: int = 60) -> str:
    """Return the beginning of a text, whole words of it, to be its title."""
    line = text.strip().split("\n", 1)[0].strip()
    if len(line) <= limit:
        return line
    return line[: limit + 1].rsplit(" ", 1)[0].rstrip(" ,.;:–-")[:limit]


def check_correction(*, drill: bool, corrected_drill: bool) -> None:
    """Raise DraftError when a drill would correct what is real, or the reverse."""
    if drill != corrected_drill:
        raise DraftError("newsroom.correction_other_kind")


def check_correction_class(*, klass: str, corrected_klass: str) -> None:
    """Refuse a correction that would leave a false alarm sounding: DraftError."""
    if corrected_klass == "emergency" and klass != "emergency":
        raise DraftError("newsroom.correction_not_emergency")
