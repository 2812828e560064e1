"""The public vectors: every document is obeyed or refused as promised."""

import json
from pathlib import Path

import pytest

from nguon.core import messages, signing
from nguon.core.signing import DocumentRefusedError, KeySet, PublicKey

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "vectors.json").read_text("utf-8")
)


@pytest.mark.parametrize("row", VECTORS["documents"], ids=lambda row: row["name"])
def test_vector(row: dict[str, str]) -> None:
    root = PublicKey(VECTORS["root"])
    keys = KeySet.empty(root).renewed(VECTORS["keyset"], at=VECTORS["at"])

    def receive() -> None:
        payload = keys.verify(row["jws"], at=VECTORS["at"])
        units = frozenset(VECTORS["units"])
        messages.check_target(payload, device=VECTORS["device"], units=units)

    if not row["refused"]:
        receive()
        return
    with pytest.raises(DocumentRefusedError) as refusal:
        receive()
    assert refusal.value.cause == row["refused"]


def test_the_fingerprint_is_the_promised_one() -> None:
    root = PublicKey(VECTORS["root"])

    assert signing.fingerprint(root) == VECTORS["root_fingerprint"]
