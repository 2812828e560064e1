"""Rollouts: devices are told stage by stage, and told back when it goes wrong.

A device follows the newest signed update in its state. Pausing takes back what has
not begun to run; rolling back signs the former version for everybody who was told.
What each device made of it comes from its events.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from nguon.audit import actions as audit
from nguon.core import updates
from nguon.core.errors import ConflictError, InvalidError
from nguon.core.updates import Update
from nguon.fleet import access, rollouts
from nguon.fleet.actions.bulk import update_rows
from nguon.fleet.actions.documents import sign_updates, withdraw_documents
from nguon.fleet.models import (
    ACTIVE,
    Device,
    DeviceEvent,
    Release,
    Rollout,
    RolloutStage,
    RolloutTarget,
)
from nguon.fleet.queries.control import count_targets, list_candidates
from nguon.fleet.rollouts import Wish
from nguon.people import actions as people
from nguon.people import queries as officers
from nguon.people.models import TECHNICIAN, Officer

T = TypeVar("T")

# Told in one turn of the worker, every few seconds.
PACE = 300
LATE = timedelta(days=30)
_UNDER_WAY = (rollouts.WAITING, rollouts.DOWNLOADING, rollouts.INSTALLED)


@transaction.atomic
def start_rollout(
    *,
    release_id: int,
    devices: QuerySet[Device],
    stages: Sequence[Wish],
    names: Sequence[str],
    hours: tuple[int, int] | None,
    by: Officer,
    at: datetime,
) -> Rollout:
    """Begin to bring an approved release to the active devices given.

    Raises InvalidError (see `rollouts.check_wishes`; `fleet.rollout_empty`),
    ConflictError (`fleet.release_unapproved`, `fleet.rollout_overlap`), RefusedError.
    """
    unit = access.check_releaser(by, at=at)
    release = Release.objects.get(pk=release_id)
    if release.approved_at is None:
        raise ConflictError("fleet.release_unapproved")
    rollouts.check_wishes(stages)
    rollouts.check_hours(hours)
    kept = access.fence_kept(by, at=at).filter(
        state=ACTIVE, pk__in=devices.values("pk")
    )
    busy = RolloutTarget.objects.filter(
        device__in=kept, rollout__state__in=rollouts.LIVE
    ).count()
    if busy:
        raise ConflictError("fleet.rollout_overlap", count=busy)
    rollout = Rollout(
        release=release, unit=unit, state=rollouts.RUNNING, made_by=by, made_at=at,
        moved_by=by, moved_at=at, begins=hours[0] if hours else None,
        ends=hours[1] if hours else None,
    )  # fmt: skip
    shares = rollouts.share_out(list_candidates(kept), stages, seed=rollout.uid)
    if not any(shares):
        raise InvalidError("fleet.rollout_empty")
    rollout.save(force_insert=True)
    versions = dict(kept.values_list("pk", "version"))
    for number, (wish, keys) in enumerate(zip(stages, shares, strict=True), 1):
        stage = RolloutStage.objects.create(
            rollout=rollout, number=number, name=names[number - 1][:120],
            success=wish.success, error=wish.error,
        )  # fmt: skip
        RolloutTarget.objects.bulk_create(
            [
                RolloutTarget(
                    rollout=rollout, stage=stage, device_id=key,
                    former=versions[key], moved_at=at,
                )
                for key in keys
            ],
            batch_size=500,
        )  # fmt: skip
    audit.record(
        "fleet.rollout.started", target=rollout, by=by, at=at,
        data={"release": release.uid, "stages": [len(keys) for keys in shares]},
    )  # fmt: skip
    return rollout


@transaction.atomic
def move_rollout(
    *, rollout_id: int, new: str, by: Officer | None, at: datetime, cause: str = ""
) -> Rollout:
    """Pause, resume, stop or roll back; `by` None: the rules themselves.

    Raises ConflictError `fleet.rollout_move`, RefusedError `fleet.release_province`.
    """
    rollout = Rollout.objects.select_for_update().get(pk=rollout_id)
    if by is not None:
        access.check_releaser(by, at=at)
        access.check_keeper(by, unit=rollout.unit, at=at)
    rollouts.check_move(old=rollout.state, new=new)
    rollout.state, rollout.moved_by, rollout.moved_at = new, by, at
    rollout.cause = cause or ("person" if new == rollouts.PAUSED else "")
    rollout.save(update_fields=["state", "cause", "moved_by", "moved_at"])
    if new in {rollouts.PAUSED, rollouts.STOPPED, rollouts.BACK}:
        _take_back(rollout, at)
    if new == rollouts.RUNNING:
        # Who had failed is told once more: that is what resuming says.
        RolloutTarget.objects.filter(
            rollout=rollout, state=rollouts.FAILED, stage__number__lte=rollout.stage
        ).update(state=rollouts.WAITING, cause="", document="", told_at=None)
    if new == rollouts.BACK:
        told = rollout.targets.exclude(told_at__isnull=True, state=rollouts.WAITING)
        told.update(
            state=rollouts.RETURNING, cause="", document="", told_at=None, moved_at=at
        )
    audit.record(
        f"fleet.rollout.{new}", target=rollout, by=by, at=at, data={"cause": cause}
    )
    return rollout


def _take_back(rollout: Rollout, at: datetime) -> None:
    """Withdraw what has not begun to run: those devices stay as they are."""
    rows = rollout.targets.filter(state__in=(rollouts.WAITING, rollouts.DOWNLOADING))
    rows = rows.exclude(document="")
    withdraw_documents(list(rows.values_list("document", flat=True)), at=at)
    keys = list(rows.values_list("pk", flat=True))
    for some in _parts(keys, 500):
        RolloutTarget.objects.filter(pk__in=some).update(
            state=rollouts.WAITING, document="", told_at=None, moved_at=at
        )


def run_rollouts(*, at: datetime) -> int:
    """Take what devices told, judge the stages, tell the next; return how many."""
    told = 0
    # Who is late goes on telling after a rollout is done.
    rows = Rollout.objects.exclude(
        state__in=(rollouts.DONE, rollouts.STOPPED), moved_at__lt=at - LATE
    )
    for rollout in rows.select_related("release", "unit", "made_by", "moved_by"):
        _settle(rollout, at)
        if rollout.state == rollouts.RUNNING:
            _judge(rollout, at)
        if rollout.state in {rollouts.RUNNING, rollouts.BACK}:
            told += _tell(rollout, at)
    return told


def _settle(rollout: Rollout, at: datetime) -> None:
    """Move targets by the events that name their documents."""
    rows = rollout.targets.exclude(document="")
    rows = rows.filter(state__in=(*_UNDER_WAY, rollouts.RETURNING))
    for some in _parts(rows.order_by("pk"), 500):
        by_document = {row.document: row for row in some}
        events = DeviceEvent.objects.filter(
            document__in=by_document, type__in=("update", "refused")
        )
        changed = {}
        for event in events.order_by("at", "pk"):
            row = by_document[event.document]
            if event.device_id == row.device_id and _take(row, event, at):
                changed[row.pk] = row
        update_rows(changed.values(), ["state", "cause", "moved_at"])


def _take(row: RolloutTarget, event: DeviceEvent, at: datetime) -> bool:
    told = str(event.data.get("state", "")) if event.type == "update" else "failed"
    after = rollouts.target_after(row.state, told)
    if after == row.state:
        return False
    row.state, row.moved_at = after, at
    row.cause = str(event.data.get("cause", ""))[:40] if told == "failed" else ""
    return True


def _judge(rollout: Rollout, at: datetime) -> None:
    """Let the next stage begin, end the rollout, or pause it and call somebody."""
    stage = rollout.stages.get(number=rollout.stage)
    counts = count_targets(rollout).get(stage.number, {})
    verdict = rollouts.judge(counts, success=stage.success, error=stage.error)
    if verdict == rollouts.PASSED:
        _pass(rollout, stage, at)
    elif verdict:
        move_rollout(
            rollout_id=rollout.pk, new=rollouts.PAUSED, by=None, at=at, cause=verdict
        )
        rollout.refresh_from_db()
        _call(rollout, at)


@transaction.atomic
def _pass(rollout: Rollout, stage: RolloutStage, at: datetime) -> None:
    """Begin the stage after one that has passed; after the last, all is done."""
    mine = Rollout.objects.filter(
        pk=rollout.pk, state=rollouts.RUNNING, stage=stage.number
    )
    last = not rollout.stages.filter(number__gt=stage.number).exists()
    waiting = rollout.targets.filter(
        state=rollouts.WAITING, document="", device__state=ACTIVE
    )
    if last and waiting.exists():
        return  # passed already, but some have not even been told
    change = {"state": rollouts.DONE} if last else {"stage": stage.number + 1}
    if mine.update(**change, moved_at=at, moved_by=None) == 1:
        RolloutStage.objects.filter(pk=stage.pk).update(passed_at=at)
        audit.record(
            "fleet.rollout.stage_passed", target=rollout, by=None, at=at,
            data={"stage": stage.number},
        )  # fmt: skip
    rollout.refresh_from_db()


def _call(rollout: Rollout, at: datetime) -> None:
    """Tell technicians that a rollout has paused itself."""
    people.notify(
        officers=[
            rollout.made_by,
            *officers.list_around(rollout.unit, kind=TECHNICIAN, at=at),
        ],
        subject=f"Cập nhật {rollout.release.version} tự tạm dừng",
        body=f"Lý do: {rollout.cause_words}. Hãy xem máy nào hỏng rồi quyết định.",
        url=reverse("fleet:rollout", args=[rollout.uid]),
        at=at,
    )


def _tell(rollout: Rollout, at: datetime) -> int:
    """Sign the update, or the way back, for the next devices that wait for it."""
    back = rollout.state == rollouts.BACK
    with transaction.atomic():
        rows = rollout.targets.filter(document="", device__state=ACTIVE)
        if back:
            rows = rows.filter(state=rollouts.RETURNING)
        else:
            rows = rows.filter(state=rollouts.WAITING, stage__number__lte=rollout.stage)
        rows = rows.select_related("device__unit").order_by("pk")[:PACE]
        targets = list(rows)
        here = [row for row in targets if not back and _runs(row, rollout.release)]
        for row in here:
            row.state, row.moved_at = rollouts.PROVEN, at
        wanted = [row for row in targets if row not in here]
        formers = _formers(rollout.release, wanted) if back else {}
        documents = sign_updates(
            [
                (
                    row.device,
                    _update(rollout, formers.get(row.former), row.former, back=back),
                )
                for row in wanted
            ],
            by=rollout.moved_by or rollout.made_by,
            at=at,
        )
        for row, document in zip(wanted, documents, strict=True):
            row.document, row.told_at = document.uid, at
        update_rows(targets, ["state", "document", "told_at", "moved_at"])
    return len(targets)


def _runs(row: RolloutTarget, release: Release) -> bool:
    return release.kind == updates.AGENT and row.device.version == release.version


def _formers(release: Release, rows: Iterable[RolloutTarget]) -> dict[str, Release]:
    """Return the approved releases of the versions that devices ran before."""
    found = Release.objects.filter(
        kind=release.kind,
        make=release.make,
        version__in={row.former for row in rows},
        approved_at__isnull=False,
    )
    return {one.version: one for one in found}


def _update(
    rollout: Rollout, former: Release | None, version: str, *, back: bool
) -> Update:
    """Return what a device is told. Without a file it goes back to what it has."""
    release = rollout.release
    if not back:
        return Update(
            "", release.uid, release.kind, release.make, release.version,
            release.sha256, release.size, hours=rollout.hours,
        )  # fmt: skip
    # What is wrong is left at once, at any hour at which nothing sounds.
    return Update(
        "", former.uid if former else release.uid, release.kind, release.make, version,
        former.sha256 if former else "", former.size if former else 0, rollback=True,
    )  # fmt: skip


def _parts(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield rows in parts, since a database takes only so many names at once."""
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part
