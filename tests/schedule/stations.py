"""What tests of papers share: rules with slots, materials, a paper put into force."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions, rules, station
from nguon.schedule.models import Airing, Broadcast, Paper
from nguon.schedule.station import Entry, Programme, Repeat, Slot, StationRules
from nguon.territory.models import Unit
from tests.schedule.conftest import voice_all

FIRST = date(2026, 11, 24)
DAILY = Repeat(first=FIRST)


def public(_host: str, _port: int) -> list[str]:
    """Resolve every name to an address of the public internet."""
    return ["203.162.0.11"]


def slot(key: str = "s1", begin: time = time(17), **more: Any) -> Slot:
    """Return a programme slot of fifteen minutes, every day."""
    given = {"name": f"Khung {key}", "kind": "programme", "minutes": 15} | more
    return Slot(id=key, begin=begin, **({"repeat": DAILY} | given))


def programme(*materials: Broadcast | str, key: str = "s1") -> Programme:
    """Return a programme of bulletins, one after another."""
    uids = [one if isinstance(one, str) else one.uid for one in materials]
    return Programme(key, tuple(Entry("bulletin", uid) for uid in uids))


def make_draft(
    unit: Unit,
    body: station.Body,
    by: Officer,
    at: datetime,
    *,
    first: date = FIRST,
    last: date | None = None,
) -> Paper:
    """Draft a paper of the kind that the body has."""
    kinds = {
        StationRules: station.RULES,
        Programme: station.PROGRAMME,
        station.Source: station.SOURCE,
        station.Order: station.ORDER,
        station.Authority: station.AUTHORITY,
        station.Chain: station.CHAIN,
    }
    return actions.draft_paper(
        unit=unit,
        kind=kinds[type(body)],
        body=body,
        title="Giấy tờ thử",
        first_date=first,
        last_date=last,
        by=by,
        at=at,
    )


def send(paper: Paper, by: Officer, at: datetime) -> Paper:
    return actions.send_paper(paper_uid=paper.uid, by=by, at=at, resolve=public)


def approve(paper: Paper, by: Officer, at: datetime) -> Paper:
    return actions.approve_paper(
        paper_uid=paper.uid, sha256=paper.sha256, by=by, at=at, resolve=public
    )


def put_in_force(
    unit: Unit,
    body: station.Body,
    lan: Officer,
    minh: Officer,
    at: datetime,
    **days: Any,
) -> Paper:
    """Write as one and approve as another."""
    paper = make_draft(unit, body, lan, at, **days)
    send(paper, lan, at)
    return approve(paper, minh, at)


def shelve(
    unit: Unit,
    lan: Officer,
    minh: Officer,
    at: datetime,
    title: str = "Phòng cháy",
    klass: str = "normal",
) -> Broadcast:
    """Put a bulletin of four seconds on the shelf, approved."""
    bulletin = newsroom.create_bulletin(
        unit=unit, draft=Draft(title, f"{title}: bà con nghe.", klass), by=lan, at=at
    )
    broadcast = actions.submit(
        bulletin_id=bulletin.pk,
        timing=rules.Timing(rules.SHELF),
        units=[unit],
        devices=[],
        by=lan,
        at=at,
    )
    voice_all(at)
    broadcast.refresh_from_db()
    return actions.release(
        broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=at
    )


def list_planned(unit: Unit) -> Iterable[Airing]:
    """Return what a station's papers plan, in order."""
    rows = Airing.objects.filter(unit=unit, withdrawn_at=None)
    return rows.order_by("starts_at", "pk")
