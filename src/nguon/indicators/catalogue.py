"""The catalogue of indicators: what each one divides by what, and where it comes from.

A plain table. An indicator whose facts do not exist yet is `ABSENT` and is shown as
"not yet counted", never as 0. `ratio` says how units add up: a count by its sum; a
share or a mean by the sum of numerators over the sum of denominators, never by the
mean of shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nguon.core.errors import InvalidError

COUNT, SHARE, MEAN = "count", "share", "mean"
COUNTED, REPORTED, ASKED, ABSENT = "counted", "reported", "asked", "absent"
SOURCES = {
    COUNTED: "Hệ thống đếm",
    REPORTED: "Đơn vị báo cáo",
    ASKED: "Hỏi mẫu người nghe",
    ABSENT: "Chưa đếm được",
}
DECREE_49 = "Nghị định 49/2024/NĐ-CP"
STRATEGY = "Quyết định 1381/QĐ-BTTTT (2021)"
CIRCULAR_39 = "Thông tư 39/2020/TT-BTTTT"
# What is counted one by one; minutes, hours and đồng are measured.
THINGS = (
    "bảng", "buổi", "cụm", "đài", "đơn vị", "huyện", "lớp", "người", "phản ánh",
    "thiết bị", "thôn", "tin", "tổ", "trạm", "xã",
)  # fmt: skip
MOST_THINGS, MOST_MEASURED = 10**6, 10**12


@dataclass(frozen=True)
class Indicator:
    """One figure: `numerator` of a count is all there is, `denominator` empty.

    `unit` is written behind the figure; `level` is the lowest unit it is asked for.
    """

    code: str
    name: str
    ratio: str
    unit: str
    numerator: str
    denominator: str = ""
    source: str = COUNTED
    level: str = "commune"
    law: str = ""
    why_absent: str = ""

    def check_value(self, value: float) -> None:
        """Refuse what this figure cannot be.

        Raises InvalidError `indicators.value_range`, `indicators.value_whole`.
        """
        most = MOST_THINGS if self.is_whole else MOST_MEASURED
        most = 100 if self.ratio == SHARE else most
        if not 0 <= value <= most:
            said = f"{most:,}".replace(",", ".")
            raise InvalidError("indicators.value_range", name=self.name, most=said)
        if self.ratio == COUNT and self.is_whole and value != int(value):
            raise InvalidError("indicators.value_whole", name=self.name, unit=self.unit)

    @property
    def is_whole(self) -> bool:
        """Say whether it counts things, or divides such counts: there are no halves."""
        return self.ratio == SHARE or (self.ratio == COUNT and counts_things(self.unit))

    @property
    def less_is_better(self) -> bool:
        """Say whether the lower figure is the better: hours, seconds, đồng for one."""
        return self.ratio == MEAN

    def reaches(self, value: float, target: float) -> bool:
        """Say whether a figure is what was promised, or better."""
        return value <= target if self.less_is_better else value >= target


def _share(code: str, name: str, above: str, below: str, **more: str) -> Indicator:
    return Indicator(code, name, SHARE, "%", above, below, **more)


def _count(code: str, name: str, unit: str, what: str, **more: str) -> Indicator:
    return Indicator(code, name, COUNT, unit, what, **more)


def _mean(
    code: str, name: str, unit: str, above: str, below: str, **more: str
) -> Indicator:
    return Indicator(code, name, MEAN, unit, above, below, **more)


NO_REFLECTIONS = "Chưa có phần nhận và trả lời phản ánh của người dân trong hệ thống."
_ALL = (
    _share(
        "communes_sounding",
        "Xã có truyền thanh CNTT-VT phát trong kỳ",
        "xã có ít nhất một cụm loa CNTT-VT kêu trong kỳ",
        "xã, phường",
        law=STRATEGY,
    ),
    _share(
        "villages_covered",
        "Thôn, làng, tổ dân phố có loa nghe được",
        "thôn có ít nhất một thiết bị nghe được trong kỳ",
        "thôn, làng, tổ dân phố",
        law=STRATEGY,
    ),
    _share(
        "communes_with_board",
        "Xã có ít nhất một bảng tin điện tử sáng",
        "xã có bảng tin điện tử báo về trong kỳ",
        "xã, phường",
        law=STRATEGY,
    ),
    _count(
        "large_boards",
        "Bảng tin điện tử cỡ lớn kết nối hệ thống tỉnh",
        "bảng",
        "bảng LED, LCD cỡ lớn đã kết nối ở cuối kỳ",
        source=REPORTED,
        law=STRATEGY,
    ),
    _share(
        "villages_reached",
        "Thôn, làng, tổ dân phố có loa, kể cả đài có dây, FM",
        "thôn có loa của bất kỳ loại đài nào ở cuối kỳ",
        "thôn, làng, tổ dân phố",
        source=REPORTED,
        law=STRATEGY,
    ),
    _share(
        "portals_alive",
        "Trang công khai của xã có tin mới",
        "xã có tin mới lên trang công khai của hệ thống trong kỳ",
        "xã, phường",
        law="Nghị định 42/2022/NĐ-CP",
    ),
    _count(
        "suppliers",
        "Sở, ngành, địa phương đã cung cấp thông tin thiết yếu",
        "đơn vị",
        "đơn vị có bản tin được duyệt trong kỳ",
        law=DECREE_49,
    ),
    _count("bulletins", "Bản tin đã phát hành", "tin", "bản tin được duyệt trong kỳ"),
    _count(
        "minutes_planned",
        "Thời lượng theo lịch, cộng mọi loa",
        "phút",
        "phút từng loa phải kêu theo kế hoạch, cộng mọi loa",
    ),
    _count(
        "minutes_played",
        "Thời lượng đã phát, cộng mọi loa",
        "phút",
        "phút từng loa thật sự kêu, cộng mọi loa: ba loa kêu 5 phút là 15 phút",
    ),
    _share(
        "devices_audible",
        "Thiết bị nghe được",
        "thiết bị nghe được ở cuối kỳ",
        "thiết bị đang dùng",
        level="village",
    ),
    _mean(
        "repair_hours",
        "Thời gian từ khi hỏng đến khi kêu lại",
        "giờ",
        "tổng số giờ hỏng của lỗi đã khỏi trong kỳ",
        "lỗi đã khỏi trong kỳ",
    ),
    _mean(
        "alert_seconds",
        "Khẩn cấp: từ khi duyệt đến khi kêu",
        "giây",
        "tổng số giây đến tiếng đầu tiên",
        "lượt thiết bị đã kêu",
        law=CIRCULAR_39,
    ),
    _share(
        "alert_sounded",
        "Khẩn cấp: thiết bị đã kêu",
        "lượt thiết bị đã kêu tin khẩn cấp",
        "lượt thiết bị phải kêu",
        law=CIRCULAR_39,
    ),
    _count(
        "reflections",
        "Phản ánh của người dân đã nhận",
        "phản ánh",
        "phản ánh nhận trong kỳ",
        source=ABSENT,
        why_absent=NO_REFLECTIONS,
        law=DECREE_49,
    ),
    _share(
        "reflections_in_time",
        "Phản ánh trả lời đúng hạn",
        "phản ánh trả lời đúng hạn",
        "phản ánh đến hạn trong kỳ",
        source=ABSENT,
        why_absent=NO_REFLECTIONS,
        law=DECREE_49,
    ),
    _share(
        "reflections_satisfied",
        "Người gửi phản ánh hài lòng với câu trả lời",
        "phản ánh được người gửi đánh giá hài lòng",
        "phản ánh được đánh giá",
        source=ABSENT,
        why_absent=NO_REFLECTIONS,
        law=DECREE_49,
    ),
    _count(
        "staff",
        "Nhân lực làm công tác truyền thông",
        "người",
        "người đang giữ việc ở cuối kỳ",
        law=STRATEGY,
    ),
    _share(
        "staff_trained",
        "Nhân lực đã được tập huấn",
        "người đã có chứng nhận tập huấn",
        "người đang giữ việc",
        law=STRATEGY,
    ),
    _count(
        "propagandists",
        "Tuyên truyền viên cơ sở được công nhận",
        "người",
        "người có quyết định còn hiệu lực",
        law=DECREE_49,
    ),
    _count(
        "other_stations",
        "Đài truyền thanh có dây, không dây FM còn dùng",
        "đài",
        "đài có dây, FM còn dùng ở cuối kỳ",
        law=STRATEGY,
    ),
    _mean(
        "cluster_cost",
        "Chi phí một cụm loa nghe được, một năm",
        "đồng",
        "chi phí chạy đài và cụm loa trong năm, xã đã ghi trong kế hoạch",
        "cụm loa nghe được của các xã đó",
    ),
    _share(
        "people_heard",
        "Người được hỏi có nghe thấy loa",
        "người trả lời có nghe",
        "người được hỏi",
        source=ASKED,
        level="village",
    ),
    _share(
        "people_understood",
        "Người nghe hiểu tin",
        "người trả lời hiểu",
        "người có nghe",
        source=ASKED,
        level="village",
    ),
    _share(
        "people_acted",
        "Người nghe làm theo",
        "người trả lời đã làm theo",
        "người có nghe",
        source=ASKED,
        level="village",
    ),
)
INDICATORS: Mapping[str, Indicator] = {one.code: one for one in _ALL}


def counts_things(unit: str) -> bool:
    """Say whether a unit is of things that are counted one by one: bảng, cụm loa."""
    return f"{unit.strip().lower()} ".startswith(tuple(f"{one} " for one in THINGS))


def find(code: str) -> Indicator:
    """Return the indicator of a code. Raises InvalidError `indicators.unknown`."""
    found = INDICATORS.get(code)
    if found is None:
        raise InvalidError("indicators.unknown", code=code[:40])
    return found
