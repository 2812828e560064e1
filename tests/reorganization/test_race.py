"""Two officers who run one merge at the same moment: it runs once."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection

from nguon.core.errors import ConflictError
from nguon.people.models import Officer
from nguon.reorganization import actions, preview
from nguon.reorganization.models import Merge, Moved
from nguon.territory.models import Unit
from tests.conftest import make_officer


@pytest.mark.django_db(transaction=True)
def test_two_who_run_it_at_once_run_it_once(
    draft: Callable[..., Merge], tri: Officer, province: Unit, now: datetime
) -> None:
    other = make_officer("thu", "Nay Thứ", (province, "approver"))
    merge = draft()
    sha256 = preview.look(merge, at=now).sha256
    told: list[str] = []
    start = threading.Barrier(2)

    def run(by: Officer) -> None:
        start.wait()
        try:
            actions.run_merge(
                merge_uid=merge.uid, sha256=sha256, knows_silence=True, by=by, at=now
            )
            told.append("run")
        except ConflictError as error:
            told.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(by,)) for by in (tri, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == ["reorganization.state", "run"]
    assert Moved.objects.filter(kind="fleet.Device").count() == 3
