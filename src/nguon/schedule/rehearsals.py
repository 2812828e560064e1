"""The comparison of a repaired device's day with the server's own, and its words.

`examine` is asked about one answer of a device: it computes the same span with
`schedule.preview` on the plans that the device says it holds, compares item by item,
and says what differs. Nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nguon.core import rehearsal
from nguon.core.messages import Item
from nguon.core.rehearsal import Match, Report, Row
from nguon.core.signing import DocumentRefusedError
from nguon.fleet import queries as fleet
from nguon.fleet.models import DeviceEvent, Rehearsal
from nguon.schedule import preview
from nguon.schedule.items import milliseconds, moment
from nguon.territory.models import Unit

# A plan this new may still be on its way to the device.
PULL_TIME = timedelta(minutes=2)
CLOCK_SLACK_MS = 5_000

# What differs, in the order in which a technician should look.
DIFFERENCES = {
    "report": (
        "Máy trả lời không đọc được. Hãy cập nhật phần mềm của máy rồi cho diễn tập "
        "lại."
    ),
    "clock": (
        "Đồng hồ của máy sai. Hãy kiểm tra mạng của máy (máy lấy giờ từ máy chủ) và "
        "pin đồng hồ, rồi cho diễn tập lại."
    ),
    "settings": (
        "Máy chưa nhận cài đặt mới nhất. Hãy kiểm tra mạng của máy; máy tự lấy lại "
        "trong một phút."
    ),
    "plan": (
        "Máy giữ kế hoạch cũ. Hãy kiểm tra mạng của máy; máy tự lấy kế hoạch mới trong "
        "một phút rồi tự diễn tập lại."
    ),
    "media": (
        "Máy còn thiếu âm thanh. Hãy chờ máy tải xong; nếu lâu, kiểm tra mạng và chỗ "
        "chứa của máy."
    ),
    "software": (
        "Máy tính ra lịch khác dù giữ đúng kế hoạch. Hãy cập nhật phần mềm của máy; "
        "nếu vẫn khác, báo người phụ trách hệ thống."
    ),
}


@dataclass(frozen=True)
class Finding:
    """What came of one answer: agreed when no code stands in `codes`."""

    codes: tuple[str, ...]
    data: Mapping[str, Any]

    @property
    def agreed(self) -> bool:
        """Say whether device and server agree about the whole day."""
        return not self.codes


def examine(row: Rehearsal, event: DeviceEvent) -> Finding:
    """Compare one answer with the server's own day.

    1. an answer that cannot be read, or is about another span, is no answer
    2. plans and settings must be the newest, the clock right, the sounds there
    3. the same span, computed here from the plans told, must be the same to the item
    """
    try:
        report = Report.decode(event.data)
    except DocumentRefusedError:
        return Finding(("report",), {"codes": ["report"]})
    if report.day.ends_at - report.day.starts_at != rehearsal.SPAN_MS:
        return Finding(("report",), {"codes": ["report"]})
    device, begin = row.device, moment(report.day.starts_at)
    holding = preview.hold(device, at=event.stored_at, numbers=report.plans)
    held = holding.situation.items
    day = rehearsal.rehearse(
        holding.situation, holding.listener, items=held, start=report.day.starts_at
    )
    newest = fleet.list_newest_plans(
        device.unit.ancestor_ids, at=begin, issued_before=event.stored_at - PULL_TIME
    )
    old = {uid: n for uid, n in newest.items() if report.plans.get(uid, 0) < n}
    codes = []
    if _is_clock_wrong(row, event, report):
        codes.append("clock")
    if report.settings != fleet.number_of_settings(device):
        codes.append("settings")
    if old:
        codes.append("plan")
    if report.missing_count:
        codes.append("media")
    if report.digest != day.digest:
        codes.append("software")
    titles = {item.id: item.title for item in held if isinstance(item, Item)}
    shown = report.day.rows
    planned = day.rows[: len(shown)] if report.count > len(shown) else day.rows
    data = {
        "codes": codes,
        "rows": [_kept(match, titles) for match in rehearsal.compare(shown, planned)],
        "count": report.count,
        "from": report.day.starts_at,
        "to": report.day.ends_at,
        "quiet": [list(interval) for interval in day.quiet],
        "plans": dict(report.plans),
        "old": old,
        "missing": [titles.get(key, key) for key in report.missing],
        "missing_count": report.missing_count,
        "version": report.version,
    }
    return Finding(tuple(codes), data)


def _is_clock_wrong(row: Rehearsal, event: DeviceEvent, report: Report) -> bool:
    """Say whether the device's time is outside of when it can have answered."""
    told = report.day.starts_at
    asked = milliseconds(row.asked_at) if row.asked_at else 0
    early = told < asked - CLOCK_SLACK_MS
    late = told > milliseconds(event.stored_at) + CLOCK_SLACK_MS
    return not report.trusted or early or late


