"""Reads of merges: the list, what may be rearranged, what was moved by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, QuerySet

from nguon.people.models import Officer
from nguon.reorganization import access, rules
from nguon.reorganization.kinds import BY_KIND, MOVERS, NAMES
from nguon.reorganization.models import Merge, Moved
from nguon.reorganization.preview import Preview, names_of
from nguon.territory.models import COMMUNE, Succession, Unit


@dataclass(frozen=True)
class Line:
    """One thing as a person reads it: what, from where, to where, and what of it."""

    kind: str
    name: str
    old: str
    new: str
    more: str = ""


def list_merges(
    officer: Officer, asked: Mapping[str, str], *, at: datetime
) -> QuerySet[Merge]:
    """Return the merges that an officer may see, the latest first.

    `asked`: `tim` (words of the title), `tinh_trang` (a state).
    """
    found = access.fence_merges(officer, at=at)
    if asked.get("tim"):
        found = found.filter(title__icontains=asked["tim"].strip())
    if asked.get("tinh_trang"):
        found = found.filter(state=asked["tinh_trang"])
    counted = found.annotate(
        olds=Count("successions__old", distinct=True),
        news=Count("successions__new", distinct=True),
    )
    return counted.select_related("unit", "made_by", "run_by").order_by("-pk")


def list_days(province: Unit) -> list[date]:
    """Return the days on which communes of a province were rearranged, latest first."""
    rows = Succession.objects.filter(
        new__path__startswith=province.path, old__kind=COMMUNE
    )
    days = rows.order_by("-new__valid_from").values_list("new__valid_from", flat=True)
    return list(days.distinct())


def list_news(province: Unit) -> list[Unit]:
    """Return the communes of a province that came out of others, by name."""
    rows = Succession.objects.filter(old__kind=COMMUNE).values("new")
    units = Unit.objects.under(province).filter(kind=COMMUNE, pk__in=rows)
    return list(units.order_by("folded", "pk"))


def list_things(seen: Preview, kind: str) -> list[Line]:
    """Return what would move of a kind, or of all of them, by name."""
    found: list[Line] = []
    for one in seen.kinds:
        if kind and one.mover.kind != kind:
            continue
        things = one.things
        places = names_of(
            key for t in things for key in (t.old, t.new) if key is not None
        )
        labels = one.mover.label([thing.key for thing in things])
        moving = {thing.key for thing in one.moving}
        for thing in things:
            more = f"đổi tên thành {thing.name}" if thing.name else ""
            if thing.is_double:
                more = "nơi mới đã có: gộp làm một"
            if thing.key not in moving:
                more = more or "để lại"
            found.append(
                Line(
                    one.name,
                    labels.get(thing.key, ""),
                    places[thing.old],
                    places.get(thing.new or 0, "chờ chọn"),
                    more,
                )
            )
    return found


def list_moved(merge: Merge, kind: str) -> list[Line]:
    """Return what a merge moved of a kind, or of all of them, by name."""
    rows = merge.moved.order_by("kind", "key")
    if kind:
        rows = rows.filter(kind=kind)
    return lines_of(merge, list(rows))


def list_not_undone(merge: Merge) -> list[Moved]:
    """Return what stayed when the rest of a merge went back; nothing of others."""
    if merge.state != rules.UNDONE:
        return []
    return list(merge.moved.filter(undone_at=None).order_by("kind", "key"))


def lines_of(merge: Merge, rows: Sequence[Moved]) -> list[Line]:
    """Return moved things by name, those that did not go back marked."""
    places = names_of(key for row in rows for key in (row.old_id, row.new_id))
    by_kind: dict[str, list[int]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row.key)
    labels = {kind: BY_KIND[kind].label(keys) for kind, keys in by_kind.items()}
    is_undone = merge.undone_at is not None
    return [
        Line(
            NAMES[row.kind],
            labels[row.kind].get(row.key, "đã xóa"),
            places[row.old_id],
            places[row.new_id],
            "không hoàn tác" if is_undone and row.undone_at is None else "",
        )
        for row in rows
    ]


def count_moved(merge: Merge) -> list[tuple[str, str, int]]:
    """Return how many things of each kind a merge moved: kind, name, count."""
    rows = merge.moved.order_by().values("kind").annotate(n=Count("pk"))
    counts = {row["kind"]: row["n"] for row in rows}
    return [
        (mover.kind, NAMES[mover.kind], counts[mover.kind])
        for mover in MOVERS
        if mover.kind in counts
    ]
