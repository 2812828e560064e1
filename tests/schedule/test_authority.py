"""A standing authority lets named officers do named acts, here and in these hours."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from nguon.core.messages import Audience
from nguon.people.models import Officer
from nguon.schedule import rules, station
from nguon.schedule.authority import NoAuthorityError, find_authority
from nguon.schedule.models import Paper, PaperInvolvement
from nguon.territory.models import Unit


def make_authority(
    unit: Unit, *officers: Officer, by: Officer, at: datetime, **changes: Any
) -> Paper:
    """Put an authority into force as two persons do."""
    body = station.encode(
        station.AUTHORITY,
        station.Authority(
            officers=tuple(officer.pk for officer in officers),
            acts=changes.pop("acts", ("announce", "live")),
            begin=changes.pop("begin", time(5)),
            end=changes.pop("end", time(21)),
            places=changes.pop("places", station.WHOLE),
        ),
    )
    days = {"first_date": date(2025, 7, 1), "last_date": None}
    days |= {name: changes.pop(name) for name in days if name in changes}
    sha256 = station.hash_of(kind=station.AUTHORITY, unit=unit.uid, body=body, **days)
    paper = Paper.objects.create(
        kind=station.AUTHORITY,
        unit=unit,
        number=Paper.objects.filter(unit=unit).count() + 1,
        subject=station.AUTHORITY,
        title="Ủy quyền nói trực tiếp",
        body=body,
        sha256=sha256,
        created_at=at,
        **days,
        **changes,
    )
    paper.state, paper.submitted_by, paper.submitted_at = rules.WAITING, officers[0], at
    paper.save()
    PaperInvolvement.objects.create(
        paper=paper, person=by, kind="approve", at=at, approved_sha256=sha256
    )
    paper.state, paper.approved_by, paper.approved_at = rules.APPROVED, by, at
    paper.save()
    return paper


def test_an_authority_covers_its_officer_act_place_hour_and_no_other(
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    ia_grai: Unit,
    village: Unit,
    dak_doa: Unit,
    now: datetime,
) -> None:
    paper = make_authority(ia_grai, lan, by=minh, at=now, acts=("live",))

    def may(**other: Any) -> bool:
        asked = {"officer": lan, "act": "live", "units": [village], "at": now} | other
        try:
            return find_authority(**asked) == paper
        except NoAuthorityError:
            return False

    assert may()
    assert may(units=[ia_grai, village])
    assert not may(officer=hoa)
    assert not may(act="announce")
    assert not may(units=[village, dak_doa])
    assert not may(units=[])
    assert not may(at=now + timedelta(hours=11))
    assert not may(at=now - timedelta(days=600))


def test_an_authority_for_one_village_does_not_reach_the_commune(
    lan: Officer, minh: Officer, ia_grai: Unit, village: Unit, now: datetime
) -> None:
    places = Audience(units=(village.uid,))
    paper = make_authority(ia_grai, lan, by=minh, at=now, places=places)

    found = find_authority(officer=lan, act="live", units=[village], at=now)

    assert found == paper
    with pytest.raises(NoAuthorityError):
        find_authority(officer=lan, act="live", units=[ia_grai], at=now)


def test_an_ended_authority_and_a_dismissed_officer_may_nothing(
    lan: Officer, minh: Officer, ia_grai: Unit, now: datetime
) -> None:
    paper = make_authority(ia_grai, lan, by=minh, at=now)

    paper.state, paper.ended_by, paper.ended_at = rules.ENDED, minh, now
    paper.save()

    with pytest.raises(NoAuthorityError):
        find_authority(officer=lan, act="live", units=[ia_grai], at=now)
    other = make_authority(ia_grai, lan, by=minh, at=now)
    lan.is_active = False
    with pytest.raises(NoAuthorityError):
        find_authority(officer=lan, act="live", units=[ia_grai], at=now)
    assert other.pk
