"""Every change of the channels room."""

from nguon.channels.actions.contacts import add_contact, import_contacts, remove_contact
from nguon.channels.actions.deliveries import (
    deliver,
    retry_delivery,
    spread_released,
    withdraw_cancelled,
)

__all__ = [
    "add_contact",
    "deliver",
    "import_contacts",
    "remove_contact",
    "retry_delivery",
    "spread_released",
    "withdraw_cancelled",
]
