"""Movers of what goes on in words and registers: feeds, copies, lines.

What was made with a word or a supplier stays true: they are copied. A line of a
register ends on the day and another goes on, so that counts of earlier days stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Q

from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import DictionaryWord, NewsFeed, Supplier
from nguon.registers import continuing
from nguon.registers.models import Station
from nguon.reorganization.ground import Ground, chunks
from nguon.reorganization.models import Moved
from nguon.reorganization.movers import Act, Done, Mover, Shift, Thing


@dataclass(frozen=True)
class Feeds(Shift):
    """A feed is read for the new unit, and names that unit's copy of its supplier."""

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Move them, each with its supplier."""
        feeds = NewsFeed.objects.in_bulk([thing.key for thing in things])
        named = Supplier.objects.in_bulk([one.supplier_id for one in feeds.values()])
        # One of ground that is not rearranged, or stays, is named as before.
        moves = {
            key: heir
            for key, supplier in named.items()
            if supplier.unit_id in ground.places
            and (heir := ground.heir(supplier.unit_id)) is not None
        }
        copies = newsroom.copy_suppliers(moves=moves, by=act.by, at=act.at)
        told = {key: {"supplier": feed.supplier_id} for key, feed in feeds.items()}
        done = super().run(things, ground, act)
        for key, feed in feeds.items():
            made, _is_new = copies.get(feed.supplier_id, (feed.supplier_id, False))
            NewsFeed.objects.filter(pk=key).update(supplier=made)
        return [replace(one, told=told[one.thing.key]) for one in done]

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Move them back, and name the old supplier."""
        super().back(rows, act)
        for row in rows:
            feeds = NewsFeed.objects.filter(pk=row.key)
            feeds.update(supplier=row.told["supplier"])


@dataclass(frozen=True)
class Copies(Mover):
    """What others rest on is copied: the old one stays for what was made with it."""

    kind: str
    model: type[DictionaryWord] | type[Supplier]
    live: Q
    key: str

    def find(self, ground: Ground, *, at: datetime) -> list[Thing]:
        """Return them; what the new unit has already, in any form, is a double."""
        things = []
        seen: set[tuple[int, str]] = set()
        for part in ground.all_chunks():
            rows = self.model._default_manager.filter(self.live, unit__in=part)
            for unit, name in rows.values_list("unit", self.key):
                if unit not in ground.places:
                    seen.add((unit, name))
        for part in ground.old_chunks():
            rows = self.model._default_manager.filter(self.live, unit__in=part)
            listed = rows.order_by("unit", "pk").values_list("pk", "unit", self.key)
            for key, old, name in listed:
                new = ground.heir(old)
                double = new is not None and (new, name) in seen
                seen.add((new or 0, name))
                things.append(Thing(key, old, new, is_double=double))
        return sorted(things, key=lambda thing: thing.key)

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Copy them."""
        copy = (
            newsroom.copy_words
            if self.model is DictionaryWord
            else newsroom.copy_suppliers
        )
        moves = {thing.key: thing.new or 0 for thing in things}
        copies = copy(moves=moves, by=act.by, at=act.at)
        return [
            Done(
                thing,
                made=copies[thing.key][0],
                told={"is_new": copies[thing.key][1]},
            )
            for thing in things
        ]

    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return nothing: the old ones are as they were."""
        return set()

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """End the copies that are new."""
        made = [row.made or 0 for row in rows if row.told["is_new"]]
        if self.model is DictionaryWord:
            newsroom.remove_copies(words=made, by=act.by, at=act.at)
        else:
            newsroom.end_copies(suppliers=made, at=act.at)

    def count(self, ground: Ground, *, at: datetime) -> int:
        """Return how many different ones hold: unit of today and name."""
        held = set()
        for part in ground.all_chunks():
            rows = self.model._default_manager.filter(self.live, unit__in=part)
            for unit, name in rows.values_list("unit", self.key):
                known = unit in ground.places
                held.add(((known and ground.heir(unit)) or unit, name))
        return len(held)

    def label(self, keys: Sequence[int]) -> dict[int, str]:
        """Return what they are called."""
        shown = "written" if self.model is DictionaryWord else "name"
        found: dict[int, str] = {}
        for part in chunks(keys):
            rows = self.model._default_manager.filter(pk__in=part)
            found.update(rows.values_list("pk", shown))
        return found


@dataclass(frozen=True)
class Lines(Shift):
    """A line of a register ends on the day, and goes on at the new unit."""

    book: continuing.AnyModel = Station

    def run(self, things: Sequence[Thing], ground: Ground, act: Act) -> list[Done]:
        """Have them go on."""
        done = continuing.continue_lines(
            model=self.book,
            moves={thing.key: thing.new or 0 for thing in things},
            names={thing.key: thing.name for thing in things if thing.name},
            day=act.day,
            by=act.by,
            at=act.at,
        )
        return [
            Done(
                thing,
                made=done[thing.key].made,
                told={
                    "until": _iso(done[thing.key].until),
                    "changes": done[thing.key].changes,
                    "called": done[thing.key].name,
                },
            )
            for thing in things
        ]

    def changed(self, rows: Sequence[Moved]) -> set[int]:
        """Return the lines that somebody wrote in since."""
        return continuing.list_changed(self.book, _continued(rows))

    def back(self, rows: Sequence[Moved], act: Act) -> None:
        """Take them back."""
        continuing.take_back_lines(
            model=self.book,
            done=_continued(rows),
            units={row.key: row.old_id for row in rows},
            at=act.at,
        )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _continued(rows: Sequence[Moved]) -> dict[int, continuing.Continued]:
    return {
        row.key: continuing.Continued(
            made=row.made,
            until=date.fromisoformat(row.told["until"]) if row.told["until"] else None,
            changes=row.told["changes"],
            name=row.told["called"],
        )
        for row in rows
    }
