"""Django's registration of the channels, what its database refuses, its check."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from nguon.audit import guards
from nguon.providers import accounts

GUARDS = (
    *guards.append_only("channels_document", "channels.document"),
    guards.Guard(
        "nguon_channels_delivery_fixed",
        "channels_delivery",
        "UPDATE",
        "channels.delivery_immutable: what was to be said, where, stays as approved",
        "NEW.text <> OLD.text OR NEW.broadcast_id <> OLD.broadcast_id"
        " OR NEW.channel <> OLD.channel OR NEW.account <> OLD.account"
        " OR (OLD.state = 'sent' AND NEW.state NOT IN ('sent', 'withdrawn'))",
    ),
    guards.Guard(
        "nguon_channels_delivery_approved",
        "channels_delivery",
        "INSERT",
        "channels.not_approved: only what is approved leaves, word for word",
        "NOT EXISTS (SELECT 1 FROM schedule_broadcast b"
        " JOIN newsroom_versionchannel c ON c.version_id = b.version_id"
        " WHERE b.id = NEW.broadcast_id AND b.state = 'approved'"
        " AND c.channel = NEW.channel AND c.text = NEW.text)",
    ),
)


class ChannelsConfig(AppConfig):
    """The channels; guards are set again after every migrate."""

    name = "nguon.channels"

    def ready(self) -> None:
        """Register guards and the check of the file of accounts."""
        guards.register(self, GUARDS)
        checks.register(check_accounts)


def check_accounts(**_options: Any) -> Sequence[checks.CheckMessage]:
    """Refuse to start with a file of accounts that cannot be used."""
    try:
        accounts.read()
    except accounts.AccountError as error:
        return [checks.Error(str(error), id="nguon.E020")]
    return []
