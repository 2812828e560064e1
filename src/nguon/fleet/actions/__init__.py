"""Every change to the fleet; nothing else in the project writes its tables.

`enrolment` lets devices in and out, `documents` signs what they are told,
`media` keeps files, `facts` stores what they report, `signals` how they are, and
`judging` makes faults and incidents of that.
"""

from nguon.fleet.actions.documents import (
    change_device,
    prepare_media,
    publish_plan,
    publish_urgent,
    send_command,
)
from nguon.fleet.actions.enrolment import (
    MAX_CLAIMS,
    approve_device,
    approve_devices,
    create_claims,
    enrol_device,
    reject_device,
    revoke_device,
)
from nguon.fleet.actions.facts import (
    Stored,
    mark_recorded,
    note_fault,
    record_heard,
    set_aside,
    store_events,
)
from nguon.fleet.actions.judging import examine_fleet
from nguon.fleet.actions.media import store_media
from nguon.fleet.actions.outbox import (
    expire_outbox,
    forget_outbox,
    list_outbox,
    mark_sent,
)
from nguon.fleet.actions.signals import (
    ensure_health,
    record_beats,
    record_connections,
    record_proofs,
)

__all__ = [
    "MAX_CLAIMS",
    "Stored",
    "approve_device",
    "approve_devices",
    "change_device",
    "create_claims",
    "enrol_device",
    "ensure_health",
    "examine_fleet",
    "expire_outbox",
    "forget_outbox",
    "list_outbox",
    "mark_recorded",
    "mark_sent",
    "note_fault",
    "prepare_media",
    "publish_plan",
    "publish_urgent",
    "record_beats",
    "record_connections",
    "record_heard",
    "record_proofs",
    "reject_device",
    "revoke_device",
    "send_command",
    "set_aside",
    "store_events",
    "store_media",
]
