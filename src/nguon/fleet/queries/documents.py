"""What a device must hold now, and the files it may ask for."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from nguon.core.errors import AbsentError
from nguon.fleet.models import (
    PLAN,
    SETTINGS,
    URGENT_LANE,
    Device,
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


def list_state_uids(device: Device, *, at: datetime) -> list[str]:
    """Return the uids of what a device must hold now, oldest first.

    Its settings, the plan in force of its unit and each unit above, and every urgent
    document inside its not-after. Commands are not kept: they are pushed or die.
    """
    units = device.unit.ancestor_ids
    documents = SignedDocument.objects.order_by()
    urgent = documents.filter(lane=URGENT_LANE, not_after__gt=at)
    in_force = documents.filter(superseded_at__isnull=True)
    parts = [
        in_force.filter(kind=SETTINGS, device=device),
        in_force.filter(kind=PLAN, unit_id__in=units, not_after__gt=at),
        urgent.filter(unit_id__in=units),
        urgent.filter(device=device).exclude(kind="command"),
    ]
    rows = [part.values_list("pk", "uid") for part in parts]
    return [uid for _pk, uid in sorted(rows[0].union(*rows[1:], all=True))]


def list_held(uids: Sequence[str]) -> list[Held]:
    """Return the signed documents of these uids, in this order."""
    return _documents.get(uids)


def get_media(sha256: str) -> Media:
    """Return a media file's row. Raises AbsentError."""
    media = Media.objects.filter(sha256=sha256).first()
    if media is None:
        raise AbsentError("fleet.media_absent")
    return media
