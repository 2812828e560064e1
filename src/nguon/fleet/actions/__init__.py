"""Every change to the fleet; nothing else in the project writes its tables.

`enrolment` lets devices in and out, `documents` signs what they are told,
`media` keeps files, `facts` stores what they report.
"""

from nguon.fleet.actions.documents import (
    UnitBody,
    change_device,
    prepare_media,
    publish_plan,
    publish_plans,
    publish_segment,
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
    Fact,
    Prepared,
    Stored,
    insert_events,
    mark_recorded,
    note_fault,
    prepare_events,
    record_heard,
    set_aside,
    set_connected,
    store_events,
)
from nguon.fleet.actions.media import store_media
from nguon.fleet.actions.outbox import (
    expire_outbox,
    forget_outbox,
    forget_segments,
    list_outbox,
    mark_sent,
)

__all__ = [
    "MAX_CLAIMS",
    "Fact",
    "Prepared",
    "Stored",
    "UnitBody",
    "approve_device",
    "approve_devices",
    "change_device",
    "create_claims",
    "enrol_device",
    "expire_outbox",
    "forget_outbox",
    "insert_events",
    "forget_segments",
    "list_outbox",
    "mark_recorded",
    "mark_sent",
    "note_fault",
    "prepare_events",
    "prepare_media",
    "publish_plan",
    "publish_plans",
    "publish_segment",
    "publish_urgent",
    "record_heard",
    "reject_device",
    "revoke_device",
    "send_command",
    "set_aside",
    "set_connected",
    "store_events",
    "store_media",
]
