"""Keys that are missing or near their end are said at every start, and renewed."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from nguon.fleet import apps, keys


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> Path:
    """Return the folder of a new server's keys."""
    settings.KEYS_DIR = tmp_path / "keys"  # type: ignore[attr-defined]
    return tmp_path / "keys"


def test_a_new_server_has_every_key_from_the_start(folder: Path) -> None:
    assert apps.check_keys() == []

    call_command("make_keys")

    assert keys.list_unready(at=timezone.now()) == []
    assert apps.check_keys() == []


def test_an_older_server_is_told_to_renew_and_then_has_the_new_key(
    folder: Path, now: datetime
) -> None:
    call_command("make_keys")
    (folder / "firmware.jwk").unlink()
    keys._read_ring.cache_clear()

    (said,) = apps.check_keys()
    assert said.id == "nguon.W031"
    assert "firmware" in said.msg
    assert "make_keys --renew" in str(said.hint)
    assert not keys.can_sign("firmware", at=timezone.now())
    assert keys.can_sign("emergency", at=timezone.now())

    call_command("make_keys", "--renew")

    assert apps.check_keys() == []
    assert keys.can_sign("firmware", at=timezone.now())


def test_keys_near_their_end_are_said_a_month_before(folder: Path) -> None:
    call_command("make_keys")
    at = timezone.now()

    assert keys.list_unready(at=at + keys.LIFE - keys.WARNING - timedelta(days=1)) == []
    assert keys.list_unready(at=at + keys.LIFE - keys.WARNING) == list(keys.WORKING)


def test_broken_keys_stop_the_start_and_none_are_made_anew(folder: Path) -> None:
    call_command("make_keys")
    (folder / "plan.jwk").write_text("{}")
    keys._read_ring.cache_clear()

    (said,) = apps.check_keys()

    assert said.id == "nguon.E030"
    assert "backup" in str(said.hint)


def test_without_the_root_the_renewal_says_what_to_bring(folder: Path) -> None:
    call_command("make_keys")
    (folder / "root.jwk").unlink()

    with pytest.raises(CommandError, match=r"root\.jwk is not here"):
        call_command("make_keys", "--renew")
