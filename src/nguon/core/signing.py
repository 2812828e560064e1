"""Sign and verify; refuses, never shrugs. The only user of the signature library.

JWS compact (RFC 7515), algorithm `Ed25519` (RFC 9864). Devices hold public keys
only, so a stolen device can sign nothing but its own sign-in. Every refusal has a
cause from `CAUSES`: that word travels to the server and stands in the play record.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from nguon.core.errors import RefusedError

VERSION = 1
# Version 2 of these says more than a device of version 1 would understand, so that
# such a device refuses it whole and is silent, never wrong.
SECOND_VERSION = ("plan", "go")
TYPE_PREFIX = "nguon-"
AUDIENCE = "nguon"
TOKEN_SECONDS = 60
# A device's clock may be a little ahead or behind; its offset is taken from the
# server, so this covers only the way between.
CLOCK_LEEWAY_MS = 5_000

# What each kind of document must be signed for.
KEY_USE = {
    "plan": "plan",
    "go": "plan",
    "settings": "plan",
    "time": "plan",
    "alert": "emergency",
    "stop": "emergency",
    "lift": "emergency",
    "command": "command",
    "segment": "plan",
    "update": "firmware",
    "keyset": "root",
}
USES = ("plan", "emergency", "command", "firmware")
CAUSES = (
    "malformed",
    "unknown_version",
    "unknown_key",
    "bad_signature",
    "wrong_key_use",
    "wrong_target",
    "expired",
    "old_sequence",
    "replayed",
)

_registry = jws.JWSRegistry(algorithms=["Ed25519"])
# A week's plan of a busy commune is larger than the library's default limit.
_registry.max_payload_length = 4 * 1024 * 1024


class DocumentRefusedError(RefusedError):
    """A signed document must not be obeyed; `cause` is one of CAUSES."""

    def __init__(self, cause: str, /, **data: object) -> None:
        super().__init__(f"core.document_{cause}", **data)
        self.cause = cause


@dataclass(frozen=True)
class PublicKey:
    """A public Ed25519 key; `x` is the base64url text of RFC 8037."""

    x: str

    def __post_init__(self) -> None:
        try:
            key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": self.x})
            length = len(_from_base64url(self.x))
        except (JoseError, ValueError, TypeError) as error:
            raise DocumentRefusedError("unknown_key") from error
        if length != 32:
            raise DocumentRefusedError("unknown_key")
        object.__setattr__(self, "_key", key)

    @property
    def kid(self) -> str:
        """The key's name: the first characters of the hash of its bytes."""
        return hashlib.sha256(_from_base64url(self.x)).hexdigest()[:16]


class SigningKey:
    """A private Ed25519 key, from a file readable by its owner alone."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.public = PublicKey(str(key.as_dict(private=False)["x"]))

    @property
    def kid(self) -> str:
        """The name of the public half."""
        return self.public.kid

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new random key."""
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a key from a JWK file. Raises OSError, ValueError or JoseError."""
        return cls(OKPKey.import_key(json.loads(path.read_text(encoding="utf-8"))))

    def save(self, path: Path) -> None:
        """Write the key as a JWK file that only its owner may read.

        Raises FileExistsError rather than overwrite a key.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(json.dumps(self._key.as_dict(private=True)), encoding="utf-8")

    @classmethod
    def parse(cls, text: str) -> "SigningKey":
        """Return the key of a JWK text. Raises ValueError or JoseError."""
        return cls(OKPKey.import_key(json.loads(text)))

    def dump(self) -> str:
        """Return the private key as JWK text: for a store its owner alone can read."""
        return json.dumps(self._key.as_dict(private=True))

    def sign(self, payload: Mapping[str, Any], *, typ: str, kid: str = "") -> str:
        """Return the compact JWS of a payload. Raises JoseError when it cannot."""
        header = {"alg": "Ed25519", "kid": kid or self.kid, "typ": typ}
        return jws.serialize_compact(
            header, canonical(payload), self._key, registry=_registry
        )


@dataclass(frozen=True)
class TrustedKey:
    """One working key as the province's key set names it; `not_after` in ms."""

    public: PublicKey
    uses: frozenset[str]
    not_after: int


@dataclass(frozen=True)
class KeySet:
    """The keys in force: the pinned root and what it has signed for."""

    root: PublicKey
    seq: int
    keys: Mapping[str, TrustedKey]

    @classmethod
    def empty(cls, root: PublicKey) -> "KeySet":
        """Return the set of a device that knows nothing but its pinned root."""
        return cls(root=root, seq=0, keys={})

    def renewed(self, token: str, *, at: int) -> "KeySet":
        """Return the newer set signed by the root, or this one when it is the same.

        Raises DocumentRefusedError: bad_signature, expired, old_sequence, malformed.
        """
        header, payload = read(token)
        if header.get("kid") != self.root.kid:
            raise DocumentRefusedError("unknown_key", kid=header.get("kid"))
        _check_signature(token, self.root)
        _check_envelope(header, payload, expected="keyset")
        if payload["not_after"] <= at:
            raise DocumentRefusedError("expired", document=payload["id"])
        if payload["seq"] < self.seq:
            raise DocumentRefusedError("old_sequence", document=payload["id"])
        try:
            keys = {
                row["kid"]: TrustedKey(
                    PublicKey(row["x"]),
                    frozenset(row["uses"]),
                    _whole(row["not_after"]),
                )
                for row in payload["keys"]
            }
        except (KeyError, TypeError) as error:
            raise DocumentRefusedError("malformed", document=payload["id"]) from error
        return KeySet(root=self.root, seq=payload["seq"], keys=keys)

    def verify(self, token: str, *, at: int) -> dict[str, Any]:
        """Return the payload of a signed document that these keys vouch for.

        Checks form, version, key, key use, signature and not-after at `at` (ms).
        Target, sequence and replay are the holder's to check: only it knows them.
        Raises DocumentRefusedError.
        """
        header, payload = read(token)
        kind = _check_envelope(header, payload)
        self._check_key(header, payload, kind, at=at)
        _check_signature(token, self.keys[header["kid"]].public)
        check_fresh(payload, at=at)
        return payload

    def _check_key(
        self,
        header: Mapping[str, Any],
        payload: Mapping[str, Any],
        kind: str,
        *,
        at: int,
    ) -> None:
        key = self.keys.get(header.get("kid", ""))
        if key is None or key.not_after <= at:
            raise DocumentRefusedError("unknown_key", kid=header.get("kid"))
        if use_of(kind, payload) not in key.uses:
            raise DocumentRefusedError("wrong_key_use", document=payload["id"])


