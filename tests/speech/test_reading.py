"""Reading never fails, never drops a word in silence, and always says the same."""

import csv
import re
import time
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import nguon.territory
from nguon.speech.numbers import SOUTH
from nguon.speech.text import Word, normalise, read, spoken

SPOKEN_MARKS = set(" \n.,;:!?…'’-‖‹›")
WORDS = re.findall(
    r"\S+",
    "UBND HĐND ngày 22/11 22/11/2026 7h30 07:30 1.500.000 đ 12,5% -5°C 10-15 "
    "km/h m³/s 49/2024/NĐ-CP QĐ-TTg cấp IV XXI TP. Pleiku Ia Grai Chư Păh H'rê "
    "COVID-19 Zalo gialai.gov.vn a@b.vn 0905123456 (0269) 112 hoặc T2-T6 CN * "
    "*nhấn* [nghỉ 2s] → ≥ & “bà con” THÔNG BÁO XYZ Starlink - – … . , ; ! ? "
    "đ/kg 1/2 24/7 5k ½ 📢",
)
PIECES = st.sampled_from([*WORDS, "\n"])
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map(" ".join))


@given(TEXTS)
def test_any_text_is_read_and_no_digit_or_symbol_is_left(text: str) -> None:
    said = normalise(text)

    left = {
        letter
        for letter in said
        if not (letter.isalpha() or letter in SPOKEN_MARKS)
        and unicodedata.category(letter)[0] != "M"
    }
    assert not left
    assert not any(letter.isnumeric() and not letter.isalpha() for letter in said)


@given(TEXTS)
def test_the_same_text_is_always_read_the_same(text: str) -> None:
    assert normalise(text) == normalise(text)


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_what_is_spoken_is_read_as_it_stands(text: str) -> None:
    once = normalise(text)

    assert normalise(once) == once


@given(TEXTS)
def test_every_letter_belongs_to_one_piece_and_doubts_show_where_they_stand(
    text: str,
) -> None:
    reading = read(text)

    at = 0
    for piece in reading.pieces:
        assert piece.start == at < piece.end
        at = piece.end
    assert at == len(reading.written)
    assert all(
        reading.written[d.start : d.end] == d.token and d.token for d in reading.doubts
    )


def test_forty_unknown_abbreviations_are_said_and_each_is_reported() -> None:
    letters = "BCDGHKLMNPQRSTVX"
    tokens = [f"{a}{b}{a}{b}" for a in letters for b in letters if a != b][:40]

    reading = read("Mời " + ", ".join(tokens) + " họp.")

    assert [doubt.token for doubt in reading.doubts] == tokens
    assert len(reading.spoken.split(",")) == 40


def test_what_is_not_understood_is_said_and_reported() -> None:
    reading = read("Máy Starlink, công ty XYZ, dấu ؟ lạ.")

    assert [(d.token, d.why) for d in reading.doubts] == [
        ("Starlink", "foreign"),
        ("XYZ", "letters"),
        ("؟", "symbol"),
    ]
    assert "Starlink" in reading.spoken
    assert "ích i dài dét" in reading.spoken


def test_a_text_of_100_kb_without_a_full_stop_is_read_in_time() -> None:
    text = "bà con xã Ia Grai họp lúc 7h30 ngày 22/11 " * 2_000

    begin = time.process_time()
    said = normalise(text)

    assert time.process_time() - begin < 5
    assert len(said) > 100_000


def test_a_drill_a_pause_and_an_emphasis_are_kept_in_the_spoken_text() -> None:
    said = spoken("Chú ý [nghỉ 2s] *không* qua suối.", drill=True)

    assert said == "Đây là diễn tập. Chú ý ‖‖‖‖ ‹không› qua suối."


def test_the_south_says_its_own_words() -> None:
    assert normalise("1.105 hộ", region=SOUTH) == "một ngàn một trăm lẻ năm hộ"


def test_a_dictionary_goes_before_the_rules_and_never_in_circles() -> None:
    words = (Word("NVHTT", "nhà văn hóa 2 tầng"), Word("a", "b"), Word("b", "a"))

    assert normalise("NVHTT a b ab", dictionary=words) == (
        "nhà văn hóa hai tầng b a ab"
    )


def test_the_name_of_every_commune_of_the_province_is_known() -> None:
    path = Path(nguon.territory.__file__).parent / "data/units-from-2025-07-01.csv"
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["province_code"] == "52"]

    doubtful = [row["commune"] for row in rows if read(row["commune"]).doubts]

    assert len(rows) == 135
    assert doubtful == []


def test_a_sentence_stands_beside_what_is_said_of_it() -> None:
    parts = read("Họp lúc 7h30. Mang CCCD!\nGọi 112.").parts

    assert [(part.written, part.spoken) for part in parts] == [
        ("Họp lúc 7h30.", "Họp lúc bảy giờ ba mươi phút."),
        ("Mang CCCD!", "Mang căn cước công dân!"),
        ("Gọi 112.", "Gọi một một hai."),
    ]
    assert not re.search(r"\d", " ".join(part.spoken for part in parts))
