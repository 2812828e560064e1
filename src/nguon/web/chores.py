"""What the worker does beside making sounds: one line per chore."""

from datetime import datetime

from django.conf import settings

from nguon.audit import archives, months
from nguon.channels import actions as channels
from nguon.fleet import actions as fleet
from nguon.indicators import actions as indicators
from nguon.newsroom import actions as newsroom
from nguon.people import actions as people
from nguon.plan import actions as plan
from nguon.reports import actions as reports
from nguon.schedule import actions as schedule
from nguon.schedule import relays
from nguon.web.worker import Chore


def chores() -> list[Chore]:
    """Return what a worker does beside making sounds."""
    return [
        Chore("ready-broadcasts", lambda at: schedule.prepare_ready(at=at)),
        Chore("notices", _tell, every_seconds=1),
        Chore("pushes", _push, every_seconds=1),
        Chore("channels", _spread, every_seconds=1),
        Chore("reminders", lambda at: schedule.remind_waiting(at=at), every_seconds=5),
        Chore("live speech", lambda at: schedule.watch_live(at=at), every_seconds=1),
        Chore("relays", lambda at: relays.watch_sources(at=at), every_seconds=30),
        # A lost connection is a known fault within five seconds (gateway: one).
        Chore("faults", lambda at: fleet.examine_fleet(at=at), every_seconds=2),
        Chore("proofs", lambda at: fleet.record_proofs(at=at), every_seconds=3),
        Chore("months", lambda at: months.make_ahead(at=at), every_seconds=3600),
        Chore("plays", lambda at: schedule.roll_plays(at=at), every_seconds=300),
        Chore("archive", _put_away, every_seconds=3600),
        Chore("days", lambda at: fleet.roll_days(at=at), every_seconds=900),
        Chore("repairs", _prove_repairs, every_seconds=3),
        # Compared here, not in the fleet: only the schedule knows a day.
        Chore("rehearsals", _rehearse, every_seconds=2),
        Chore("commands", _command, every_seconds=1),
        Chore("updates", lambda at: fleet.run_rollouts(at=at), every_seconds=5),
        Chore("late answers", lambda at: fleet.settle_commands(at=at, late=True), 60),
        Chore("logs", lambda at: fleet.forget_logs(at=at), every_seconds=3600),
        Chore("facts", lambda at: indicators.roll_facts(at=at), every_seconds=600),
        Chore("figures", lambda at: indicators.roll_figures(at=at), every_seconds=600),
        Chore("listening", lambda at: indicators.end_due(at=at), every_seconds=600),
        Chore("late tasks", lambda at: plan.tell_late(at=at), every_seconds=3600),
        Chore("reports due", lambda at: reports.remind(at=at), every_seconds=3600),
        Chore("calls due", lambda at: reports.remind_calls(at=at), every_seconds=3600),
        Chore("contacts", lambda at: fleet.forget_contacts(at=at), every_seconds=3600),
        Chore("tracks", lambda at: newsroom.tell_late_tracks(at=at), every_seconds=60),
        Chore("feeds", lambda at: newsroom.fetch_feeds(at=at), every_seconds=1),
        Chore("arrivals", _mind_arrivals, every_seconds=300),
        Chore("copies", lambda at: newsroom.compact_next(at=at), every_seconds=0.5),
        Chore("videos", lambda at: newsroom.make_next_video(at=at), every_seconds=1),
        Chore("uploads", _forget_uploads, every_seconds=600),
        Chore("plans", lambda at: schedule.roll_plans(at=at), every_seconds=10),
    ]


def _forget_uploads(at: datetime) -> None:
    """Take away files that were never sent to their end."""
    newsroom.forget_uploads(at=at)


def _mind_arrivals(at: datetime) -> None:
    """Remind of texts that wait, let old ones lapse, forget who sent them long ago."""
    newsroom.remind_arrivals(at=at)
    newsroom.tidy_arrivals(at=at)


def _tell(at: datetime) -> None:
    """Carry notices by mail, text message and call."""
    people.deliver_notices(at=at, only=people.OTHER_CHANNELS)


def _push(at: datetime) -> None:
    """Carry notices to phones: a slow maker of browsers holds up no call."""
    people.deliver_notices(at=at, only=people.PUSHES)


def _put_away(at: datetime) -> None:
    """Put away the oldest month that is due, one in a turn: it may take minutes."""
    if settings.KEEP_MONTHS > 0:
        for kept, month in archives.list_closed(at=at, keep=settings.KEEP_MONTHS)[:1]:
            archives.put_away(kept, month, at=at)


def _command(at: datetime) -> None:
    """Send the next commands of batches, and take the answers that came."""
    fleet.send_queued(at=at)
    fleet.settle_commands(at=at)


def _prove_repairs(at: datetime) -> None:
    """Take the proofs of repaired devices, and ask the others for a quiet tone."""
    fleet.verify_orders(at=at)
    fleet.send_quiet_tests(at=at)


def _rehearse(at: datetime) -> None:
    """Compare what repaired devices rehearsed, and ask the silent ones again."""
    schedule.judge_rehearsals(at=at)
    fleet.send_rehearsals(at=at)


def _spread(at: datetime) -> None:
    """Lay out what releases asked for by other channels, and carry what waits."""
    channels.withdraw_cancelled(at=at)
    channels.spread_released(at=at)
    channels.deliver(at=at)
