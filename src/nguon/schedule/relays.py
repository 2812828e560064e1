"""The watch on relay sources: each is listened to, and how it is gets written down.

A source that hangs, or crashes the decoder, takes only the process that listens to
it. One round asks a few sources at a time and never waits longer than its limit.
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import Q, QuerySet

from nguon.audit import actions as audit
from nguon.people import access
from nguon.people.models import Officer
from nguon.schedule import rules, station
from nguon.schedule.actions.papers import list_touched
from nguon.schedule.actions.plans import build_plans
from nguon.schedule.models import Paper, SourceWatch
from nguon.schedule.station import Source

# Beyond this the listening process is ended, whatever it waits for.
HARD_LIMIT_S = 15.0
AT_ONCE = 4
_DETAIL = 120
# Who decodes what strangers send knows nothing of our secrets.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heard:
    """What was heard of a source; `detail` is a word for the technician.

    `route`, `codec` and `kbps` are empty when nothing could be decoded.
    """

    state: str
    level_dbfs: float | None = None
    detail: str = ""
    route: str = ""
    codec: str = ""
    kbps: int | None = None


@dataclass(frozen=True)
class WatchedSource:
    """An approved source as a screen shows it; `watch` comes with the first look."""

    paper: Paper
    source: Source
    watch: SourceWatch | None


def listen(source: Source) -> Heard:
    """Listen to a source for two seconds in a process of its own; 15 s at most.

    Never raises for anything that a source does.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nguon.speech.listen"],
            input=json.dumps(asked_of(source)),
            capture_output=True,
            text=True,
            timeout=HARD_LIMIT_S,
            check=False,
            env=environment(),
        )
        told = json.loads(done.stdout)
        return Heard(**{**told, "detail": str(told["detail"])[:_DETAIL]})
    except subprocess.TimeoutExpired:
        return Heard(rules.DEAD, detail="timeout")
    except (ValueError, KeyError, TypeError):
        return Heard(rules.DEAD, detail="crashed")


def asked_of(source: Source) -> dict[str, object]:
    """Return what a process that opens a source is told.

    `inside` is its own host when the setting NGUON_RELAY_ALLOWED has it: neither a
    redirect nor a playlist may lead to any other host inside.
    """
    host = urlsplit(source.url).hostname or ""
    inside = [host] if host in settings.RELAY_ALLOWED else []
    return {"url": source.url, "kind": source.kind, "inside": inside}


def environment() -> dict[str, str]:
    """Return the environment of a process that opens a source."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}


def watch_sources(*, at: datetime, hear: Callable[[Source], Heard] = listen) -> int:
    """Listen to every approved source once; return how many changed their state."""
    papers = _newest(_in_force(at))

    def one(paper: Paper) -> bool:
        try:
            return note(paper=paper, heard=hear(body_of(paper)), at=at)
        finally:
            close_old_connections()

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="relay watch") as pool:
        return sum(pool.map(one, papers))


def note(*, paper: Paper, heard: Heard, at: datetime) -> bool:
    """Write down how a source is; say whether that is news.

    Sound in another codec than before may take another route to the devices; then
    the plans that name the source say so.
    """
    known = SourceWatch.objects.filter(paper=paper).first()
    is_news = known is None or known.state != heard.state
    SourceWatch.objects.update_or_create(
        paper=paper,
        defaults={
            "checked_at": at,
            "state": heard.state,
            "since": at if known is None or is_news else known.since,
            "level_dbfs": heard.level_dbfs,
            "detail": heard.detail,
            **({"codec": heard.codec, "kbps": heard.kbps} if heard.route else {}),
        },
    )
    if heard.route and heard.route != (known.route if known else rules.DIRECT):
        try:
            _take_route(paper, heard.route, at=at)
        except Exception:
            # The old route stays, in plan and register alike; next round again.
            logger.exception("relay source #%s keeps its route", paper.pk)
    return is_news


@transaction.atomic
def _take_route(paper: Paper, route: str, *, at: datetime) -> None:
    """Have the devices fetch a source by another route: register and plans as one."""
    SourceWatch.objects.filter(paper=paper).update(route=route)
    build_plans(units=list_touched(paper, at=at), by=None, at=at)
    audit.record(
        "schedule.source.routed", target=paper, by=None, at=at, data={"route": route}
    )


def list_sources(*, officer: Officer, at: datetime) -> list[WatchedSource]:
    """Return the approved sources of an officer's ground and above, with their state.

    A source approved above may be relayed by all below, so they see it.
    """
    paths = access.paths_of(officer, at=at)
    seen = Q(pk__in=[])
    for path in paths:
        above = [int(part) for part in path.strip("/").split("/") if part]
        seen |= Q(unit__path__startswith=path) | Q(unit__in=above)
    rows = _in_force(at).filter(seen).select_related("unit", "watch")
    return [
        WatchedSource(paper, body_of(paper), getattr(paper, "watch", None))
        for paper in _newest(rows)
    ]


def body_of(paper: Paper) -> Source:
    """Return what a source paper says. Raises InvalidError for a broken body."""
    body: Source = station.decode(station.SOURCE, paper.body)
    return body


def _newest(papers: QuerySet[Paper]) -> list[Paper]:
    """Keep of each address of a unit the paper that was approved last."""
    found: dict[tuple[int, str], Paper] = {}
    for paper in papers.select_related("unit").order_by("-approved_at", "-pk"):
        found.setdefault((paper.unit_id, paper.subject), paper)
    return sorted(found.values(), key=lambda row: (row.unit.path, row.title, row.pk))


def _in_force(at: datetime) -> QuerySet[Paper]:
    today = at.astimezone(rules.LOCAL).date()
    return Paper.objects.filter(
        Q(last_date__isnull=True) | Q(last_date__gte=today),
        kind=station.SOURCE,
        state=rules.APPROVED,
        first_date__lte=today,
    )
