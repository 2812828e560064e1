"""The tables of the fleet; only `fleet.actions` writes them.

`devices` who they are and what they were told and told us, `health` how they are,
`rollups` how they were, `register` what the owner knows about them, `upkeep` what is
done about them.
"""

from nguon.fleet.models.devices import (
    ACTIVE,
    BOARD,
    CLONE,
    DOCUMENT_KINDS,
    FLOOD,
    FLOOD_SPAN,
    KICK,
    KINDS,
    PLAN,
    REJECTED,
    REVOKED,
    SERVER_LOG,
    SETTINGS,
    SPEAKER,
    STATES,
    URGENT,
    URGENT_LANE,
    WAITING,
    Claim,
    Counter,
    Device,
    DeviceEvent,
    Media,
    OutboxMessage,
    SignedDocument,
    StrayMessage,
    default_languages,
    kind_choices,
    state_choices,
)
from nguon.fleet.models.health import Fault, Health, Incident, SignalChange
from nguon.fleet.models.register import Registration
<<<<<<< HEAD
from nguon.fleet.models.upkeep import (
    DeviceReport,
    Rehearsal,
    SavedView,
    WorkOrder,
    WorkPhoto,
)
=======
from nguon.fleet.models.rollups import BeatDay, BeatHour
from nguon.fleet.models.upkeep import DeviceReport, SavedView, WorkOrder, WorkPhoto
>>>>>>> main

__all__ = [
    "ACTIVE",
    "BOARD",
    "CLONE",
    "DOCUMENT_KINDS",
    "FLOOD",
    "FLOOD_SPAN",
    "KICK",
    "KINDS",
    "PLAN",
    "REJECTED",
    "REVOKED",
    "SERVER_LOG",
    "SETTINGS",
    "SPEAKER",
    "STATES",
    "URGENT",
    "URGENT_LANE",
    "WAITING",
    "BeatDay",
    "BeatHour",
    "Claim",
    "Counter",
    "Device",
    "DeviceEvent",
    "DeviceReport",
    "Fault",
    "Health",
    "Incident",
    "Media",
    "OutboxMessage",
    "Registration",
    "Rehearsal",
    "SavedView",
    "SignalChange",
    "SignedDocument",
    "StrayMessage",
    "WorkOrder",
    "WorkPhoto",
    "default_languages",
    "kind_choices",
    "state_choices",
]
