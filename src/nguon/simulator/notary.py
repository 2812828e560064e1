"""Who checks signatures for the whole process: each signed document once.

Real devices check everything themselves. Here the signature of identical bytes is
checked once and its outcome kept; what depends on the device or the moment is not
decided here (`device.py`).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from nguon.core import signing
from nguon.core.messages import VERBS, Item, Plan, Settings, Stop, quiet_of
from nguon.core.signing import DocumentRefusedError, KeySet, PublicKey
from nguon.core.updates import Update

_KEPT = 512


@dataclass(frozen=True, slots=True)
class Document:
    """A signed document whose signature, form, version and key are good.

    `subject` is what it speaks of, decoded: an Item, Plan, Stop, Settings, or for
    other kinds the payload itself. `quiet` are the hours that an urgent item brings.
    """

    kind: str
    id: str
    unit: str
    device: str
    seq: int
    issued_at: int
    not_after: int
    subject: Any
    token: str
    key_until: int
    replaces: tuple[str, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()

    def is_asking(self, verb: str) -> bool:
        """Say whether this is a command with a verb."""
        return self.kind == "command" and self.subject.get("verb") == verb


def is_strings(value: object) -> bool:
    """Tell whether a value from the wire is a list of texts."""
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


class Notary:
    """The keys in force, and what has been checked with them."""

    def __init__(self, root: PublicKey) -> None:
        self.keys = KeySet.empty(root)
        self.checked = 0
        self._known: OrderedDict[str, Document | DocumentRefusedError] = OrderedDict()

    def renew(self, token: str, *, at: int) -> bool:
        """Take a key set signed by the root; tell whether it is a newer one.

        Raises DocumentRefusedError.
        """
        before = self.keys
        self.keys = before.renewed(token, at=at)
        if self.keys.seq == before.seq and before.keys:
            return False
        self._known.clear()
        return True

    def read(self, token: str, *, at: int, shared: bool = True) -> Document:
        """Return a document that the keys vouch for. Raises DocumentRefusedError.

        `shared` documents go to many devices, so the outcome is remembered.
        """
        known = self._known.get(token)
        if known is None:
            known = self._check(token, at=at)
            lasting = isinstance(known, Document) or known.cause != "expired"
            if shared and lasting:
                self._known[token] = known
                if len(self._known) > _KEPT:
                    self._known.popitem(last=False)
        if isinstance(known, DocumentRefusedError):
            raise DocumentRefusedError(known.cause, **known.data)
        if known.key_until <= at:
            raise DocumentRefusedError("unknown_key", document=known.id)
        return known

    def _check(self, token: str, *, at: int) -> Document | DocumentRefusedError:
        self.checked += 1
        try:
            payload = self.keys.verify(token, at=at)
            kid = signing.read(token)[0]["kid"]
            return _decode(payload, token, key_until=self.keys.keys[kid].not_after)
        except DocumentRefusedError as error:
            return error


def _decode(payload: dict[str, Any], token: str, *, key_until: int) -> Document:
    target = payload.get("target")
    if not isinstance(target, dict):
        raise DocumentRefusedError("malformed", document=payload["id"])
    replaces = payload.get("replaces", [])
    if not is_strings(replaces):
        raise DocumentRefusedError("malformed", document=payload["id"])
    return Document(
        kind=payload["type"],
        id=payload["id"],
        unit=str(target.get("unit", "")),
        device=str(target.get("device", "")),
        seq=payload["seq"],
        issued_at=payload["issued_at"],
        not_after=payload["not_after"],
        subject=_subject(payload),
        token=token,
        key_until=key_until,
        replaces=tuple(replaces),
        quiet=quiet_of(payload) if payload["type"] in {"go", "alert"} else (),
    )


def _subject(payload: dict[str, Any]) -> Any:
    """Return what a document speaks of. Raises DocumentRefusedError.

    An emergency travels signed for emergencies alone: neither a plan nor a "go" may
    carry one.
    """
    kind, name = payload["type"], payload["id"]
    if kind in {"go", "alert"}:
        if not isinstance(payload.get("item"), dict):
            raise DocumentRefusedError("malformed", document=name)
        item = Item.decode(payload["item"])
        if (item.rank == "emergency") != (kind == "alert"):
            raise DocumentRefusedError("wrong_key_use", document=name)
        return item
    if kind == "plan":
        plan = Plan.decode(payload)
        if any(item.rank == "emergency" for item in plan.items):
            raise DocumentRefusedError("wrong_key_use", document=name)
        return plan
    if kind == "cancel" and not is_strings(payload.get("items")):
        raise DocumentRefusedError("malformed", document=name)
    if kind == "command" and payload.get("verb") not in VERBS:
        raise DocumentRefusedError("malformed", document=name)
    if kind == "lift" and not isinstance(payload.get("stop"), str):
        raise DocumentRefusedError("malformed", document=name)
    decode = {
        "stop": Stop.decode,
        "settings": Settings.decode,
        "update": Update.decode,
    }.get(kind)
    return decode(payload) if decode else payload
