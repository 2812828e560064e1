"""Which databases the main journeys run on, and which journey begins first."""

from collections.abc import Iterator

import pytest

from tests.postgresql import run_ready_cluster


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Return the address of a PostgreSQL of its own; None is SQLite, in its folder."""
    if request.param == "SQLite":
        yield None
        return
    with run_ready_cluster() as url:
        yield url


def pytest_itemcollected(item: pytest.Function) -> None:
    """Keep together what shares a stack; all else may run beside each other."""
    if "stack" in item.fixturenames:
        told = getattr(item, "callspec", None)
        which = told.params.get("database_url", "") if told else ""
        item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {which}"))


# What lasts longest begins first; the others fill the time beside it.
LONGEST = ("test_day", "test_links", "test_once", "test_faults")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what lasts longest: several journeys run side by side."""

    def place(item: pytest.Item) -> int:
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)