def _kept(match: Match, titles: Mapping[str, str]) -> list[Any]:
    """Return a compared item as it is stored: verdict, title, rank, both times."""
    return [
        match.verdict,
        titles.get(match.row.item, match.row.item),
        match.row.rank,
        _span(match.mine),
        _span(match.theirs),
    ]


def _span(row: Row | None) -> list[int] | None:
    return [row.starts_at, row.ends_at, row.volume] if row else None


# --- as people read it -------------------------------------------------------------

VERDICTS = {
    rehearsal.SAME: ("khớp", "check", "good"),
    rehearsal.MOVED: ("khác giờ", "alert", "bad"),
    rehearsal.ALTERED: ("khác âm lượng hoặc khung", "alert", "bad"),
    rehearsal.DEVICE_ONLY: ("chỉ máy định phát", "alert", "bad"),
    rehearsal.SERVER_ONLY: ("máy không định phát", "mute", "bad"),
}


@dataclass(frozen=True)
class Line:
    """One item of the rehearsed day as the screen shows it."""

    title: str
    verdict: str
    starts_at: datetime
    ends_at: datetime
    planned_at: datetime | None

    @property
    def words(self) -> str:
        """Whether device and server agree, in words."""
        return VERDICTS[self.verdict][0]

    @property
    def icon(self) -> str:
        """The verdict as an icon."""
        return VERDICTS[self.verdict][1]

    @property
    def look(self) -> str:
        """The verdict as a look."""
        return VERDICTS[self.verdict][2]


def list_lines(row: Rehearsal) -> list[Line]:
    """Return the items of a rehearsed day, in the order of time."""
    lines = []
    for verdict, title, _rank, mine, theirs in row.found.get("rows", ()):
        begin, end, _volume = mine or theirs
        differs = mine and theirs and mine[:2] != theirs[:2]
        lines.append(
            Line(
                title=title,
                verdict=verdict,
                starts_at=moment(begin),
                ends_at=moment(end),
                planned_at=moment(theirs[0]) if differs else None,
            )
        )
    return lines


def say_differences(row: Rehearsal) -> list[str]:
    """Return what differs, each in a sentence that says what to do."""
    said = []
    for code in row.found.get("codes", ()):
        words = DIFFERENCES.get(code, code)
        if code == "plan":
            words += " " + _old_plans(row.found)
        elif code == "media":
            titles = ", ".join(f"“{one}”" for one in row.found["missing"][:3])
            words += f" Thiếu {row.found['missing_count']} mục: {titles}."
        elif code == "software" and row.found.get("version"):
            words += f" Máy chạy bản {row.found['version']}."
        said.append(words)
    return said


def _old_plans(found: Mapping[str, Any]) -> str:
    names = dict(
        Unit.objects.filter(uid__in=list(found["old"])).values_list("uid", "name")
    )
    parts: Sequence[str] = [
        f"{names.get(uid, uid)}: máy giữ số {found['plans'].get(uid, 0)}, mới nhất {n}"
        for uid, n in found["old"].items()
    ]
    return "; ".join(parts) + "."
