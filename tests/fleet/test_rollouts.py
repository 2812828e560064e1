"""A program comes to devices stage by stage, stops by itself, and is taken back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from nguon.core import signing, updates
from nguon.core.errors import ConflictError, InvalidError, RefusedError
from nguon.core.messages import Event, EventBatch
from nguon.fleet import actions, keys, rollouts
from nguon.fleet.models import (
    Device,
    Release,
    Rollout,
    RolloutTarget,
    SignedDocument,
)
from nguon.fleet.pulls import Pull, answer_pulls
from nguon.fleet.rollouts import Candidate, Wish
from nguon.people.models import TECHNICIAN, Notice, Officer
from nguon.territory.models import Unit
from tests.conftest import make_officer
from tests.fleet.conftest import Speaker

Enrol = Callable[..., Speaker]
SOURCES = Path(updates.__file__).parent.parent.parent
ARCHIVE = updates.pack(SOURCES, version="2.0")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def nga(province: Unit) -> Officer:
    """Return a technician of the whole province, who brings programs."""
    return make_officer("nga", "Nga", (province, TECHNICIAN))


@pytest.fixture
def phuc(province: Unit) -> Officer:
    """Return another technician of the province, who approves them."""
    return make_officer("phuc", "Phúc", (province, TECHNICIAN))


@pytest.fixture
def four(enrol: Enrol, village: Unit, now: datetime) -> list[Speaker]:
    found = [enrol(village, name=f"Loa {n}") for n in range(4)]
    Device.objects.update(make="nguon", version="1.0")
    return found


def bring(nga: Officer, at: datetime, **changes: Any) -> Release:
    asked: dict[str, Any] = {
        "data": ARCHIVE, "kind": "agent", "make": "", "version": "", "notes": "",
        "by": nga, "at": at,
    }  # fmt: skip
    return actions.upload_release(**(asked | changes))


@pytest.fixture
def release(key_ring: keys.Ring, nga: Officer, phuc: Officer, now: datetime) -> Release:
    found = bring(nga, now)
    return actions.approve_release(
        release_id=found.pk, sha256=found.sha256, by=phuc, at=now
    )


@pytest.fixture
def rollout(
    four: list[Speaker], release: Release, nga: Officer, now: datetime
) -> Rollout:
    """Return a rollout of two stages: one device of four, then the others."""
    return actions.start_rollout(
        release_id=release.pk,
        devices=Device.objects.all(),
        stages=[
            Wish(rollouts.PERCENT, percent=25, success=100, error=0),
            Wish(rollouts.REST, success=60, error=34),
        ],
        names=["thử", "còn lại"],
        hours=(60, 240),
        by=nga,
        at=now,
    )


def told(rollout: Rollout) -> list[RolloutTarget]:
    rows = rollout.targets.exclude(document="").select_related("device", "stage")
    return list(rows.order_by("stage__number", "pk"))


def answer(
    row: RolloutTarget, n: int, state: str, at: datetime, cause: str = ""
) -> None:
    data = {"document": row.document, "state": state, "version": "2.0", "cause": cause}
    event = Event(n, "update", round(at.timestamp() * 1000), "", data)
    batch = EventBatch(row.device.uid, "log", (event,))
    actions.store_events(batches=[batch], at=at)


def test_a_release_needs_two_persons_and_one_hash(
    key_ring: keys.Ring, nga: Officer, phuc: Officer, tung: Officer, hoa: Officer,
    now: datetime,
) -> None:  # fmt: skip
    found = bring(nga, now)
    assert (found.version, found.size) == ("2.0", len(ARCHIVE))
    for by, sha256, error in (
        (nga, found.sha256, RefusedError),
        (tung, found.sha256, RefusedError),
        (hoa, found.sha256, RefusedError),
        (phuc, "0" * 64, ConflictError),
    ):
        with pytest.raises(error):
            actions.approve_release(release_id=found.pk, sha256=sha256, by=by, at=now)
    with pytest.raises(ConflictError):
        actions.start_rollout(
            release_id=found.pk, devices=Device.objects.all(),
            stages=[Wish(rollouts.REST)], names=["x"], hours=None, by=nga, at=now,
        )  # fmt: skip
    mine = Release.objects.filter(pk=found.pk)
    for wrong in (
        {"approved_by": nga, "approved_at": now, "approved_sha256": found.sha256},
        {"approved_by": phuc, "approved_at": now, "approved_sha256": "0" * 64},
        {"approved_by": phuc},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            mine.update(**wrong)
    actions.approve_release(release_id=found.pk, sha256=found.sha256, by=phuc, at=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        mine.update(sha256="0" * 64, approved_sha256="0" * 64)
    with pytest.raises(ConflictError):
        bring(nga, now)


def test_what_is_no_program_is_refused_with_its_reason(
    key_ring: keys.Ring, nga: Officer, tung: Officer, now: datetime
) -> None:
    for changes, code in (
        ({"data": b"PK no zip"}, "core.archive_broken"),
        ({"data": ARCHIVE[:-200]}, "core.archive_broken"),
        ({"data": b"x" * (updates.MAX_AGENT_BYTES + 1)}, "fleet.release_size"),
        ({"data": b""}, "fleet.release_size"),
        ({"kind": "game"}, "fleet.release_kind"),
        ({"kind": "firmware", "make": "", "version": "1.0"}, "fleet.release_make"),
        ({"kind": "firmware", "make": "A", "version": "b"}, "core.version_malformed"),
    ):
        with pytest.raises(InvalidError) as refused:
            bring(nga, now, **changes)
        assert refused.value.code == code
    with pytest.raises(RefusedError):
        bring(tung, now)
    assert not Release.objects.exists()


def test_stages_follow_each_other_until_all_is_done(
    rollout: Rollout, four: list[Speaker], now: datetime
) -> None:
    actions.run_rollouts(at=now)
    (first,) = told(rollout)
    document = SignedDocument.objects.get(uid=first.document)
    _header, payload = signing.read(document.jws)
    assert payload["type"] == "update"
    assert payload["number"] == "2.0"
    assert payload["hours"] == [60, 240]
    assert keys.ring().trusted.verify(document.jws, at=payload["issued_at"])
    speaker = next(one for one in four if one.row.pk == first.device_id)
    (state,) = answer_pulls([Pull(speaker.bearer(now)["authorization"])], at=now)
    assert document.jws.encode() in state.body

    answer(first, 1, "downloading", now)
    actions.run_rollouts(at=now)
    assert [row.state for row in told(rollout)] == ["downloading"]
    answer(first, 2, "proven", now + MINUTE)
    actions.run_rollouts(at=now + MINUTE)
    actions.run_rollouts(at=now + MINUTE)
    assert len(told(rollout)) == 4
    for n, row in enumerate(told(rollout)[1:], 1):
        cause = "disk_full" if n == 1 else ""
        answer(row, 1, "failed" if cause else "proven", now + MINUTE, cause)
    actions.run_rollouts(at=now + 2 * MINUTE)

    rollout.refresh_from_db()
    assert rollout.state == rollouts.DONE
    failed = rollout.targets.get(state="failed")
    assert failed.cause_words == "đĩa của máy đã đầy"


def test_a_failure_pauses_all_and_calls_somebody(
    rollout: Rollout, nga: Officer, phuc: Officer, now: datetime
) -> None:
    actions.run_rollouts(at=now)
    (first,) = told(rollout)
    answer(first, 1, "failed", now, "not_proven")
    actions.run_rollouts(at=now + MINUTE)
    actions.run_rollouts(at=now + 2 * MINUTE)

    rollout.refresh_from_db()
    assert (rollout.state, rollout.cause) == (rollouts.PAUSED, rollouts.ERRORS)
    assert len(told(rollout)) == 1
    called = Notice.objects.filter(subject__contains="tự tạm dừng")
    assert {notice.officer_id for notice in called} >= {nga.pk, phuc.pk}
    # Going on tells the failed one once more, by a new document.
    actions.move_rollout(rollout_id=rollout.pk, new=rollouts.RUNNING, by=nga, at=now)
    actions.run_rollouts(at=now + 3 * MINUTE)
    (again,) = told(rollout)
    assert again.document != first.document


def test_pausing_takes_back_what_has_not_begun(
    rollout: Rollout, nga: Officer, tung: Officer, hoa: Officer, now: datetime
) -> None:
    actions.run_rollouts(at=now)
    (first,) = told(rollout)
    for by in (tung, hoa):
        with pytest.raises(RefusedError):
            actions.move_rollout(
                rollout_id=rollout.pk, new=rollouts.PAUSED, by=by, at=now
            )
    actions.move_rollout(rollout_id=rollout.pk, new=rollouts.PAUSED, by=nga, at=now)

    document = SignedDocument.objects.get(uid=first.document)
    assert document.superseded_at == now
    assert told(rollout) == []
    assert actions.run_rollouts(at=now + MINUTE) == 0
    with pytest.raises(ConflictError):
        actions.move_rollout(rollout_id=rollout.pk, new=rollouts.PAUSED, by=nga, at=now)


def test_going_back_signs_the_former_version_for_who_was_told(
    rollout: Rollout, nga: Officer, now: datetime
) -> None:
    actions.run_rollouts(at=now)
    (first,) = told(rollout)
    answer(first, 1, "proven", now)
    actions.run_rollouts(at=now)
    actions.move_rollout(rollout_id=rollout.pk, new=rollouts.BACK, by=nga, at=now)
    actions.run_rollouts(at=now + MINUTE)

    (back,) = told(rollout)
    payload = signing.read(SignedDocument.objects.get(uid=back.document).jws)[1]
    assert (payload["number"], payload["rollback"]) == ("1.0", True)
    assert payload["sha256"] == ""  # nobody brought 1.0: the device still has it
    answer(back, 2, "proven", now + MINUTE)
    actions.run_rollouts(at=now + 2 * MINUTE)
    back.refresh_from_db()
    assert back.state == rollouts.RETURNED


def test_a_device_is_in_one_rollout_at_a_time(
    rollout: Rollout, release: Release, nga: Officer, now: datetime
) -> None:
    with pytest.raises(ConflictError):
        actions.start_rollout(
            release_id=release.pk, devices=Device.objects.all(),
            stages=[Wish(rollouts.REST)], names=["x"], hours=None, by=nga, at=now,
        )  # fmt: skip


def test_the_screens_lead_from_a_file_to_a_rollout(
    four: list[Speaker], nga: Officer, phuc: Officer, tung: Officer, hoa: Officer,
    client: Client,
) -> None:  # fmt: skip
    client.force_login(nga)
    assert client.get("/thiet-bi/cap-nhat/").status_code == 200
    assert client.get("/thiet-bi/cap-nhat/moi/").status_code == 200
    file = SimpleUploadedFile("a.zip", ARCHIVE, "application/zip")
    sent = client.post("/thiet-bi/cap-nhat/moi/", {"kind": "agent", "file": file})
    address = sent.headers["Location"]
    release = Release.objects.get()
    assert "Chờ một người khác" in client.get(address).content.decode()
    assert (
        client.post(f"{address}duyet/", {"sha256": release.sha256}).status_code == 403
    )
    client.force_login(phuc)
    assert release.sha256 in client.get(address).content.decode()
    client.post(f"{address}duyet/", {"sha256": release.sha256})

    start = f"{address}dua-ra/"
    assert "4" in client.get(start).content.decode()
    plan = {
        "by-1": "devices", "uids-1": four[0].row.uid, "success-1": "100",
        "error-1": "0", "by-2": "rest", "success-2": "90", "error-2": "5",
        "begins": "01:00", "ends": "04:00",
    }  # fmt: skip
    assert "3 máy" in client.post(start, plan).content.decode()
    assert not Rollout.objects.exists()
    page = client.post(start, plan | {"sure": "1"}).headers["Location"]
    rollout = Rollout.objects.get()
    assert rollout.hours == (60, 240)
    assert "Chặng 2" in client.get(page).content.decode()
    assert client.get(f"{page}xuat.csv").content.decode().count("Chờ") == 4
    for verb, state in (("tam-dung", "paused"), ("chay-tiep", "running"),
                        ("ve-ban-cu", "back")):  # fmt: skip
        assert client.post(f"{page}{verb}/").status_code == 302
        rollout.refresh_from_db()
        assert rollout.state == state

    for officer in (tung, hoa):
        client.force_login(officer)
        assert client.get(page).status_code == 404
        assert client.get(start).status_code == 403
        assert client.get("/thiet-bi/cap-nhat/moi/").status_code == 403


def test_make_release_writes_what_the_server_takes(
    key_ring: keys.Ring, nga: Officer, now: datetime, tmp_path: Path
) -> None:
    out = tmp_path / "agent.zip"
    call_command("make_release", number="2.0", output=out)

    assert out.read_bytes() == ARCHIVE
    assert bring(nga, now, data=out.read_bytes()).version == "2.0"


# --- rules -------------------------------------------------------------------------

WISHES = st.lists(
    st.builds(
        Wish,
        st.sampled_from(rollouts.WISHES),
        st.lists(st.sampled_from(["u1", "u2", "c1", "c2"]), max_size=2).map(tuple),
        percent=st.integers(1, 100),
    ),
    min_size=1,
    max_size=6,
)


@given(WISHES, st.integers(0, 40))
def test_every_device_stands_in_one_stage_at_most(wishes: list[Wish], n: int) -> None:
    rows = [Candidate(i, f"u{i}", f"c{i % 3}") for i in range(n)]
    shares = rollouts.share_out(rows, wishes, seed="x")

    taken = [key for share in shares for key in share]
    assert len(taken) == len(set(taken))
    assert shares == rollouts.share_out(rows[::-1], wishes, seed="x")
    if any(wish.by == rollouts.REST for wish in wishes):
        assert len(taken) == n


COUNTS = st.dictionaries(
    st.sampled_from([rollouts.WAITING, rollouts.PROVEN, rollouts.FAILED]),
    st.integers(0, 50),
)


@given(COUNTS, st.integers(1, 100), st.integers(0, 100))
def test_a_stage_passes_only_with_enough_proven_and_few_failed(
    counts: dict[str, int], success: int, error: int
) -> None:
    verdict = rollouts.judge(counts, success=success, error=error)
    total = sum(counts.values())
    proven, failed = counts.get("proven", 0), counts.get("failed", 0)

    if verdict == rollouts.PASSED:
        assert proven * 100 >= success * total
        assert failed * 100 <= error * total
    if verdict == rollouts.ERRORS:
        assert failed * 100 > error * total
    if not verdict:
        assert proven + failed < total


TOLD = st.lists(st.sampled_from(["downloading", "installed", "proven", "failed", "?"]))


@given(st.sampled_from(sorted(rollouts.TARGETS)), TOLD)
def test_a_target_never_goes_backwards(state: str, words: list[str]) -> None:
    order = ["waiting", "downloading", "installed"]
    for word in words:
        after = rollouts.target_after(state, word)
        if state in {"proven", "failed", "returned"}:
            assert after == state
        if state in order and after in order:
            assert order.index(after) >= order.index(state)
        assert after in rollouts.TARGETS
        state = after
