"""System checks of our own settings: a mistake is said before it can hurt."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

MIN_SECRET = 40
MIN_TOKEN = 32


def is_loopback(host: str) -> bool:
    """Say whether a host name can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@register("nguon")
def check_secret(app_configs: Sequence[Any] | None, **more: Any) -> list[CheckMessage]:
    """Require a secret key that nobody can guess."""
    if len(settings.SECRET_KEY) >= MIN_SECRET:
        return []
    return [
        Error(
            "NGUON_SECRET_KEY is missing or shorter than 40 characters.",
            hint="Set NGUON_SECRET_KEY_FILE to a file with 50 random characters.",
            id="nguon.E001",
        )
    ]


@register("nguon")
def check_token(app_configs: Sequence[Any] | None, **more: Any) -> list[CheckMessage]:
    """Require a token for figures that nobody can guess, or none."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= MIN_TOKEN:
        return []
    return [
        Error(
            "NGUON_METRICS_TOKEN is shorter than 32 characters.",
            hint="Set NGUON_METRICS_TOKEN_FILE to a file with 40 random characters.",
            id="nguon.E004",
        )
    ]


@register("nguon")
def check_transport(
    app_configs: Sequence[Any] | None, **more: Any
) -> list[CheckMessage]:
    """Allow plain transport on loopback only."""
    found: list[CheckMessage] = []
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme != "https" and not is_loopback(public.hostname or ""):
        found.append(
            Error(
                f"NGUON_PUBLIC_URL={settings.PUBLIC_URL!r} has no TLS.",
                hint="Only 127.0.0.1 may be plain; elsewhere begin with https://.",
                id="nguon.E002",
            )
        )
    hosts = [settings.MQTT_HOST, *(leaf.host for leaf in settings.LEAVES.values())]
    open_hosts = [host for host in hosts if not is_loopback(host)]
    if not settings.MQTT_TLS and open_hosts:
        found.append(
            Error(
                f"The bus at {open_hosts[0]!r} has no TLS.",
                hint="Set NGUON_MQTT_TLS=1; only 127.0.0.1 may be plain.",
                id="nguon.E003",
            )
        )
    return found
