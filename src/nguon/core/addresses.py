"""Which addresses a relay may be fetched from: http or https, and never inside.

Pure: names are resolved by the caller, who asks here about every number that came
back and connects to exactly that number, so that a name cannot change its mind.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from nguon.core.errors import InvalidError

_PORTS = {"http": 80, "https": 443}
# IPv6 numbers whose last 32 bits are an IPv4 number: what a NAT64 gateway (RFC 6052)
# opens, and the old form of RFC 4291 2.5.5.1.
_CARRIERS = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96")))


class AddressError(InvalidError):
    """The address may not be opened, or is none."""


@dataclass(frozen=True)
class Address:
    """The parts of an address that a connection needs."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def is_tls(self) -> bool:
        """Say whether the connection is encrypted."""
        return self.scheme == "https"


def parse(url: str) -> Address:
    """Return the parts of an http(s) address.

    Raises AddressError `core.address_unusable` for any other, one with a name and
    password in it, or control characters.
    """
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise AddressError("core.address_unusable", url=url[:200])
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise AddressError("core.address_unusable", url=url[:200]) from error
    if not parts.hostname or parts.username is not None:
        raise AddressError("core.address_unusable", url=url[:200])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, parts.hostname, port, target)


def is_number(host: str) -> bool:
    """Say whether a host is given as an IP address, so that no name is looked up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_inside(number: str) -> bool:
    """Say whether an IP address is not on the public internet (RFC 6890)."""
    try:
        ip = ipaddress.ip_address(number.partition("%")[0])
    except ValueError:
        return True
    carried = _carried(ip) if isinstance(ip, ipaddress.IPv6Address) else None
    ip = carried or ip
    return not ip.is_global or ip.is_multicast


def _carried(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 number to which an IPv6 number leads, if it leads to one."""
    if any(ip in network for network in _CARRIERS):
        return ipaddress.IPv4Address(ip.packed[12:])
    return ip.ipv4_mapped or ip.sixtofour


def check_number(number: str, *, host: str) -> None:
    """Refuse an IP address inside a network: AddressError `core.address_inside`."""
    if is_inside(number):
        raise AddressError("core.address_inside", host=host)
