"""Templates with places to fill, and remuneration counted from what happened."""

from collections.abc import Callable
from datetime import date, datetime
from http import HTTPStatus

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from nguon.core.errors import AbsentError
from nguon.newsroom import actions, patterns, pay, rules
from nguon.newsroom.models import Bulletin, PayRate, Version
from nguon.newsroom.rules import Draft, DraftError
from nguon.people.access import NoRightError
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.newsroom import files
from tests.newsroom.conftest import SEALED

FIRST = date(2026, 11, 1)


def test_a_place_that_nobody_filled_is_not_sent(client: Client, lan: Officer) -> None:
    client.force_login(lan)

    for pattern in patterns.built_in():
        answer = client.post(f"/ban-tin/mau/{pattern.key}/viet/", follow=True)
        assert answer.status_code == HTTPStatus.OK

    for bulletin in Bulletin.objects.all():
        with pytest.raises(DraftError, match="place_to_fill"):
            rules.check_ready(actions.draft_of(bulletin))
    rules.check_ready(Draft("Họp", "Theo [1], [nghỉ 2s] mời bà con họp."))


def test_an_own_template_stays_on_its_ground(
    client: Client, ia_grai: Unit, lan: Officer, hoa: Officer, now: datetime
) -> None:
    template = actions.add_template(
        unit=ia_grai, title="Chợ phiên", body="Chợ [ngày].", field=5, by=lan, at=now
    )
    key = f"u{template.pk}"
    client.force_login(lan)
    page = client.get("/ban-tin/mau/").content.decode()

    assert "Chợ phiên" in page
    assert patterns.access_pattern(key, officer=lan, at=now).own
    with pytest.raises(AbsentError):
        patterns.access_pattern(key, officer=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.end_template(key=template.pk, by=hoa, at=now)
    actions.end_template(key=template.pk, by=lan, at=now)
    with pytest.raises(AbsentError):
        patterns.access_pattern(key, officer=lan, at=now)


@pytest.fixture
def approved(
    bulletin: Bulletin, version: Version, minh: Officer, now: datetime
) -> Version:
    actions.record_approval(version_id=version.pk, sha256=SEALED, by=minh, at=now)
    return version


def test_a_piece_is_paid_by_the_nearest_rate_of_its_day(
    approved: Version,
    ia_grai: Unit,
    province: Unit,
    admin: Officer,
    lan: Officer,
    now: datetime,
) -> None:
    for unit, task, amount, day in (
        (province, rules.WRITTEN, 10_000, FIRST),
        (ia_grai, rules.WRITTEN, 25_000, FIRST),
        (ia_grai, rules.WRITTEN, 90_000, date(2026, 12, 1)),
        (province, rules.CHECKED, 5_000, FIRST),
    ):
        actions.set_rate(
            unit=unit, task=task, amount=amount, from_day=day, by=admin, at=now
        )

    lines = {x.person: x for x in pay.list_lines(lan, month=FIRST, at=now)}

    assert lines["Nguyễn Thị Lan"].total == 25_000
    assert lines["Trần Văn Minh"].total == 5_000
    assert lines["Trần Văn Minh"].pieces[rules.CHECKED] == 1
    assert pay.list_lines(lan, month=date(2026, 10, 1), at=now) == []


def test_a_recorded_voice_is_read_and_a_second_approval_writes_nothing_new(
    bulletin: Bulletin,
    freeze: Callable[[Bulletin], Version],
    lan: Officer,
    quan: Officer,
    minh: Officer,
    now: datetime,
) -> None:
    actions.attach_recording(
        bulletin_id=bulletin.pk, language="vi", data=files.tone(), by=quan, at=now
    )
    for _again in range(2):
        version = freeze(bulletin)
        actions.record_approval(version_id=version.pk, sha256=SEALED, by=minh, at=now)

    lines = {x.person: x for x in pay.list_lines(lan, month=FIRST, at=now)}

    assert lines["Nguyễn Thị Lan"].pieces[rules.WRITTEN] == 1
    assert lines["Trần Văn Minh"].pieces[rules.CHECKED] == 2
    assert lines["Phạm Quân"].pieces[rules.READ] == 1
    assert lines["Phạm Quân"].unpriced == 1


def test_rates_are_an_administrator_s_and_never_change(
    ia_grai: Unit, lan: Officer, admin: Officer, now: datetime
) -> None:
    def put(by: Officer, amount: int = 1, task: str = rules.READ) -> PayRate:
        return actions.set_rate(
            unit=ia_grai, task=task, amount=amount, from_day=FIRST, by=by, at=now
        )

    rate = put(admin)

    with pytest.raises(NoRightError):
        put(lan)
    with pytest.raises(DraftError):
        put(admin, amount=-1)
    with pytest.raises(DraftError):
        put(admin, task="sung")
    with pytest.raises(IntegrityError), transaction.atomic():
        PayRate.objects.filter(pk=rate.pk).update(amount=2)


def test_the_table_is_fenced_and_comes_as_a_file(
    client: Client, approved: Version, lan: Officer, hoa: Officer, now: datetime
) -> None:
    client.force_login(lan)
    page = client.get("/ban-tin/thu-lao/?thang=2026-11").content.decode()
    older = client.get("/ban-tin/thu-lao/?thang=2019-02").content.decode()
    assert '<option value="2019-02" selected>Tháng 02/2019' in older
    file = client.get("/ban-tin/thu-lao/xuat.csv?thang=2026-11").content.decode()
    client.force_login(hoa)
    foreign = client.get("/ban-tin/thu-lao/?thang=2026-11").content.decode()

    assert "Trần Văn Minh" in page
    assert "Trần Văn Minh,0,0,1,0,0,0,0" in file
    assert "Trần Văn Minh" not in foreign
