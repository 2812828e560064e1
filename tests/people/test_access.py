"""A role covers its unit and what lies under it, and nothing else."""

from datetime import datetime, timedelta

import pytest

from nguon.core.errors import AbsentError, RefusedError
from nguon.people import access, actions, queries
from nguon.people.models import Officer, Role
from nguon.territory.models import Unit

HOUR = timedelta(hours=1)


def test_fence_shows_own_ground_and_hides_the_rest(
    lan: Officer, hoa: Officer, village: Unit, now: datetime
) -> None:
    ground = Unit.objects.all()

    mine = access.fence(ground, officer=lan, at=now, unit="")
    hers = access.fence(ground, officer=hoa, at=now, unit="")

    assert village in mine
    assert village not in hers


def test_check_can_refuses_a_role_and_hides_foreign_ground(
    lan: Officer, minh: Officer, hoa: Officer, village: Unit, now: datetime
) -> None:
    access.check_can(minh, "approver", unit=village, at=now)

    with pytest.raises(RefusedError):
        access.check_can(lan, "approver", unit=village, at=now)
    with pytest.raises(AbsentError):
        access.check_can(hoa, "approver", unit=village, at=now)


def test_an_inactive_officer_has_no_ground(
    lan: Officer, ia_grai: Unit, now: datetime
) -> None:
    assert access.can(lan, "author", unit=ia_grai, at=now)

    lan.is_active = False

    assert not access.can(lan, "author", unit=ia_grai, at=now)


def test_a_deputy_approves_only_while_deputising(
    lan: Officer, minh: Officer, tung: Officer, ia_grai: Unit, now: datetime
) -> None:
    role = Role.objects.get(officer=minh)
    actions.name_deputy(
        role_id=role.pk, officer=tung, from_at=now, to_at=now + HOUR, by=minh, at=now
    )

    assert access.can(tung, "approver", unit=ia_grai, at=now)
    assert not access.can(tung, "approver", unit=ia_grai, at=now + HOUR)


def test_the_province_approves_when_the_communes_approver_is_away(
    minh: Officer, quan: Officer, ia_grai: Unit, now: datetime
) -> None:
    assert queries.list_approvers(ia_grai, at=now) == [minh]

    actions.announce_absence(
        officer=minh, from_at=now, to_at=now + HOUR, by=minh, at=now
    )

    assert queries.list_approvers(ia_grai, at=now) == [quan]
    assert queries.list_approvers(ia_grai, at=now + HOUR) == [minh]


def test_nobody_is_asked_to_approve_what_they_touched(
    minh: Officer, quan: Officer, ia_grai: Unit, now: datetime
) -> None:
    without = frozenset({minh.pk})

    assert queries.list_approvers(ia_grai, at=now, without=without) == [quan]


def test_a_notice_is_mailed_once(
    minh: Officer, now: datetime, mailoutbox: list[object]
) -> None:
    actions.notify(
        officers=[minh, minh], subject="Chờ duyệt", body="…", url="/", at=now
    )

    assert actions.deliver_notices(at=now) == 1
    assert actions.deliver_notices(at=now + HOUR) == 0
    assert len(mailoutbox) == 1
    assert queries.count_unread(minh) == 1


def test_a_half_written_unit_gives_no_ground(
    lan: Officer, ia_grai: Unit, dak_doa: Unit, now: datetime
) -> None:
    assert access.can(lan, "author", unit=ia_grai, at=now)

    Unit.objects.filter(pk=ia_grai.pk).update(path="")

    assert access.paths_of(lan, at=now) == []
    assert not access.fence(Unit.objects.all(), officer=lan, at=now, unit="").exists()
