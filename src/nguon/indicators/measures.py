"""What is counted each day, and in which words it is shown. No database."""

PLAYED_MS, PLANNED_MS, SOUNDED = "played_ms", "planned_ms", "sounded"
IN_USE, AUDIBLE, VILLAGE_AUDIBLE = "in_use", "audible", "village_audible"
BOARD_LIT = "board_lit"
BULLETINS, SUPPLIED, PAGE_NEWS = "bulletins", "supplied", "page_news"
REPAIRS, REPAIR_S = "repairs", "repair_s"
ALERT_DUE, ALERT_SOUNDED, ALERT_MS = "alert_due", "alert_sounded", "alert_ms"

# What is true on one day: its sum over days means nothing.
OF_ONE_DAY = (IN_USE, AUDIBLE)

# Measure → what it is, and of how many base units one shown unit is.
MEASURES: dict[str, tuple[str, int]] = {
    PLAYED_MS: ("phút loa đã phát", 60_000),
    PLANNED_MS: ("phút loa phải phát theo lịch", 60_000),
    SOUNDED: ("lượt phát có bằng chứng có tiếng", 1),
    IN_USE: ("cụm loa đang dùng", 1),
    AUDIBLE: ("cụm loa nghe được", 1),
    VILLAGE_AUDIBLE: ("ngày thôn, làng có loa nghe được", 1),
    BOARD_LIT: ("lượt bảng tin sáng trong ngày", 1),
    BULLETINS: ("bản tin được duyệt", 1),
    SUPPLIED: ("bản tin đã cung cấp", 1),
    PAGE_NEWS: ("tin mới lên trang công khai của xã", 1),
    REPAIRS: ("lần loa im lặng đã khỏi", 1),
    REPAIR_S: ("giờ im lặng đến khi khỏi", 3_600),
    ALERT_DUE: ("lượt loa phải phát tin khẩn cấp", 1),
    ALERT_SOUNDED: ("lượt loa đã phát tin khẩn cấp", 1),
    ALERT_MS: ("giây chờ đến tiếng đầu tiên", 1_000),
}
