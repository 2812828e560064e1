"""Every change to people; nothing else in the project may save one."""

from nguon.people.actions.notices import deliver_notices, mark_read, notify
from nguon.people.actions.officers import (
    change_contact,
    create_officer,
    lock_officer,
    register_officer,
    reset_password,
    unlock_officer,
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
    "announce_absence",
    "change_contact",
    "create_officer",
    "deliver_notices",
    "end_absence",
    "end_deputy",
    "end_role",
    "grant_role",
    "lock_officer",
    "mark_read",
    "name_deputy",
    "notify",
    "register_officer",
    "reset_password",
    "unlock_officer",
]
