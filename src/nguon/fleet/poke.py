"""Wakes the gateway: an empty UDP datagram, sent after the commit.

A lost poke costs at most a second, because the gateway also looks by itself.
"""

import contextlib
import socket

from django.conf import settings
from django.db import transaction


def address() -> tuple[str, int]:
    """Return where the gateway listens, from NGUON_POKE (`host:port`)."""
    host, _, port = str(settings.POKE).rpartition(":")
    return host, int(port)


def send() -> None:
    """Send one poke now; that nobody listens is no error."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        sender.settimeout(0)
        sender.sendto(b"", address())


def on_commit() -> None:
    """Poke once the caller's transaction is in the database."""
    transaction.on_commit(send)
