"""What a paper must not say is refused in one sentence, before it airs."""

from datetime import date, time
from typing import Any

import pytest

from nguon.core.errors import InvalidError
from nguon.core.messages import Audience
from nguon.schedule import checks, places
from nguon.schedule.differences import differences
from nguon.schedule.station import (
    WHOLE,
    Authority,
    DayPart,
    Entry,
    Programme,
    Quiet,
    Repeat,
    Slot,
    Source,
    StationRules,
    Volume,
)
from nguon.web.sentences import SENTENCES
from tests.schedule.stations import FIRST, slot

VILLAGE, OTHER, SPEAKER = (
    Audience(("lang1",)),
    Audience(("lang2",)),
    Audience((), ("loa1",)),
)
WHERE = {
    "lang1": frozenset({"lang1", "xa"}),
    "lang2": frozenset({"lang2", "xa"}),
    "loa1": frozenset({"loa1", "lang1", "xa"}),
    "xa": frozenset({"xa"}),
}
NIGHT = Quiet(time(21), time(5))


def refusal_of(rules: StationRules, last: date | None = None) -> InvalidError:
    with pytest.raises(InvalidError) as refusal:
        checks.check_rules(rules, day=FIRST, last=last, where=WHERE)
    code = refusal.value.code
    assert SENTENCES[code].format_map(refusal.value.data)
    return refusal.value


def on(*days: str) -> Repeat:
    return Repeat(FIRST, f"FREQ=WEEKLY;BYDAY={','.join(days)}")


def test_good_rules_pass() -> None:
    rules = StationRules(
        slots=(
            slot("a", time(5)),
            slot("b", time(5, 15)),
            slot("c", part="chiều", begin=None),
            slot("d", time(17, 30), places=VILLAGE),
            slot("e", time(17, 30), places=OTHER),
            slot("f", time(20, 45)),
        ),
        parts=(DayPart("chiều", time(17)),),
        quiet=(NIGHT, Quiet(time(11, 30), time(13, 30), VILLAGE)),
        volumes=(Volume(time(5), time(21), 70),),
    )

    checks.check_rules(rules, day=FIRST, where=WHERE)


@pytest.mark.parametrize(
    ("one", "other", "day"),
    [
        (slot("a"), slot("b", time(17, 14)), "24/11/2026"),
        (slot("a"), slot("b", places=VILLAGE), "24/11/2026"),
        (slot("a", places=VILLAGE), slot("b", places=SPEAKER), "24/11/2026"),
        (slot("a", repeat=on("MO", "WE")), slot("b", repeat=on("WE")), "25/11/2026"),
        # over midnight, into the next day
        (slot("a", time(23, 50)), slot("b", time(0, 4)), "24/11/2026"),
        # only on a leap day
        (
            slot("a", repeat=Repeat(FIRST, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")),
            slot("b", repeat=Repeat(FIRST, "FREQ=MONTHLY;BYMONTHDAY=29")),
            "29/02/2028",
        ),
    ],
)
def test_slots_that_meet_somewhere_are_named_with_the_first_day(
    one: Slot, other: Slot, day: str
) -> None:
    refused = refusal_of(StationRules(slots=(one, other)))

    assert refused.code == "schedule.slots_overlap"
    assert {refused.data["one"], refused.data["other"]} == {"Khung a", "Khung b"}
    assert refused.data["day"] == day


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (slot("a"), slot("b", time(17, 15))),
        (slot("a", places=VILLAGE), slot("b", places=OTHER)),
        (slot("a", repeat=on("MO")), slot("b", repeat=on("TU"))),
        (slot("a", time(23, 50)), slot("b", time(0, 5))),
    ],
)
def test_slots_that_never_meet_are_left_alone(one: Slot, other: Slot) -> None:
    checks.check_rules(StationRules(slots=(one, other)), day=FIRST, where=WHERE)


@pytest.mark.parametrize(
    ("begin", "allowed"),
    [(time(4, 50), "05:00"), (time(20, 50), "05:00"), (time(23), "05:00")],
)
def test_a_slot_in_quiet_hours_is_told_the_next_free_time(
    begin: time, allowed: str
) -> None:
    refused = refusal_of(StationRules(slots=(slot(begin=begin),), quiet=(NIGHT,)))

    assert refused.code == "schedule.slot_in_quiet"
    assert refused.data["allowed"] == allowed


