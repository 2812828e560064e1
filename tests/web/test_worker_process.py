"""A worker that is killed loses nothing and doubles nothing; one that is told, ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from nguon.fleet.models import Media
from nguon.newsroom import actions, rules
from nguon.newsroom.models import Bulletin, Rendition, Version
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.territory.models import Unit

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

SHORT = Draft(title="Họp dân", body="Mời bà con họp lúc 19h00 tại nhà rông.")
STORM = Draft(title="Bão", body="Bão cấp 12.", klass="emergency", field=2)
SENTENCE = "Kính thưa bà con, mời bà con họp lúc 19h00. "
LONG = Draft(title="Bản tin dài", body=SENTENCE * 20)
LONGER = Draft(title="Bản tin dài hơn", body=SENTENCE * 60)

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start_worker() -> Iterator[Start]:
    """Start worker processes on the database of this test; end them after it."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nguon.web", "run_worker"],
            env={**os.environ, "NGUON_DATABASE_URL": database_url()},
            cwd=Path(__file__).parents[2] / "src",
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def database_url() -> str:
    """Return the address of the database that this test runs on."""
    own = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{own['NAME']}"
    user, host, port = own["USER"], own["HOST"], own["PORT"]
    password = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    return f"postgresql://{user}{password}@{host}:{port}/{own['NAME']}"


def freeze(unit: Unit, draft: Draft, by: Officer) -> Version:
    at = datetime.now(UTC)
    bulletin = actions.create_bulletin(unit=unit, draft=draft, by=by, at=at)
    return actions.freeze_version(bulletin_id=bulletin.pk, by=by, at=at)


def state_of(version: Version) -> str:
    return Rendition.objects.get(sounds__version=version).state


def wait_until(happened: Callable[[], bool], *, seconds: float = 60) -> float:
    """Look again and again until something happened; return how long it took."""
    begin = time.monotonic()
    while not happened():
        assert time.monotonic() < begin + seconds, "it did not happen in time"
        time.sleep(0.01)
    return time.monotonic() - begin


def test_a_killed_workers_sound_is_made_once_by_the_next(
    ia_grai: Unit, lan: Officer, start_worker: Start
) -> None:
    version = freeze(ia_grai, LONG, lan)
    killed = start_worker()
    wait_until(lambda: state_of(version) == Rendition.WORKING)

    killed.kill()
    killed.wait(10)
    start_worker()
    wait_until(
        lambda: state_of(version) == Rendition.READY,
        seconds=rules.LEASE_SECONDS + 60,
    )

    sound = Rendition.objects.get()
    assert sound.attempts == 2
    assert Media.objects.count() == 1
    files = [path for path in Path(settings.MEDIA_DIR).rglob("*") if path.is_file()]
    assert [path.name for path in files if path.name == sound.media.sha256]


def test_told_to_stop_it_gives_its_work_back_and_ends(
    ia_grai: Unit, lan: Officer, start_worker: Start
) -> None:
    version = freeze(ia_grai, LONG, lan)
    worker = start_worker()
    wait_until(lambda: state_of(version) == Rendition.WORKING)

    worker.send_signal(signal.SIGTERM)
    status = worker.wait(10)

    assert status == 0
    assert state_of(version) == Rendition.ASKED
    assert Rendition.objects.get().attempts == 0


def test_new_work_is_seen_at_once_and_an_alert_overtakes_a_long_bulletin(
    ia_grai: Unit, lan: Officer, start_worker: Start
) -> None:
    start_worker()
    warm = freeze(ia_grai, SHORT, lan)
    wait_until(lambda: state_of(warm) == Rendition.READY)

    long = freeze(ia_grai, LONGER, lan)
    seen = wait_until(lambda: state_of(long) == Rendition.WORKING)
    storm = freeze(ia_grai, STORM, lan)
    wait_until(lambda: state_of(storm) == Rendition.READY)

    assert seen < 1
    assert state_of(long) == Rendition.WORKING
    assert Bulletin.objects.count() == 3
