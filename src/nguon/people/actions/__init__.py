"""Every change to people; nothing else in the project may save one."""

from nguon.people.actions.notices import (
    OTHER_CHANNELS,
    PUSHES,
    deliver_notices,
    mark_read,
    notify,
)
from nguon.people.actions.officers import (
    change_contact,
    create_officer,
    lock_officer,
    register_officer,
    reset_password,
    unlock_officer,
)
from nguon.people.actions.receivers import (
    add_receiver,
    label_of,
    remove_receiver,
    try_receiver,
)
from nguon.people.actions.roles import (
    HandOver,
    announce_absence,
    end_absence,
    end_deputy,
    end_role,
    forget_past,
    grant_role,
    hand_over_roles,
    name_deputy,
    read_past,
    take_back_roles,
)

__all__ = [
    "OTHER_CHANNELS",
    "PUSHES",
    "HandOver",
    "add_receiver",
    "announce_absence",
    "change_contact",
    "create_officer",
    "deliver_notices",
    "end_absence",
    "end_deputy",
    "end_role",
    "forget_past",
    "grant_role",
    "hand_over_roles",
    "label_of",
    "lock_officer",
    "mark_read",
    "name_deputy",
    "notify",
    "read_past",
    "register_officer",
    "remove_receiver",
    "reset_password",
    "take_back_roles",
    "try_receiver",
    "unlock_officer",
]
