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
    announce_absence,
    end_absence,
    end_deputy,
    end_role,
    grant_role,
    name_deputy,
)

__all__ = [
    "OTHER_CHANNELS",
    "PUSHES",
    "add_receiver",
    "announce_absence",
    "change_contact",
    "create_officer",
    "deliver_notices",
    "end_absence",
    "end_deputy",
    "end_role",
    "grant_role",
    "label_of",
    "lock_officer",
    "mark_read",
    "name_deputy",
    "notify",
    "register_officer",
    "remove_receiver",
    "reset_password",
    "try_receiver",
    "unlock_officer",
]
