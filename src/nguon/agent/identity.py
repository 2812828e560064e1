"""Who this device is: its key, its claim, the root key it pinned, where its server is.

The private key is made here, is readable by its owner alone and never leaves. The
last 8 characters of the claim code are the fingerprint of the province's root key;
a server that shows another root is refused, whatever it says.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from nguon.agent.files import write_whole
from nguon.core import signing
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.core.signing import PublicKey, SigningKey

KINDS = ("speaker", "board")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_FILE = "identity.json"
_KEY = "device.jwk"


class ForeignRootError(RefusedError):
    """The server showed a root key that the claim code does not vouch for."""


class HomeInUseError(ConflictError):
    """This home already belongs to another claim or server."""


@dataclass(frozen=True)
class Identity:
    """What is kept in `identity.json`; `root` is empty until it has been pinned."""

    server: str
    claim: str
    kind: str
    device: str = ""
    root: str = ""
    bus_host: str = ""
    bus_port: int = 0
    bus_tls: bool = False

    @property
    def root_key(self) -> PublicKey:
        """The pinned root key."""
        return PublicKey(self.root)

    def pinned(self, root: str) -> "Identity":
        """Return this identity with the province's root key.

        Raises ForeignRootError when it is not the key of the claim code, or not
        the one pinned before.
        """
        key = PublicKey(root)
        if signing.fingerprint(key) != self.claim.replace("-", "")[8:]:
            raise ForeignRootError("agent.foreign_root", kid=key.kid)
        if self.root and self.root != root:
            raise ForeignRootError("agent.foreign_root", kid=key.kid)
        return replace(self, root=root)


def check_address(url: str) -> None:
    """Refuse a plain address that is not this machine's own loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise InvalidError("agent.server_without_tls", server=url)


def check_bus(host: str, *, tls: bool) -> None:
    """Refuse a plain bus that is not on this machine's own loopback."""
    if not tls and host not in _LOOPBACK:
        raise InvalidError("agent.bus_without_tls", host=host)


def check_claim(code: str) -> str:
    """Return a claim code as it is stored: 16 upper-case characters in fours."""
    letters = "".join(code.split()).replace("-", "").upper()
    if len(letters) != 16 or not letters.isascii() or not letters.isalnum():
        raise InvalidError("agent.claim_malformed")
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


class Home:
    """The device's folder, made for its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"
        self.store = folder / "store.sqlite3"

    def exists(self) -> bool:
        """Say whether a device has been enrolled, or begun to, in this folder."""
        return (self.folder / _FILE).exists()

    def key(self) -> SigningKey:
        """Return the device's own key, made at the first call."""
        path = self.folder / _KEY
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = self.folder / f"{_KEY}.new"
            fresh.unlink(missing_ok=True)
            SigningKey.generate().save(fresh)
            fresh.replace(path)
        return SigningKey.load(path)

    def identity(self) -> Identity:
        """Return who this device is. Raises InvalidError before enrolment."""
        try:
            text = (self.folder / _FILE).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise InvalidError("agent.not_enrolled", home=str(self.folder)) from error
        return Identity(**json.loads(text))

    def write(self, identity: Identity) -> None:
        """Keep who this device is; a crash leaves the old file or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self.folder / _FILE, json.dumps(asdict(identity), indent=1))

    def begin(self, identity: Identity) -> Identity:
        """Return the identity to enrol, going on with what was begun here before.

        Raises HomeInUseError when the folder belongs to another claim or server.
        """
        if not self.exists():
            self.write(identity)
            return identity
        held = self.identity()
        if (held.claim, held.server) != (identity.claim, identity.server):
            raise HomeInUseError("agent.home_in_use", home=str(self.folder))
        return held
