"""Every write of the schedule, one file per noun; import the names from here."""

from nguon.schedule.actions.broadcasts import (
    cancel_broadcast,
    prepare_ready,
    release,
    return_broadcast,
    submit,
)
from nguon.schedule.actions.plans import build_plan, roll_plans
from nguon.schedule.actions.plays import record_events

__all__ = [
    "build_plan",
    "cancel_broadcast",
    "prepare_ready",
    "record_events",
    "release",
    "return_broadcast",
    "roll_plans",
    "submit",
]