def use_of(kind: str, payload: Mapping[str, Any]) -> str:
    """Return what a document must be signed for; a cancel follows its lane.

    Raises DocumentRefusedError: malformed, for a kind or lane nobody knows.
    """
    if kind == "cancel" and payload.get("lane") in {"plan", "emergency"}:
        return str(payload["lane"])
    if kind not in KEY_USE:
        raise DocumentRefusedError("malformed", kind=kind)
    return KEY_USE[kind]


def check_fresh(payload: Mapping[str, Any], *, at: int) -> None:
    """Refuse a document past its not-after (ms). Raises DocumentRefusedError."""
    if payload["not_after"] <= at:
        raise DocumentRefusedError("expired", document=payload["id"])


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and payload of a compact JWS *without* checking it.

    Raises DocumentRefusedError: malformed.
    """
    try:
        head, body, _signature = token.split(".")
        header = json.loads(_from_base64url(head))
        payload = json.loads(_from_base64url(body))
    except (ValueError, UnicodeDecodeError) as error:
        raise DocumentRefusedError("malformed") from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise DocumentRefusedError("malformed")
    return header, payload


def _check_envelope(
    header: Mapping[str, Any], payload: Mapping[str, Any], *, expected: str = ""
) -> str:
    """Return the document's kind after checking what every document must carry."""
    kind, version = payload.get("type"), payload.get("version")
    if version != VERSION and not (version == 2 and kind in SECOND_VERSION):
        raise DocumentRefusedError("unknown_version", version=version)
    if not isinstance(kind, str) or header.get("typ") != TYPE_PREFIX + kind:
        raise DocumentRefusedError("malformed", kind=kind)
    if expected and kind != expected:
        raise DocumentRefusedError("malformed", kind=kind)
    if header.get("alg") != "Ed25519" or not isinstance(payload.get("id"), str):
        raise DocumentRefusedError("malformed", kind=kind)
    for name in ("seq", "issued_at", "not_after"):
        _whole(payload.get(name))
    return kind


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DocumentRefusedError("malformed")
    return value


def _check_signature(token: str, key: PublicKey) -> None:
    try:
        jws.deserialize_compact(token, key._key, registry=_registry)  # type: ignore[attr-defined]
    except JoseError as error:
        raise DocumentRefusedError("bad_signature") from error
    except (ValueError, TypeError) as error:
        raise DocumentRefusedError("malformed") from error


def device_token(key: SigningKey, *, device: str, at: int) -> str:
    """Return the sign-in of a device, good for 60 seconds from `at` (ms)."""
    seconds = at // 1000
    claims = {
        "sub": device,
        "aud": AUDIENCE,
        "iat": seconds,
        "exp": seconds + TOKEN_SECONDS,
    }
    return key.sign(claims, typ="JWT", kid=device)


def token_subject(token: str) -> str:
    """Return the device uid that a token *claims*; check_device_token proves it.

    Raises DocumentRefusedError: malformed.
    """
    _header, claims = read(token)
    subject = claims.get("sub")
    if not isinstance(subject, str):
        raise DocumentRefusedError("malformed")
    return subject


def check_device_token(token: str, *, key: PublicKey, device: str, at: int) -> None:
    """Accept a device's sign-in, or raise DocumentRefusedError.

    Source: RFC 7519 claims `sub`, `aud`, `iat`, `exp` (seconds).
    """
    header, claims = read(token)
    _check_signature(token, key)
    if header.get("alg") != "Ed25519" or claims.get("sub") != device:
        raise DocumentRefusedError("wrong_target", device=device)
    if claims.get("aud") != AUDIENCE:
        raise DocumentRefusedError("wrong_target", device=device)
    issued, ends = _whole(claims.get("iat")), _whole(claims.get("exp"))
    if ends - issued > TOKEN_SECONDS or ends * 1000 + CLOCK_LEEWAY_MS <= at:
        raise DocumentRefusedError("expired", device=device)
    if issued * 1000 - CLOCK_LEEWAY_MS > at:
        raise DocumentRefusedError("expired", device=device)


def fingerprint(public: PublicKey) -> str:
    """Return 8 letters and digits that stand for a key inside a claim code.

    40 bits: enough for a code that lives for days and is read by one technician.
    """
    digest = hashlib.sha256(b"nguon-root:" + _from_base64url(public.x)).digest()
    return base64.b32encode(digest[:5]).decode("ascii")


def canonical(payload: Mapping[str, Any]) -> bytes:
    """Return the one JSON form of a payload: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode("utf-8")


def content_hash(payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of the canonical form of a payload."""
    return hashlib.sha256(canonical(payload)).hexdigest()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
