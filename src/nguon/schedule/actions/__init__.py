"""Every write of the schedule, one file per noun; import the names from here."""

from nguon.schedule.actions.announcements import announce, announce_draft
from nguon.schedule.actions.endings import cancel_broadcast, return_broadcast
from nguon.schedule.actions.inbox import leave_entry, take_entry
from nguon.schedule.actions.plans import build_plan, roll_plans
from nguon.schedule.actions.plays import record_events
from nguon.schedule.actions.releases import release
from nguon.schedule.actions.submissions import prepare_ready, submit

__all__ = [
    "announce",
    "announce_draft",
    "build_plan",
    "cancel_broadcast",
    "leave_entry",
    "prepare_ready",
    "record_events",
    "release",
    "return_broadcast",
    "roll_plans",
    "submit",
    "take_entry",
]