def test_quiet_hours_of_one_village_bind_only_what_sounds_there() -> None:
    noon = Quiet(time(17), time(18), VILLAGE)

    checks.check_rules(
        StationRules(slots=(slot(places=OTHER),), quiet=(noon,)),
        day=FIRST,
        where=WHERE,
    )
    refused = refusal_of(StationRules(slots=(slot(),), quiet=(noon,)))

    assert refused.code == "schedule.slot_in_quiet"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (StationRules((slot("a"), slot("a", time(9)))), "slot_twice"),
        (StationRules((slot(minutes=0),)), "slot_empty"),
        (StationRules((slot(name=" "),)), "slot_empty"),
        (StationRules((slot(begin=None),)), "slot_without_begin"),
        (StationRules((slot(part="trưa"),)), "part_unknown"),
        (StationRules((slot(kind="relay"),)), "slot_without_source"),
        (StationRules((slot(repeat=Repeat(FIRST, "FREQ=X")),)), "repeat_unreadable"),
        (StationRules((slot(repeat=Repeat(date(2026, 1, 1), "")),)), "repeat_never"),
        (StationRules(quiet=(Quiet(time(5), time(5)),)), "quiet_all_day"),
        (
            StationRules(quiet=(Quiet(time(5), time(17)), Quiet(time(17), time(5)))),
            "quiet_all_day",
        ),
        (
            StationRules((slot(minutes=17 * 60),), quiet=(NIGHT,)),
            "slot_too_long",
        ),
    ],
)
def test_rules_that_contradict_themselves_are_refused(
    rules: StationRules, code: str
) -> None:
    assert refusal_of(rules).code == f"schedule.{code}"


def test_a_volume_beyond_its_range_is_refused() -> None:
    volume = Volume(time(5), time(6), 50)
    object.__setattr__(volume, "percent", 140)

    assert refusal_of(StationRules(volumes=(volume,))).code == "schedule.volume_range"


def test_a_slot_that_begins_only_after_the_last_day_never_fires() -> None:
    later = slot(repeat=Repeat(date(2027, 1, 1)))

    refused = refusal_of(StationRules((later,)), last=date(2026, 12, 31))

    assert refused.code == "schedule.repeat_never"


# --- programmes --------------------------------------------------------------------

MINUTE = 60_000


def entry(name: str = "x", **more: Any) -> Entry:
    return Entry("bulletin", name, **more)


def test_three_hours_do_not_fit_five_minutes() -> None:
    with pytest.raises(InvalidError) as refusal:
        checks.check_programme(
            Programme("s1", (entry("dài"),)),
            {"dài": 180 * MINUTE},
            slot=slot(minutes=5),
            where={},
        )

    assert refusal.value.code == "schedule.overbooked"
    assert refusal.value.data["minutes"] == 175


def test_under_booking_is_only_told() -> None:
    lengths = {"x": 4 * MINUTE}
    one = Programme("s1", (entry(), entry()))

    checks.check_programme(one, lengths, slot=slot(), where={})

    assert checks.booking(one, lengths, slot(), {}) == checks.Booking(900, 480)


def test_entries_for_different_villages_sound_side_by_side() -> None:
    lengths = {"x": 10 * MINUTE, "y": 4 * MINUTE}
    one = Programme(
        "s1", (entry(places=VILLAGE), entry(places=OTHER), entry("y"), )
    )  # fmt: skip

    laid = checks.lay_out(one, lengths, slot=slot(), where=WHERE)

    assert [start for _entry, _where, start, _length in laid] == [
        0, 0, 10 * MINUTE,
    ]  # fmt: skip
    assert checks.booking(one, lengths, slot(), WHERE).booked_s == 14 * 60


@pytest.mark.parametrize(
    ("programme", "given", "code"),
    [
        (Programme("s1", ()), slot(), "programme_empty"),
        (Programme("s9", (entry(),)), None, "slot_unknown"),
        (Programme("s1", (entry(),)), slot(kind="relay"), "slot_is_relay"),
        (Programme("s1", (entry(""),)), slot(), "entry_empty"),
        (Programme("s1", (Entry("relay", minutes=5),)), slot(), "entry_empty"),
        (Programme("s1", (entry("z"),)), slot(), "material_absent"),
        (
            Programme("s1", (entry(places=OTHER),)),
            slot(places=VILLAGE),
            "entry_outside_slot",
        ),
    ],
)
def test_a_programme_without_sense_is_refused(
    programme: Programme, given: Slot | None, code: str
) -> None:
    with pytest.raises(InvalidError) as refusal:
        checks.check_programme(programme, {"x": MINUTE}, slot=given, where=WHERE)

    assert refusal.value.code == f"schedule.{code}"


# --- sources and authorities -------------------------------------------------------


