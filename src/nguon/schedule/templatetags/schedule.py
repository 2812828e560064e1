"""Times, outcomes and causes in plain Vietnamese words."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template

from nguon.schedule import rules, timetable

register = template.Library()

OUTCOMES = {
    "": "Đang chờ",
    "finished": "Phát xong",
    "cut": "Bị ngắt",
    "stopped": "Bị lệnh dừng",
    "failed": "Không phát được",
    "missed": "Bỏ lỡ",
    "cancelled": "Đã hủy",
}
CAUSES = {
    "offline": "thiết bị mất mạng",
    "no_media": "chưa tải được âm thanh",
    "source": "nguồn tiếp âm mất hoặc im lặng",
    "stopped": "đang có lệnh dừng phát",
    "quiet": "giờ yên lặng",
    "clock": "đồng hồ thiết bị chưa đúng",
    "outranked": "tin khác được ưu tiên hơn",
    "unneeded": "không cần đến: đã có nội dung chính",
    "rehearsal": "máy chưa qua diễn tập sau khi sửa",
    "no_plan": "thiết bị chưa có lịch phát nên chưa biết giờ yên tĩnh",
    "no_output": "không có đường ra loa",
    "output": "lỗi đường ra loa",
    "player": "lỗi bộ phát âm thanh",
    "media": "tệp âm thanh hỏng",
    "bad_signature": "chữ ký sai",
    "wrong_key_use": "sai loại khóa",
    "wrong_target": "không phải cho thiết bị này",
    "old_sequence": "lệnh cũ",
    "replayed": "lệnh lặp lại",
    "expired": "lệnh hết hạn",
    "unknown_version": "phiên bản không biết",
    "malformed": "lệnh hỏng",
    "unknown_key": "khóa không biết",
    "language": "thiếu bản tiếng của làng",
    "window": "hết giờ của lượt phát",
    "withdrawn": "bản tin đã được hủy",
    "cancelled": "bản tin đã được hủy",
    "sound_short": "âm thanh ngắn hơn bản đã duyệt",
}

CODECS = {"opus": "Opus", "vorbis": "Vorbis"}
SOURCE_TROUBLES = {
    "timeout": "không trả lời",
    "crashed": "gửi dữ liệu hỏng",
    "no_answer": "không nối được",
    "no_bytes": "nối được nhưng không gửi gì",
    "broken": "đường truyền bị ngắt",
    "ended": "nguồn tự ngắt",
    "no_mp3": "không phải MP3",
    "no_sound": "không có âm thanh",
    "broken_sound": "âm thanh hỏng, không giải mã được",
    "unknown_form": "không phải âm thanh mà máy chủ đọc được",
    "EXT-X-KEY": "HLS bị khóa bằng mã",
    "EXT-X-BYTERANGE": "HLS chia đoạn kiểu máy chủ chưa đọc được",
    "no_playlist": "không phải danh sách HLS",
    "no_new_segment": "HLS không có đoạn mới",
    "redirects": "chuyển hướng vòng quanh",
    "core.address_inside": "địa chỉ nằm trong mạng nội bộ",
    "core.address_unusable": "địa chỉ không dùng được",
}


@register.filter
def codec_name(codec: str) -> str:
    """Return a codec as people know it."""
    return CODECS.get(codec, codec.upper())


@register.filter
def source_trouble(detail: str) -> str:
    """Return what is wrong with a relay source, in words where there are some."""
    return SOURCE_TROUBLES.get(detail, detail)


@register.filter
def outcome_name(outcome: str) -> str:
    """Return what became of a play."""
    return OUTCOMES.get(outcome, outcome)


@register.filter
def cause_name(cause: str) -> str:
    """Return why something did not sound."""
    return CAUSES.get(cause, cause or "chưa rõ lý do")


@register.filter
def state_name(state: str) -> str:
    """Return the state of a broadcast."""
    return rules.STATES.get(state, "Đang soạn")


@register.filter
def when_words(timing: rules.Timing) -> str:
    """Say a timing as people say it."""
    if timing.kind == rules.ONCE and timing.starts_at:
        local = timing.starts_at.astimezone(rules.LOCAL)
        return f"Một lần, lúc {local:%H:%M} ngày {local:%d/%m/%Y}"
    if timing.kind == rules.DAILY and timing.time_of_day:
        first, last = timing.first_date, timing.last_date
        return (
            f"Hằng ngày lúc {timing.time_of_day:%H:%M}, "
            f"từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}"
        )
    if timing.kind == rules.SHELF:
        return "Để dành cho chương trình, không tự phát"
    if timing.kind == rules.ANNOUNCE:
        return "Thông báo, phát ngay khi được phép"
    if timing.expires_at:
        local = timing.expires_at.astimezone(rules.LOCAL)
        return f"Phát ngay khi duyệt, hết hạn {local:%H:%M} ngày {local:%d/%m/%Y}"
    return "Phát ngay khi duyệt"


@register.filter
def split(text: str) -> list[str]:
    """Return the words of a template's list."""
    return text.split()


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """Return a value by its key."""
    return mapping[key]


@register.filter
def giay_gon(moment: datetime) -> str:
    """Write a local time, with seconds only where there are some: 17:05, 17:05:09."""
    local = moment.astimezone(rules.LOCAL)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


@register.filter
def ngay_thang(day: date) -> str:
    """Write a day of this year with its weekday: T5 26/11."""
    return f"{timetable.SHORT_WEEKDAYS[day.weekday()]} {day:%d/%m}"
