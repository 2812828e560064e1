"""Lines that still stand at units of the old map, for who has that ground today."""

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from nguon.core.errors import AbsentError
from nguon.fleet import tables
from nguon.people.models import Officer
from nguon.registers import access, actions, books, counts, queries
from nguon.registers.actions import Count
from nguon.registers.models import StaffMember, Station
from nguon.registers.reading import Reading
from nguon.territory.models import Unit
from tests.plan.conftest import old_map

__all__ = ["old_map"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def olds(
    old_map: Sequence[Unit], station: Station, quan: Officer, now: datetime
) -> list[Station]:
    """Return stations at two old communes: one went whole, the other was divided."""
    return [
        Station.objects.create(
            unit=unit, name=f"Đài {unit.name}", folded="dai", kind="fm", year=2015,
            source="province", added_by=quan, added_at=now,
        )
        for unit in (old_map[3], old_map[5])
    ]  # fmt: skip


def lines_of(officer: Officer, at: datetime, **asked: str) -> set[str]:
    reader = access.reader_of(officer, at=at)
    return {line.uid for line in queries.list_lines(books.STATIONS, reader, asked)}


def test_a_register_shows_every_line_that_the_figures_count(
    olds: list[Station],
    station: Station,
    ia_grai: Unit,
    lan: Officer,
    hoa: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    whole, divided = olds
    assert lines_of(lan, now) == {station.uid, whole.uid}
    assert lines_of(hoa, now) == set()
    assert lines_of(quan, now) == {station.uid, whole.uid, divided.uid}
    assert lines_of(quan, now, don_vi=ia_grai.uid) == {station.uid, whole.uid}
    told = dict(queries.count_books(access.reader_of(quan, at=now)))
    counted = queries.count_on(counts.OTHER_STATIONS, now.date())
    assert told[books.STATIONS] == sum(counted.values()) == 3
    with pytest.raises(AbsentError):
        actions.change_line(
            book=books.STATIONS, uid=whole.uid, values={"name": "X"}, by=lan, at=now
        )


def test_the_list_names_the_old_unit_and_masks_its_people(
    client: Client,
    old_map: Sequence[Unit],
    loan: StaffMember,
    quan: Officer,
    lan: Officer,
    now: datetime,
) -> None:
    StaffMember.objects.create(
        unit=old_map[3], full_name="Rơ Châm Pốt", folded="ro cham pot",
        phone="+84987654321", post="Đài", from_date=date(2020, 1, 1), added_by=quan,
        added_at=now,
    )  # fmt: skip
    client.force_login(lan)
    shown = client.get(reverse("registers:lines", args=["nhan-luc"])).text
    assert "Xã Ia Tô (đơn vị cũ, nay thuộc xã Ia Grai)" in shown
    assert "R• C• Pốt" in shown
    assert "Rơ Châm" not in shown
    table = client.get(reverse("registers:lines_file", args=["nhan-luc"])).text
    assert "Xã Ia Tô" in table
    assert "Rơ Châm" not in table


def test_what_was_downloaded_with_old_lines_comes_back_and_changes_nothing(
    client: Client, olds: list[Station], lan: Officer, now: datetime
) -> None:
    client.force_login(lan)
    content = client.get(reverse("registers:lines_file", args=["dai"])).content

    def take(sent: bytes) -> tuple[Reading, Count | None]:
        return actions.import_table(
            book=books.STATIONS,
            rows=tables.read(sent),
            take_good=False,
            by=lan,
            at=now,
        )

    assert take(content)[1] == Count(same=2)
    reading, count = take(content.replace("Đài Ia Tô".encode(), "Đài khác".encode()))
    assert count is None
    assert "bạn chỉ đọc" in reading.problems[0].words
    assert Station.objects.get(pk=olds[0].pk).name == "Đài Ia Tô"
