"""The broadcast log in words, the same on the page, the paper and the table."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from nguon.fleet.health import CAUSES as FAULTS
from nguon.fleet.health import GRADE_WORDS
from nguon.newsroom.rules import LANGUAGES
from nguon.reports import logs
from nguon.reports.logs import Line, Log
from nguon.schedule.templatetags.schedule import CAUSES, cause_name, outcome_name

HEAD = (
    "TT", "Ngày, giờ định", "Phải phát", "Nội dung", "Tiếng", "Người viết, người duyệt",
    "Kêu lúc", "Loa kêu", "Bằng chứng", "Lỗi",
)  # fmt: skip
IN_ARCHIVE = "trong kho"
MOST_FAULTS = 60


def rows(log: Log) -> list[Sequence[str]]:
    """Return every line as cells, under `HEAD`."""
    return [
        (
            str(number),
            f"{timezone.localtime(one.starts_at):%d/%m/%Y %H:%M}",
            length(one.planned_ms),
            content(one),
            spoken(one),
            people(one),
            heard_at(one, log),
            speakers(one),
            evidence(one, log),
            troubles(one.causes),
        )
        for number, one in enumerate(log.lines, 1)
    ]


def length(milliseconds: int | None) -> str:
    """Write a length in minutes and seconds: 12:30."""
    if milliseconds is None:
        return IN_ARCHIVE
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}:{seconds:02}"


def minutes(milliseconds: int) -> str:
    """Write a sum in minutes: 1.234,5 phút."""
    text = f"{milliseconds / 60_000:,.1f}".replace(",", " ").replace(".", ",")
    return f"{text.replace(' ', '.')} phút"


def content(one: Line) -> str:
    """Write what it was and of which kind."""
    return f"{one.title} ({logs.KINDS.get(one.kind, one.kind).lower()})"


def spoken(one: Line) -> str:
    """Name the languages, short: Việt, Jrai."""
    names = (LANGUAGES.get(code, code).removeprefix("Tiếng ") for code in one.languages)
    return ", ".join(names)


def people(one: Line) -> str:
    """Name who wrote and who approved."""
    return "; ".join(
        part
        for part in (one.writer, f"duyệt: {one.approver}" if one.approver else "")
        if part
    )


def heard_at(one: Line, log: Log) -> str:
    """Write when the first speaker sounded, and how long the longest did."""
    if log.is_archived:
        return IN_ARCHIVE if one.sounded or one.broken_off else "–"
    if one.first_at is None:
        return "–"
    return f"{timezone.localtime(one.first_at):%H:%M:%S}, {length(one.longest_ms)}"


def speakers(one: Line) -> str:
    """Write how many speakers sounded of how many."""
    if one.state == logs.UNTOLD:
        return logs.STATES[logs.UNTOLD].lower()
    # It was for no speaker of this ground: those that sounded joined later.
    told = f"{one.sounded}/{one.meant}" if one.meant else f"{one.sounded}"
    more = [
        f"{number} {what}"
        for number, what in ((one.broken_off, "phát dở"), (one.silent, "im lặng"))
        if number
    ]
    return ", ".join([told, *more])


def evidence(one: Line, log: Log) -> str:
    """Write by which evidence it sounded: 3 đo được tiếng, 1 đã giải mã."""
    if log.is_archived:
        return IN_ARCHIVE if one.sounded or one.broken_off else "–"
    return graded(one.grades) or "–"


def graded(grades: Mapping[int, int]) -> str:
    """Write plays by grade of evidence, the best first."""
    return ", ".join(
        f"{grades[grade]} {GRADE_WORDS.get(grade, 'không có bằng chứng')}"
        for grade in sorted(grades, reverse=True)
        if grades[grade]
    )


def troubles(causes: Sequence[tuple[str, int]]) -> str:
    """Write why speakers were silent, the most frequent first."""
    return ", ".join(f"{cause_words(cause)} ({n})" for cause, n in causes)


def cause_words(cause: str) -> str:
    """Say a cause or an outcome."""
    return cause_name(cause) if cause in CAUSES else outcome_name(cause).lower()


def until(log: Log) -> str:
    """Write up to when the log of a month goes that is not over; else nothing."""
    if log.until is None:
        return ""
    return f"tính đến {timezone.localtime(log.until):%H:%M ngày %d/%m/%Y}"


def notes(log: Log) -> list[str]:
    """Return what has to be known before the log is read."""
    found = []
    if log.until:
        found.append(
            f"Tháng chưa hết: sổ {until(log)}. Lượt định sau lúc ấy chưa vào sổ;"
            " loa chưa báo về lúc ấy có thể báo về sau."
        )
    others = [one for one in log.station.grounds if one != log.station.unit]
    if others:
        found.append("Gồm cả: " + ", ".join(one.full_name for one in others) + ".")
    if log.station.divided:
        names = ", ".join(one.full_name for one in log.station.divided)
        found.append(f"Không gồm phần của {names}: đã chia cho nhiều nơi.")
    if log.is_archived:
        found.append(
            "Lượt phát tháng này đã cất vào kho lưu trữ: số thiết bị (loa và bảng tin)"
            " là số đã đếm trước khi cất; giờ kêu, bằng chứng từng lượt nằm trong kho,"
            " không phải bằng 0."
        )
    return found


def sums(log: Log) -> list[str]:
    """Return what the month comes to."""
    total = log.totals
    states = ", ".join(
        f"{total.states[state]} {name.lower()}"
        for state, name in logs.STATES.items()
        if total.states.get(state)
    )
    found = [
        f"Cộng {total.lines} lượt theo lịch: {states or 'không có'}. Phải phát"
        f" {minutes(total.planned_ms)} chương trình."
    ]
    if total.sounded_ms is not None:
        found.append(
            f"Thời lượng chương trình đã phát, tính một lần:"
            f" {minutes(total.sounded_ms)} (loa kêu lâu nhất mỗi lượt, không cộng loa)."
        )
    if total.device_ms is not None:
        found.append(f"Mọi loa cộng lại đã kêu {minutes(total.device_ms)}.")
    if total.languages:
        told = ", ".join(
            f"{LANGUAGES.get(code, code)} {minutes(ms)}" for code, ms in total.languages
        )
        found.append(f"Theo tiếng: {told} (tin hai thứ tiếng tính cả hai).")
    if total.grades:
        found.append(f"Bằng chứng: {graded(total.grades)}.")
    if total.causes:
        found.append(f"Lỗi: {troubles(total.causes)}.")
    return found


def faults(log: Log) -> list[str]:
    """Return the faults of speakers that held in the month."""
    if not log.faults:
        return ["Sự cố thiết bị trong tháng: không có."]
    found = [f"Sự cố thiết bị trong tháng ({len(log.faults)}):"]
    for one in log.faults[:MOST_FAULTS]:
        end = (
            f"đến {timezone.localtime(one.closed_at):%H:%M %d/%m/%Y}"
            if one.closed_at
            else "chưa khỏi"
        )
        found.append(
            f"- {one.device.name}: {FAULTS.get(one.cause, one.cause)}, từ"
            f" {timezone.localtime(one.began_at):%H:%M %d/%m/%Y} {end}"
        )
    more = len(log.faults) - MOST_FAULTS
    return [*found, f"Còn {more} sự cố nữa."] if more > 0 else found
