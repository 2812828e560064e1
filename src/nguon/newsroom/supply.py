"""Supplied bulletins: who may be named as the source, and what a commune made of one.

The supplied words stay whole and recognisable inside a commune's own version. What
stands before is its lead-in, what stands after its closing; all else is a change of
words, shown to whoever approves and to whoever supplied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nguon.newsroom.history import SAME, Change, compare
from nguon.newsroom.models import Supplier
from nguon.territory.models import Unit


@dataclass(frozen=True)
class Adaptation:
    """A commune's version against the supplied text.

    `lead_in` and `closing` are known where the supplied body stands unchanged;
    `is_altered` says that body or title do not, and the changes show where.
    """

    is_altered: bool
    lead_in: str
    closing: str
    title_changes: Sequence[Change]
    changes: Sequence[Change]


def adapt(
    *, supplied_title: str, supplied_body: str, title: str, body: str
) -> Adaptation:
    """Compare a commune's version with what was supplied; blank space is no change."""
    old, new = " ".join(supplied_body.split()), " ".join(body.split())
    # Whole words: "Sở thông báo" does not stand unchanged within "Sở thông báo1".
    place = f" {new} ".find(f" {old} ") if old else -1
    titles = compare(supplied_title, title)
    if all(change.kind == SAME for change in titles):
        titles = []
    if place >= 0:
        end = new[place + len(old) :].strip()
        begin = new[:place].strip()
        return Adaptation(bool(titles), begin, end, titles, ())
    body_changes = compare(supplied_body, body)
    return Adaptation(bool(body_changes), "", "", titles, body_changes)


def localised_body(*, lead_in: str, supplied_body: str, closing: str) -> str:
    """Return the text of a commune's version: its own words around the supplied."""
    parts = (lead_in.strip(), supplied_body.strip(), closing.strip())
    return "\n\n".join(part for part in parts if part)


def suppliers_of(unit: Unit) -> Sequence[Supplier]:
    """Return the sources that a unit's bulletins may name: its own and those above."""
    found = Supplier.objects.filter(unit__in=unit.ancestor_ids, ended_at=None)
    return list(found.select_related("unit").order_by("folded", "pk"))
