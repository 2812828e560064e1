"""Every change to the fleet; nothing else in the project writes its tables.

`enrolment` lets devices in and out, `documents` signs what they are told,
`media` keeps files, `facts` stores what they report, `signals` how they are,
`rollups` how they were, and `judging` makes faults and incidents of that; `orders`
repairs them, `rehearsals` puts the repaired back into service; `installing` puts
them up; `register` is what the owner knows; `batches` commands many, `groups` names
who belongs together, `moving` puts them into other units,
`releases` and `rollouts` bring them programs.
"""

from nguon.fleet.actions.batches import (
    cancel_batch,
    forget_logs,
    send_batch,
    send_queued,
    settle_commands,
    store_log,
)
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
    store_events,
)
from nguon.fleet.actions.groups import join_group, leave_group, save_group
from nguon.fleet.actions.installing import Job, save_installation, sound_tone
from nguon.fleet.actions.judging import examine_fleet
from nguon.fleet.actions.media import store_media
from nguon.fleet.actions.moving import move_devices
from nguon.fleet.actions.orders import (
    add_photo,
    assign_order,
    close_report,
    drop_order,
    finish_order,
    forget_contacts,
    open_order,
    report_device,
    send_quiet_tests,
    start_order,
    verify_orders,
)
from nguon.fleet.actions.outbox import (
    expire_outbox,
    forget_outbox,
    forget_segments,
    list_outbox,
    mark_sent,
)
from nguon.fleet.actions.register import change_registration, import_registrations
from nguon.fleet.actions.rehearsals import (
    lift_rehearsal,
    repeat_rehearsal,
    send_rehearsals,
    settle_rehearsal,
)
from nguon.fleet.actions.releases import approve_release, upload_release
from nguon.fleet.actions.rollouts import move_rollout, run_rollouts, start_rollout
from nguon.fleet.actions.rollups import keep_runs, record_hours, roll_days
from nguon.fleet.actions.signals import (
    ensure_health,
    record_beats,
    record_connections,
    record_proofs,
)
from nguon.fleet.actions.views import forget_view, save_view

__all__ = [
    "MAX_CLAIMS",
    "Fact",
    "Job",
    "Prepared",
    "Stored",
    "UnitBody",
    "add_photo",
    "approve_device",
    "approve_devices",
    "approve_release",
    "assign_order",
    "cancel_batch",
    "change_device",
    "change_registration",
    "close_report",
    "create_claims",
    "drop_order",
    "enrol_device",
    "ensure_health",
    "examine_fleet",
    "expire_outbox",
    "finish_order",
    "forget_contacts",
    "forget_logs",
    "forget_outbox",
    "forget_segments",
    "forget_view",
    "import_registrations",
    "insert_events",
    "join_group",
    "keep_runs",
    "leave_group",
    "lift_rehearsal",
    "list_outbox",
    "mark_recorded",
    "mark_sent",
    "move_devices",
    "move_rollout",
    "note_fault",
    "open_order",
    "prepare_events",
    "prepare_media",
    "publish_plan",
    "publish_plans",
    "publish_segment",
    "publish_urgent",
    "record_beats",
    "record_connections",
    "record_heard",
    "record_hours",
    "record_proofs",
    "reject_device",
    "repeat_rehearsal",
    "report_device",
    "revoke_device",
    "roll_days",
    "run_rollouts",
    "save_group",
    "save_installation",
    "save_view",
    "send_batch",
    "send_command",
    "send_queued",
    "send_quiet_tests",
    "send_rehearsals",
    "set_aside",
    "settle_commands",
    "settle_rehearsal",
    "sound_tone",
    "start_order",
    "start_rollout",
    "store_events",
    "store_log",
    "store_media",
    "upload_release",
    "verify_orders",
]
