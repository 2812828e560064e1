"""What the database says happened, and what it refuses. Read by the proof."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection, transaction

from nguon.core import signing
from nguon.core.errors import DomainError
from nguon.fleet.models import DeviceEvent, SignedDocument
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule.models import Airing, Broadcast, PlayRecord


class NotRefusedError(Exception):
    """Something that must be refused went through."""


class _RollBackError(Exception):
    """Ends a transaction whose work must not stay."""


def tell_broadcast(uid: str) -> dict[str, Any]:
    """Return a broadcast with its hashes, its plays and what was signed about it."""
    broadcast = Broadcast.objects.select_related("version", "approved_by").get(uid=uid)
    airings = list(Airing.objects.filter(broadcast=broadcast).order_by("pk"))
    items = [airing.item for airing in airings]
    return {
        "uid": uid,
        "state": broadcast.state,
        "sha256": broadcast.sha256,
        "content_sha256": broadcast.version.content_sha256,
        "approved_by": broadcast.approved_by.username if broadcast.approved_by else "",
        "targeted": broadcast.targeted,
        "items": items,
        "signed_sha256": sorted(_signed_hashes(items)),
        "prepared_sha256": sorted(_prepared_hashes(items)),
        "plays": [_tell_play(play) for play in _plays(broadcast)],
    }


def _plays(broadcast: Broadcast) -> list[PlayRecord]:
    found = PlayRecord.objects.filter(broadcast=broadcast).select_related("device")
    return list(found.order_by("device_id", "pk"))


def _tell_play(play: PlayRecord) -> dict[str, Any]:
    return {
        "device": play.device.uid,
        "name": play.device.name,
        "kind": play.device.kind,
        "simulated": play.device.simulated,
        "item": play.item,
        "outcome": play.outcome,
        "cause": play.cause,
        "sounded_ms": play.sounded_ms,
        "level_dbfs": play.level_dbfs,
        **{
            name: _milliseconds(getattr(play, name))
            for name in (
                *("planned_at", "received_at", "prepared_at"),
                *("started_at", "ended_at", "shown_at"),
            )
        },
    }


def _milliseconds(moment: datetime | None) -> float | None:
    return moment.timestamp() * 1000 if moment else None


def _signed_hashes(items: list[str]) -> set[str]:
    """Return the sound hashes that signed documents give for these items."""
    found = set()
    for document in SignedDocument.objects.filter(kind__in=["plan", "go", "alert"]):
        _header, body = signing.read(document.jws)
        entries = [*body.get("items", []), *([body["item"]] if "item" in body else [])]
        for item in entries:
            if item["id"] in items:
                found |= {one["sha256"] for one in item["renditions"]}
    return found


def _prepared_hashes(items: list[str]) -> set[str]:
    """Return the hashes that devices say they checked before these items."""
    found = set()
    for event in DeviceEvent.objects.filter(type="prepared", item__in=items):
        found |= {value for key, value in event.data.items() if "sha256" in key}
    return found


def tell_refusals(uid: str, *, at: datetime) -> dict[str, str]:
    """Try to approve one's own bulletin in every way; return what each way answered.

    Raises NotRefusedError when one of them worked. Nothing of it stays.
    """
    broadcast = Broadcast.objects.get(uid=uid)
    lan = Officer.objects.get(pk=broadcast.submitted_by_id)

    def act(officer: Officer) -> None:
        schedule.release(broadcast_uid=uid, sha256=broadcast.sha256, by=officer, at=at)

    def act_as_superuser() -> None:
        Officer.objects.filter(pk=lan.pk).update(is_superuser=True, is_active=True)
        act(Officer.objects.get(pk=lan.pk))

    def write_approval() -> None:
        _sql(
            "INSERT INTO newsroom_involvement"
            " (version_id, person_id, kind, at, approved_sha256)"
            " VALUES (%s, %s, 'approve', %s, %s)",
            [broadcast.version_id, lan.pk, at.isoformat(), broadcast.sha256],
        )

    def write_state() -> None:
        _sql(
            "UPDATE schedule_broadcast SET state = 'approved', approved_by_id = %s,"
            " approved_at = %s WHERE id = %s",
            [lan.pk, at.isoformat(), broadcast.pk],
        )

    return {
        "action": _refused(lambda: act(lan)),
        "superuser": _refused(act_as_superuser),
        "sql_approval": _refused(write_approval),
        "sql_broadcast": _refused(write_state),
    }


def _refused(attempt: Callable[[], None]) -> str:
    """Return how an attempt was refused; whatever it did is rolled back."""
    try:
        with transaction.atomic():
            attempt()
            raise _RollBackError
    except DomainError as error:
        return error.code
    except DatabaseError as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    except _RollBackError:
        raise NotRefusedError(attempt.__name__) from None


def _sql(statement: str, values: list[str | int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
