"""The worker makes what is asked for, and one bad job or chore stops nothing else."""

import threading
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.management import call_command

from nguon.newsroom import actions, queries
from nguon.newsroom.models import Bulletin, Rendition, Version
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.territory.models import Unit
from nguon.web.worker import Chore, Worker

MEETING = Draft(title="Họp dân", body="Mời bà con họp lúc 19h00 tại nhà rông.")


@pytest.fixture
def bulletin(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    return actions.create_bulletin(unit=ia_grai, draft=MEETING, by=lan, at=now)


@pytest.fixture
def version(bulletin: Bulletin, lan: Officer, now: datetime) -> Version:
    return actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)


def test_one_turn_makes_every_sound_that_waits(version: Version, now: datetime) -> None:
    Worker(clock=lambda: now, chores=[]).run_once()

    (sound,) = queries.list_sounds(version)
    assert sound.state == Rendition.READY
    assert sound.loudness_lufs == pytest.approx(-16, abs=1)
    assert sound.media is not None
    assert sound.media.duration_ms == sound.duration_ms
    assert 0 < len(sound.peaks) <= 200


def test_a_poisoned_sound_stops_neither_the_others_nor_the_chores(
    bulletin: Bulletin, version: Version, lan: Officer, now: datetime
) -> None:
    Rendition.objects.update(voice="nobody")
    actions.save_draft(
        bulletin_id=bulletin.pk,
        revision=1,
        draft=Draft(title="Hai", body="Bản tin hai."),
        by=lan,
        at=now,
    )
    second = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
    done: list[str] = []

    def break_down(_at: datetime) -> None:
        raise ZeroDivisionError

    chores = [
        Chore("broken", break_down),
        Chore("sound", lambda _at: done.append("done")),
    ]
    Worker(clock=lambda: now, chores=chores).run_once()

    (poisoned,) = queries.list_failures(version)
    assert poisoned.failure == "speech.voice_unknown"
    assert queries.is_ready(second)
    assert done == ["done"]


def test_a_broken_chore_waits_longer_than_a_sound_one(now: datetime) -> None:
    def break_down(_at: datetime) -> None:
        raise ZeroDivisionError

    assert Chore("broken", break_down).turn(now) > Chore("sound", repr).turn(now)


@pytest.mark.django_db(transaction=True)
def test_a_running_worker_sees_new_work_and_ends_when_told(
    bulletin: Bulletin, lan: Officer, now: datetime
) -> None:
    worker = Worker(clock=lambda: now, chores=[])
    running = threading.Thread(target=worker.run, name="worker")
    running.start()
    version = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)

    wait_until(lambda: queries.is_ready(version))
    worker.stop()
    running.join(10)

    assert not running.is_alive()
    assert Rendition.objects.get().attempts == 1


def test_the_command_does_one_turn_of_everything(
    version: Version, now: datetime
) -> None:
    call_command("run_worker", "--once")

    assert queries.is_ready(version)


def wait_until(happened: Callable[[], bool], *, seconds: float = 20) -> None:
    """Look again and again until something happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
