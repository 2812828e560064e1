"""What a new paper changes, in sentences that an approver reads before anything else.

Compares two bodies of one kind; `names` gives people's words for the uids in them.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Any

from nguon.core.messages import Audience
from nguon.newsroom.rules import FIELDS
from nguon.schedule import recurrence, station
from nguon.schedule.station import (
    ACTS,
    WHOLE,
    Authority,
    Chain,
    DayPart,
    Entry,
    Order,
    Programme,
    Quiet,
    Slot,
    Source,
    StationRules,
    Volume,
)

Names = Mapping[str, str]
NOTHING = "Không có gì thay đổi."
_STARTS = {
    "cut": "cắt ngay cái đang phát",
    "next": "chờ cái đang phát xong",
    "wait": "chờ rồi cắt",
}
_AFTERS = {"resume": "phát tiếp", "rejoin": "nối vào đúng chỗ", "drop": "bỏ"}
_KINDS = {
    "bulletin": "bản tin",
    "jingle": "nhạc hiệu",
    "recording": "bản ghi âm",
    "relay": "tiếp âm",
}


def differences(kind: str, old: Any | None, new: Any, names: Names) -> list[str]:
    """Return what changes from `old` (None: there was nothing) to `new`.

    `names` maps uids of units, devices, broadcasts and sources, and keys of officers
    as text, to words; slots go by their id. What is unknown is shown as it is.
    """
    found = _TELLERS[kind](old, new, names)
    return list(found) or [NOTHING]


def _rules(old: StationRules | None, new: StationRules, names: Names) -> list[str]:
    before = old or StationRules()
    # Quiet hours first: losing a night's silence may not be one line among many.
    return [
        *_listed(before.quiet, new.quiet, lambda quiet: _quiet(quiet, names)),
        *_slots(before, new, names),
        *_listed(before.parts, new.parts, lambda part: _part(part)),
        *_listed(before.volumes, new.volumes, lambda volume: _volume(volume, names)),
        *_reordered(before.volumes, new.volumes),
    ]


def _slots(old: StationRules, new: StationRules, names: Names) -> Iterable[str]:
    before = {slot.id: slot for slot in old.slots}
    after = {slot.id: slot for slot in new.slots}
    for key, slot in before.items():
        if key not in after:
            word = "tiếp âm" if slot.kind == "relay" else "khung"
            yield f"Bỏ {word} “{slot.name}” ({_slot_words(old, slot, names)})"
    for key, slot in after.items():
        if key not in before:
            word = "tiếp âm" if slot.kind == "relay" else "khung"
            yield f"Thêm {word} “{slot.name}”: {_slot_words(new, slot, names)}"
            continue
        was, now = (
            _slot_facts(old, before[key], names),
            _slot_facts(new, slot, names),
        )
        for what, text in now.items():
            if was[what] != text:
                lead = f"{what} " if what else ""
                yield f"Khung “{slot.name}”: {lead}{was[what]} → {text}"


def _slot_facts(rules: StationRules, slot: Slot, names: Names) -> dict[str, str]:
    """Return a slot's facts by their words; the clock needs no word."""
    return {
        "": _clock(rules, slot),
        "tên": f"“{slot.name}”",
        "loại": "tiếp âm" if slot.kind == "relay" else "chương trình",
        "dài": f"{slot.minutes} phút",
        "lặp": f"{recurrence.rrule_words(slot.repeat)}{_since(slot)}",
        "nơi": _where(slot.places, names),
        "nguồn": _name(slot.source, names),
        "dự phòng": _name(slot.fallback, names),
        "khi bắt đầu": _start(slot),
        "khi bị cắt": _AFTERS[slot.after],
    }


def _since(slot: Slot) -> str:
    return f", từ {slot.repeat.first:%d/%m/%Y}" if slot.repeat.rule else ""


def _start(slot: Slot) -> str:
    words = _STARTS[slot.start]
    return f"{words} sau {slot.wait_seconds} giây" if slot.start == "wait" else words


def _slot_words(rules: StationRules, slot: Slot, names: Names) -> str:
    words = [
        f"{_clock(rules, slot)}, {slot.minutes} phút",
        recurrence.rrule_words(slot.repeat),
        _where(slot.places, names),
    ]
    if slot.source:
        words.append(f"nguồn {_name(slot.source, names)}")
    if slot.fallback:
        words.append(f"dự phòng {_name(slot.fallback, names)}")
    return ", ".join(words)


def _clock(rules: StationRules, slot: Slot) -> str:
    if slot.begin is not None:
        return _time(slot.begin)
    begins = {part.name: part.begin for part in rules.parts}
    if slot.part in begins:
        return f"{_time(begins[slot.part])} (buổi {slot.part})"
    return f"buổi {slot.part}" if slot.part else "chưa có giờ"


def _part(part: DayPart) -> str:
    return f"buổi “{part.name}” {_span(part.begin, part.end)}"


def _quiet(quiet: Quiet, names: Names) -> str:
    return f"giờ yên lặng {_span(quiet.begin, quiet.end)}{_at(quiet.places, names)}"