def resolve(host: str, _port: int) -> list[str]:
    known = {
        "radio.example.vn": ["203.162.0.11"],
        "trong.example.vn": ["203.162.0.11", "10.0.0.7"],
        "sau.example.vn": ["fd00::1"],
    }
    if host in known:
        return known[host]
    if host.replace(".", "").isdigit() or ":" in host:
        return [host]
    raise OSError(host)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:8000/x.mp3", "address_inside"),
        ("http://10.1.2.3/", "address_inside"),
        ("http://192.168.1.1/", "address_inside"),
        ("http://169.254.169.254/latest", "address_inside"),
        ("http://224.0.0.1/", "address_inside"),
        ("http://[::1]/", "address_inside"),
        ("http://[fd00::1]/", "address_inside"),
        ("http://localhost/", "address_inside"),
        ("http://radio/", "address_inside"),
        ("http://may.local/", "address_inside"),
        ("https://trong.example.vn/live", "address_inside"),
        ("https://sau.example.vn/live", "address_inside"),
        ("https://khong-co.example.vn/live", "address_unresolved"),
        ("ftp://radio.example.vn/", "address_unusable"),
        ("https://lan:mat@radio.example.vn/", "address_unusable"),
        ("radio.example.vn", "address_unusable"),
        ("http:///x", "address_unusable"),
    ],
)
def test_an_address_inside_is_no_source(url: str, code: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        checks.check_source(
            Source("Đài", "http", url), resolve=resolve, allowed=["192.0.2.9"]
        )

    assert refusal.value.code == f"schedule.{code}"


def test_a_public_address_is_a_source_and_an_allowed_host_too() -> None:
    for url in ("https://radio.example.vn:8443/live.m3u8", "http://127.0.0.1:9/a"):
        checks.check_source(
            Source("Đài", "hls", url), resolve=resolve, allowed=["127.0.0.1"]
        )


@pytest.mark.parametrize(
    ("authority", "last", "code"),
    [
        (Authority((1,), ("live",), time(6), time(20), reason="Bão"), None, "too_long"),
        (
            Authority((1,), ("live",), time(6), time(20), reason="Bão"),
            date(2027, 11, 25),
            "too_long",
        ),
        (
            Authority((1,), ("live",), time(6), time(22), reason="Bão"),
            date(2026, 12, 1),
            "in_quiet",
        ),
        (
            Authority((), ("live",), time(6), time(20), reason="Bão"),
            date(2026, 12, 1),
            "empty",
        ),
    ],
)
def test_an_authority_has_bounds(
    authority: Authority, last: date | None, code: str
) -> None:
    with pytest.raises(InvalidError) as refusal:
        checks.check_authority(
            authority, known={1}, quiet=[NIGHT], first=FIRST, last=last, where=WHERE
        )

    assert refusal.value.code == f"schedule.authority_{code}"


def test_an_authority_names_known_officers_and_fits_between_quiet_hours() -> None:
    good = Authority((1,), ("live",), time(5), time(21), reason="Bão")
    bounds: Any = {"quiet": [NIGHT], "first": FIRST, "last": FIRST, "where": {}}

    checks.check_authority(good, known={1}, **bounds)
    with pytest.raises(InvalidError) as refusal:
        checks.check_authority(good, known={2}, **bounds)

    assert refusal.value.code == "schedule.officer_unknown"


# --- places ------------------------------------------------------------------------


def test_places_meet_where_one_stands_in_the_other() -> None:
    assert places.meet(WHOLE, VILLAGE, WHERE)
    assert places.meet(VILLAGE, SPEAKER, WHERE)
    assert places.meet(Audience(("xa",)), OTHER, WHERE)
    assert not places.meet(VILLAGE, OTHER, WHERE)
    assert not places.meet(OTHER, SPEAKER, WHERE)
    assert places.meet(OTHER, Audience((), (), ("nhóm",)), WHERE)


def test_who_belongs_to_both_is_the_narrower() -> None:
    assert places.narrow(WHOLE, VILLAGE, WHERE) == VILLAGE
    assert places.narrow(VILLAGE, SPEAKER, WHERE) == SPEAKER
    assert places.narrow(VILLAGE, OTHER, WHERE) is None


# --- differences -------------------------------------------------------------------

NAMES = {"lang1": "Làng Jút", "n1": "Đài tỉnh", "b1": "Họp dân", "b2": "Tiêm chủng"}


def test_what_changes_is_said_in_sentences() -> None:
    relay = slot("r", time(18), kind="relay", source="n1", minutes=30, name="Tỉnh")
    old = StationRules(
        (slot("a", time(5, 30), name="Sáng"), relay),
        volumes=(Volume(time(5), time(21), 80),),
    )
    new = StationRules(
        (slot("a", time(5, 45), name="Sáng"),),
        quiet=(Quiet(time(11, 30), time(13, 30)),),
        volumes=(Volume(time(5), time(21), 60, VILLAGE),),
    )

    found = differences("rules", old, new, NAMES)

    assert found == [
        "Bỏ tiếp âm “Tỉnh” (18:00, 30 phút, hằng ngày, toàn đài, nguồn Đài tỉnh)",
        "Khung “Sáng”: 05:30 → 05:45",
        "Thêm giờ yên lặng 11:30–13:30",
        "Bỏ âm lượng 80% lúc 05:00–21:00",
        "Thêm âm lượng 60% lúc 05:00–21:00 ở Làng Jút",
    ]


def test_a_programme_tells_what_comes_goes_and_moves() -> None:
    old = Programme("a", (entry("b1"), entry("b2")))
    new = Programme("a", (entry("b2"), entry("b1")))

    assert differences("programme", old, new, NAMES) == [
        "Đổi thứ tự: bản tin “Tiêm chủng”; bản tin “Họp dân”"
    ]
    assert differences("programme", None, old, NAMES) == [
        "Thêm bản tin “Họp dân”", "Thêm bản tin “Tiêm chủng”",
    ]  # fmt: skip
    assert differences("programme", old, old, NAMES) == ["Không có gì thay đổi."]
