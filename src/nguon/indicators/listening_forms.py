"""Reads what an officer types to draw a listening sample, and what it would be."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from nguon.core import typed
from nguon.core.errors import InvalidError
from nguon.indicators import access, listening, sampling, strata
from nguon.indicators.listening_queries import stratum_words
from nguon.newsroom.models import Bulletin
from nguon.people import access as people
from nguon.people.models import Officer
from nguon.schedule.models import Broadcast
from nguon.territory.models import COMMUNE, PROVINCE, Unit

# Bulletins one may still be asked about, and how many are offered.
BULLETIN_DAYS = 120
BULLETINS = 50
MOST_DRAWN_SEED = 10**9


@dataclass(frozen=True)
class Wish:
    """What an officer asks for."""

    unit: Unit
    year: int
    quarter: int
    bulletin: Bulletin | None
    first_date: date
    last_date: date
    margin: int
    confidence: int
    seed: int


@dataclass(frozen=True)
class Preview:
    """What a draw would be: counts only, the villages come with the seed."""

    villages: int
    with_people: int
    people: int | None
    needed: int
    ask: int
    drawn: int
    strata: Sequence[tuple[str, int]]


def list_units(officer: Officer, *, at: datetime) -> list[Unit]:
    """Return the provinces and communes of today whose samples an officer draws."""
    known = Unit.objects.as_of(timezone.localdate(at)).filter(
        kind__in=[PROVINCE, COMMUNE]
    )
    mine = people.fence(known, officer=officer, at=at, unit="", kinds=access.DRAWERS)
    return sorted(mine, key=lambda one: (one.level, one.folded))


def list_bulletins(officer: Officer, *, at: datetime) -> list[Broadcast]:
    """Return what was released lately on or above an officer's ground, newest first."""
    units = list_units(officer, at=at)
    above = {key for unit in units for key in unit.ancestor_ids}
    lately = Broadcast.objects.filter(
        approved_at__gt=at - timedelta(days=BULLETIN_DAYS),
        unit__in=above,
        version__drill=False,
    ).select_related("version__bulletin", "unit")
    found: dict[int, Broadcast] = {}
    for one in lately.order_by("-approved_at", "-pk"):
        found.setdefault(one.version.bulletin_id, one)
    return list(found.values())[:BULLETINS]


def read_wish(officer: Officer, sent: Mapping[str, str], *, at: datetime) -> Wish:
    """Return what was typed; without a seed one is drawn now.

    Raises InvalidError (`indicators.listening_quarter`, `…_wish`, `…_bulletin`,
    `people.day_unreadable`), AbsentError.
    """
    unit = people.access_unit(officer, sent.get("unit", "")[:12], at=at)
    year, _stroke, quarter = sent.get("quarter", "").partition("-")
    if not (_is_number(year) and _is_number(quarter)):
        raise InvalidError("indicators.listening_quarter")
    wish = Wish(
        unit=unit,
        year=int(year),
        quarter=int(quarter),
        bulletin=_read_bulletin(officer, sent.get("bulletin", ""), at=at),
        first_date=_read_day(sent.get("first_date", ""), at),
        last_date=_read_day(sent.get("last_date", ""), at),
        margin=_read_choice(sent.get("margin", "")),
        confidence=_read_choice(sent.get("confidence", "")),
        seed=_read_seed(sent.get("seed", "")),
    )
    listening.check_days(wish.year, wish.quarter, wish.first_date, wish.last_date)
    listening.check_wish(wish.margin, wish.confidence, wish.seed)
    return wish


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _read_choice(text: str) -> int:
    if not _is_number(text):
        raise InvalidError("indicators.listening_wish")
    return int(text)


def _read_seed(text: str) -> int:
    if not text.strip():
        return secrets.randbelow(MOST_DRAWN_SEED)
    return _read_choice(text.strip().replace(".", ""))


def _read_day(text: str, at: datetime) -> date:
    try:
        return typed.read_day(text, today=timezone.localdate(at))
    except (ValueError, OverflowError) as error:
        raise InvalidError("people.day_unreadable", text=text[:30]) from error


def _read_bulletin(officer: Officer, uid: str, *, at: datetime) -> Bulletin | None:
    if not uid:
        return None
    for one in list_bulletins(officer, at=at):
        if one.version.bulletin.uid == uid:
            return one.version.bulletin
    raise InvalidError("indicators.listening_bulletin")


def preview(wish: Wish, *, at: datetime) -> Preview:
    """Return what a draw would be. InvalidError `indicators.listening_villages`."""
    units = strata.list_units(wish.unit, day=timezone.localdate(at))
    if not units:
        raise InvalidError("indicators.listening_villages", name=wish.unit.full_name)
    people_count = strata.people_of(units)
    needed = sampling.need(
        margin=wish.margin,
        confidence=wish.confidence,
        effect=sampling.design_effect(),
        people=people_count,
    )
    villages = strata.describe(units)
    drawn = sampling.draw(
        villages, ask=sampling.to_ask(needed), take=sampling.TAKE, seed=wish.seed
    )
    codes = sorted({one.stratum for one in villages})
    return Preview(
        villages=len(units),
        with_people=sum(1 for one in units if one.population),
        people=people_count,
        needed=needed,
        ask=sum(one.ask for one in drawn),
        drawn=len(drawn),
        strata=[
            (stratum_words(code), sum(one.stratum == code for one in villages))
            for code in codes
        ],
    )
