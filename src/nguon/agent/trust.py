"""Which documents this device obeys: the holder's half of verification.

`core.signing` checks form, key, use, signature and end; here are target, sequence
and replay, which only the holder can know. A refusal is counted, told to the server
with its cause, and changes nothing else. A document that is held already is no replay
when the pull brings it again (it always brings all that is in force), nor while the
server has not confirmed our answer to it: until then it must send again.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from nguon.agent.identity import Identity
from nguon.agent.store import Store
from nguon.core import messages, signing
from nguon.core.messages import SequenceWindow
from nguon.core.signing import DocumentRefusedError, KeySet

# The newest of these replaces the one held; the others stand beside each other.
WHOLE = ("plan", "settings", "update")
URGENT = ("go", "alert", "cancel", "stop", "lift", "command")


@dataclass(frozen=True)
class Accepted:
    """A document that passed every check, and the window that now knows it."""

    payload: dict[str, Any]
    token: str
    window: SequenceWindow

    @property
    def kind(self) -> str:
        """The document's type."""
        return str(self.payload["type"])

    @property
    def target(self) -> str:
        """The uid of the unit or device it is for."""
        target = self.payload["target"]
        return str(target.get("device") or target.get("unit"))


class Trust:
    """The pinned root, the working keys, and what has been seen."""

    def __init__(self, identity: Identity, store: Store) -> None:
        self._device = identity.device
        self._store = store
        self.keys = KeySet.empty(identity.root_key)
        self.units: frozenset[str] = frozenset()
        self._held: dict[str, str] = {}
        self._pushed: set[str] = set()
        self._whole: dict[tuple[str, str], tuple[int, str]] = {}
        # What was told to ground that this device has left, by document.
        self._left: dict[str, str] = {}
        self._told: set[str] = set()

    def renew(self, token: str, *, at: int) -> bool:
        """Take a newer key set; say whether it changed. Raises when refused."""
        keys = self.keys.renewed(token, at=at)
        changed = keys != self.keys
        self.keys = keys
        return changed

    def server_time(self, token: str, *, nonce: str) -> int:
        """Return the time of a signed answer to our nonce.

        The answer proves its own freshness by the nonce, so it is checked at the
        time it states. Raises DocumentRefusedError.
        """
        _header, payload = signing.read(token)
        stated = payload.get("server_at")
        if not isinstance(stated, int) or isinstance(stated, bool):
            raise DocumentRefusedError("malformed")
        payload = self.keys.verify(token, at=stated)
        if payload["type"] != "time":
            raise DocumentRefusedError("malformed", document=payload["id"])
        if payload.get("nonce") != nonce:
            raise DocumentRefusedError("replayed", document=payload["id"])
        return stated

    def holds(self, token: str) -> bool:
        """Say whether these very bytes have been accepted before."""
        return _digest(token) in self._held.values()

    def know(
        self, *, document: str, kind: str, target: str, seq: int, token: str
    ) -> None:
        """Learn of a document that was accepted, now or before a restart."""
        if kind in WHOLE:
            before = self._whole.get((kind, target))
            if before:
                self._held.pop(before[1], None)
            self._whole[kind, target] = (seq, document)
        self._held[document] = _digest(token)
        self._left.pop(document, None)

    def forget(self, document: str) -> None:
        """Stop knowing a document that was dropped; its number stays known."""
        self._held.pop(document, None)
        self._pushed.discard(document)

    def leave(self, document: str) -> None:
        """Stop knowing a document of ground that was left.

        Units that are rearranged may be put back: then the same bytes are no replay.
        """
        digest = self._held.get(document)
        if digest:
            self._left[document] = digest
        self.forget(document)

    def check(self, token: str, *, at: int, pushed: bool) -> Accepted | None:
        """Return a document to obey, or None for one that is obeyed already.

        Raises DocumentRefusedError; the caller reports it with `refuse`.
        """
        if not pushed and self.holds(token):
            return None
        payload = self.keys.verify(token, at=at)
        kind, document = payload["type"], payload["id"]
        if kind not in WHOLE + URGENT or not 0 < len(document) <= 40:
            raise DocumentRefusedError("malformed", document=document[:40])
        messages.check_target(payload, device=self._device, units=self.units)
        if payload["target"].get("device", self._device) != self._device:
            raise DocumentRefusedError("wrong_target", document=document)
        accepted = Accepted(payload, token, SequenceWindow())
        if self._held.get(document) == _digest(token):
            self._again(document)
            return None
        is_back = self._left.get(document) == _digest(token)
        if kind in WHOLE:
            self._check_whole(accepted, is_back=is_back)
            return accepted
        window = self._store.window(accepted.target, kind)
        if is_back:
            return Accepted(payload, token, window)
        window.check(payload["seq"], document=document)
        window.accept(payload["seq"])
        return Accepted(payload, token, window)

    def _again(self, document: str) -> None:
        """Let a push repeat a pull once, or what is unanswered; else it is a replay."""
        if document in self._pushed and not self._store.is_unanswered(document):
            raise DocumentRefusedError("replayed", document=document)
        self._pushed.add(document)

    def _check_whole(self, accepted: Accepted, *, is_back: bool) -> None:
        """Refuse a plan or settings that is not newer than the one held.

        The newest plan of ground that was left and is ours again comes as it was.
        """
        seq, document = accepted.payload["seq"], accepted.payload["id"]
        held, _id = self._whole.get((accepted.kind, accepted.target), (0, ""))
        if seq < held:
            raise DocumentRefusedError("old_sequence", document=document)
        if seq == held and not is_back:
            raise DocumentRefusedError("replayed", document=document)

    def pushed(self, document: str) -> None:
        """Remember that a document came by push: next time that is a replay."""
        self._pushed.add(document)

    def check_again(self, token: str, *, at: int) -> None:
        """Check key, signature and end once more, at the moment of playing."""
        self.keys.verify(token, at=at)

    def segment(self, token: str, *, at: int) -> dict[str, Any]:
        """Return the payload of a piece of live speech for this device.

        Its item takes each piece once, so nothing is remembered here. Raises
        DocumentRefusedError.
        """
        payload = self.keys.verify(token, at=at)
        if payload["type"] != "segment":
            raise DocumentRefusedError("malformed", document=payload["id"])
        messages.check_target(payload, device=self._device, units=self.units)
        return payload

    def refuse(
        self, error: DocumentRefusedError, token: str, *, at: int, pushed: bool
    ) -> bool:
        """Count and report a refusal; by pull only once for the same bytes.

        Returns whether it was reported.
        """
        name = f"{error.cause} {_digest(token)}"
        if not pushed:
            if name in self._told:
                return False
            if len(self._told) > 10_000:
                self._told.clear()
            self._told.add(name)
        self._store.refused(error.cause, at=at, document=_document_of(error, token))
        return True


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _document_of(error: DocumentRefusedError, token: str) -> str:
    """Return what a refused document calls itself; only a name, never believed."""
    document = error.data.get("document")
    if isinstance(document, str):
        return document
    try:
        _header, payload = signing.read(token)
    except DocumentRefusedError:
        return ""
    return str(payload.get("id", ""))[:40]
