"""A province of this test: its keys, and documents signed as the server signs them."""

import hashlib
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from nguon.core import messages, signing
from nguon.core.messages import Audience, Item, Rendition, Settings
from nguon.core.signing import SigningKey

NOW = 1_795_000_000_000
HOUR = 3_600_000
UNIT, COMMUNE, PROVINCE = "v" * 12, "c" * 12, "p" * 12
SOUND = b"not really an MP3, but exactly these bytes"
SHA256 = hashlib.sha256(SOUND).hexdigest()


@dataclass
class Province:
    """Keys with one use each, and a counter for documents."""

    root: SigningKey = field(default_factory=SigningKey.generate)
    keys: dict[str, SigningKey] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))
    base: int = NOW

    def __post_init__(self) -> None:
        for use in ("plan", "emergency", "command"):
            self.keys[use] = SigningKey.generate()
        self.kept_keyset = self.keyset()

    def claim(self, number: int) -> str:
        """Return a claim code that vouches for this province's root."""
        letters = f"{number:08d}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))
        code = letters + signing.fingerprint(self.root.public)
        return "-".join(code[at : at + 4] for at in range(0, 16, 4))

    def keyset(self) -> str:
        """Return the signed key set."""
        rows = [
            {
                "kid": key.kid,
                "x": key.public.x,
                "uses": [use],
                "not_after": self.base + 100 * HOUR,
            }
            for use, key in self.keys.items()
        ]
        return self.sign("keyset", self.root, target={}, seq=1, keys=rows)

    def sign(
        self,
        kind: str,
        key: SigningKey,
        /,
        *,
        target: dict[str, str],
        seq: int,
        not_after: int = 0,
        version: int = signing.VERSION,
        **body: Any,
    ) -> str:
        """Return a document signed by a key, `version` being the one it claims."""
        payload = messages.envelope(
            kind,
            document=f"d{next(self.numbers):011d}",
            target=target,
            seq=seq,
            issued_at=self.base,
            not_after=not_after or self.base + HOUR,
            body=body,
        )
        payload["version"] = version
        return key.sign(payload, typ=f"nguon-{kind}")

    def settings(self, device: str) -> str:
        """Return a device's settings."""
        told = Settings(device, "speaker", (UNIT, COMMUNE, PROVINCE))
        return self.sign(
            "settings",
            self.keys["plan"],
            target={"device": device},
            seq=1,
            **told.body(),
        )

    def alert(self, *, seq: int = 1, item: Item | None = None, **more: Any) -> str:
        """Return an alert for the commune."""
        key = more.pop("key", self.keys["emergency"])
        target = more.pop("target", {"unit": COMMUNE})
        body = (item or self.item()).encode()
        return self.sign("alert", key, target=target, seq=seq, item=body, **more)

    def item(self, name: str = "", **changes: Any) -> Item:
        """Return an emergency of two seconds that may begin now."""
        found: dict[str, Any] = {
            "id": name or f"i{next(self.numbers):011d}",
            "broadcast": "b" * 12,
            "bulletin": "u" * 12,
            "title": "Lũ về",
            "text": "Sơ tán ngay.",
            "rank": "emergency",
            "starts_at": self.base,
            "ends_at": self.base + HOUR,
            "shown_until": self.base + HOUR,
            "approved_at": self.base,
            "content_sha256": "0" * 64,
            "audience": Audience(units=(COMMUNE,)),
            "renditions": (Rendition("vi", SHA256, len(SOUND), 2_000),),
            "start": "cut",
        }
        return Item(**{**found, **changes})


@pytest.fixture(scope="session")
def province() -> Province:
    return Province()
