"""The days behind the demo: what is shown of them is what their facts say."""

from collections.abc import Iterator
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import Q, Sum
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from nguon.core.signing import SigningKey
from nguon.demo import past, world
from nguon.demo.evaluation import TRAIN
from nguon.demo.past import lives, news
from nguon.demo.past.office import last_month
from nguon.demo.places import HOME, MORE, OTHER, PROVINCE_CODE, WARD
from nguon.fleet import actions as fleet
from nguon.fleet import keys
from nguon.fleet.models import BeatDay, Claim, Device, Fault
from nguon.indicators.queries import list_figures
from nguon.people.models import Notice, Officer
from nguon.plan.models import Assignment
from nguon.registers.queries import count_on
from nguon.reorganization import actions as merges
from nguon.reorganization import preview
from nguon.reorganization.models import Merge
from nguon.reports.models import Submission
from nguon.schedule.models import PlayRecord
from nguon.territory.models import Succession, Unit
from tests.conftest import NOW, make_unit
from tests.schedule.conftest import voice_all

DAYS = 28
# A page of figures, and what stands on it when there are some.
PAGES = {
    "/tong-quan/?ky=thang-truoc": "chỉ tiêu năm: 90 % (số ví dụ)",
    "/tong-quan/cac-xa/?ky=thang-truoc": "Xếp hạng",
    "/chi-tieu/?ky=thang-truoc": "Có số",
    "/chi-tieu/minutes_played/?ky=thang-truoc": "phút",
    "/chi-tieu/hoi-nghe/": "người đã trả lời",
    "/bao-cao/": " muộn",
    "/bao-cao/so-nhat-ky/thu-lao/": "Viết (đồng)",
    "/tong-quan/diem/": "Đã ban hành",
    "/ke-hoach/": "việc quá hạn",
    "/so/": "dòng còn hiệu lực",
    "/sap-xep/": "Bản thảo",
    "/so-lieu-mo/": "phút",
}


@pytest.fixture(scope="module")
def days(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Unit]:
    """Return the province of a small demo world with days behind it."""
    folder = tmp_path_factory.mktemp("demo")
    quick = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    own = override_settings(
        PASSWORD_HASHERS=quick, DATA_DIR=folder, KEYS_DIR=folder / "keys"
    )
    with own, django_db_blocker.unblock(), transaction.atomic():
        yield _make(folder)
        transaction.set_rollback(True)


def _make(folder: Path) -> Unit:
    keys.make(at=NOW, folder=folder / "keys")
    province = make_unit("province", PROVINCE_CODE, "Tỉnh Gia Lai")
    for code in (HOME, OTHER, WARD, *MORE):
        make_unit("commune", code, f"Xã {code}", province)
    home = Unit.objects.get(code=HOME)
    before = make_unit("province", "64", "Tỉnh Gia Lai")
    district = make_unit("district", "628", "Huyện Ia Grai", before)
    old = make_unit("commune", "23771", "Xã Ia Tô", district)
    Unit.objects.filter(pk__in=[before.pk, district.pk, old.pk]).update(
        valid_from=date(2004, 1, 1), valid_to=home.valid_from
    )
    Succession.objects.create(old=old, new=home, kind="whole")
    wanted = world.Wanted(speakers=2, boards=1, simulated=18, spread=True, past=True)
    world.load(wanted=wanted, at=NOW)
    for claim in Claim.objects.order_by("pk"):
        Device.objects.create(
            kind=claim.kind,
            name=claim.name,
            unit=claim.unit,
            public_key=SigningKey.generate().public.x,
            enrolled_at=NOW,
        )
    found = list(Device.objects.values_list("pk", flat=True))
    tung = Officer.objects.get(username="tung")
    fleet.approve_devices(device_ids=found, by=tung, at=NOW)
    news.ask_sounds(at=NOW)
    voice_all(NOW)
    past.make(at=NOW, say=_quiet, days=DAYS)
    return province


def _quiet(_text: str) -> None:
    """Say nothing."""


