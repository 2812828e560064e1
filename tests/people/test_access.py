"""A role covers its unit and what lies under it, and nothing else."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nguon.core.errors import AbsentError, RefusedError
from nguon.people import access, actions, queries
from nguon.people.models import Officer, Role
from nguon.territory.models import Unit
from tests.conftest import make_unit

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


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    shape=st.lists(st.integers(0, 11), min_size=1, max_size=12),
    held=st.sets(st.integers(0, 11), max_size=3),
    start=st.integers(-3, 3),
    length=st.integers(1, 3),
)
def test_the_fence_agrees_with_can_and_with_a_walk_up_the_tree(
    lan: Officer,
    now: datetime,
    shape: list[int],
    held: set[int],
    start: int,
    length: int,
) -> None:
    """Any tree, any roles, any period: three ways to ask give one answer."""
    Role.objects.filter(officer=lan).delete()
    units: list[Unit] = []
    for number, above in enumerate(shape):
        parent = units[above % len(units)] if units and above else None
        units.append(make_unit("village", f"{uuid4().hex[:12]}", str(number), parent))
    begins = now + start * HOUR
    for index in held:
        Role.objects.create(
            officer=lan,
            unit=units[index % len(units)],
            kind=("author", "viewer", "technician")[index % 3],
            valid_from=begins,
            valid_to=begins + length * HOUR,
        )
    roots = set()
    if begins <= now < begins + length * HOUR:
        roots = {units[index % len(units)].pk for index in held}

    expected = {u.pk for u in units if roots & set(u.ancestor_ids)}
    mine = Unit.objects.filter(pk__in=[u.pk for u in units])
    fenced = set(
        access.fence(mine, officer=lan, at=now, unit="").values_list("pk", flat=True)
    )
    allowed = {
        u.pk
        for u in units
        if any(access.can(lan, kind, unit=u, at=now) for kind in access.EVERY_ROLE)
    }

    assert fenced == expected
    assert allowed == expected
