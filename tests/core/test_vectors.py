"""The public vectors: every document is obeyed or refused as promised."""

import json
from pathlib import Path
from typing import Any

import pytest

from nguon.core import messages, signing
from nguon.core.signing import DocumentRefusedError, KeySet, PublicKey
from nguon.core.updates import Update

FOLDER = Path(__file__).parent.parent / "vectors"
FILES = [
    json.loads((FOLDER / name).read_text("utf-8"))
    for name in ("vectors.json", "updates.json")
]
ROWS = [(file, row) for file in FILES for row in file["documents"]]


@pytest.mark.parametrize(("file", "row"), ROWS, ids=[row["name"] for _f, row in ROWS])
def test_vector(file: dict[str, Any], row: dict[str, str]) -> None:
    root = PublicKey(file["root"])
    keys = KeySet.empty(root).renewed(file["keyset"], at=file["at"])

    def receive() -> None:
        payload = keys.verify(row["jws"], at=file["at"])
        units = frozenset(file["units"])
        messages.check_target(payload, device=file["device"], units=units)
        if payload["type"] == "update":
            Update.decode(payload)

    if not row["refused"]:
        receive()
        return
    with pytest.raises(DocumentRefusedError) as refusal:
        receive()
    assert refusal.value.cause == row["refused"]


@pytest.mark.parametrize("file", FILES)
def test_the_fingerprint_is_the_promised_one(file: dict[str, Any]) -> None:
    root = PublicKey(file["root"])

    assert signing.fingerprint(root) == file["root_fingerprint"]
