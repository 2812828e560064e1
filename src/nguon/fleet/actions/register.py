"""Writing the register: one device by a form, or many from a table."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from nguon.audit import actions as audit
from nguon.core.errors import ConflictError, InvalidError
from nguon.fleet import access
from nguon.fleet.actions.bulk import update_rows
from nguon.fleet.models import Device, Health, Registration
from nguon.fleet.register import ON_DEVICE, Entry, Reading
from nguon.people.models import Officer

CHUNK = 500
Cover = Registration.villages.through


@transaction.atomic
def change_registration(
    *,
    device_id: int,
    values: Mapping[str, Any],
    villages: Sequence[int],
    by: Officer,
    at: datetime,
) -> Registration:
    """Write what is known about one device.

    `villages` are keys of villages of its commune. Raises ConflictError
    `fleet.serial_known`, InvalidError `fleet.village_elsewhere`, and what
    `check_keeper` raises.
    """
    device = Device.objects.select_related("unit", "health").get(pk=device_id)
    access.check_keeper(by, unit=device.unit, at=at)
    paper, _fresh = Registration.objects.select_for_update().get_or_create(
        device=device
    )
    near = access.list_near_villages(device)
    if not set(villages) <= {unit.pk for unit in near}:
        raise InvalidError("fleet.village_elsewhere")
    for name, value in values.items():
        setattr(device if name in ON_DEVICE else paper, name, value)
    try:
        with transaction.atomic():
            paper.save()
    except IntegrityError as error:
        raise ConflictError("fleet.serial_known") from error
    device.save(update_fields=list(ON_DEVICE))
    paper.villages.set(villages)
    Health.objects.filter(pk=device.pk).update(look_at=at)
    audit.record("fleet.registration.changed", target=device, by=by, at=at)
    return paper


@transaction.atomic
def import_registrations(
    *, reading: Reading, take_good: bool, by: Officer, at: datetime
) -> int:
    """Write the rows of a table; return how many devices were written.

    Nothing is written when a row is wrong, unless the person says to take the good
    ones. The rows were read for the ground that `by` keeps. Raises InvalidError
    `fleet.rows_wrong`.
    """
    if reading.problems and not take_good:
        raise InvalidError("fleet.rows_wrong", count=len(reading.problems))
    entries = sorted(reading.entries, key=lambda entry: entry.device_id)
    for start in range(0, len(entries), CHUNK):
        _write(entries[start : start + CHUNK], at)
    audit.record(
        "fleet.registrations.imported",
        target=by,
        by=by,
        at=at,
        data={"devices": len(entries), "wrong": len(reading.problems)},
    )
    return len(entries)


def _write(entries: Sequence[Entry], at: datetime) -> None:
    """Write some entries in a handful of statements."""
    named = {name for entry in entries for name in entry.values}
    for model, fields in (
        (Registration, named - set(ON_DEVICE)),
        (Device, named & set(ON_DEVICE)),
    ):
        _fill(model, fields, entries)
    # Hours, SIM and mast are read by the rules.
    keys = [entry.device_id for entry in entries]
    Health.objects.filter(pk__in=keys).update(look_at=at)
    covered = [entry for entry in entries if entry.villages is not None]
    Cover.objects.filter(registration__in=[e.device_id for e in covered]).delete()
    Cover.objects.bulk_create(
        [
            Cover(registration_id=entry.device_id, unit_id=village)
            for entry in covered
            for village in entry.villages or ()
        ],
        batch_size=CHUNK,
    )


def _fill(
    model: type[Registration | Device], fields: Set[str], entries: Sequence[Entry]
) -> None:
    """Write the fields of one table; a row that names none of them stays."""
    mine = [entry for entry in entries if fields & set(entry.values)]
    if not mine:
        return
    keys = [entry.device_id for entry in mine]
    # Only what is written: fifty thousand whole rows would cost seconds.
    held = model._default_manager.select_for_update().only("pk", *fields)
    rows = held.in_bulk(keys)
    for entry in mine:
        for name in fields & set(entry.values):
            setattr(rows[entry.device_id], name, entry.values[name])
    update_rows(rows.values(), fields)
