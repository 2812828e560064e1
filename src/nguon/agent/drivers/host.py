"""What every Linux board knows of itself: disk, heat, the way to the network, data.

Reads `/proc` and `/sys` and starts no program. Paths are given, so that a test shows
it a board of its own.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from nguon.core import beats

MEGABYTE = 1_000_000
# Beginnings of interface names (systemd, "Predictable Network Interface Names").
KINDS = (
    (("eth", "en"), beats.ETHERNET),
    (("wlan", "wl"), beats.WIFI),
    (("wwan", "ww", "ppp", "usb"), beats.MOBILE),
)


class Host:
    """The board itself."""

    name = "host"

    def __init__(self, *, storage: Path, root: Path = Path("/")) -> None:
        self._storage = storage
        self._root = root

    def read(self) -> Mapping[str, object]:
        """Return free storage, temperature, network and mobile data used."""
        found: dict[str, object] = {
            "storage_free_mb": shutil.disk_usage(self._storage).free // MEGABYTE
        }
        zone = self._root / "sys/class/thermal/thermal_zone0/temp"
        if zone.exists():
            found["temperature_c"] = round(int(zone.read_text()) / 1000)
        network = self._network()
        if network:
            found["network"] = network
        used = self._mobile_bytes()
        if used is not None:
            found["data_used_mb"] = used // MEGABYTE
        return found

    def _network(self) -> str:
        """Return by which kind of interface the default route goes out now."""
        routes = self._root / "proc/net/route"
        if not routes.exists():
            return ""
        rows = [line.split() for line in routes.read_text().splitlines()[1:]]
        # Destination 0 is the default; the lowest metric wins.
        ways = sorted((int(row[6]), row[0]) for row in rows if row[1] == "00000000")
        return kind_of(ways[0][1]) if ways else ""

    def _mobile_bytes(self) -> int | None:
        """Return what went over mobile interfaces since the start, both ways."""
        counters = self._root / "proc/net/dev"
        if not counters.exists():
            return None
        total = None
        for line in counters.read_text().splitlines()[2:]:
            name, _, numbers = line.partition(":")
            if kind_of(name.strip()) == beats.MOBILE:
                fields = numbers.split()
                total = (total or 0) + int(fields[0]) + int(fields[8])
        return total


def kind_of(interface: str) -> str:
    """Return the kind of a network interface by its name, or nothing."""
    for starts, kind in KINDS:
        if interface.startswith(starts):
            return kind
    return ""
