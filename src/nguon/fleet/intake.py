"""Reading what a device sent: good events, and odd ones that must not come back.

An event that this server cannot read (a newer program, a broken row) is kept aside
and acknowledged all the same, or the device would send it for ever.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nguon.core.errors import InvalidError
from nguon.core.messages import Event, EventBatch
from nguon.core.signing import VERSION, DocumentRefusedError

MAX_BYTES = 1024 * 1024


class UnreadableError(InvalidError):
    """A message as a whole is no batch of events of this device."""

    def __init__(self, cause: str) -> None:
        super().__init__("fleet.body_unusable", cause=cause)


@dataclass
class Reading:
    """A batch of the readable events, and the numbers and causes of the odd ones."""

    batch: EventBatch
    odd: dict[int, str] = field(default_factory=dict)


def read_events(raw: bytes, *, device: str) -> Reading:
    """Return the events in a message of this device. Raises UnreadableError."""
    if len(raw) > MAX_BYTES:
        raise UnreadableError("too long")
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("no JSON") from error
    if not isinstance(payload, Mapping):
        raise UnreadableError("no object")
    try:
        return Reading(EventBatch.decode(payload, device=device))
    except DocumentRefusedError as error:
        if error.cause != "malformed" or not isinstance(payload.get("events"), list):
            raise UnreadableError(error.cause) from error
        return _read_rows(payload, device)


def _read_rows(payload: Mapping[str, Any], device: str) -> Reading:
    """Read a batch row by row. Raises UnreadableError when the frame is broken."""
    frame = {"v": VERSION, "device": device, "log": payload.get("log")}
    try:
        EventBatch.decode({**frame, "events": []}, device=device)
    except DocumentRefusedError as error:
        raise UnreadableError(error.cause) from error
    good: list[Event] = []
    odd: dict[int, str] = {}
    for row in payload["events"][:5_000]:
        try:
            batch = EventBatch.decode({**frame, "events": [row]}, device=device)
            good.extend(batch.events)
        except DocumentRefusedError as error:
            n = row.get("n") if isinstance(row, Mapping) else None
            if isinstance(n, int) and not isinstance(n, bool) and 0 < n < 2**62:
                odd[n] = error.cause
    return Reading(EventBatch(device, str(payload["log"]), tuple(good)), odd)
