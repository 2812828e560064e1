"""The mark of a body by a secret that both sides keep: sent with ours, asked of theirs.

`X-Nguon-Signature: sha256=<HMAC-SHA256 of the body, in hex>`.
"""

import hashlib
import hmac

HEADER = "X-Nguon-Signature"


def sign(secret: str, body: bytes) -> str:
    """Return the mark of a body."""
    mark = hmac.new(secret.encode(), body, hashlib.sha256)
    return f"sha256={mark.hexdigest()}"


def is_signed(secret: str, body: bytes, mark: str) -> bool:
    """Say whether a mark is a body's; an empty secret signs nothing."""
    given = mark.encode("utf-8", "replace")
    return bool(secret) and hmac.compare_digest(sign(secret, body).encode(), given)
