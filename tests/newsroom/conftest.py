"""A bulletin of Lan's at every stage, for the newsroom's tests."""

from collections.abc import Callable
from datetime import datetime

import pytest

from nguon.newsroom import actions
from nguon.newsroom.models import Bulletin, Version
from nguon.newsroom.rules import Draft
from nguon.people.models import Officer
from nguon.territory.models import Unit

MEETING = Draft(title="Họp dân", body="Mời bà con họp lúc 19h00 tại nhà rông.")
STORM = Draft(title="Bão", body="Bão cấp 12.", klass="emergency", field=2)
SEALED = "5" * 64


@pytest.fixture
def bulletin(ia_grai: Unit, lan: Officer, now: datetime) -> Bulletin:
    return actions.create_bulletin(unit=ia_grai, draft=MEETING, by=lan, at=now)


@pytest.fixture
def freeze(lan: Officer, now: datetime) -> Callable[[Bulletin], Version]:
    """Freeze and seal a bulletin as Lan."""

    def do(bulletin: Bulletin) -> Version:
        version = actions.freeze_version(bulletin_id=bulletin.pk, by=lan, at=now)
        actions.seal_version(version_id=version.pk, sha256=SEALED, at=now)
        return version

    return do


@pytest.fixture
def version(bulletin: Bulletin, freeze: Callable[[Bulletin], Version]) -> Version:
    return freeze(bulletin)
