"""Answers to devices that pull their state: many at once, with three queries.

Every device asks once a minute, and all of them ask after a break; ten thousand are
170 questions a second for ever. So a question costs a signature check and a look
into a table, and nothing of what Django does for a page.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nguon.core.errors import DomainError
from nguon.fleet import bearer, keys, queries
from nguon.fleet.keys import Ring
from nguon.fleet.models import ACTIVE


@dataclass(frozen=True)
class Pull:
    """One question: the Authorization header, and the mark of the state held."""

    authorization: str
    mark: str = ""


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
    headers = [pull.authorization for pull in pulls]
    asking = bearer.sign_in_all(headers, at=at, states=[ACTIVE])
    proved = {one.pk: one.units for one in asking if not isinstance(one, DomainError)}
    held = queries.list_states(proved, at=at)
    ring = keys.ring()
    return [
        _refuse(one, at)
        if isinstance(one, DomainError)
        else _state(held[one.pk], pull.mark, ring)
        for pull, one in zip(pulls, asking, strict=True)
    ]


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
        "urgent": [h.jws for h in held if h.kind not in {"settings", "plan"}],
    }
    return Answer(200, fresh, json.dumps(body).encode())
