"""Typed readers of environment variables; a wrong value says how to mend it."""

import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit


class SettingError(ValueError):
    """A setting is missing or has a value that cannot be used."""


def text(name: str, default: str) -> str:
    """Return NAME, or the content of the file named by NAME_FILE, or the default."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no setting. Raises SettingError for other words."""
    value = os.environ.get(name)
    if value is None:
        return default
    words = {"1": True, "true": True, "yes": True}
    words |= {"0": False, "false": False, "no": False, "": False}
    if value.lower() not in words:
        raise SettingError(f"{name}={value!r}: write 1 or 0.")
    return words[value.lower()]


def number(name: str, default: int) -> int:
    """Return a whole number. Raises SettingError for anything else."""
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError as error:
        raise SettingError(f"{name}={value!r}: write a whole number.") from error


def words(name: str, default: str) -> list[str]:
    """Return a comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


Network = IPv4Network | IPv6Network


def networks(name: str) -> list[Network]:
    """Return IP addresses and networks, `10.0.0.5, 10.1.0.0/16`.

    Raises SettingError.
    """
    found = []
    for word in words(name, ""):
        try:
            found.append(ip_network(word))
        except ValueError as error:
            raise SettingError(
                f"{name}={word!r}: write 10.0.0.5 or 10.1.0.0/16."
            ) from error
    return found


@dataclass(frozen=True)
class Leaf:
    """The bus of one area: the unit it serves, and where its devices connect."""

    name: str
    unit: str
    host: str
    port: int


def leaves(name: str) -> dict[str, Leaf]:
    """Return leaf nodes by name, from `name=unit-uid@host:port, …`.

    Raises SettingError.
    """
    found = {}
    for word in words(name, ""):
        match = re.fullmatch(r"([a-z0-9-]{1,20})=([a-z2-7]{12})@(.+):(\d+)", word)
        if match is None:
            raise SettingError(f"{name}={word!r}: write name=unit-uid@host:port.")
        found[match[1]] = Leaf(match[1], match[2], match[3], int(match[4]))
    return found


def database(url: str) -> dict[str, object]:
    """Return Django's database settings for a sqlite:// or postgresql:// address.

    Raises SettingError for any other engine.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path),
            # Tests run on a file too: in memory, threads lock each other out.
            "TEST": {"NAME": f"{unquote(parts.path)}.test"},
            # Several processes write: wait instead of failing, and take the write
            # lock at the start of a transaction so that it cannot fail half-way.
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                    "PRAGMA cache_size=-65536;"
                ),
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
        }
    raise SettingError(
        f"NGUON_DATABASE_URL={url!r}: begin with sqlite:/// or postgresql://."
    )
