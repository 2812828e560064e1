"""The accounts at providers through which texts leave, from one file of the operator.

A file and not a table: it holds keys, and who may point the province's messages
elsewhere is who keeps the server. `deploy/kenh.example.toml` shows every kind.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

WEBHOOK, SMTP, ZALO = "webhook", "smtp", "zalo-oa"
SMS_HTTP, CALL_HTTP = "sms-http", "call-http"
# Not by which texts leave, but who may send us some.
INBOUND = "inbound"
# Which channel of a bulletin an account serves; calls are for officers alone.
SOCIAL, SMS = "social", "sms"
CHANNEL_OF = {
    **{WEBHOOK: SOCIAL, SMTP: SOCIAL, ZALO: SOCIAL, SMS_HTTP: SMS},
    **{CALL_HTTP: "", INBOUND: ""},
}
NEEDED = {
    WEBHOOK: ("url", "secret"),
    SMTP: (),
    SMS_HTTP: ("url", "token"),
    CALL_HTTP: ("url", "token"),
    INBOUND: ("secret",),
    ZALO: ("app_id", "secret", "renewal"),
}
# A secret that signs what others send us is not to be guessed.
SHORTEST_SECRET = 24
# For this machine's own tests and for gateways behind a proxy here.
PLAIN_HOSTS = ("127.0.0.1", "localhost", "::1")


class AccountError(ValueError):
    """The file of accounts cannot be used; the message says which line and why."""


@dataclass(frozen=True)
class Account:
    """One account: its kind, the unit whose texts go there, its provider's settings.

    `unit` is the uid of a unit, or empty for every unit of the province. `notices`
    says that officers too are told by it.
    """

    name: str
    kind: str
    label: str
    unit: str = ""
    price_dong: int = 0
    notices: bool = False
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def channel(self) -> str:
        """Return the channel that this account serves."""
        return CHANNEL_OF[self.kind]

    @property
    def to_contacts(self) -> bool:
        """Say whether it reaches people one by one, and not its own followers."""
        return self.kind in (SMTP, SMS_HTTP)


def for_notices(kind: str) -> Account | None:
    """Return the account of a kind by which officers are told, if there is one."""
    return next(
        (one for one in read().values() if one.notices and one.kind == kind), None
    )


def read() -> dict[str, Account]:
    """Return the accounts by name; without a file there are none.

    Raises AccountError.
    """
    path = settings.CHANNELS_FILE
    if not path:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise AccountError(f"NGUON_CHANNELS={path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AccountError(f"NGUON_CHANNELS={path}: {error}.") from error
    accounts = [_account(row) for row in found.get("account", [])]
    names = [account.name for account in accounts]
    if len(set(names)) < len(names):
        raise AccountError("NGUON_CHANNELS: two accounts have the same name.")
    return {account.name: account for account in accounts}


def _account(row: Mapping[str, Any]) -> Account:
    name, kind = str(row.get("name", "")), str(row.get("kind", ""))
    if not name or len(name) > 40:
        raise AccountError("NGUON_CHANNELS: an account needs a name of 1 to 40 signs.")
    if kind not in NEEDED:
        known = ", ".join(NEEDED)
        raise AccountError(f"NGUON_CHANNELS: {name}: kind is one of {known}.")
    options = {
        key: str(value)
        for key, value in row.items()
        if key not in ("name", "kind", "label", "unit", "price_dong", "notices")
    }
    for key in NEEDED[kind]:
        if not options.get(key):
            raise AccountError(f"NGUON_CHANNELS: {name}: {key} is missing.")
    if kind == INBOUND and len(options["secret"]) < SHORTEST_SECRET:
        raise AccountError(
            f"NGUON_CHANNELS: {name}: secret needs {SHORTEST_SECRET} signs or more."
        )
    for key in ("url", "api", "oauth"):
        if key in options:
            _check_address(name, key, options[key])
    return Account(
        name=name,
        kind=kind,
        label=str(row.get("label") or name),
        unit=str(row.get("unit", "")),
        price_dong=int(row.get("price_dong", 0)),
        notices=bool(row.get("notices")),
        options=options,
    )


def _check_address(name: str, key: str, url: str) -> None:
    """Refuse an address over which keys and texts would travel open."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and parts.hostname in PLAIN_HOSTS
    if parts.scheme != "https" and not plain:
        raise AccountError(f"NGUON_CHANNELS: {name}: {key} begins with https://.")
