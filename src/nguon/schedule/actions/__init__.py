"""Every write of the schedule, one file per noun; import the names from here."""

from nguon.schedule.actions.announcements import announce, announce_draft
from nguon.schedule.actions.chains import check_broadcast, remind_waiting
from nguon.schedule.actions.days import roll_plays, settle_month
from nguon.schedule.actions.endings import cancel_broadcast, return_broadcast
from nguon.schedule.actions.inbox import (
    leave_entry,
    localise_entry,
    propose_order,
    take_entry,
)
from nguon.schedule.actions.papers import (
    approve_paper,
    draft_paper,
    end_paper,
    return_paper,
    save_draft,
    send_paper,
)
from nguon.schedule.actions.plans import build_all, build_plan, build_plans, roll_plans
from nguon.schedule.actions.plays import record_events
from nguon.schedule.actions.rehearsals import judge_rehearsals
from nguon.schedule.actions.releases import release
from nguon.schedule.actions.speaking import (
    end_live,
    feed_live,
    start_live,
    stop_live,
    watch_live,
)
from nguon.schedule.actions.submissions import prepare_ready, submit

__all__ = [
    "announce",
    "announce_draft",
    "approve_paper",
    "build_all",
    "build_plan",
    "build_plans",
    "cancel_broadcast",
    "check_broadcast",
    "draft_paper",
    "end_live",
    "end_paper",
    "feed_live",
    "judge_rehearsals",
    "leave_entry",
    "localise_entry",
    "prepare_ready",
    "propose_order",
    "record_events",
    "release",
    "remind_waiting",
    "return_broadcast",
    "return_paper",
    "roll_plans",
    "roll_plays",
    "save_draft",
    "send_paper",
    "settle_month",
    "start_live",
    "stop_live",
    "submit",
    "take_entry",
    "watch_live",
]
