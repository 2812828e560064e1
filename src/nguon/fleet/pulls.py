"""Answers to devices that pull their state: many at once, with three queries.

Every device asks once a minute, and all of them ask after a break; ten thousand are
170 questions a second for ever. So a question costs a signature check and a look
into a table, and nothing of what Django does for a page.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from nguon.core.errors import DomainError, RefusedError
from nguon.fleet import bearer, keys, queries
from nguon.fleet.bearer import Known
from nguon.fleet.keys import Ring
from nguon.fleet.models import ACTIVE
from nguon.territory.models import Unit

# What does not stand among the urgent.
_KINDS = ("settings", "plan", "update")


@dataclass(frozen=True)
class Pull:
    """One question: the Authorization header, and the mark of the state held.

    `enrolment` asks how the enrolment stands instead: a device that waits to be let
    in asks every few seconds.
    """

    authorization: str
    mark: str = ""
    enrolment: bool = False


@dataclass(frozen=True)
class Answer:
    """What goes back: 200 with a state, 304 with its mark only, or a refusal."""

    status: int
    mark: str
    body: bytes


def answer_pulls(pulls: Sequence[Pull], *, at: datetime) -> list[Answer]:
    """Return the answers to some pulls, in their order.

    Raises CannotSignError when this server has no keys, and what the database raises.
    """
    asking = bearer.sign_in_all([pull.authorization for pull in pulls], at=at)
    asking = [
        one if pull.enrolment else _only_active(one)
        for pull, one in zip(pulls, asking, strict=True)
    ]
    wanted = {
        one.pk: one.units
        for pull, one in zip(pulls, asking, strict=True)
        if not isinstance(one, DomainError) and not pull.enrolment
    }
    held = queries.list_states(wanted, at=at) if wanted else {}
    leaves = _leaves() if any(pull.enrolment for pull in pulls) else {}
    ring = keys.ring()
    answers = []
    for pull, one in zip(pulls, asking, strict=True):
        if isinstance(one, DomainError):
            answers.append(_refuse(one, at))
        elif pull.enrolment:
            answers.append(_enrolment(one, ring, leaves))
        else:
            answers.append(_state(held[one.pk], pull.mark, ring))
    return answers


def _only_active(one: Known | DomainError) -> Known | DomainError:
    if isinstance(one, DomainError) or one.state == ACTIVE:
        return one
    return RefusedError("fleet.device_not_active", state=one.state)


def _leaves() -> dict[int, tuple[str, int]]:
    """Return where devices connect, by the key of the unit that a leaf serves."""
    places = {leaf.unit: (leaf.host, leaf.port) for leaf in settings.LEAVES.values()}
    if not places:
        return {}
    units = Unit.objects.filter(uid__in=places).values_list("pk", "uid")
    return {pk: places[uid] for pk, uid in units}


def _enrolment(one: Known, ring: Ring, leaves: Mapping[int, tuple[str, int]]) -> Answer:
    """Tell a device what was decided, the root key and where its bus is.

    That is the leaf node of the nearest ground that has one, else the hub.
    """
    here = (settings.MQTT_HOST, settings.MQTT_PORT)
    nearest = (leaves[unit] for unit in reversed(one.units) if unit in leaves)
    host, port = next(nearest, here)
    bus = {"host": host, "port": port, "tls": settings.MQTT_TLS}
    told = {"state": one.state, "root_key": ring.root.x, "bus": bus}
    return Answer(200, "", json.dumps(told).encode())


def _refuse(error: DomainError, at: datetime) -> Answer:
    status, body = bearer.refusal(error, at=at)
    return Answer(status, "", json.dumps(body, default=str).encode())


def _state(uids: Sequence[str], mark: str, ring: Ring) -> Answer:
    text = f"{ring.trusted.seq} {' '.join(uids)}"
    fresh = f'"{hashlib.sha256(text.encode("ascii")).hexdigest()[:32]}"'
    if mark == fresh:
        return Answer(304, fresh, b"")
    held = queries.list_held(uids)
    body = {
        "keyset": ring.keyset,
        "settings": next((h.jws for h in held if h.kind == "settings"), ""),
        "plans": [h.jws for h in held if h.kind == "plan"],
        "urgent": [h.jws for h in held if h.kind not in _KINDS],
        # An older device leaves this; an empty word says: stay as you are.
        "update": next((h.jws for h in held if h.kind == "update"), ""),
    }
    return Answer(200, fresh, json.dumps(body).encode())
