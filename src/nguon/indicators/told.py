"""Numbers of a day that a room above keeps: that room says here how they are read.

Imports only go down, so a room above registers what it knows when Django starts; a
figure names it by its word. Nothing of it is stored here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

RUNNING_COST = "running_cost"


@dataclass(frozen=True)
class Source:
    """What is told: in which words, where it is written, how it is read.

    `read` returns by unit of the day what was true on it; who has told nothing is not
    in it. `page` is the name of an address; `missing` is said when nobody has told.
    """

    words: str
    missing: str
    page: str
    read: Callable[[date], Mapping[int, int]]


SOURCES: dict[str, Source] = {}


def register(what: str, source: Source) -> None:
    """Let a room above tell a number; its own AppConfig calls this once."""
    SOURCES[what] = source
