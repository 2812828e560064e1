"""The demo world can be begun again after people have worked in it."""

from collections.abc import Callable
from datetime import datetime

import pytest

from nguon.demo import arrivals, evaluation, registers, world
from nguon.fleet import actions as fleet
from nguon.fleet.models import Device
from nguon.newsroom.models import Arrival, NewsFeed
from nguon.people.models import Officer
from nguon.plan.models import ActionPlan, Target
from nguon.plan.money_queries import count_running_costs
from nguon.registers import queries
from nguon.reports.models import Submission
from nguon.territory.models import Unit
from tests.conftest import make_unit
from tests.fleet.conftest import Speaker, enrol, key_ring

__all__ = ["enrol", "key_ring"]

pytestmark = pytest.mark.django_db


def test_device_turned_away_is_not_waited_for_again(
    enrol: Callable[..., Speaker], ia_grai: Unit, tung: Officer, now: datetime
) -> None:
    kept = enrol(ia_grai, name="Loa 1", approve=False).row
    gone = enrol(ia_grai, name="Loa 2").row
    fleet.revoke_device(device_id=gone.pk, by=tung, at=now)

    world.welcome(expect=2, at=now)
    Device.objects.filter(pk=kept.pk).update(connected=True)

    assert world.welcome(expect=2, at=now) == world.Welcomed(active=1, refused=1)


def test_the_demo_has_texts_that_wait_and_asks_no_foreign_host(
    ia_grai: Unit, lan: Officer, admin: Officer, now: datetime
) -> None:
    assert arrivals.load_arrivals(at=now) == arrivals.load_arrivals(at=now) == 4

    origins = sorted(Arrival.objects.values_list("origin", "state"))
    assert origins == [("feed", "waiting")] * 2 + [("form", "waiting")] * 2
    assert not NewsFeed.objects.filter(is_on=True).exists()


def test_the_demo_has_registers_and_leaves_those_with_lines_alone(
    province: Unit, ia_grai: Unit, dak_doa: Unit, quan: Officer, now: datetime
) -> None:
    make_unit("commune", "21583", "Phường Quy Nhơn", province)
    for name in ("Jút", "Kăm"):
        make_unit("village", f"L-{name}", f"Làng {name} (ví dụ)", ia_grai)
    make_unit("village", "L-Groi", "Làng Groi (ví dụ)", dak_doa)

    assert registers.load_registers(province=province, by=quan, at=now) == 13
    assert registers.load_registers(province=province, by=quan, at=now) == 0

    assert queries.count_on("staff_trained", now.date()) == {
        ia_grai.pk: 1,
        dak_doa.pk: 1,
    }
    assert queries.count_on("other_stations", now.date()) == {ia_grai.pk: 1}


def test_the_demo_has_reports_in_every_state_and_examples_that_say_so(
    province: Unit,
    ia_grai: Unit,
    dak_doa: Unit,
    lan: Officer,
    minh: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    ward = make_unit("commune", "21583", "Phường Quy Nhơn", province)
    people = {"lan": lan, "minh": minh, "hoa": hoa, "quan": quan}

    for _again in range(2):
        evaluation.load(province, [ia_grai, dak_doa, ward], people, since=now, at=now)

    states = dict(Submission.objects.values_list("unit", "state"))
    assert states == {
        province.pk: "draft",
        ia_grai.pk: "returned",
        dak_doa.pk: "accepted",
        ward.pk: "draft",
    }
    assert not Target.objects.filter(is_example=False).exists()
    assert all("ví dụ" in plan.title for plan in ActionPlan.objects.all())
    assert set(count_running_costs(now.date())) == {ia_grai.pk, dak_doa.pk, ward.pk}
