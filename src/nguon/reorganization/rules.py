"""What a merge does with every key to a unit, and how a merge goes. No database.

The table is complete: a test fails when a model gets a key to a unit that does not
stand here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_TITLE = 200

DRAFTED, RUN, UNDONE, CONFIRMED = "drafted", "run", "undone", "confirmed"
STATES = {
    DRAFTED: "Bản thảo",
    RUN: "Đã chạy",
    UNDONE: "Đã hoàn tác",
    CONFIRMED: "Đã chốt",
}
# The same in a sentence: Lần sắp xếp này …, nên …
SAID = {
    DRAFTED: "đang là bản thảo",
    RUN: "đã chạy",
    UNDONE: "đã hoàn tác",
    CONFIRMED: "đã chốt",
}
NEXT = {DRAFTED: {RUN}, RUN: {UNDONE, CONFIRMED}, UNDONE: set(), CONFIRMED: set()}

MOVES, STAYS, RECOMPUTED = "moves", "stays", "recomputed"
ACTS = {
    MOVES: "Chuyển",
    STAYS: "Ở lại với ngày của nó",
    RECOMPUTED: "Lập lại",
}


@dataclass(frozen=True)
class Key:
    """One key to a unit: `field` of `model`, what a merge does with it, and why."""

    model: str
    field: str
    act: str
    name: str
    why: str

    @property
    def label(self) -> str:
        """Return how the key is called: `fleet.Device.unit`."""
        return f"{self.model}.{self.field}"

    @property
    def act_name(self) -> str:
        """Return what is done with it, in Vietnamese."""
        return ACTS[self.act]


_THEN = "việc đã xảy ra ở đơn vị của ngày đó"
_BOTH = "tính được trên cả hai bản đồ"
_SIGNED = "đã duyệt về một mã băm có đơn vị cũ; đơn vị mới duyệt lại"


def _keys(act: str, *rows: tuple[str, str, str, str]) -> tuple[Key, ...]:
    return tuple(Key(model, field, act, name, why) for model, field, name, why in rows)


TABLE: Sequence[Key] = (
    *_keys(
        MOVES,
        (
            "territory.Unit",
            "parent",
            "thôn, làng",
            "thôn cũ hết hiệu lực, thôn mới nối tiếp ở xã mới",
        ),
        (
            "people.Role",
            "unit",
            "vai trò của cán bộ",
            "vai trò cũ kết thúc, vai trò mới bắt đầu; người thay đi theo",
        ),
        (
            "fleet.Device",
            "unit",
            "cụm loa, bảng tin",
            "cài đặt được ký lại, máy nối lại và nghe địa bàn mới",
        ),
        (
            "fleet.Claim",
            "unit",
            "mã ghi danh chưa dùng",
            "máy gắn sau vẫn vào đúng đơn vị",
        ),
        ("fleet.DeviceGroup", "unit", "nhóm thiết bị", "đi cùng các máy của nhóm"),
        ("fleet.Registration", "villages", "thôn được phủ sóng", "ghi theo thôn mới"),
        (
            "fleet.Rollout",
            "unit",
            "đợt cập nhật đang chạy",
            "đơn vị nay giữ các máy ấy theo dõi tiếp",
        ),
        (
            "newsroom.NewsFeed",
            "unit",
            "nguồn tin đang đọc",
            "tin sau ngày sắp xếp về đơn vị mới",
        ),
        ("newsroom.Template", "unit", "mẫu tin", "dùng tiếp ở đơn vị mới"),
        (
            "newsroom.DictionaryWord",
            "unit",
            "từ trong từ điển cách đọc",
            "chép sang đơn vị mới; bản đọc cũ giữ từ cũ",
        ),
        (
            "newsroom.Supplier",
            "unit",
            "nguồn cung cấp",
            "chép sang đơn vị mới; bản tin cũ giữ tên đã ghi",
        ),
        ("channels.Contact", "unit", "người nhận tin", "vẫn nhận tin của nơi mình ở"),
        (
            "plan.ActionPlan",
            "keeper",
            "kế hoạch đang theo dõi",
            "đơn vị nay giữ đất ấy theo dõi tiếp",
        ),
        (
            "registers.Station",
            "unit",
            "đài truyền thanh trong sổ",
            "dòng cũ kết thúc, dòng mới nối tiếp; số ngày cũ giữ nguyên",
        ),
        (
            "registers.StaffMember",
            "unit",
            "người trong sổ nhân lực",
            "dòng cũ kết thúc, dòng mới nối tiếp; số ngày cũ giữ nguyên",
        ),
        (
            "registers.Propagandist",
            "unit",
            "tuyên truyền viên",
            "theo thôn: dòng cũ kết thúc, dòng mới nối tiếp",
        ),
        ("reports.Form", "unit", "biểu mẫu báo cáo", "kỳ sau do đơn vị mới hỏi"),
    ),
    *_keys(
        RECOMPUTED,
        (
            "fleet.Health",
            "commune",
            "nơi đặt của tình trạng máy",
            "theo đơn vị mới của máy",
        ),
        (
            "people.Past",
            "unit",
            "quyền đọc việc đã qua",
            "đơn vị mới đọc được việc đã xảy ra trên đất cũ",
        ),
        (
            "people.Past",
            "old",
            "quyền đọc việc đã qua",
            "đơn vị mới đọc được việc đã xảy ra trên đất cũ",
        ),
        (
            "schedule.UnitPlan",
            "unit",
            "kế hoạch phát đang có hiệu lực",
            "kế hoạch phát của đơn vị mới được lập và ký",
        ),
    ),
    *_keys(
        STAYS,
        ("territory.Succession", "old", "bảng kế thừa", "là căn cứ của việc sắp xếp"),
        ("territory.Succession", "new", "bảng kế thừa", "là căn cứ của việc sắp xếp"),
        (
            "fleet.SignedDocument",
            "unit",
            "văn bản đã ký",
            "chữ ký nói tới đơn vị cũ; máy nhận văn bản mới",
        ),
        ("fleet.Fault", "unit", "lỗi của máy", _THEN),
        ("fleet.Incident", "unit", "sự cố", _THEN),
        (
            "fleet.WorkOrder",
            "unit",
            "phiếu sửa chữa",
            "xem theo máy, nên đơn vị mới thấy",
        ),
        (
            "fleet.DeviceReport",
            "unit",
            "tin báo hỏng",
            "xem theo máy, nên đơn vị mới thấy",
        ),
        (
            "fleet.Installation",
            "unit",
            "biên bản lắp đặt",
            "xem theo máy, nên đơn vị mới thấy",
        ),
        ("fleet.BeatDay", "unit", "ngày tín hiệu", _THEN),
        (
            "newsroom.Bulletin",
            "unit",
            "bản tin và bản nháp",
            "đơn vị của bản tin không bao giờ đổi; chép lại từ kho",
        ),
        (
            "newsroom.Arrival",
            "unit",
            "tin đến",
            "tin gửi cho đơn vị cũ; hãy xử lý trước khi chạy",
        ),
        (
            "newsroom.PayRate",
            "unit",
            "mức thù lao",
            "là quyết định về tiền; đơn vị mới quyết định lại",
        ),
        ("schedule.Broadcast", "unit", "lượt phát", _SIGNED),
        ("schedule.Broadcast", "units", "nơi phát", _SIGNED),
        ("schedule.Broadcast", "carriers", "đơn vị mang lượt phát", _SIGNED),
        ("schedule.AudienceMember", "unit", "danh sách loa đã duyệt", _THEN),
        ("schedule.Paper", "unit", "giấy tờ của đài", _SIGNED),
        ("schedule.InboxEntry", "unit", "tin từ cấp trên", "quyết định của đơn vị cũ"),
        ("schedule.Airing", "unit", "lần phát", _THEN),
        ("schedule.LiveSession", "unit", "phiên nói trực tiếp", _THEN),
        ("schedule.LiveSession", "units", "phiên nói trực tiếp", _THEN),
        ("schedule.LiveSession", "carriers", "phiên nói trực tiếp", _THEN),
        ("schedule.PlayRecord", "unit", "nhật ký phát", _THEN),
        ("schedule.PlayDay", "unit", "ngày phát", _THEN),
        ("schedule.AiringCount", "unit", "số đếm của lần phát", _THEN),
        ("emergency.Stop", "unit", "lệnh dừng", "đang dừng thì chưa được sắp xếp"),
        ("channels.Document", "unit", "sổ tài liệu", "số trong sổ của đơn vị cũ"),
        ("indicators.DayFact", "unit", "số đếm trong ngày", _BOTH),
        ("indicators.DayFact", "place", "số đếm trong ngày", _BOTH),
        ("indicators.MonthFact", "unit", "số đếm trong tháng", _BOTH),
        ("indicators.MonthFact", "place", "số đếm trong tháng", _BOTH),
        ("indicators.ListeningRound", "unit", "đợt nghe thử", _THEN),
        ("indicators.ListeningPlace", "village", "thôn được bốc thăm", _THEN),
        ("indicators.PeriodFigure", "unit", "số của kỳ", _BOTH),
        ("indicators.ReportedFigure", "unit", "số do đơn vị báo", _THEN),
        ("registers.PracticeRun", "unit", "lần tập làm", _THEN),
        ("registers.Certificate", "unit", "giấy chứng nhận đã học", _THEN),
        ("reports.Call", "unit", "yêu cầu báo cáo", "đơn vị được hỏi khi đó trả lời"),
        ("reports.Payment", "unit", "thù lao đã trả", _THEN),
        ("reports.Mapping", "unit", "chỗ điền trong mẫu của nơi hỏi", _THEN),
        ("reports.Publication", "unit", "số liệu đã công bố", _THEN),
        ("reports.PublishedFigure", "unit", "số liệu đã công bố", _THEN),
        ("reports.ScoreSheet", "unit", "bảng điểm của năm", _THEN),
        ("reports.ScoreResult", "unit", "kết quả chấm điểm", _THEN),
        ("registers.Training", "unit", "đợt tập huấn", "người tổ chức khi đó"),
        ("plan.ActionPlan", "unit", "kế hoạch", "do đơn vị của ngày đó ban hành"),
        (
            "plan.Assignment",
            "unit",
            "việc được giao",
            "giao lại khi chuyển kế hoạch sang bản đồ mới",
        ),
        (
            "plan.Target",
            "unit",
            "chỉ tiêu được giao",
            "giao lại khi chuyển kế hoạch sang bản đồ mới",
        ),
        ("plan.FundingLine", "unit", "kinh phí", "tiền không chia được cho đơn vị mới"),
        (
            "plan.RunningCost",
            "unit",
            "chi phí chạy",
            "tiền không chia được cho đơn vị mới",
        ),
        ("plan.Visit", "unit", "buổi kiểm tra", _THEN),
        (
            "reports.Submission",
            "unit",
            "báo cáo của đơn vị",
            "báo cáo của kỳ ấy; kỳ sau hỏi đơn vị mới",
        ),
        ("reorganization.Merge", "unit", "lần sắp xếp", "là chính việc này"),
        ("reorganization.Heir", "old", "người quyết định", "là chính việc này"),
        ("reorganization.Heir", "unit", "người quyết định", "là chính việc này"),
        ("reorganization.Moved", "old", "điều đã chuyển", "là chính việc này"),
        ("reorganization.Moved", "new", "điều đã chuyển", "là chính việc này"),
    ),
)

# How the heir of an old unit is known, and in which words.
WHOLE, VILLAGE, DECIDED, KEPT = "whole", "village", "decided", "kept"
DIVIDED, VANISHED = "divided", "vanished"
WAYS = {
    WHOLE: "vào trọn một đơn vị mới",
    VILLAGE: "theo tên thôn trên bản đồ mới",
    DECIDED: "cán bộ đã chọn",
    KEPT: "cán bộ đã chọn: để lại",
    DIVIDED: "bị chia, chờ chọn",
    VANISHED: "cấp không còn, chờ chọn",
}
# Nobody but a person decides these.
OPEN = frozenset({DIVIDED, VANISHED})
