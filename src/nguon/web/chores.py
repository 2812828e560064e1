"""What the worker does beside making sounds: one line per chore."""

from nguon.people import actions as people
from nguon.schedule import actions as schedule
from nguon.schedule import relays
from nguon.web.worker import Chore


def chores() -> list[Chore]:
    """Return what a worker does beside making sounds."""
    return [
        Chore("ready-broadcasts", lambda at: schedule.prepare_ready(at=at)),
        Chore("notices", lambda at: people.deliver_notices(at=at), every_seconds=1),
        Chore("live speech", lambda at: schedule.watch_live(at=at), every_seconds=1),
        Chore("relays", lambda at: relays.watch_sources(at=at), every_seconds=30),
        Chore("plans", lambda at: schedule.roll_plans(at=at), every_seconds=30),
    ]
