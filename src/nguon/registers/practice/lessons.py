"""The lessons of the practice and its two shipped bulletins, read from our own file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nguon.core.errors import InvalidError

FILE = Path(__file__).parents[1] / "data" / "luyen-tap-vi.json"


@dataclass(frozen=True)
class Choice:
    """One answer; `why` tells what is wrong with it, nothing when it is right."""

    text: str
    why: str


@dataclass(frozen=True)
class Reading:
    """One lesson: what to read, `minutes` long, and a question about it."""

    step: str
    title: str
    minutes: int
    paragraphs: tuple[str, ...]
    question: str
    choices: tuple[Choice, ...]

    def check_answer(self, number: int) -> None:
        """Refuse a wrong answer, counted from 0. Raises InvalidError `registers.…`."""
        if not 0 <= number < len(self.choices):
            raise InvalidError("registers.practice_unanswered")
        if self.choices[number].why:
            raise InvalidError(
                "registers.practice_answer", why=self.choices[number].why
            )


@dataclass(frozen=True)
class Shipped:
    """A bulletin that comes with the practice; `why` is its mistake, if it has one."""

    title: str
    body: str
    when: str = ""
    why: str = ""


def readings() -> Mapping[str, Reading]:
    """Return every lesson by its step."""
    return {
        row["step"]: Reading(
            step=row["step"],
            title=row["title"],
            minutes=row["minutes"],
            paragraphs=tuple(row["paragraphs"]),
            question=row["question"],
            choices=tuple(Choice(**one) for one in row["choices"]),
        )
        for row in _content()["readings"]
    }


def example() -> Shipped:
    """Return a good bulletin for whoever has no idea what to write."""
    return Shipped(**_content()["example"])


def flawed() -> Shipped:
    """Return a bulletin of a colleague with a mistake that no machine sees."""
    return Shipped(**_content()["flawed"])


@cache
def _content() -> Any:
    return json.loads(FILE.read_text(encoding="utf-8"))
