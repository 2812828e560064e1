"""What a driver is: something that reads a few fields of the beat, quickly."""

from collections.abc import Mapping
from typing import Protocol


class Driver(Protocol):
    """One sense. Its fields are those of `core.beats.Beat`."""

    name: str

    def read(self) -> Mapping[str, object]:
        """Return what is known now, within milliseconds; leave out what is not.

        Raises OSError or ValueError when the sense itself is broken.
        """
