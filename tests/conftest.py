"""Shared by all tests: the people. Lan writes, Minh approves, Hoa lives elsewhere."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from nguon.audit import guards
from nguon.demo import template
from nguon.people import actions as people
from nguon.people.models import Officer
from nguon.territory import names
from nguon.territory.models import Unit
from tests.postgresql import environment

# A busy machine is slow, not wrong.
hypothesis_settings.register_profile(
    "nguon",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("nguon")

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # ten in the morning in Gia Lai
MERGER = date(2025, 7, 1)
PASSWORD = "thu-mot-mat-khau"
# Whoever asks the database asks by one of these, the people lean on the first.
DATABASE = {"db", "transactional_db", "live_server"}


def make_unit(
    kind: str, code: str, name: str, parent: Unit | None = None, **more: object
) -> Unit:
    """Write a unit of today's map as the loader does."""
    subkind, short = names.split(name)
    unit = Unit.objects.create(
        kind=kind,
        code=code,
        subkind=subkind,
        name=short,
        folded=names.fold(name),
        parent=parent,
        valid_from=MERGER,
        **more,
    )
    unit.path = f"{parent.path if parent else '/'}{unit.pk}/"
    unit.save(update_fields=["path"])
    return unit


def make_officer(username: str, full_name: str, *roles: tuple[Unit, str]) -> Officer:
    """Register an officer with roles."""
    officer = people.create_officer(
        username=username,
        full_name=full_name,
        password=PASSWORD,
        email=f"{username}@example.vn",
        by=None,
        at=NOW,
    )
    for unit, kind in roles:
        people.grant_role(officer=officer, unit=unit, kind=kind, by=None, at=NOW)
    return officer


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Run what asks no database once, not a second time beside PostgreSQL."""
    if "NGUON_TEST_TEMPLATE" not in os.environ:
        return
    chosen, left = [], []
    for item in items:
        asks = item.get_closest_marker("django_db") or DATABASE & set(
            getattr(item, "fixturenames", ())
        )
        (chosen if asks else left).append(item)
    items[:] = chosen
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def django_db_keepdb(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> Iterator[bool]:
    """Begin with a copy of ready tables, the newest ones: migrating takes long."""
    names = connection.settings_dict["TEST"]
    if connection.vendor == "postgresql":
        names["TEMPLATE"] = os.environ.get("NGUON_TEST_TEMPLATE")
        yield request.config.getvalue("reuse_db")
        return
    place = Path(names["NAME"])
    place.unlink(missing_ok=True)
    template.copy_to(place, environment(), template.TABLES)
    yield True
    for path in place.parent.glob(f"{place.name}*"):
        path.unlink()


@pytest.fixture(autouse=True)
def _lift_guards_before_the_flush(
    request: pytest.FixtureRequest, _django_db_marker: None
) -> Iterator[None]:
    """Let a test that commits be cleaned up; the flush's migrate puts guards back.

    It leans on the database fixture, so that it ends before the tables are emptied.
    """
    yield
    mark = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames)
    if commits or (mark and mark.kwargs.get("transaction")):
        for room in guards.rooms():
            guards.lift_guards(connection, room)


@pytest.fixture(autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Spend no seconds on hashing the passwords of made-up people."""
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=quick):
        yield


@pytest.fixture(autouse=True)
def _forget_tries() -> None:
    """Empty the cache: sign-in counts its tries there."""
    cache.clear()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def province(db: None) -> Unit:
    return make_unit("province", "52", "Tỉnh Gia Lai")


@pytest.fixture
def ia_grai(province: Unit) -> Unit:
    """Lan's and Minh's commune."""
    return make_unit("commune", "23764", "Xã Ia Grai", province)


@pytest.fixture
def dak_doa(province: Unit) -> Unit:
    """Hoa's commune."""
    return make_unit("commune", "23677", "Xã Đak Đoa", province)


@pytest.fixture
def village(ia_grai: Unit) -> Unit:
    return make_unit("village", "L1", "Làng Jút", ia_grai, population=640)


@pytest.fixture
def lan(ia_grai: Unit) -> Officer:
    return make_officer("lan", "Nguyễn Thị Lan", (ia_grai, "author"))


@pytest.fixture
def minh(ia_grai: Unit) -> Officer:
    return make_officer("minh", "Trần Văn Minh", (ia_grai, "approver"))


@pytest.fixture
def hoa(dak_doa: Unit) -> Officer:
    return make_officer("hoa", "Lê Thị Hoa", (dak_doa, "author"), (dak_doa, "approver"))


@pytest.fixture
def tung(ia_grai: Unit) -> Officer:
    return make_officer("tung", "Rơ Châm Tùng", (ia_grai, "technician"))


@pytest.fixture
def quan(province: Unit) -> Officer:
    return make_officer(
        "quan", "Phạm Quân", (province, "approver"), (province, "author")
    )


@pytest.fixture
def admin(province: Unit) -> Officer:
    officer = make_officer("admin", "Quản trị tỉnh", (province, "administrator"))
    officer.is_superuser = True
    officer.save(update_fields=["is_superuser"])
    return officer