@pytest.mark.django_db
def test_the_figures_of_the_days_behind_are_what_their_facts_say(days: Unit) -> None:
    month = last_month(NOW.date())
    found = {one.indicator.code: one for one in list_figures(days, month)}
    begin, end = lives.midnight(month.first), lives.midnight(month.after)

    plays = PlayRecord.objects.filter(
        planned_at__gte=begin, planned_at__lt=end, device__kind="speaker"
    )
    assert (
        found["minutes_played"].ratio.above
        == plays.aggregate(ms=Sum("sounded_ms"))["ms"]
    )
    heard = BeatDay.objects.filter(day=month.last, device__kind="speaker")
    assert found["devices_audible"].ratio.below == heard.count()
    last = {"day__lte": month.last, "device__in": heard.values("device")}
    proven = BeatDay.objects.filter(
        Q(decoded__gt=0, day__gt=month.last - timedelta(days=2))
        | Q(measured__gt=0, day__gt=month.last - timedelta(days=7)),
        **last,
    )
    audible = proven.values("device").distinct().count()
    assert found["devices_audible"].ratio.above == audible
    assert 0 < audible < heard.count()
    repaired = Fault.objects.filter(closed_at__gte=begin, closed_at__lt=end)
    assert found["repair_hours"].ratio.below == repaired.count() > 0


@pytest.mark.django_db
def test_a_speaker_that_was_away_is_silent_in_beats_and_plays(days: Unit) -> None:
    fault = Fault.objects.order_by("began_at").first()
    assert fault
    assert fault.closed_at

    plays = PlayRecord.objects.filter(
        device=fault.device,
        planned_at__gte=fault.began_at,
        planned_at__lt=fault.closed_at,
    )
    others = PlayRecord.objects.filter(device=fault.device).exclude(pk__in=plays)

    assert not plays.exclude(outcome="missed", cause="offline").exists()
    assert others.filter(outcome="finished").exists()
    away = BeatDay.objects.filter(device=fault.device).aggregate(n=Sum("missing"))
    assert away["n"] > 0


@pytest.mark.django_db
def test_every_page_that_a_guest_opens_has_figures(days: Unit) -> None:
    client = Client()
    bare = []
    for page, sign in PAGES.items():
        # Only who is of the station sees at once what it pays.
        by = "minh" if "thu-lao" in page else "quan"
        client.force_login(Officer.objects.get(username=by))
        answer = client.get(page)
        assert answer.status_code == HTTPStatus.OK, page
        bare += [page] if sign not in answer.content.decode() else []

    assert not bare
    states = set(Submission.objects.values_list("state", flat=True))
    assert {"accepted", "returned", "draft"} <= states
    assert not Notice.objects.filter(
        created_at__lt=NOW - timedelta(days=2), read_at=None
    )


@pytest.mark.django_db
def test_the_merge_waits_for_the_second_person_who_can_run_it(days: Unit) -> None:
    merge = Merge.objects.get()
    seen = preview.look(merge, at=NOW)
    mai = Officer.objects.get(username="mai")

    run = merges.run_merge(
        merge_uid=merge.uid, sha256=seen.sha256, knows_silence=True, by=mai, at=NOW
    )

    assert seen.total == run.moved.count() > 3


@pytest.mark.django_db
def test_the_returned_report_was_sent_and_came_back_on_two_working_days(
    days: Unit,
) -> None:
    row = Submission.objects.get(unit__code=HOME, state="returned")
    steps = row.steps.order_by("at").values_list("at", flat=True)

    sent, back = (timezone.localtime(at) for at in steps)

    assert sent.date() < back.date()
    assert max(sent.weekday(), back.weekday()) < 5


@pytest.mark.django_db
def test_a_task_told_done_is_done_in_the_register_too(days: Unit) -> None:
    done = Assignment.objects.filter(done_at__isnull=False, task__title=TRAIN)
    trained = count_on("staff_trained", NOW.date())

    assert {row.unit.code for row in done} == {OTHER}
    staff = count_on("staff", NOW.date())
    assert all(trained[row.unit_id] == staff[row.unit_id] for row in done)
