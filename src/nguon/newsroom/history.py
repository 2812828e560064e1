"""The history of a bulletin: every text it had, who did what, and the differences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from nguon.newsroom.models import Bulletin, Comment, Involvement, Recording

SAME, ADDED, GONE = "same", "added", "gone"
# A long stretch without change is folded to its two ends.
CONTEXT_WORDS = 24
_PIECES = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Change:
    """A stretch of text that stayed, came or went."""

    kind: str
    text: str


@dataclass(frozen=True)
class Text:
    """One text that the bulletin had; `changes` against the one before it."""

    label: str
    title: str
    body: str
    by: str
    at: datetime
    frozen: bool
    changes: Sequence[Change] = ()
    title_changes: Sequence[Change] = ()


@dataclass(frozen=True)
class Act:
    """What one person did, and when."""

    at: datetime
    by: str
    what: str


def compare(old: str, new: str) -> list[Change]:
    """Return the differences between two texts, word by word."""
    before, after = _PIECES.findall(old), _PIECES.findall(new)
    found: list[Change] = []
    matcher = SequenceMatcher(None, before, after)
    for kind, from_old, to_old, from_new, to_new in matcher.get_opcodes():
        if kind == "equal":
            found.append(Change(SAME, "".join(after[from_new:to_new])))
            continue
        if to_old > from_old:
            found.append(Change(GONE, "".join(before[from_old:to_old])))
        if to_new > from_new:
            found.append(Change(ADDED, "".join(after[from_new:to_new])))
    return found


def fold_same(changes: Sequence[Change]) -> list[Change]:
    """Return changes with long unchanged stretches folded to "…"."""
    return [
        Change(SAME, _fold(change.text)) if change.kind == SAME else change
        for change in changes
    ]


def _fold(text: str) -> str:
    pieces = _PIECES.findall(text)
    if len(pieces) <= 4 * CONTEXT_WORDS:
        return text
    ends = pieces[: 2 * CONTEXT_WORDS], pieces[-2 * CONTEXT_WORDS :]
    return f"{''.join(ends[0])} … {''.join(ends[1])}"


def list_texts(bulletin: Bulletin) -> list[Text]:
    """Return every text of a bulletin, the newest first, each with its changes."""
    rows: list[dict[str, Any]] = [
        {
            "label": f"Bản lưu {row.number}",
            "title": row.title,
            "body": row.body,
            "by": row.saved_by.full_name,
            "at": row.saved_at,
            "frozen": False,
        }
        for row in bulletin.revisions.select_related("saved_by")
    ]
    rows += [
        {
            "label": f"Bản gửi duyệt {row.number}",
            "title": row.title,
            "body": row.body,
            "by": row.created_by.full_name,
            "at": row.created_at,
            "frozen": True,
        }
        for row in bulletin.versions.select_related("created_by")
    ]
    rows.append(
        {
            "label": "Bản đang soạn",
            "title": bulletin.title,
            "body": bulletin.body,
            "by": bulletin.saved_by.full_name,
            "at": bulletin.saved_at,
            "frozen": False,
        }
    )
    rows.sort(key=lambda row: (row["at"], row["frozen"]))
    texts: list[Text] = []
    for place, row in enumerate(rows):
        before = rows[place - 1] if place else {"title": "", "body": ""}
        if place and not row["frozen"] and _same(row, before):
            continue
        changes = fold_same(compare(before["body"], row["body"])) if place else ()
        titles = compare(before["title"], row["title"]) if place else ()
        texts.append(Text(**row, changes=changes, title_changes=titles))
    return texts[::-1]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["title"] == other["title"] and one["body"] == other["body"])


def list_acts(bulletin: Bulletin) -> list[Act]:
    """Return who did what with a bulletin, the newest first."""
    acts = [Act(bulletin.created_at, bulletin.created_by.full_name, "bắt đầu bản tin")]
    acts += [
        Act(row.first_at, row.person.full_name, "sửa lần đầu")
        for row in bulletin.editors.select_related("person")
        if row.person_id != bulletin.created_by_id
    ]
    acts += [
        Act(row.created_at, row.created_by.full_name, f"gửi duyệt bản {row.number}")
        for row in bulletin.versions.select_related("created_by")
    ]
    approved = Involvement.objects.filter(
        version__bulletin=bulletin, kind=Involvement.APPROVE
    ).select_related("person", "version")
    acts += [
        Act(row.at, row.person.full_name, f"duyệt bản {row.version.number}")
        for row in approved
    ]
    recorded = Recording.objects.filter(bulletin=bulletin)
    acts += [
        Act(row.recorded_at, row.recorded_by.full_name, "gửi bản ghi giọng đọc")
        for row in recorded.select_related("recorded_by")
    ]
    acts += [
        Act(
            one.added_at,
            one.added_by.full_name,
            f"kèm {one.get_kind_display().lower()} {one.caption}".strip(),
        )
        for one in bulletin.attachments.select_related("added_by")
    ]
    return sorted(acts, key=lambda act: act.at, reverse=True)


def list_comments(bulletin: Bulletin) -> Sequence[Comment]:
    """Return the remarks on a bulletin, the oldest first."""
    return list(bulletin.comments.select_related("by").order_by("at", "pk"))
