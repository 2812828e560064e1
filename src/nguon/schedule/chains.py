"""How a unit's bulletins are approved: one step or two, and when one is reminded.

The chain is a paper: two persons put it into force. Without one, a single approval and
the times below. An emergency, and what is announced at once, has one step always.
"""

from datetime import datetime, timedelta

from nguon.newsroom.models import Involvement, Version
from nguon.schedule import papers, rules, station
from nguon.schedule.models import Broadcast
from nguon.schedule.station import Chain
from nguon.territory.models import Unit

# By class, when no chain says otherwise; the last two whatever a chain says.
DUE = {
    "normal": timedelta(hours=4),
    "priority": timedelta(minutes=30),
    "emergency": timedelta(minutes=2),
}
# Reminded so many times, then daily for ever would be noise: the list shows it.
MOST_REMINDERS = 4


def chain_of(unit: Unit, *, at: datetime) -> Chain | None:
    """Return the chain in force at a unit today."""
    paper = papers.in_force(unit, station.CHAIN, at.astimezone(rules.LOCAL).date())
    found: Chain | None = papers.body_of(paper) if paper else None
    return found


def steps_for(unit: Unit, version: Version, timing: str, *, at: datetime) -> int:
    """Return how many must agree, one after the other, before this may sound."""
    chain = chain_of(unit, at=at)
    if chain is None or version.klass == "emergency" or timing == rules.ANNOUNCE:
        return 1
    return 2 if version.field in chain.two_steps else 1


def due_after(unit: Unit, version: Version, *, at: datetime) -> timedelta:
    """Return how long one may wait before whoever decides is reminded."""
    chain = chain_of(unit, at=at) if version.klass == "normal" else None
    return timedelta(minutes=chain.due_minutes) if chain else DUE[version.klass]


def find_check(broadcast: Broadcast) -> Involvement | None:
    """Return who checked a broadcast under its hash, and when; None if nobody has."""
    checks = Involvement.objects.filter(
        version=broadcast.version,
        kind=Involvement.CHECK,
        approved_sha256=broadcast.sha256,
    )
    return checks.select_related("person").first()
