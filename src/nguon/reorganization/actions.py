"""Every change to a merge: drawn up, decided, run, undone, confirmed.

A run is one transaction over all rooms: what is killed in the middle has not happened.
Two who act at once wait for each other at the merge's row, and the second is refused.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby

from django.db import connection, transaction
from django.utils import timezone

from nguon.audit import actions as audit
from nguon.audit import guards
from nguon.core import typed
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.people import access as people
from nguon.people import actions as people_actions
from nguon.people.models import APPROVER, Officer
from nguon.reorganization import access, preview, rules, telling
from nguon.reorganization.ground import Ground, Place, close, read_ground
from nguon.reorganization.kinds import BY_KIND, MOVERS, NAMES
from nguon.reorganization.models import Heir, Merge, Moved
from nguon.reorganization.movers import Act, Done, Mover
from nguon.reorganization.preview import Kind
from nguon.schedule.actions.plans import AT_ONCE, build_plans
from nguon.territory.models import COMMUNE, Succession, Unit

CHUNK = 500
# How many changed things an error lists; the page shows all.
LISTED = 5


class MovedSinceError(ConflictError):
    """Somebody changed moved things since; `rows` cannot go back."""

    def __init__(self, rows: Sequence[Moved]) -> None:
        names = sorted({NAMES[row.kind] for row in rows})[:LISTED]
        super().__init__(
            "reorganization.moved_since", count=len(rows), kinds=", ".join(names)
        )
        self.rows = rows


@transaction.atomic
def draft_merge(
    *,
    unit: Unit,
    day: date,
    heirs: Sequence[Unit],
    title: str,
    by: Officer,
    at: datetime,
) -> Merge:
    """Draw up the merge of what went into some new communes of a province on a day.

    Without `heirs`, into all of them. What hangs together comes along (`close`).
    Raises InvalidError (`reorganization.title`, `.nothing`), ConflictError `.overlap`,
    and what `access.check_maker` raises.
    """
    access.check_maker(by, unit, at=at)
    words = typed.one_line(title)
    if not 0 < len(words) <= rules.MAX_TITLE:
        raise InvalidError("reorganization.title", limit=rules.MAX_TITLE)
    rows = Succession.objects.filter(
        new__path__startswith=unit.path, new__valid_from=day, old__kind=COMMUNE
    )
    if heirs:
        rows = rows.filter(new__in=heirs)
    successions = close(list(rows))
    if not successions:
        raise InvalidError("reorganization.nothing", day=f"{day:%d/%m/%Y}")
    # Two who draw up at once wait here, so that no ground is in two merges.
    Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    taken = Merge.objects.filter(
        successions__in=successions, state__in=[rules.DRAFTED, rules.RUN]
    )
    other = taken.first()
    if other is not None:
        raise ConflictError("reorganization.overlap", title=other.title)
    merge = Merge.objects.create(
        unit=unit, day=day, title=words, made_by=by, made_at=at
    )
    merge.successions.set(successions)
    audit.record(
        "reorganization.merge.drafted",
        target=merge,
        by=by,
        at=at,
        data={"day": day.isoformat(), "successions": len(successions)},
    )
    return merge


@transaction.atomic
def drop_merge(*, merge_uid: str, by: Officer, at: datetime) -> None:
    """Throw a draft away. Raises ConflictError `reorganization.state`, AbsentError."""
    merge = _lock(merge_uid, by=by, at=at)
    access.check_maker(by, merge.unit, at=at)
    if merge.state != rules.DRAFTED:
        raise ConflictError("reorganization.state", state=rules.SAID[merge.state])
    audit.record("reorganization.merge.dropped", target=merge, by=by, at=at)
    merge.heirs.all().delete()
    merge.successions.clear()
    merge.delete()


@transaction.atomic
def choose_heir(
    *, merge_uid: str, old_id: int, heir_id: int | None, by: Officer, at: datetime
) -> Merge:
    """Decide where what stands at a divided or vanished unit goes; None: it stays.

    Raises AbsentError `reorganization.unit_absent`, InvalidError
    `reorganization.heir_elsewhere`, ConflictError `reorganization.state`, and what
    `access.check_maker` raises.
    """
    merge = _lock(merge_uid, by=by, at=at)
    access.check_maker(by, merge.unit, at=at)
    if merge.state != rules.DRAFTED:
        raise ConflictError("reorganization.state", state=rules.SAID[merge.state])
    place = read_ground(merge).places.get(old_id)
    if place is None or not place.options:
        raise AbsentError("reorganization.unit_absent")
    if heir_id is not None and heir_id not in {unit.pk for unit in place.options}:
        raise InvalidError("reorganization.heir_elsewhere", unit=place.old.full_name)
    Heir.objects.update_or_create(
        merge=merge, old=place.old, defaults={"unit_id": heir_id, "by": by, "at": at}
    )
    audit.record(
        "reorganization.heir.chosen",
        target=merge,
        by=by,
        at=at,
        data={"old": place.old.uid, "heir": heir_id},
    )
    return merge


@transaction.atomic
def run_merge(
    *,
    merge_uid: str,
    sha256: str,
    knows_silence: bool = False,
    by: Officer,
    at: datetime,
) -> Merge:
    """Move everything of a merge, as the preview of this hash says: all or nothing.

    1. Refuse whoever had a hand in it, a day that has not come, open decisions, what
       is going on (a stop, an alert, a live voice), and any preview but the present;
       speakers that would be silent after it, unless who runs it says to know.
    2. Count; move kind by kind, villages first, devices last; write `Moved`.
    3. Make and sign the plans of the new units, in the same transaction.
    4. Count again: by kind the same as before, else nothing has happened.

    Raises RefusedError `reorganization.own_merge`, ConflictError (`.state`, `.blocked`,
    `.changed`, `.silencing`, `.lost`), InvalidError (`.too_early`, `.undecided`),
    GuardsMissingError, CannotSignError, AbsentError, NoRightError.
    """
    guards.check_set(connection)
    merge = _lock(merge_uid, by=by, at=at)
    people.check_can(by, APPROVER, unit=merge.unit, at=at)
    _check_next(merge, rules.RUN)
    if access.has_hand_in(by, merge):
        raise RefusedError("reorganization.own_merge")
    if timezone.localdate(at) < merge.day:
        raise InvalidError("reorganization.too_early", day=f"{merge.day:%d/%m/%Y}")
    seen = preview.look(merge, at=at)
    if seen.blocks:
        raise ConflictError("reorganization.blocked", what="; ".join(seen.blocks))
    if seen.open:
        raise InvalidError("reorganization.undecided", count=len(seen.open))
    if sha256 != seen.sha256:
        raise ConflictError("reorganization.changed")
    if seen.silencing and not knows_silence:
        raise ConflictError("reorganization.silencing")
    ground = seen.ground
    before = preview.count_all(ground, at=at)
    to_come = preview.list_to_come(ground, at=at)
    _move(merge, ground, Act(by, at, merge.day))
    people_actions.read_past(pairs=ground.pasts())
    _make_plans(ground, by=by, at=at)
    after = preview.count_all(ground, at=at)
    _check_nothing_lost(before, after)
    merge.state, merge.sha256 = rules.RUN, sha256
    merge.run_by, merge.run_at = by, at
    merge.counts = {"before": before, "after": after}
    merge.save(update_fields=["state", "sha256", "run_by", "run_at", "counts"])
    telling.tell_officers(merge, "nay là", "new", at=at)
    telling.tell_unheard(merge, ground, to_come, at=at)
    audit.record(
        "reorganization.merge.run",
        target=merge,
        by=by,
        at=at,
        data={"sha256": sha256, "moved": merge.moved.count(), "counts": after},
    )
    return merge


def _move(merge: Merge, ground: Ground, act: Act) -> None:
    for mover in MOVERS:
        # Found again: villages were made since the preview, and names given.
        kind = Kind(mover, mover.find(ground, at=act.at))
        if kind.moving:
            done = mover.run(kind.moving, ground, act)
            Moved.objects.bulk_create(
                [_row(merge, mover.kind, one) for one in done], batch_size=CHUNK
            )


def _row(merge: Merge, kind: str, one: Done) -> Moved:
    return Moved(
        merge=merge,
        kind=kind,
        key=one.thing.key,
        old_id=one.thing.old,
        new_id=one.thing.new or 0,
        made=one.made,
        told=dict(one.told),
    )


def _make_plans(ground: Ground, *, by: Officer, at: datetime) -> None:
    """Publish the plans of the new units: without one a device knows no hours."""
    units = [ground.news[key] for key in sorted(ground.news)]
    for start in range(0, len(units), AT_ONCE):
        part = units[start : start + AT_ONCE]
        build_plans(units=part, by=by, at=at)


def _check_nothing_lost(before: dict[str, int], after: dict[str, int]) -> None:
    for kind, count in before.items():
        if after[kind] != count:
            raise ConflictError(
                "reorganization.lost",
                kind=NAMES[kind],
                before=count,
                after=after[kind],
            )


@transaction.atomic
def undo_merge(
    *, merge_uid: str, by: Officer, at: datetime, take_rest: bool = False
) -> Merge:
    """Put everything that a merge moved back where it was: all or nothing.

    What somebody changed since stays as it is; unless `take_rest` says to put the rest
    back, MovedSinceError then lists it. Raises ConflictError (`reorganization.state`,
    `.blocked`), CannotSignError, AbsentError, NoRightError.
    """
    merge = _lock(merge_uid, by=by, at=at)
    people.check_can(by, APPROVER, unit=merge.unit, at=at)
    _check_next(merge, rules.UNDONE)
    ground = read_ground(merge)
    blocks = preview.list_blocks(_of_today(ground), at=at)
    if blocks:
        raise ConflictError("reorganization.blocked", what="; ".join(blocks))
    rows = list(merge.moved.select_related("merge").order_by("kind", "key"))
    by_kind = {kind: list(some) for kind, some in groupby(rows, lambda r: r.kind)}
    changed = list_changed(by_kind)
    if changed and not take_rest:
        raise MovedSinceError(changed)
    left = {row.pk for row in changed}
    act = Act(by, at, merge.day)
    for mover in _backwards():
        some = [row for row in by_kind.get(mover.kind, ()) if row.pk not in left]
        if some:
            mover.back(some, act)
    people_actions.forget_past(pairs=ground.pasts())
    _mark_undone([row.pk for row in rows if row.pk not in left], at)
    _make_plans_again(ground, by=by, at=at)
    merge.state = rules.UNDONE
    merge.undone_by, merge.undone_at = by, at
    merge.save(update_fields=["state", "undone_by", "undone_at"])
    telling.tell_officers(merge, "lại là", "old", at=at)
    audit.record(
        "reorganization.merge.undone",
        target=merge,
        by=by,
        at=at,
        data={"back": len(rows) - len(left), "left": len(left)},
    )
    return merge


def list_changed(by_kind: dict[str, list[Moved]]) -> list[Moved]:
    """Return what somebody changed since it was moved."""
    found = []
    for kind, rows in by_kind.items():
        keys = BY_KIND[kind].changed(rows)
        found += [row for row in rows if row.key in keys]
    return found


def _backwards() -> list[Mover]:
    """Return the movers for the way back: devices still last, villages just before."""
    *others, devices = MOVERS
    return [*reversed(others), devices]


def _of_today(ground: Ground) -> Ground:
    """Return the new units as ground: what goes on there forbids the way back."""
    places = {key: Place(unit, None, rules.KEPT) for key, unit in ground.news.items()}
    return Ground(ground.day, ground.province, places, {})


def _mark_undone(keys: Sequence[int], at: datetime) -> None:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        Moved.objects.filter(pk__in=part).update(undone_at=at)


def _make_plans_again(ground: Ground, *, by: Officer, at: datetime) -> None:
    """Publish the plans of the old units, so that devices that are back know hours."""
    units = [
        place.old
        for place in ground.places.values()
        if place.old.kind == COMMUNE and place.old.devices.exists()
    ]
    for start in range(0, len(units), AT_ONCE):
        part = units[start : start + AT_ONCE]
        build_plans(units=part, by=by, at=at)


@transaction.atomic
def confirm_merge(*, merge_uid: str, by: Officer, at: datetime) -> Merge:
    """End the possibility to undo. Raises ConflictError, AbsentError, NoRightError."""
    merge = _lock(merge_uid, by=by, at=at)
    people.check_can(by, APPROVER, unit=merge.unit, at=at)
    _check_next(merge, rules.CONFIRMED)
    merge.state = rules.CONFIRMED
    merge.confirmed_by, merge.confirmed_at = by, at
    merge.save(update_fields=["state", "confirmed_by", "confirmed_at"])
    audit.record("reorganization.merge.confirmed", target=merge, by=by, at=at)
    return merge


def _lock(uid: str, *, by: Officer, at: datetime) -> Merge:
    rows = access.fence_merges(by, at=at).select_for_update(of=("self",))
    merge = rows.select_related("unit").filter(uid=uid).first()
    if merge is None:
        raise AbsentError("reorganization.absent")
    return merge


def _check_next(merge: Merge, new: str) -> None:
    if new not in rules.NEXT[merge.state]:
        raise ConflictError("reorganization.state", state=rules.SAID[merge.state])
