"""A unit's name as it is written inside a sentence."""

import pytest

from nguon.web.templatetags.nguon import trong_cau


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("Xã Ia Grai", "xã Ia Grai"),
        ("Tỉnh Gia Lai", "tỉnh Gia Lai"),
        ("Tổ dân phố 1 (ví dụ)", "Tổ dân phố 1 (ví dụ)"),
        ("Thôn 1", "Thôn 1"),
        ("Thành phố Hồ Chí Minh", "Thành phố Hồ Chí Minh"),
        ("Xãn", "Xãn"),
        ("", ""),
    ],
)
def test_the_kind_is_small_inside_a_sentence(name: str, inside: str) -> None:
    assert trong_cau(name) == inside