def _volume(volume: Volume, names: Names) -> str:
    hours = _span(volume.begin, volume.end)
    return f"âm lượng {volume.percent}% lúc {hours}{_at(volume.places, names)}"


def _listed(
    old: Iterable[Any], new: Iterable[Any], say: Callable[[Any], str]
) -> list[str]:
    before, after = [say(one) for one in old], [say(one) for one in new]
    return [
        *(f"Bỏ {words}" for words in before if words not in after),
        *(f"Thêm {words}" for words in after if words not in before),
    ]


def _reordered(old: tuple[Volume, ...], new: tuple[Volume, ...]) -> list[str]:
    if old != new and sorted(map(repr, old)) == sorted(map(repr, new)):
        return ["Đổi thứ tự các mức âm lượng: mức ghi sau được dùng"]
    return []


def _programme(old: Programme | None, new: Programme, names: Names) -> list[str]:
    before = [_entry(entry, names) for entry in old.entries] if old else []
    after = [_entry(entry, names) for entry in new.entries]
    found = []
    if old is not None and old.slot != new.slot:
        was, now = _name(old.slot, names), _name(new.slot, names)
        found.append(f"Chuyển từ khung “{was}” sang “{now}”")
    found += [f"Bỏ {words}" for words in _minus(before, after)]
    found += [f"Thêm {words}" for words in _minus(after, before)]
    if before != after and sorted(before) == sorted(after):
        found.append("Đổi thứ tự: " + "; ".join(after))
    return found


def _minus(these: list[str], those: list[str]) -> list[str]:
    """Return what is in these more often than in those, in order."""
    left = list(those)
    found = []
    for one in these:
        if one in left:
            left.remove(one)
        else:
            found.append(one)
    return found


def _entry(entry: Entry, names: Names) -> str:
    what = _name(entry.source if entry.kind == "relay" else entry.material, names)
    length = f", {entry.minutes} phút" if entry.kind == "relay" else ""
    return f"{_KINDS[entry.kind]} “{what}”{length}{_at(entry.places, names)}"


def _source(old: Source | None, new: Source, names: Names) -> list[str]:
    if old is None:
        return [f"Thêm nguồn tiếp âm “{new.name}”: {new.url} ({new.kind.upper()})"]
    pairs = (
        ("tên", old.name, new.name),
        ("địa chỉ", old.url, new.url),
        ("loại", old.kind.upper(), new.kind.upper()),
    )
    return [
        f"Nguồn “{new.name}”: {what} {was} → {now}"
        for what, was, now in pairs
        if was != now
    ]


def _order(old: Order | None, new: Order, names: Names) -> list[str]:
    if old is not None and old.broadcasts == new.broadcasts:
        return []
    ranked = [
        f"{n}. {_name(uid, names)}" for n, uid in enumerate(new.broadcasts, start=1)
    ]
    return ["Thứ tự tin ưu tiên: " + "; ".join(ranked)]


def _authority(old: Authority | None, new: Authority, names: Names) -> list[str]:
    now = _authority_facts(new, names)
    if old is None:
        return [f"{what}: {text}" for what, text in now.items()]
    was = _authority_facts(old, names)
    return [
        f"{what}: {was[what]} → {text}"
        for what, text in now.items()
        if was[what] != text
    ]


def _authority_facts(body: Authority, names: Names) -> dict[str, str]:
    return {
        "Cán bộ được làm một mình": ", ".join(
            _name(str(key), names) for key in body.officers
        ),
        "Được làm": ", ".join(ACTS[act] for act in body.acts),
        "Trong giờ": _span(body.begin, body.end),
        "Ở": _where(body.places, names),
        "Vì": body.reason,
    }


def _chain(old: Chain | None, new: Chain, _names: Names) -> list[str]:
    now = _chain_facts(new)
    was = _chain_facts(old) if old else {}
    return [
        f"{what}: {was[what]} → {text}" if what in was else f"{what}: {text}"
        for what, text in now.items()
        if was.get(what) != text
    ]


def _chain_facts(body: Chain) -> dict[str, str]:
    fields = ", ".join(FIELDS[field] for field in body.two_steps)
    return {
        "Hai bước (kiểm tra, rồi duyệt) với lĩnh vực": fields or "không lĩnh vực nào",
        "Nhắc người duyệt sau": f"{body.due_minutes} phút",
    }


_TELLERS: Mapping[str, Callable[..., Iterable[str]]] = {
    station.RULES: _rules,
    station.PROGRAMME: _programme,
    station.SOURCE: _source,
    station.ORDER: _order,
    station.AUTHORITY: _authority,
    station.CHAIN: _chain,
}


def _at(places: Audience, names: Names) -> str:
    return "" if places == WHOLE else f" ở {_where(places, names)}"


def _where(places: Audience, names: Names) -> str:
    if places == WHOLE:
        return "toàn đài"
    every = (*places.units, *places.devices, *places.groups)
    return ", ".join(_name(uid, names) for uid in every)


def _name(uid: str, names: Names) -> str:
    return names.get(uid, uid) if uid else "không có"


def _span(begin: time, end: time) -> str:
    return f"{_time(begin)}–{_time(end)}"


def _time(clock: time) -> str:
    return f"{clock:%H:%M}"
