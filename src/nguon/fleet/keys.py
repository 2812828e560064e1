"""The server's keys: the province's root and the working keys it vouches for.

Files in `KEYS_DIR`, readable by their owner alone: `root.jwk` (needed only to make
or renew the key set, so it may be kept elsewhere), `root.pub`, one `.jwk` for each
use, and `keyset.jws`, signed by the root. Who cannot sign raises; nothing is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from joserfc.errors import JoseError

from nguon.core import messages, signing
from nguon.core.errors import ConflictError, DomainError
from nguon.core.signing import KeySet, PublicKey, SigningKey
from nguon.core.topics import new_uid

WORKING = ("plan", "emergency", "command", "firmware")
LIFE = timedelta(days=400)
# So long before a key's end its keeper is told to renew it.
WARNING = timedelta(days=30)


class CannotSignError(DomainError):
    """A key is missing, broken or past its end: nothing may be sent."""

    def __init__(self, use: str, why: str) -> None:
        super().__init__("fleet.cannot_sign", use=use, why=why)


@dataclass(frozen=True)
class Ring:
    """The keys of this server, read once; `keyset` is the document for devices."""

    root: PublicKey
    keyset: str
    trusted: KeySet
    signers: dict[str, SigningKey]

    def signer(self, use: str, *, at: int) -> SigningKey:
        """Return the key for a use. Raises CannotSignError when it has run out."""
        key = self.signers.get(use)
        if key is None:
            # Made by an older version: the others go on signing.
            raise CannotSignError(use, "run make_keys --renew")
        named = self.trusted.keys.get(key.kid)
        if named is None or use not in named.uses:
            raise CannotSignError(use, "not in the key set")
        if named.not_after <= at:
            raise CannotSignError(use, "past its end")
        return key


def make(*, at: datetime, folder: Path | None = None) -> bool:
    """Make root, working keys and key set where there are none yet.

    Returns whether anything was made. Raises ConflictError when a root is there but
    its key set is not: that is a broken copy, to be restored and never replaced.
    """
    folder = folder or settings.KEYS_DIR
    if (folder / "keyset.jws").exists():
        return False
    if (folder / "root.pub").exists():
        raise ConflictError("fleet.keys_incomplete", folder=str(folder))
    root = SigningKey.generate()
    root.save(folder / "root.jwk")
    rows = []
    for use in WORKING:
        key = SigningKey.generate()
        key.save(folder / f"{use}.jwk")
        rows.append(_row(key.public, use, at))
    (folder / "root.pub").write_text(root.public.x, encoding="ascii")
    _write_keyset(folder, root, rows, seq=1, at=at)
    return True


def renew(*, at: datetime, folder: Path | None = None) -> None:
    """Replace the working keys and sign a new key set; older keys stay named.

    Old documents so stay good until the older keys' own end. Raises OSError when
    the root key is not here.
    """
    folder = folder or settings.KEYS_DIR
    root = SigningKey.load(folder / "root.jwk")
    _header, held = signing.read((folder / "keyset.jws").read_text(encoding="ascii"))
    now = _ms(at)
    rows = [row for row in held["keys"] if row["not_after"] > now]
    for use in WORKING:
        key = SigningKey.generate()
        fresh = folder / f"{use}.new"
        fresh.unlink(missing_ok=True)
        key.save(fresh)
        rows.append(_row(key.public, use, at))
    _write_keyset(folder, root, rows, seq=held["seq"] + 1, at=at)
    for use in WORKING:
        (folder / f"{use}.new").replace(folder / f"{use}.jwk")


def ring() -> Ring:
    """Return this server's keys. Raises CannotSignError when they are not usable."""
    path = settings.KEYS_DIR / "keyset.jws"
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise CannotSignError("any", "run make_keys first") from error
    return _read_ring(settings.KEYS_DIR, stamp)


def list_unready(*, at: datetime) -> list[str]:
    """Return the uses for which nothing can be signed in some weeks' time, or now.

    A key that an older version did not know is one of them. Raises CannotSignError
    when none of the keys can be used.
    """
    ring()
    return [use for use in WORKING if not can_sign(use, at=at + WARNING)]


def can_sign(use: str, *, at: datetime) -> bool:
    """Say whether there is a key for a use that has not run out at a moment."""
    try:
        ring().signer(use, at=_ms(at))
    except CannotSignError:
        return False
    return True


@lru_cache(maxsize=4)
def _read_ring(folder: Path, _stamp: int) -> Ring:
    try:
        root = PublicKey((folder / "root.pub").read_text(encoding="ascii").strip())
        keyset = (folder / "keyset.jws").read_text(encoding="ascii").strip()
        signers = {
            use: SigningKey.load(folder / f"{use}.jwk")
            for use in WORKING
            if use != "firmware" or (folder / f"{use}.jwk").exists()
        }
        trusted = KeySet.empty(root).renewed(keyset, at=0)
    except (OSError, ValueError, JoseError, DomainError) as error:
        raise CannotSignError("any", str(error)) from error
    return Ring(root=root, keyset=keyset, trusted=trusted, signers=signers)


def _row(public: PublicKey, use: str, at: datetime) -> dict[str, object]:
    return {
        "kid": public.kid,
        "x": public.x,
        "uses": [use],
        "not_after": _ms(at + LIFE),
    }


def _write_keyset(
    folder: Path,
    root: SigningKey,
    rows: list[dict[str, object]],
    *,
    seq: int,
    at: datetime,
) -> None:
    payload = messages.envelope(
        "keyset",
        document=new_uid(),
        target={},
        seq=seq,
        issued_at=_ms(at),
        not_after=_ms(at + LIFE),
        body={"keys": rows},
    )
    fresh = folder / "keyset.new"
    fresh.write_text(root.sign(payload, typ="nguon-keyset"), encoding="ascii")
    fresh.replace(folder / "keyset.jws")


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
