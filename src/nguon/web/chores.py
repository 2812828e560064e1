"""What the worker does beside making sounds: one line per chore."""

from datetime import timedelta

from nguon.people import actions as people
from nguon.schedule import actions as schedule
from nguon.web.worker import Chore


def chores() -> list[Chore]:
    """Return what a worker does beside making sounds."""
    return [
        Chore(
            "broadcasts that became ready",
            lambda at: schedule.prepare_ready(at=at),
            timedelta(0),
        ),
        Chore(
            "notices to deliver",
            lambda at: people.deliver_notices(at=at),
            timedelta(seconds=2),
        ),
        Chore(
            "plans to roll on",
            lambda at: schedule.roll_plans(at=at),
            timedelta(seconds=30),
        ),
    ]
