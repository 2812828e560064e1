"""What a technician reads at the pole when the program ends with an error."""

from nguon.core.errors import DomainError, Known

SENTENCES: dict[str, str] = {
    "agent.bus_without_tls": (
        "Máy chủ {host} không mã hóa đường truyền nên không nối. Hãy báo quản trị."
    ),
    "agent.claim_malformed": "Mã nhận thiết bị gồm 16 chữ và số. Hãy gõ lại.",
    "agent.disk": "Bộ nhớ đầy hoặc hỏng. Hãy thay thẻ nhớ hoặc dọn bớt.",
    "agent.foreign_root": (
        "Máy chủ này không phải nơi cấp mã nhận thiết bị. Hãy xem lại địa chỉ và mã."
    ),
    "agent.home_in_use": "Chương trình đang chạy với thư mục {home}. Hãy tắt bản kia.",
    "agent.media_gone": "Máy chủ không còn tệp âm thanh này.",
    "agent.media_short": "Tệp âm thanh tải chưa đủ; máy tự tải tiếp.",
    "agent.media_unusable": "Tệp âm thanh không đúng cỡ cho phép nên không tải.",
    "agent.media_wrong_hash": "Tệp âm thanh khác bản đã duyệt nên không phát.",
    "agent.no_sound_card": "Không thấy loa hoặc card âm thanh. Hãy kiểm tra dây cắm.",
    "agent.not_accepted": "Thiết bị chưa được nhận ({state}). Hãy nhờ kỹ thuật duyệt.",
    "agent.not_enrolled": "Thư mục {home} chưa ghi danh. Hãy chạy lệnh enrol trước.",
    "agent.pole_limits": "pole.toml: {low} phải nhỏ hơn hẳn {high}. Hãy sửa lại.",
    "agent.pole_line_twice": (
        "pole.toml: chân số {line} được ghi cho hai việc. Hãy xem lại sơ đồ đấu dây."
    ),
    "agent.pole_no_chip": (
        "Không mở được các chân ở {chip} ({why}). Hãy xem lại “chip” trong pole.toml "
        "và quyền của người dùng nguon."
    ),
    "agent.pole_no_gpiod": (
        "Thiếu thư viện gpiod. Hãy cài requirements/pole.txt, hoặc bỏ các chân trong "
        "pole.toml."
    ),
    "agent.pole_no_line": "Không dùng được chân số {line}. Hãy xem lại pole.toml.",
    "agent.pole_unknown": (
        "pole.toml: không có mục “{key}”. Có phải là: {near}? Hãy sửa lại tên."
    ),
    "agent.pole_unreadable": "Không đọc được {path} ({why}). Hãy sửa lại tệp này.",
    "agent.pole_value": "pole.toml: “{key}” phải là {wanted}. Hãy sửa lại.",
    "agent.server_answer_malformed": "Máy chủ trả lời không đọc được. Hãy thử lại.",
    "agent.server_refused": "Máy chủ từ chối ({reason}). Hãy xem lại mã và địa chỉ.",
    "agent.server_trouble": "Máy chủ đang gặp lỗi. Hãy thử lại sau ít phút.",
    "agent.server_unreachable": "Không tới được máy chủ. Hãy kiểm tra mạng.",
    "agent.server_without_tls": (
        "Địa chỉ {server} không mã hóa. Hãy dùng địa chỉ bắt đầu bằng https."
    ),
    "agent.sound_unplayable": "Tệp âm thanh không giải mã được nên không phát.",
}


def sentence(error: DomainError) -> str:
    """Return what to tell a person; an unknown code is told as it is."""
    text = SENTENCES.get(error.code)
    if text is None:
        return str(error)
    return f"{text.format_map(Known(error.data))} [{error.code}]"
