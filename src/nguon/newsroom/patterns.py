"""Patterns of bulletins (mẫu tin): those that come along, and a unit's own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from nguon.core.errors import AbsentError
from nguon.newsroom.models import Template
from nguon.people import access as people_access
from nguon.people.models import Officer

_FILE = Path(__file__).with_name("data") / "templates-vi.json"


@dataclass(frozen=True)
class Pattern:
    """A text with [places] to fill in; `own` when a unit made it."""

    key: str
    field: int
    title: str
    body: str
    own: bool = False


@cache
def built_in() -> Sequence[Pattern]:
    """Return the patterns that come along."""
    return tuple(Pattern(**row) for row in json.loads(_FILE.read_text("utf-8")))


def list_patterns(officer: Officer, *, at: datetime) -> list[Pattern]:
    """Return an officer's patterns: those of their ground first, by field."""
    rows = people_access.fence(
        Template.objects.filter(ended_at=None), officer=officer, at=at
    )
    own = [
        Pattern(f"u{row.pk}", row.field, row.title, row.body, own=True)
        for row in rows.order_by("field", "title", "pk")
    ]
    return own + sorted(built_in(), key=lambda one: (one.field, one.title))


def access_pattern(key: str, *, officer: Officer, at: datetime) -> Pattern:
    """Return one pattern that the officer may use. Raises AbsentError."""
    for pattern in list_patterns(officer, at=at):
        if pattern.key == key:
            return pattern
    raise AbsentError("newsroom.template_absent")
