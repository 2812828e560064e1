"""Putting up a device: the job as the phone tells it, its tone, and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import access, installing, photos
from nguon.fleet.actions.documents import push_command
from nguon.fleet.actions.media import store_media
from nguon.fleet.models import (
    ACTIVE,
    WAITING,
    Device,
    Health,
    Installation,
    InstallationPhoto,
    Registration,
)
from nguon.people.models import Officer


@dataclass(frozen=True)
class Job:
    """What a phone tells of its job; its moments are already on our clock."""

    client: UUID
    revision: int
    started_at: datetime
    ended_at: datetime | None = None
    heard_at: datetime | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    accuracy_m: int | None = None
    villages: Sequence[int] | None = None
    notes: str = ""
    photos: Sequence[bytes] = ()


def save_installation(
    *, device_id: int, job: Job, by: Officer, at: datetime
) -> Installation:
    """Write a job; the same one again, or an older state of it, changes nothing.

    It ends here when the tone was heard and proven. Raises InvalidError
    (`fleet.installation_…`, `fleet.photo_…`, `fleet.text_too_long`,
    `fleet.village_elsewhere`), ConflictError (`fleet.installation_other`,
    `fleet.device_not_active`), and what `check_keeper` raises.
    """
    _check(job, at)
    clean = [photos.make_clean(data) for data in job.photos]
    with transaction.atomic():
        device = _lock(device_id, by=by, at=at)
        row = _own(job.client, device, by, job.started_at, at)
        if row.finished_at is None and job.revision > row.revision:
            _write(row, device, job, at)
            for data in clean:
                _add_photo(row, data, at)
            audit.record(
                "fleet.installation.saved",
                target=row,
                by=by,
                at=at,
                data={"revision": job.revision},
            )
        _finish(row, by, at)
    return row


@transaction.atomic
def sound_tone(
    *, device_id: int, client: UUID, by: Officer, at: datetime
) -> Installation:
    """Have the device sound its test tone for a job, and note when.

    Raises ConflictError (`fleet.device_not_active`, `fleet.installation_done`,
    `fleet.installation_other`), and what `check_keeper` raises.
    """
    device = _lock(device_id, by=by, at=at)
    if device.state != ACTIVE:
        raise ConflictError("fleet.device_not_active")
    row = _own(client, device, by, at, at)
    if row.finished_at is not None:
        raise ConflictError("fleet.installation_done")
    row.tone_at, row.heard_at, row.grade, row.proven_at = at, None, 0, None
    row.save(update_fields=["tone_at", "heard_at", "grade", "proven_at"])
    push_command(device=device, verb="test", args={}, by=by, at=at)
    return row


def _check(job: Job, at: datetime) -> None:
    installing.check_steps(job.steps)
    installing.check_place(job.lat, job.lon)
    if len(job.notes) > installing.MAX_NOTE:
        raise InvalidError("fleet.text_too_long", limit=installing.MAX_NOTE)
    if len(job.photos) > installing.MAX_PHOTOS:
        raise InvalidError("fleet.photos_many", limit=installing.MAX_PHOTOS)
    moments = [m for m in (job.started_at, job.heard_at, job.ended_at) if m is not None]
    if moments[0] < at - installing.LONGEST or max(moments) > at:
        raise InvalidError("fleet.installation_time")
    if min(moments) < job.started_at or job.revision < 1:
        raise InvalidError("fleet.installation_time")


def _lock(device_id: int, *, by: Officer, at: datetime) -> Device:
    rows = Device.objects.select_for_update(of=("self",)).select_related("unit")
    device = rows.get(pk=device_id)
    access.check_keeper(by, unit=device.unit, at=at)
    if device.state not in {ACTIVE, WAITING}:
        raise ConflictError("fleet.device_not_active")
    return device


def _own(
    client: UUID, device: Device, by: Officer, started_at: datetime, at: datetime
) -> Installation:
    """Return the job of this id, begun where there is none; it is one person's."""
    row, _fresh = Installation.objects.get_or_create(
        client=client,
        defaults={
            "device": device,
            "unit": device.unit,
            "by": by,
            "started_at": started_at,
            "saved_at": at,
        },
    )
    if (row.device_id, row.by_id) != (device.pk, by.pk):
        raise ConflictError("fleet.installation_other")
    return row


def _write(row: Installation, device: Device, job: Job, at: datetime) -> None:
    row.revision, row.saved_at = job.revision, at
    row.started_at, row.ended_at = job.started_at, job.ended_at
    row.steps, row.notes = dict(job.steps), job.notes
    if job.lat is not None:
        row.lat, row.lon, row.accuracy_m = job.lat, job.lon, job.accuracy_m
        device.lat, device.lon = job.lat, job.lon
        device.save(update_fields=["lat", "lon"])
    # Who heard something before the tone was asked for heard something else.
    if job.heard_at and row.tone_at and job.heard_at >= row.tone_at:
        row.heard_at = job.heard_at
    row.save()
    if job.villages is not None:
        near = {unit.pk for unit in access.list_near_villages(device)}
        if not set(job.villages) <= near:
            raise InvalidError("fleet.village_elsewhere")
        paper, _fresh = Registration.objects.get_or_create(device=device)
        paper.villages.set(job.villages)


def _add_photo(row: Installation, data: bytes, at: datetime) -> None:
    if row.photos.count() >= installing.MAX_PHOTOS:
        raise InvalidError("fleet.photos_many", limit=installing.MAX_PHOTOS)
    media = store_media(data=data, mime=photos.MIME, duration_ms=0, at=at)
    InstallationPhoto.objects.get_or_create(
        installation=row, media=media, defaults={"at": at}
    )


def _finish(row: Installation, by: Officer, at: datetime) -> None:
    """End a job that was heard and proven."""
    health = Health.objects.filter(pk=row.device_id).first()
    if row.finished_at is not None or row.heard_at is None or health is None:
        return
    measures = health.heard is not None or health.measured_at is not None
    proof = installing.proof_of(health.evidence, tone_at=row.tone_at, measures=measures)
    if proof is None:
        return
    row.grade, row.proven_at = proof
    row.finished_at = at
    row.save(update_fields=["grade", "proven_at", "finished_at"])
    audit.record(
        "fleet.installation.finished",
        target=row,
        by=by,
        at=at,
        data={"grade": row.grade, "device": row.device.uid},
    )
