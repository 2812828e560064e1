"""The map and the timeline are drawn from counts and changes, in few queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from nguon.fleet import actions, health, picture, queries
from nguon.fleet.models import Device, Health, SavedView, SignalChange
from nguon.fleet.queries import CommuneCount, Spot
from nguon.people.models import Officer
from nguon.territory import boundaries
from nguon.territory.models import Unit
from tests.fleet.conftest import Speaker
from tests.fleet.test_register import put_up

Enrol = Callable[..., Speaker]
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SILENT, ACTIVE = health.SILENT, health.ACTIVE


def count(code: str, **states: int) -> CommuneCount:
    return CommuneCount(1, code, "u" * 12, "Xã Ia Grai", states, 0)


@pytest.mark.parametrize(
    ("states", "look"),
    [
        ({ACTIVE: 9}, "good"),
        ({ACTIVE: 19, SILENT: 1}, "good"),
        ({ACTIVE: 9, SILENT: 1}, "mixed"),
        ({ACTIVE: 1, SILENT: 1}, "bad"),
        ({ACTIVE: 9, health.FAULTY: 1}, "mixed"),
        ({health.NEW: 3}, "wait"),
        ({}, "wait"),
    ],
)
def test_a_place_looks_as_its_devices_are(states: dict[str, int], look: str) -> None:
    assert picture.state_of(states) == look


def test_the_map_counts_the_silent_of_each_commune() -> None:
    counts = [count("23764", active=8, silent=2), count("23677", active=5)]

    drawn = picture.draw_communes([*counts, count("00000", silent=1)])

    assert drawn is not None
    assert [ground.state for ground in drawn.grounds] == ["mixed", "good"]
    assert [(c.label, c.near) for c in drawn.clusters] == [("2", False)]
    assert "2 im lặng" in drawn.grounds[0].words
    assert picture.draw_communes([count("00000", active=1)]) is None


def test_clusters_that_would_touch_are_one_until_looked_at_closely() -> None:
    codes = [outline.code for outline in boundaries.draw().outlines]
    counts = [
        CommuneCount(n, code, f"uid{n}", code, {SILENT: 1}, 0)
        for n, code in enumerate(codes)
    ]

    whole = picture.draw_communes(counts)
    assert whole is not None
    merged = [cluster for cluster in whole.clusters if cluster.near]
    close = picture.draw_communes(counts, near=merged[0].uid)

    assert close is not None
    assert len(whole.clusters) < len(codes) < len(close.clusters) + len(codes) // 2
    for drawn in (whole, close):
        assert sum(int(cluster.label) for cluster in drawn.clusters) == len(codes)


def test_devices_that_stand_together_are_one_cluster() -> None:
    left, top, right, bottom = boundaries.box("23764") or (0, 0, 0, 0)
    assert left < right
    assert top < bottom
    near = [Spot(f"u{n}", f"Loa {n}", ACTIVE, 13.98, 107.75) for n in range(5)]
    far = Spot("f", "Loa xa", SILENT, 14.03, 107.70)
    lost = Spot("l", "Loa không chỗ", ACTIVE, None, None)

    drawn = picture.draw_commune("23764", [*near, far, lost])

    assert drawn is not None
    assert sorted(cluster.label for cluster in drawn.clusters) == ["", "5"]
    assert [c.uid for c in drawn.clusters if c.state == "bad"] == ["f"]
    assert drawn.unplaced == 1


def change(hours: float, old: str, new: str, signal: str = "mains") -> SignalChange:
    return SignalChange(signal=signal, old=old, new=new, at=AT + hours * HOUR, pk=1)


def test_a_lane_holds_each_value_for_its_time() -> None:
    lanes = picture.draw_lanes(
        {"mains": "yes", "line": "ok"},
        [change(6, "yes", "no"), change(12, "no", "yes")],
        since=AT,
        at=AT + 24 * HOUR,
    )

    line, mains = sorted(lanes, key=lambda lane: lane.signal)
    assert [(p.x, p.width, p.look) for p in mains.pieces] == [
        (0, 250, "good"),
        (250, 250, "bad"),
        (500, 500, "good"),
    ]
    assert [(p.x, p.width) for p in line.pieces] == [(0, 1000)]
    assert mains.now == "yes"


def test_a_lane_is_empty_before_the_device_was_there() -> None:
    [lane] = picture.draw_lanes(
        {"connected": "yes"},
        [change(18, "no", "yes", signal="connected")],
        since=AT,
        at=AT + 24 * HOUR,
        born=AT + 18 * HOUR,
    )

    assert [(p.x, p.width, p.look) for p in lane.pieces] == [(750, 250, "good")]


def test_a_signal_that_nobody_told_has_no_lane() -> None:
    assert picture.draw_lanes({"mains": ""}, [], since=AT, at=AT + HOUR) == []


def test_marks_stand_at_whole_hours_of_the_province() -> None:
    marks = picture.hours_of(AT, AT + 24 * HOUR)  # ten in the morning there

    assert marks == [(8.3, "12:00"), (33.3, "18:00"), (58.3, "00:00"), (83.3, "06:00")]


# --- screens -----------------------------------------------------------------------


@pytest.fixture
def web(client: Client, tung: Officer) -> Client:
    client.defaults["HTTP_HOST"] = "127.0.0.1"
    client.force_login(tung)
    return client


def test_the_map_asks_few_questions_for_many_devices(
    web: Client, village: Unit, dak_doa: Unit, tung: Officer, now: datetime
) -> None:
    put_up(village, tung, now, 200)
    put_up(dak_doa, tung, now, 40)
    Health.objects.filter(device__unit=village).update(state=SILENT)

    with CaptureQueriesContext(connection) as asked:
        page = web.get("/thiet-bi/ban-do/")
    told = web.get("/thiet-bi/ban-do/", headers={"accept": "application/json"}).json()

    # Tùng keeps Ia Grai alone, so the map opens that commune.
    assert page.status_code == 200
    assert len(asked) < 30
    assert [one["states"] for one in told["communes"]] == [{"silent": 200}]
    assert len(told["devices"]) == 200
    assert "200" in page.content.decode()


def test_a_device_page_tells_signals_faults_and_proofs(
    web: Client, enrol: Enrol, village: Unit, now: datetime
) -> None:
    device = enrol(village).row
    at = datetime.now(tz=UTC)
    SignalChange.objects.create(
        device=device, signal="line", old="ok", new="open", at=at - HOUR
    )
    Health.objects.filter(pk=device.pk).update(
        line="open", state=SILENT, measured_at=at - HOUR, heard_at=at, look_at=at
    )
    actions.examine_fleet(at=at)
    actions.examine_fleet(at=at + timedelta(seconds=20))

    page = web.get(f"/thiet-bi/{device.uid}/?ngay=7").content.decode()

    assert "Đứt dây loa" in page
    assert "Lập phiếu sửa" in page
    assert 'class="piece-bad"' in page
    assert "Đo được tiếng" in page


def test_views_are_kept_by_their_officer_alone(
    web: Client, enrol: Enrol, village: Unit, tung: Officer, hoa: Officer
) -> None:
    enrol(village)

    kept = web.post(
        "/thiet-bi/bo-loc/", {"name": "Máy im", "query": "tinh_trang=silent"}
    )
    page = web.get("/thiet-bi/?tinh_trang=silent").content.decode()

    assert kept.headers["Location"] == "/thiet-bi/?tinh_trang=silent"
    assert "Máy im" in page
    assert web.post("/thiet-bi/bo-loc/", {"name": " ", "query": "x"}).status_code == 422
    view = SavedView.objects.get()
    web.force_login(hoa)
    web.post("/thiet-bi/bo-loc/", {"forget": str(view.pk)})
    assert SavedView.objects.exists()
    web.force_login(tung)
    web.post("/thiet-bi/bo-loc/", {"forget": str(view.pk)})
    assert not SavedView.objects.exists()


def test_the_list_is_filtered_by_cause_make_and_grade(
    enrol: Enrol, village: Unit, now: datetime
) -> None:
    mute, fine = enrol(village, name="A").row, enrol(village, name="B").row
    actions.record_connections(here={mute.uid, fine.uid}, away=(), at=now)
    Health.objects.update(decoded_at=now, heard_at=now)
    Health.objects.filter(pk=mute.pk).update(line="open")
    for seconds in (0, 15):
        Health.objects.update(look_at=now)
        actions.examine_fleet(at=now + timedelta(seconds=seconds))
    fine.registration.make = "Loa Việt"
    fine.registration.save()

    def found(**wanted: object) -> list[str]:
        asked = queries.Wanted(**wanted)  # type: ignore[arg-type]
        rows = queries.filter_devices(Device.objects.all(), asked, at=now)
        return [device.name for device in rows]

    assert found() == ["A", "B"]  # the silent first
    assert found(cause="line_open") == ["A"]
    assert found(faulty=True) == ["A"]
    assert found(make="Loa Việt") == ["B"]
    assert found(grade=2) == ["A", "B"]
    assert found(grade=0) == []
    assert found(connected=False) == []
    assert queries.count_causes(Device.objects.all()) == [("line_open", 1)]
    counts = queries.count_devices(Device.objects.all(), at=now)
    assert (counts["health_silent"], counts["health_active"], counts["audible"]) == (
        1,
        1,
        2,
    )
