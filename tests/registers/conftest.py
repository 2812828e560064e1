"""A station, a member of staff and a propagandist of Lan's commune."""

from datetime import date, datetime

import pytest

from nguon.people.models import Officer
from nguon.registers import actions, books
from nguon.registers.models import Propagandist, StaffMember, Station
from nguon.territory.models import Unit

STATION = {
    "name": "Đài Ia Kha",
    "kind": "fm",
    "year": 2014,
    "source": "province",
    "ended_on": None,
    "notes": "",
}
STAFF = {
    "full_name": "Siu H'Loan",
    "phone": "+84905123456",
    "post": "Cán bộ đài truyền thanh",
    "from_date": date(2025, 7, 1),
    "to_date": None,
}
PROPAGANDIST = {
    "full_name": "Rơ Châm Pốt",
    "phone": "+84987654321",
    "decision_number": "15/QĐ-UBND",
    "from_date": date(2026, 3, 2),
    "languages": "vi jra",
    "to_date": None,
}


@pytest.fixture
def station(ia_grai: Unit, lan: Officer, now: datetime) -> Station:
    line = actions.add_line(
        book=books.STATIONS, unit=ia_grai, values=STATION, by=lan, at=now
    )
    assert isinstance(line, Station)
    return line


@pytest.fixture
def loan(ia_grai: Unit, lan: Officer, now: datetime) -> StaffMember:
    line = actions.add_line(
        book=books.STAFF, unit=ia_grai, values=STAFF, by=lan, at=now
    )
    assert isinstance(line, StaffMember)
    return line


@pytest.fixture
def pot(village: Unit, lan: Officer, now: datetime) -> Propagandist:
    line = actions.add_line(
        book=books.PROPAGANDISTS, unit=village, values=PROPAGANDIST, by=lan, at=now
    )
    assert isinstance(line, Propagandist)
    return line
