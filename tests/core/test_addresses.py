"""A relay's address is public, http or https, and says no more than where."""

import pytest

from nguon.core.addresses import AddressError, check_number, is_inside, parse


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("http://radio.vn/live", "radio.vn", 80, "/live"),
        ("https://radio.vn", "radio.vn", 443, "/"),
        ("https://radio.vn:8443/a?b=c", "radio.vn", 8443, "/a?b=c"),
        ("http://[2001:db8::1]:80/x", "2001:db8::1", 80, "/x"),
    ],
)
def test_the_parts_of_an_address(url: str, host: str, port: int, target: str) -> None:
    found = parse(url)

    assert (found.host, found.port, found.target) == (host, port, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "rtsp://radio.vn/live",
        "http:///live",
        "http://lan:mat-khau@radio.vn/",
        "http://radio.vn:99999/",
        "http://radio.vn/a b",
        "http://radio.vn/\r\nHost: khac",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressError):
        parse(url)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "no number",
    ],
)
def test_numbers_inside_a_network_are_refused(number: str) -> None:
    assert is_inside(number)
    with pytest.raises(AddressError):
        check_number(number, host="radio.vn")


def test_numbers_on_the_internet_may_be_opened() -> None:
    assert not is_inside("203.113.131.1")
    assert not is_inside("2606:4700::1111")
