"""What a device must hold now, and the files it may ask for."""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from django.db.models import Max, Q

from nguon.core.errors import AbsentError
from nguon.fleet.models import (
    FLOOD,
    FLOOD_SPAN,
    PLAN,
    SERVER_LOG,
    SETTINGS,
    UPDATE,
    URGENT_LANE,
    Device,
    DeviceEvent,
    Media,
    SignedDocument,
)

_CACHED_DOCUMENTS = 20_000
_CACHED_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Held:
    """One signed document as the state shows it."""

    kind: str
    jws: str


class _Documents:
    """Signed documents by key: they never change, so they may be remembered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0

    def get(self, uids: Sequence[str]) -> list[Held]:
        """Return documents in the order asked for, from memory or the database."""
        with self._lock:
            found = {uid: self._held[uid] for uid in uids if uid in self._held}
        missing = [uid for uid in uids if uid not in found]
        if missing:
            rows = SignedDocument.objects.filter(uid__in=missing)
            for uid, kind, jws in rows.values_list("uid", "kind", "jws"):
                found[uid] = Held(kind, jws)
            self._keep({uid: found[uid] for uid in missing})
        return [found[uid] for uid in uids]

    def _keep(self, fresh: dict[str, Held]) -> None:
        with self._lock:
            for uid, held in fresh.items():
                if uid not in self._held:
                    self._held[uid] = held
                    self._bytes += len(held.jws)
            while len(self._held) > _CACHED_DOCUMENTS or self._bytes > _CACHED_BYTES:
                _uid, old = self._held.popitem(last=False)
                self._bytes -= len(old.jws)


_documents = _Documents()


def list_states(
    devices: Mapping[int, Sequence[int]], *, at: datetime
) -> dict[int, list[str]]:
    """Return the uids of what each device must hold now, oldest first.

    `devices` are their keys, each with the units that it stands in. What they hold:
    their own settings and update, the plan in force of each of those units, and every
    urgent document inside its not-after. Commands are not kept: they are pushed or die.
    """
    units = {unit for path in devices.values() for unit in path}
    documents = SignedDocument.objects.order_by()
    urgent = documents.filter(lane=URGENT_LANE, not_after__gt=at)
    in_force = documents.filter(superseded_at__isnull=True)
    parts = [
        in_force.filter(kind__in=(SETTINGS, UPDATE), device_id__in=devices),
        in_force.filter(kind=PLAN, unit_id__in=units, not_after__gt=at),
        urgent.filter(unit_id__in=units),
        urgent.filter(device_id__in=devices).exclude(kind="command"),
    ]
    columns = ("pk", "uid", "unit_id", "device_id")
    rows = [part.values_list(*columns) for part in parts]
    of_unit: dict[int, list[tuple[int, str]]] = defaultdict(list)
    of_device: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, uid, unit, device in rows[0].union(*rows[1:], all=True):
        (of_unit[unit] if device is None else of_device[device]).append((pk, uid))
    found = {}
    for device, path in devices.items():
        held = [row for unit in path for row in of_unit.get(unit, ())]
        held += of_device.get(device, ())
        found[device] = [uid for _pk, uid in sorted(held)]
    return found


def list_flooding(uids: Sequence[str], *, at: datetime) -> set[str]:
    """Return which of these devices are kept out now because they flooded the bus."""
    recent = DeviceEvent.objects.filter(
        device__uid__in=uids, type=FLOOD, log=SERVER_LOG, at__gt=at - FLOOD_SPAN
    )
    return set(recent.values_list("device__uid", flat=True))


def list_held(uids: Sequence[str]) -> list[Held]:
    """Return the signed documents of these uids, in this order."""
    return _documents.get(uids)


def list_plans(numbers: Mapping[str, int]) -> list[Held]:
    """Return the plans with these numbers, by unit uid, in force or not any more."""
    asked = Q(pk__in=[])
    for uid, number in numbers.items():
        asked |= Q(unit__uid=uid, seq=number)
    rows = SignedDocument.objects.filter(asked, kind=PLAN)
    return [Held(kind, jws) for kind, jws in rows.values_list("kind", "jws")]


def list_newest_plans(
    units: Sequence[int], *, at: datetime, issued_before: datetime
) -> dict[str, int]:
    """Return the number of the newest plan of each unit issued before a moment.

    Those only that a device must still hold at `at`, by the unit's uid.
    """
    rows = SignedDocument.objects.filter(
        kind=PLAN, unit_id__in=units, not_after__gt=at, issued_at__lte=issued_before
    )
    found = rows.order_by().values_list("unit__uid").annotate(number=Max("seq"))
    return dict(found)


def number_of_settings(device: Device) -> int:
    """Return the number of a device's settings in force, 0 without any."""
    found = SignedDocument.objects.filter(
        kind=SETTINGS, device=device, superseded_at__isnull=True
    )
    return found.values_list("seq", flat=True).first() or 0


def get_media(sha256: str) -> Media:
    """Return a media file's row. Raises AbsentError."""
    media = Media.objects.filter(sha256=sha256).first()
    if media is None:
        raise AbsentError("fleet.media_absent")
    return media
