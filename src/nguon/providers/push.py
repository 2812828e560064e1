"""Web Push: a few words to one browser, through the push server of its maker.

RFC 8030 carries, RFC 8291 encrypts for that browser alone (the maker reads nothing),
RFC 8292 (VAPID) proves that it is this server which writes. The key of that proof is
made once and never renewed: every subscription is bound to it.

The two ready-made libraries are left out on purpose: pywebpush brings two HTTP
clients, http-ece comes as source only. What remains is one record of RFC 8188, which
`cryptography` does; the RFC's own example is in the tests.
"""

import base64
import http.client
import json
import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nguon.core import addresses
from nguon.core.addresses import Address, AddressError
from nguon.providers.accounts import PLAIN_HOSTS
from nguon.providers.adapters import RefusedTextError
from nguon.radio import feeds

# From the connection to the answer, however slowly it drips.
SECONDS = 5.0
# How long a maker keeps what a phone without network has not fetched yet.
KEPT = timedelta(hours=12)
KEPT_URGENT = timedelta(hours=1)
# RFC 8292 allows a day; a clock may be wrong on both sides.
PROOF_LIFE = timedelta(hours=12)
RECORD = 4096
# Every message has this length, so that its length tells nothing (RFC 8291, 4).
PLAIN = 2048
KEY_FILE = "push.jwk"
POINT, SECRET, SALT = 65, 16, 16
_CURVE = ec.SECP256R1()


class NoPushKeyError(OSError):
    """This server has no key of its own yet: `make_keys` makes it."""


class GoneError(Exception):
    """The browser has switched it off, or is no more: never write to it again."""


@dataclass(frozen=True)
class Target:
    """One browser: where its maker takes messages, and the keys they are sealed for."""

    endpoint: str
    public_key: bytes
    secret: bytes


def make_key(folder: Path) -> bool:
    """Make this server's key where there is none; return whether it was made."""
    path = folder / KEY_FILE
    if path.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    made = ECKey.generate_key("P-256")
    fresh.write_text(json.dumps(made.as_dict(private=True)), encoding="utf-8")
    fresh.replace(path)
    return True


def public_key() -> str:
    """Return what a browser binds its subscription to. Raises NoPushKeyError."""
    return write_base64(_point(_own_key().public_key))


def check_endpoint(endpoint: str) -> Address:
    """Return the parts of an address at which a push server may be asked.

    The setting NGUON_PUSH_HOSTS has the makers; one with a port may stand inside the
    network. Raises AddressError `core.address_unusable` for what is not encrypted,
    `core.address_inside`, `providers.push_host` for a stranger.
    """
    where = addresses.parse(endpoint)
    if not endpoint.isascii():
        raise AddressError("core.address_unusable", url=endpoint[:200])
    inside = _is_inside(where)
    if not where.is_tls and not (inside and where.host in PLAIN_HOSTS):
        raise AddressError("core.address_unusable", url=endpoint[:200])
    if inside:
        return where
    if where.port != 443 or not any(
        where.host.endswith(name[1:]) if name.startswith("*.") else where.host == name
        for name in settings.PUSH_HOSTS
    ):
        raise AddressError("providers.push_host", host=where.host[:100])
    return where


def check_keys(*, public_key: str, secret: str) -> tuple[bytes, bytes]:
    """Return a browser's keys as bytes. Raises ValueError for what is no key."""
    point, auth = read_base64(public_key), read_base64(secret)
    if len(point) != POINT or len(auth) != SECRET:
        raise ValueError("length")
    ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    return point, auth


def send(
    target: Target,
    words: Mapping[str, object],
    *,
    topic: str,
    urgent: bool,
    at: datetime,
) -> None:
    """Hand one message to the maker's server; a later one of the topic replaces it.

    Raises OSError (closed for now), GoneError, RefusedTextError, AddressError.
    """
    where = check_endpoint(target.endpoint)
    plain = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
    sealed = encrypt(
        plain,
        target=target,
        sender=ec.generate_private_key(_CURVE),
        salt=os.urandom(SALT),
        length=PLAIN,
    )
    headers = {
        "Authorization": _proof(where, at=at),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int((KEPT_URGENT if urgent else KEPT).total_seconds())),
        "Urgency": "high" if urgent else "normal",
        "Topic": topic,
    }
    status = _post(where, sealed, headers)
    if status in {404, 410}:
        raise GoneError(where.host)
    if status in {408, 429} or status >= 500:
        raise ConnectionError(f"HTTP {status}")
    if status >= 300:
        raise RefusedTextError("token_refused" if status in {401, 403} else "refused")


def encrypt(
    plain: bytes,
    *,
    target: Target,
    sender: ec.EllipticCurvePrivateKey,
    salt: bytes,
    length: int = 0,
) -> bytes:
    """Return one record that only the target can read (RFC 8291, 3.4; RFC 8188, 2).

    It is filled up to a length in bytes. Raises ValueError when it is longer.
    """
    if len(plain) > (length or RECORD - 103):
        raise ValueError(f"{len(plain)} bytes")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, target.public_key)
    ours = _point(sender.public_key())
    shared = sender.exchange(ec.ECDH(), theirs)
    both = b"WebPush: info\0" + target.public_key + ours
    secret = _derive(shared, target.secret, both, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    # 2 ends the words of the last record; zeros fill it.
    record = (plain + b"\x02").ljust(length + 1, b"\0")
    header = salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(key).encrypt(nonce, record, None)


def _post(where: Address, body: bytes, headers: Mapping[str, str]) -> int:
    """Return the status of a POST; the answer's body is not read. Raises OSError."""
    names = [f"{where.host}:{where.port}"] if _is_inside(where) else []
    line = feeds.open_line(where, inside=names, stale_s=SECONDS)
    ending = threading.Timer(SECONDS, _cut, [line])
    ending.start()
    try:
        connection = http.client.HTTPConnection(where.host, where.port)
        # Then the name stands in the question as the maker writes it, without a port.
        connection.default_port = 443 if where.is_tls else 80
        connection.sock = line
        connection.request("POST", where.target, body=body, headers=dict(headers))
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise ConnectionError(type(error).__name__) from error
    finally:
        ending.cancel()
        line.close()


def _cut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


def _is_inside(where: Address) -> bool:
    return f"{where.host}:{where.port}" in settings.PUSH_HOSTS


def _proof(where: Address, *, at: datetime) -> str:
    """Return the header by which the maker knows this server (RFC 8292)."""
    own = _own_key()
    port = "" if where.port == 443 else f":{where.port}"
    contact = settings.PUBLIC_URL
    if not contact.startswith("https://"):
        contact = f"mailto:{settings.DEFAULT_FROM_EMAIL}"
    claims = {
        "aud": f"{where.scheme}://{where.host}{port}",
        "exp": int((at + PROOF_LIFE).timestamp()),
        "sub": contact,
    }
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, own)
    return f"vapid t={token}, k={write_base64(_point(own.public_key))}"


def _own_key() -> ECKey:
    path = settings.KEYS_DIR / KEY_FILE
    try:
        return _read_key(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, JoseError) as error:
        raise NoPushKeyError("run make_keys") from error


@lru_cache(maxsize=4)
def _read_key(path: Path, _stamp: int) -> ECKey:
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def read_base64(text: str) -> bytes:
    """Return what base64url without padding says. Raises ValueError."""
    return base64.b64decode(
        text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
    )


def write_base64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
