"""The kinds of activity as channels of one bulletin: what each says, and its limits.

Station, board and portal carry what was approved as it is; the other five are chosen
per bulletin, with a text of their own that is part of what is approved. Pure.

Source: decree 49/2024/NĐ-CP, the eight kinds of grassroots information activity.
"""

import re
import unicodedata
from collections.abc import Mapping

from nguon.core.errors import InvalidError

STATION, BOARD, PORTAL = "station", "board", "portal"
PRINT, DOCUMENT, TALK, SOCIAL, SMS = "print", "document", "talk", "social", "sms"
KINDS = {
    STATION: "Đài truyền thanh",
    BOARD: "Bảng tin công cộng",
    PRINT: "Bản tin in",
    DOCUMENT: "Tài liệu không kinh doanh",
    TALK: "Tuyên truyền viên",
    PORTAL: "Trang thông tin",
    SOCIAL: "Mạng xã hội, Zalo, thư",
    SMS: "Tin nhắn điện thoại",
}
# What an officer may add, in the order of the form, with what it means.
CHOSEN = {
    PRINT: "Tờ A4 để dán và phát; in từ trang bản tin.",
    DOCUMENT: "Ghi vào sổ tài liệu của xã, có số và trích yếu.",
    TALK: "Gợi ý nói chuyện, mỗi dòng một ý, mở trên điện thoại.",
    SOCIAL: "Bài đăng lên Zalo, trang mạng và hộp thư đã nối.",
    SMS: "Tin ngắn tới các số trong danh bạ nhận tin.",
}
LIMITS = {PRINT: 20_000, DOCUMENT: 500, TALK: 2_000, SOCIAL: 4_000, SMS: 480}
MOST_LINES_TO_TALK = 9
MOST_SEGMENTS = 3
# Characters of one message and of each part of a longer one.
# Source: 3GPP TS 23.038 (7-bit and UCS-2) and TS 23.040 (concatenation header).
SEVEN_BIT, UCS2 = (160, 153), (70, 67)
BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = set("^{}\\[~]|€")


def propose(channel: str, *, title: str, body: str) -> str:
    """Return what a channel would say, for a person to finish."""
    if channel == DOCUMENT:
        return title
    if channel == TALK:
        return "\n".join(sentences(body)[:MOST_LINES_TO_TALK])
    if channel == SMS:
        return _short(title, body)
    return body


def sentences(body: str) -> list[str]:
    """Return the sentences of a text, each without what surrounds it."""
    parts = re.split(r"(?<=[.!?…])\s+(?=\w)|\n+", body)
    return [part.strip() for part in parts if part.strip()]


def _short(title: str, body: str) -> str:
    """Return the title and as many whole sentences as one plain message holds."""
    found = without_accents(title.strip().rstrip("."))
    for sentence in sentences(body):
        longer = f"{found}. {without_accents(sentence)}"
        if count_segments(longer) > 1:
            break
        found = longer
    return found


def without_accents(text: str) -> str:
    """Return a text in plain letters: a message holds twice as much, on any phone."""
    plain = unicodedata.normalize("NFD", text.translate({0x111: "d", 0x110: "D"}))
    kept = "".join(c for c in plain if not unicodedata.combining(c))
    for fancy, simple in (("“", '"'), ("”", '"'), ("’", "'"), ("–", "-"), ("…", "...")):
        kept = kept.replace(fancy, simple)
    return kept


def count_segments(text: str) -> int:
    """Return of how many paid parts a text message consists."""
    if set(text) <= BASIC | EXTENDED:
        length = len(text) + sum(character in EXTENDED for character in text)
        whole, part = SEVEN_BIT
    else:
        length = len(text.encode("utf-16-be")) // 2
        whole, part = UCS2
    return 1 if length <= whole else -(-length // part)


def check_texts(texts: Mapping[str, str]) -> None:
    """Refuse a channel that may not be chosen, or a text that does not fit it.

    Raises InvalidError `newsroom.channel_unknown`, `newsroom.channel_empty`,
    `newsroom.channel_too_long`, `newsroom.sms_too_long`, `newsroom.talk_too_long`.
    """
    for channel, text in texts.items():
        if channel not in CHOSEN:
            raise InvalidError("newsroom.channel_unknown", channel=channel)
        name = KINDS[channel]
        if not text.strip():
            raise InvalidError("newsroom.channel_empty", channel=name)
        if len(text) > LIMITS[channel]:
            raise InvalidError(
                "newsroom.channel_too_long", channel=name, limit=LIMITS[channel]
            )
        if channel == SMS and count_segments(text) > MOST_SEGMENTS:
            raise InvalidError(
                "newsroom.sms_too_long", parts=count_segments(text), limit=MOST_SEGMENTS
            )
        if channel == TALK and len(text.splitlines()) > MOST_LINES_TO_TALK:
            raise InvalidError("newsroom.talk_too_long", limit=MOST_LINES_TO_TALK)
