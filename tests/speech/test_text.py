"""Written Vietnamese is read as a person would read it."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nguon.newsroom
from nguon.speech.numbers import read_roman, say_whole, say_written, write_roman
from nguon.speech.text import normalise, spoken

BULLETINS = Path(nguon.newsroom.__file__).parent / "data" / "bulletins-vi.json"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "không"),
        (5, "năm"),
        (10, "mười"),
        (15, "mười lăm"),
        (21, "hai mươi mốt"),
        (24, "hai mươi tư"),
        (55, "năm mươi lăm"),
        (105, "một trăm linh năm"),
        (110, "một trăm mười"),
        (1_005, "một nghìn không trăm linh năm"),
        (1_150, "một nghìn một trăm năm mươi"),
        (2_026, "hai nghìn không trăm hai mươi sáu"),
        (5_200, "năm nghìn hai trăm"),
        (100_000_000, "một trăm triệu"),
        (1_000_000_001, "một tỷ không trăm linh một"),
        (-7, "âm bảy"),
    ],
)
def test_whole_numbers(number: int, said: str) -> None:
    assert say_whole(number) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        # hours
        ("15h00", "mười lăm giờ"),
        ("7h30", "bảy giờ ba mươi phút"),
        ("15:05", "mười lăm giờ năm phút"),
        ("7 giờ 30", "bảy giờ ba mươi phút"),
        ("7h00 - 11h30", "bảy giờ đến mười một giờ ba mươi phút"),
        ("25h00", "hai mươi lăm"),
        # days
        (
            "ngày 22/11/2026",
            "ngày hai mươi hai tháng mười một năm hai nghìn không trăm",
        ),
        (
            "Từ 01/07/2025",
            "Từ ngày một tháng bảy năm hai nghìn không trăm hai mươi lăm",
        ),
        ("thứ Bảy 05/12/2026", "thứ Bảy ngày năm tháng mười hai năm hai nghìn"),
        ("đêm 22/11", "đêm hai mươi hai tháng mười một"),
        ("trước ngày 20/12", "trước ngày hai mươi tháng mười hai"),
        ("từ ngày 10 đến 18/11", "từ ngày mười đến mười tám tháng mười một"),
        ("lễ 30/4", "lễ ba mươi tháng tư"),
        ("thứ 7", "thứ Bảy"),
        ("tháng 4/2026", "tháng tư năm hai nghìn không trăm hai mươi sáu"),
        # ranges, decimals, parts of a whole
        ("3 - 5 cm", "ba đến năm xăng ti mét"),
        ("cấp 12 - 14", "cấp mười hai đến mười bốn"),
        ("200 – 400 mm", "hai trăm đến bốn trăm mi li mét"),
        ("12,5%", "mười hai phẩy năm phần trăm"),
        ("12,45 tỷ", "mười hai phẩy bốn mươi lăm tỷ"),
        ("12,05", "mười hai phẩy không năm"),
        ("38/41 hộ", "ba mươi tám trên bốn mươi mốt hộ"),
        ("9/9 thôn", "chín trên chín thôn"),
        ("-5°C", "âm năm độ xê"),
        # money, units, rates
        ("100.000.000 đồng", "một trăm triệu đồng"),
        ("50.000đ/kg", "năm mươi nghìn đồng một ki lô gam"),
        ("6,6%/năm", "sáu phẩy sáu phần trăm một năm"),
        ("51,2 triệu đồng/năm", "năm mươi mốt phẩy hai triệu đồng một năm"),
        ("2 lần/tuần", "hai lần một tuần"),
        ("150 m³/s", "một trăm năm mươi mét khối trên giây"),
        ("5.200 m²", "năm nghìn hai trăm mét vuông"),
        ("22 kV", "hai mươi hai ki lô vôn"),
        ("rộng 4 m nay", "rộng bốn mét nay"),
        # telephones
        ("0269 3555 012", "không hai sáu chín, ba năm năm năm, không một hai"),
        ("(0269) 3824 123", "không hai sáu chín, ba tám hai bốn, một hai ba"),
        ("0269.3.824.567", "không hai sáu chín, ba, tám hai bốn, năm sáu bảy"),
        ("024.3822.2999", "không hai bốn, ba tám hai hai, hai chín chín chín"),
        ("0905.12.34.56", "không chín không năm, một hai, ba bốn, năm sáu"),
        ("+84 905 123 456", "không chín không năm, một hai ba, bốn năm sáu"),
        ("0905 123 456 7h30", "bốn năm sáu bảy giờ ba mươi"),
        ("05.12.2026 80 hộ", "hai nghìn không trăm hai mươi sáu tám mươi hộ"),
        ("gọi 112 hoặc 114", "gọi một một hai hoặc một một bốn"),
        ("113 hộ", "một trăm mười ba hộ"),
        # documents, Roman numerals, abbreviations
        (
            "số 49/2024/NĐ-CP",
            "không trăm hai mươi tư, nghị định của Chính phủ",
        ),
        ("91/2025/QH15", "Quốc hội khóa mười lăm"),
        ("cấp IV", "cấp bốn"),
        ("Chương II", "Chương hai"),
        ("giấy phép hạng C", "giấy phép hạng C"),
        ("UBND xã", "Ủy ban nhân dân xã"),
        ("CCCD", "căn cước công dân"),
        ("mã OTP", "mã ô tê pê"),
        ("mã QR", "mã quy rờ"),
        ("QL19", "quốc lộ mười chín"),
        ("KTQD", "ca tê quy dê"),
        ("THÔNG BÁO KHẨN", "thông báo khẩn"),
        ("gialai.gov.vn", "gia lai chấm gốp chấm vê en nờ"),
        ("ông A", "ông A"),
    ],
)
def test_what_stations_write(written: str, said: str) -> None:
    assert said in normalise(written)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Thông báo khẩn", "phát lúc mười lăm giờ ngày hai mươi mốt tháng mười một"),
        ("Thông báo khẩn", "cấp mười hai đến mười bốn, giật cấp mười bảy"),
        ("Thông báo khẩn", "gọi một một hai hoặc một một bốn"),
        ("Cảnh báo lũ", "Trong ba đến sáu giờ tới"),
        ("Tiêm", "không hai sáu chín, ba năm năm năm, không một hai"),
        ("Lịch cắt", "đường dây hai mươi hai ki lô vôn"),
        ("Vay vốn", "một trăm triệu đồng, thời hạn đến mười năm"),
        ("Lấy ý", "mười chín giờ thứ Bảy ngày năm tháng mười hai"),
        ("Phòng bệnh", "hai lần một tuần"),
        ("Thu hái", "ba đến năm xăng ti mét"),
        ("Cảnh giác", "mã ô tê pê"),
        ("Ngày hội", "từ ngày mười đến mười tám tháng mười một"),
        ("Người tốt", "năm nghìn hai trăm mét vuông"),
        ("Nộp hồ", "sáng bảy giờ đến mười một giờ ba mươi phút"),
        ("Hồ thủy", "một trăm năm mươi mét khối trên giây"),
        ("Nguy cơ", "ở cấp bốn, cấp nguy hiểm"),
        ("Khám", "từ đủ mười tám đến hết hai mươi lăm tuổi"),
        ("Bản tin dài", "ba mươi tám trên bốn mươi mốt hộ nghèo"),
        ("Bản tin dài", "trước ngày hai mươi tháng mười hai"),
        ("Nhặt", "mang tên ông A."),
        ("Quy định", "Theo Chương hai, Ủy ban nhân dân cấp xã"),
    ],
)
def test_the_bulletins_a_commune_really_sends(title: str, said: str) -> None:
    rows = json.loads(BULLETINS.read_text(encoding="utf-8"))

    texts = [normalise(f"{row['title']}\n{row['body']}") for row in rows]

    assert any(text.startswith(title) and said in text for text in texts)
    assert len(texts) == 18


def test_the_bulletins_leave_nothing_that_a_voice_would_spell() -> None:
    rows = json.loads(BULLETINS.read_text(encoding="utf-8"))

    texts = [normalise(f"{row['title']}\n{row['body']}") for row in rows]

    for text in texts:
        assert not re.search(r"[\d/%³²°\"()]|[A-ZĐ]{2}", text)


def test_a_drill_says_so_in_its_first_words() -> None:
    assert spoken("Bão cấp 12.", drill=True) == ("Đây là diễn tập. Bão cấp mười hai.")
    assert spoken("Bão cấp 12.", drill=False) == "Bão cấp mười hai."


@given(st.text(max_size=200))
def test_no_digit_survives_any_text(text: str) -> None:
    assert not re.search(r"\d", normalise(text))


@given(st.integers(min_value=1, max_value=399))
def test_roman_numerals_are_read_as_they_are_written(number: int) -> None:
    assert read_roman(write_roman(number)) == number


@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_marks_of_thousands_change_nothing(number: int) -> None:
    assert say_written(f"{number:,}".replace(",", ".")) == say_whole(number)


@pytest.mark.parametrize(
    "piece", ["1", "1.", ".111", "1/", "a-", "A-", "1-", "w.", "\n", " ", "ngày 1 "]
)
def test_a_hostile_text_of_full_length_is_read_quickly(piece: str) -> None:
    text = (piece * 20_000)[:20_000]

    begin = time.process_time()
    normalise(text)

    assert time.process_time() - begin < 2
