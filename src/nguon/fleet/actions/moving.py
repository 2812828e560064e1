"""Devices that come to stand in another unit, because units were rearranged.

The right is asked by whoever rearranges. A device learns its ground by its signed
settings; it then connects anew, since the bus lets it hear what the database says at
sign-in. Until it has pulled it hears the area it left: that area is told to pull now.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from nguon.core import messages, topics
from nguon.fleet import poke
from nguon.fleet.actions.bulk import update_rows
from nguon.fleet.actions.documents import NUDGE_LIFE, sign_settings
from nguon.fleet.models import (
    ACTIVE,
    PLAN,
    Counter,
    Device,
    Health,
    OutboxMessage,
)
from nguon.people.models import Officer
from nguon.territory.models import VILLAGE, Unit

CHUNK = 500


@transaction.atomic
def move_devices(*, moves: Mapping[int, int], by: Officer, at: datetime) -> None:
    """Put devices into other units, by their keys, and sign their settings anew.

    The areas that they leave are told to pull. Raises CannotSignError; then none has
    moved.
    """
    units = Unit.objects.in_bulk(set(moves.values()))
    left: set[int] = set()
    for part in _chunks(sorted(moves)):
        rows = Device.objects.select_for_update(of=("self",)).filter(pk__in=part)
        devices = list(rows.order_by("pk"))
        left |= {device.unit_id for device in devices}
        for device in devices:
            device.unit = units[moves[device.pk]]
        update_rows(devices, ["unit"])
        states = list(Health.objects.filter(pk__in=part))
        for health in states:
            health.commune_id = _commune_of(units[moves[health.pk]])
            health.look_at = at
        update_rows(states, ["commune", "look_at"])
        active = [device for device in devices if device.state == ACTIVE]
        if active:
            sign_settings(active, by=by, at=at)
    _tell_to_pull(left, at)


def _commune_of(unit: Unit) -> int:
    return unit.parent_id if unit.kind == VILLAGE and unit.parent_id else unit.pk


def _tell_to_pull(units: set[int], at: datetime) -> None:
    """Nudge areas by a number above that of their plan: then every device pulls."""
    uids: list[str] = []
    for part in _chunks(sorted(units)):
        uids += Unit.objects.filter(pk__in=part).values_list("uid", flat=True)
    numbers: dict[str, int] = {}
    for start in range(0, len(uids), CHUNK):
        rows = Counter.objects.filter(lane=PLAN, target__in=uids[start : start + CHUNK])
        numbers.update(rows.values_list("target", "value"))
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                topic=topics.area(uid, "nudge"),
                payload=json.dumps(
                    messages.encode_nudge(unit=uid, plan=numbers.get(uid, 0) + 1)
                ),
                created_at=at,
                not_after=at + NUDGE_LIFE,
            )
            for uid in uids
        ],
        batch_size=CHUNK,
    )
    poke.on_commit()


def _chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]
