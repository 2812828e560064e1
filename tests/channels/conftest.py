"""A commune whose bulletin also goes by other channels, and a provider that is real."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nguon.newsroom import actions as newsroom
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.schedule import actions as schedule
from nguon.schedule import rules as schedule_rules
from nguon.schedule.models import Broadcast
from nguon.territory.models import Unit
from tests.fakes.providers import FakeProvider
from tests.schedule.conftest import server_keys, signing_keys, speakers, voice_all

__all__ = ["server_keys", "signing_keys", "speakers"]

TEXTS = {
    "print": "Mời bà con họp lúc 19h00 tại nhà rông.",
    "document": "Về việc họp dân tháng 11",
    "talk": "Họp lúc 19h00\nMang theo sổ hộ khẩu",
    "social": "Mời bà con họp lúc 19h00 <tại> nhà rông.",
    "sms": "Hop dan luc 19h00 tai nha rong.",
}
ACCOUNTS = """
[[account]]
name = "sms"
kind = "sms-http"
url = "{url}/sms"
token = "khoa-bi-mat"
price_dong = 350

[[account]]
name = "cong"
kind = "webhook"
url = "{url}/cong"
secret = "chung"

[[account]]
name = "thu"
kind = "smtp"

[[account]]
name = "zalo"
kind = "zalo-oa"
label = "Zalo tỉnh"
app_id = "1"
secret = "zalo-bi-mat"
renewal = "first"
api = "{url}"
oauth = "{url}"
"""
Out = Callable[..., Broadcast]


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    found = FakeProvider().start()
    yield found
    found.stop()


@pytest.fixture
def book(provider: FakeProvider, tmp_path: Path, settings: object) -> Path:
    file = tmp_path / "kenh.toml"
    file.write_text(ACCOUNTS.format(url=provider.url), encoding="utf-8")
    settings.CHANNELS_FILE = str(file)  # type: ignore[attr-defined]
    return file


@pytest.fixture
def send_out(
    lan: Officer, minh: Officer, ia_grai: Unit, speakers: list[object], now: datetime
) -> Out:
    """Write as Lan with channels; release as Minh unless `approve` is false."""

    def do(
        texts: Mapping[str, str] = TEXTS, *, approve: bool = True, **more: bool
    ) -> Broadcast:
        klass = "emergency" if more.get("drill") else "normal"
        bulletin = newsroom.create_bulletin(
            unit=ia_grai,
            draft=Draft("Họp dân", "Mời bà con họp lúc 19h00.", klass=klass),
            drill=more.get("drill", False),
            by=lan,
            at=now,
        )
        newsroom.save_channels(bulletin_id=bulletin.pk, texts=texts, by=lan, at=now)
        expires = now + timedelta(hours=2) if more.get("drill") else None
        broadcast = schedule.submit(
            bulletin_id=bulletin.pk,
            timing=schedule_rules.Timing(schedule_rules.NOW, expires_at=expires),
            units=[ia_grai],
            devices=[],
            by=lan,
            at=now,
        )
        voice_all(now)
        broadcast.refresh_from_db()
        if approve:
            schedule.release(
                broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=now
            )
            broadcast.refresh_from_db()
        return broadcast

    return do
