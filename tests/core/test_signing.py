"""A document is obeyed only when key, use, form, version and time all fit."""

import pytest

from nguon.core import messages, signing
from nguon.core.signing import DocumentRefusedError, KeySet, SigningKey

NOW = 1_795_000_000_000


@pytest.fixture(scope="module")
def root() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def worker() -> SigningKey:
    return SigningKey.generate()


def key_set_document(root: SigningKey, worker: SigningKey, uses: list[str]) -> str:
    payload = messages.envelope(
        "keyset",
        document="keys1",
        target={},
        seq=1,
        issued_at=NOW,
        not_after=NOW + 10_000,
        body={
            "keys": [
                {
                    "kid": worker.kid,
                    "x": worker.public.x,
                    "uses": uses,
                    "not_after": NOW + 10_000,
                }
            ]
        },
    )
    return root.sign(payload, typ="nguon-keyset")


def stop_document(key: SigningKey, **changes: object) -> str:
    payload = messages.envelope(
        "stop",
        document="stop1",
        target={"unit": "a" * 12},
        seq=1,
        issued_at=NOW,
        not_after=NOW + 5_000,
        body={"until": NOW + 5_000},
    )
    return key.sign(payload | changes, typ="nguon-stop")


def test_verify_returns_the_payload_of_a_good_document(
    root: SigningKey, worker: SigningKey
) -> None:
    keys = KeySet.empty(root.public)
    keys = keys.renewed(key_set_document(root, worker, ["emergency"]), at=NOW)

    payload = keys.verify(stop_document(worker), at=NOW)

    assert payload["id"] == "stop1"


@pytest.mark.parametrize(
    ("cause", "changes", "uses", "at"),
    [
        ("expired", {}, ["emergency"], NOW + 5_000),
        ("wrong_key_use", {}, ["plan"], NOW),
        ("unknown_version", {"version": 2}, ["emergency"], NOW),
        ("malformed", {"type": "plan"}, ["emergency"], NOW),
        ("malformed", {"seq": "1"}, ["emergency"], NOW),
        ("malformed", {"not_after": None}, ["emergency"], NOW),
        ("unknown_key", {}, ["emergency"], NOW + 20_000),
    ],
)
def test_verify_refuses_with_its_cause(
    root: SigningKey,
    worker: SigningKey,
    cause: str,
    changes: dict[str, object],
    uses: list[str],
    at: int,
) -> None:
    keys = KeySet.empty(root.public)
    keys = keys.renewed(key_set_document(root, worker, uses), at=NOW)

    with pytest.raises(DocumentRefusedError) as refusal:
        keys.verify(stop_document(worker, **changes), at=at)

    assert refusal.value.cause == cause


def test_verify_refuses_every_changed_byte(
    root: SigningKey, worker: SigningKey
) -> None:
    keys = KeySet.empty(root.public)
    keys = keys.renewed(key_set_document(root, worker, ["emergency"]), at=NOW)
    token = stop_document(worker)

    for place in range(len(token) - 1):
        letter = "A" if token[place] != "A" else "B"
        forged = token[:place] + letter + token[place + 1 :]
        with pytest.raises(DocumentRefusedError):
            keys.verify(forged, at=NOW)


def test_renewed_refuses_a_key_set_of_another_root(worker: SigningKey) -> None:
    stranger, root = SigningKey.generate(), SigningKey.generate()
    token = key_set_document(stranger, worker, ["emergency"])

    with pytest.raises(DocumentRefusedError) as refusal:
        KeySet.empty(root.public).renewed(token, at=NOW)

    assert refusal.value.cause == "unknown_key"


def test_device_token_is_good_for_its_device_and_minute_only() -> None:
    key, stranger = SigningKey.generate(), SigningKey.generate()
    token = signing.device_token(key, device="d" * 12, at=NOW)

    signing.check_device_token(token, key=key.public, device="d" * 12, at=NOW)
    for wrong in (
        {"key": stranger.public, "device": "d" * 12, "at": NOW},
        {"key": key.public, "device": "e" * 12, "at": NOW},
        {"key": key.public, "device": "d" * 12, "at": NOW + 66_000},
        {"key": key.public, "device": "d" * 12, "at": NOW - 10_000},
    ):
        with pytest.raises(DocumentRefusedError):
            signing.check_device_token(token, **wrong)


def test_sequence_window_accepts_each_number_once_in_any_order() -> None:
    window = messages.SequenceWindow()

    for seq in (5, 3, 100, 99, 40):
        window.check(seq)
        window.accept(seq)

    for seq, cause in ((99, "replayed"), (40, "replayed"), (36, "old_sequence")):
        with pytest.raises(DocumentRefusedError) as refusal:
            window.check(seq)
        assert refusal.value.cause == cause
    window.check(98)
