"""A merge: looked at, run by a second person, undone exactly, confirmed."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from nguon.audit.models import Record
from nguon.core.errors import AbsentError, ConflictError, InvalidError, RefusedError
from nguon.core.signing import read
from nguon.emergency.models import Stop
from nguon.fleet.models import (
    Device,
    DeviceGroup,
    Health,
    OutboxMessage,
    Registration,
    SignedDocument,
)
from nguon.newsroom import actions as newsroom
from nguon.newsroom.models import DictionaryWord, NewsFeed, Supplier, Template
from nguon.newsroom.rules import Draft as Words
from nguon.people import access
from nguon.people import actions as people
from nguon.people.models import Deputy, Notice, Officer, Role
from nguon.plan.models import ActionPlan
from nguon.registers import access as registers
from nguon.registers import actions as lines
from nguon.registers import books
from nguon.registers.counts import OTHER_STATIONS, STAFF
from nguon.registers.models import (
    Certificate,
    Lesson,
    PracticeProof,
    PracticeRun,
    PracticeStep,
    Propagandist,
    StaffMember,
    Station,
    Training,
)
from nguon.registers.practice import rules as practice
from nguon.registers.queries import count_on
from nguon.reorganization import actions, preview, rules
from nguon.reorganization.ground import read_ground
from nguon.reorganization.models import Merge, Moved
from nguon.schedule import actions as schedule
from nguon.schedule.rules import ONCE, Timing
from nguon.territory.models import Unit
from tests.conftest import MERGER, make_officer
from tests.reorganization.conftest import World, make_device
from tests.schedule.conftest import voice_all
from tests.schedule.test_relays import make_source

pytestmark = pytest.mark.django_db
Draft = Callable[..., Merge]
Run = Callable[..., Merge]


def state_of_world() -> dict[str, Any]:
    """Return what stands where, as far as it is in force."""
    villages = Unit.objects.filter(kind="village", valid_to=None)
    lines = (Station, "ended_on"), (StaffMember, "to_date"), (Propagandist, "to_date")
    return {
        "devices": set(Device.objects.values_list("pk", "unit")),
        "health": set(Health.objects.values_list("pk", "commune")),
        "groups": set(DeviceGroup.objects.values_list("pk", "unit", "name")),
        "roles": set(
            Role.objects.filter(valid_to=None).values_list("officer", "unit", "kind")
        ),
        "deputies": set(Deputy.objects.values_list("pk", "role")),
        "villages": set(villages.values_list("pk", "parent", "name")),
        "covers": set(Registration.villages.through.objects.values_list()),
        "words": set(
            DictionaryWord.objects.filter(removed=False).values_list("unit", "written")
        ),
        "suppliers": set(
            Supplier.objects.filter(ended_at=None).values_list("unit", "name")
        ),
        "feeds": set(NewsFeed.objects.values_list("pk", "unit", "supplier")),
        "templates": set(Template.objects.values_list("pk", "unit")),
        "keepers": set(ActionPlan.objects.values_list("pk", "keeper")),
        **{
            model.__name__: set(
                model.objects.filter(**{end: None}).values_list("pk", "unit")
            )
            for model, end in lines
        },
    }


def units_told(device: Device) -> list[str]:
    """Return the ground that a device's settings in force name."""
    document = SignedDocument.objects.get(
        device=device, kind="settings", superseded_at=None
    )
    _header, payload = read(document.jws)
    units: list[str] = payload["units"]
    return units


def test_the_preview_says_what_moves_what_stays_and_what_a_person_decides(
    draft: Draft, world: World, now: datetime
) -> None:
    make_device(world.doa, "Loa Đak Đoa", by=world.siu, at=now)
    merge = draft()

    seen = preview.look(merge, at=now)

    moving = {kind.mover.kind: len(kind.moving) for kind in seen.kinds}
    assert moving["fleet.Device"] == 3
    assert moving["people.Role"] == 2
    assert moving["territory.Unit"] == 1
    assert [(place.old.pk, count) for place, count in seen.open] == [(world.doa.pk, 1)]
    stations = next(k for k in seen.kinds if k.mover.kind == "registers.Station")
    assert [thing.name for thing in stations.renamed] == [
        "Đài truyền thanh xã (Ia Kha)"
    ]
    assert "chưa có quy chế" in seen.left[-1].name
    assert Moved.objects.count() == 0


def test_the_preview_says_first_what_would_leave_loudspeakers_silent(
    client: Client,
    draft: Draft,
    world: World,
    tra: Officer,
    quan: Officer,
    now: datetime,
) -> None:
    make_source(world.to, "https://radio.vn/xa.mp3", by=quan, at=now)
    merge = draft()

    seen = preview.look(merge, at=now)

    (papers,) = seen.silencing
    assert (papers.name, papers.count) == (preview.PAPERS, 1)
    assert [words for words, _to in papers.places] == ["Xã Ia Tô → Xã Ia Grai"]
    # Without rules of its own a station sounds its bulletins all the same.
    bare = next(one for one in seen.left if one.name == preview.WITHOUT_RULES)
    assert "vẫn phát bản tin" in bare.advice
    client.force_login(tra)
    page = client.get(reverse("reorganization:merge", args=[merge.uid])).text
    assert "kẻo loa im" in page
    assert "chỉ phát tin của tỉnh" not in page
    for one in seen.left:
        for _words, to in one.places:
            assert to in page
            assert client.get(to).status_code == HTTPStatus.OK, to


def test_who_practised_keeps_the_proof_and_the_lesson_at_the_new_unit(
    draft: Draft, run: Run, world: World, quan: Officer, tri: Officer, now: datetime
) -> None:
    person = StaffMember.objects.create(
        unit=world.to, full_name="Rơ Châm Pốt", folded="ro cham pot", phone="",
        post="Đài", from_date=date(2024, 1, 1), added_by=quan, added_at=now,
    )  # fmt: skip
    done = PracticeRun.objects.create(
        officer=quan, unit=world.to, staff_member=person, began_at=now, touched_at=now,
        body="Họp", seal="0" * 64, starts_at=now,
    )  # fmt: skip
    for number, step in enumerate(practice.ORDER, 1):
        PracticeStep.objects.create(run=done, number=number, kind=step, at=now)
    PracticeRun.objects.filter(pk=done.pk).update(done_at=now)
    day = now.date()
    Certificate.objects.create(
        run=done, unit=world.to, year=day.year, number=1, issued_on=day
    )
    training = Training.objects.create(
        unit=world.to, title="Mới", folded="moi", added_by=quan, added_at=now
    )
    lesson = Lesson.objects.create(
        training=training, number=1, title="Luyện tập", needs_practice=True
    )
    PracticeProof.objects.create(
        lesson=lesson, staff_member=person, proven_on=day, recorded_by=quan,
        recorded_at=now,
    )  # fmt: skip

    merge = run(draft())

    new = StaffMember.objects.exclude(pk=person.pk).get(folded="ro cham pot")
    done.refresh_from_db()
    assert done.person == new
    assert [one.lesson for one in new.proofs.all()] == [lesson]
    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    done.refresh_from_db()
    assert done.person == person


def test_a_run_moves_everything_and_signs_every_device_for_its_new_ground(
    draft: Draft, run: Run, world: World, ia_grai: Unit, now: datetime
) -> None:
    merge = run(draft())

    for device in world.devices:
        device.refresh_from_db()
        assert device.unit.path.startswith(ia_grai.path)
        assert units_told(device)[-2:] == [ia_grai.uid, ia_grai.parent.uid]
        assert device.health.commune == ia_grai
    village = Device.objects.get(pk=world.devices[1].pk).unit
    assert (village.kind, village.name, village.parent) == ("village", "Jút", ia_grai)
    assert village.valid_from == MERGER
    assert world.devices[1].registration.villages.get() == village
    world.village.refresh_from_db()
    assert world.village.valid_to == MERGER
    assert DeviceGroup.objects.get(pk=world.group.pk).unit == ia_grai
    assert access.can(world.siu, "author", unit=ia_grai, at=now + timedelta(minutes=1))
    assert merge.counts["before"] == merge.counts["after"]
    assert merge.moved.filter(kind="fleet.Device").count() == 3
    assert SignedDocument.objects.filter(kind="plan", unit=ia_grai).exists()
    assert Record.objects.filter(action="reorganization.merge.run").count() == 1


def test_the_areas_that_devices_leave_are_told_to_pull(
    draft: Draft, run: Run, world: World
) -> None:
    run(draft())

    topics = set(OutboxMessage.objects.values_list("topic", flat=True))
    for unit in (world.to, world.kha, world.village):
        assert f"nguon/v1/area/{unit.uid}/nudge" in topics


def test_run_and_undo_leave_everything_as_it_was_and_it_may_be_run_again(
    draft: Draft, run: Run, world: World, tri: Officer, now: datetime
) -> None:
    deputy = people.name_deputy(
        role_id=world.siu.roles.order_by("pk")[0].pk,
        officer=tri,
        from_at=now,
        to_at=now + timedelta(days=3),
        by=world.siu,
        at=now,
    )
    before = state_of_world()

    first = run(draft())
    moved = state_of_world()
    actions.undo_merge(merge_uid=first.uid, by=tri, at=now + timedelta(minutes=5))

    assert state_of_world() == before
    assert not first.moved.filter(undone_at=None).exists()
    assert units_told(world.devices[0])[-1] == world.old.uid

    later = now + timedelta(minutes=10)
    again = draft("Sắp xếp lần hai")
    run(again, at=later)
    after = state_of_world()
    assert after["devices"] != before["devices"]
    assert {k: len(v) for k, v in after.items()} == {
        k: len(v) for k, v in moved.items()
    }
    deputy.refresh_from_db()
    assert deputy.role.valid_to is None


def test_two_roles_of_one_officer_become_one_and_undo_gives_both_back(
    draft: Draft, run: Run, world: World, tri: Officer, ia_grai: Unit, now: datetime
) -> None:
    merge = run(draft())

    held = Role.objects.filter(officer=world.siu, valid_to=None)
    assert [(role.unit, role.kind) for role in held] == [(ia_grai, "author")]

    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now + timedelta(hours=1))
    assert {role.unit for role in held.all()} == {world.to, world.kha}


def test_what_is_called_alike_takes_the_old_places_name(
    draft: Draft, run: Run, world: World, ia_grai: Unit, quan: Officer, now: datetime
) -> None:
    DeviceGroup.objects.create(
        unit=world.kha, name="Trường học", made_by=quan, made_at=now
    )
    run(draft())

    names = DeviceGroup.objects.filter(unit=ia_grai).values_list("name", flat=True)
    assert sorted(names) == ["Trường học", "Trường học (Ia Kha)"]
    stations = Station.objects.filter(unit=ia_grai, ended_on=None)
    assert sorted(stations.values_list("name", flat=True)) == [
        "Đài truyền thanh xã",
        "Đài truyền thanh xã (Ia Kha)",
    ]


def test_what_was_changed_since_is_listed_and_only_the_rest_goes_back(
    draft: Draft, run: Run, world: World, tri: Officer, dak_doa: Unit, now: datetime
) -> None:
    merge = run(draft())
    Device.objects.filter(pk=world.devices[0].pk).update(unit=dak_doa)

    with pytest.raises(actions.MovedSinceError) as caught:
        actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    assert [row.key for row in caught.value.rows] == [world.devices[0].pk]
    merge.refresh_from_db()
    assert merge.state == rules.RUN

    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now, take_rest=True)
    assert Device.objects.get(pk=world.devices[0].pk).unit == dak_doa
    assert Device.objects.get(pk=world.devices[2].pk).unit == world.kha
    assert [row.key for row in merge.moved.filter(undone_at=None)] == [
        world.devices[0].pk
    ]


def test_a_divided_unit_waits_for_a_person(
    draft: Draft, run: Run, world: World, tra: Officer, dak_doa: Unit, now: datetime
) -> None:
    device = make_device(world.doa, "Loa Đak Đoa", by=world.siu, at=now)
    merge = draft()

    with pytest.raises(InvalidError, match="undecided"):
        run(merge)
    actions.choose_heir(
        merge_uid=merge.uid, old_id=world.doa.pk, heir_id=dak_doa.pk, by=tra, at=now
    )
    run(merge)

    device.refresh_from_db()
    assert device.unit == dak_doa


def test_nobody_chooses_ground_that_was_never_theirs(
    draft: Draft, world: World, tra: Officer, dak_doa: Unit, now: datetime
) -> None:
    merge = draft()
    elsewhere = Unit.objects.create(
        kind="commune", code="99999", name="X", folded="x", valid_from=MERGER
    )

    with pytest.raises(InvalidError, match="heir_elsewhere"):
        actions.choose_heir(
            merge_uid=merge.uid,
            old_id=world.doa.pk,
            heir_id=elsewhere.pk,
            by=tra,
            at=now,
        )
    with pytest.raises(AbsentError):
        actions.choose_heir(
            merge_uid=merge.uid, old_id=world.to.pk, heir_id=dak_doa.pk, by=tra, at=now
        )


def test_who_drew_it_up_or_decided_does_not_run_it_in_rule_and_database(
    draft: Draft, run: Run, world: World, quan: Officer, now: datetime
) -> None:
    merge = draft()
    actions.choose_heir(
        merge_uid=merge.uid, old_id=world.doa.pk, heir_id=None, by=quan, at=now
    )
    with pytest.raises(RefusedError, match="own_merge"):
        run(merge, by=quan)
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.filter(pk=merge.pk).update(
            state="run", sha256="a" * 64, run_by=merge.made_by, run_at=now
        )


def test_an_officer_of_a_commune_neither_sees_nor_makes_a_merge(
    draft: Draft, hoa: Officer, dak_doa: Unit, now: datetime
) -> None:
    merge = draft()

    with pytest.raises(RefusedError, match="not_province"):
        actions.draft_merge(
            unit=dak_doa, day=MERGER, heirs=[], title="Riêng", by=hoa, at=now
        )
    with pytest.raises(AbsentError):
        actions.draft_merge(
            unit=merge.unit, day=MERGER, heirs=[], title="Riêng", by=hoa, at=now
        )
    for act in (actions.undo_merge, actions.confirm_merge):
        with pytest.raises(AbsentError):
            act(merge_uid=merge.uid, by=hoa, at=now)
    with pytest.raises(AbsentError):
        actions.run_merge(merge_uid=merge.uid, sha256="", by=hoa, at=now)


def test_nothing_runs_before_its_day(
    draft: Draft, run: Run, world: World, now: datetime
) -> None:
    merge = draft()
    Merge.objects.filter(pk=merge.pk).update(day=date(2030, 1, 1))
    with pytest.raises(InvalidError, match="too_early"):
        run(merge)


def test_a_run_is_about_what_was_seen(
    draft: Draft, tri: Officer, world: World, now: datetime
) -> None:
    merge = draft()
    seen = preview.look(merge, at=now)
    make_device(world.to, "Loa mới", by=tri, at=now)

    with pytest.raises(ConflictError, match="changed"):
        actions.run_merge(merge_uid=merge.uid, sha256=seen.sha256, by=tri, at=now)


def test_a_stop_in_force_forbids_run_and_undo(
    draft: Draft, run: Run, world: World, tri: Officer, now: datetime
) -> None:
    merge = draft()
    stop = Stop.objects.create(
        unit=world.to, document="x" * 12, ordered_by=tri, ordered_at=now,
        until=now + timedelta(hours=1),
    )  # fmt: skip
    with pytest.raises(ConflictError, match="blocked"):
        run(merge)
    lifted = Stop.objects.filter(pk=stop.pk)
    lifted.update(lift_asked_by=tri, lift_asked_at=now)
    lifted.update(lifted_by=world.siu, lifted_at=now)
    run(merge)
    Stop.objects.create(
        unit=merge.unit, document="y" * 12, ordered_by=tri, ordered_at=now,
        until=now + timedelta(hours=1),
    )  # fmt: skip
    with pytest.raises(ConflictError, match="blocked"):
        actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)


def test_nothing_is_done_twice(
    draft: Draft, run: Run, tri: Officer, now: datetime
) -> None:
    merge = run(draft())
    with pytest.raises(ConflictError, match="state"):
        run(merge)
    with pytest.raises(ConflictError, match="overlap"):
        draft("Lại nữa")
    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    with pytest.raises(ConflictError, match="state"):
        actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)


def test_a_confirmed_merge_is_not_undone_nor_its_rows_changed(
    draft: Draft, run: Run, tri: Officer, now: datetime
) -> None:
    merge = run(draft())
    actions.confirm_merge(merge_uid=merge.uid, by=tri, at=now)

    with pytest.raises(ConflictError, match="state"):
        actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.filter(pk=merge.pk).update(state="run", confirmed_at=None)
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as raw,
    ):
        raw.execute("DELETE FROM reorganization_moved")


def test_what_would_be_lost_takes_everything_back(
    draft: Draft, run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = draft()
    before = state_of_world()
    groups = next(m for m in actions.MOVERS if m.kind == "fleet.DeviceGroup")
    counts = iter((1, 0))
    monkeypatch.setattr(type(groups), "count", lambda *_a, **_k: next(counts, 0))

    with pytest.raises(ConflictError, match="lost"):
        run(merge)
    assert state_of_world() == before
    assert Moved.objects.count() == 0


def test_history_keeps_the_unit_of_its_day(
    draft: Draft, run: Run, world: World, now: datetime
) -> None:
    station = Station.objects.get(unit=world.to)
    run(draft())
    station.refresh_from_db()
    assert (station.unit, station.ended_on) == (world.to, MERGER)
    assert Role.objects.filter(officer=world.siu, unit=world.to).exists()
    ground = read_ground(Merge.objects.get())
    assert ground.places[world.to.pk].way == rules.WHOLE


def test_a_line_that_was_taken_back_is_neither_shown_nor_counted(
    draft: Draft,
    run: Run,
    world: World,
    lan: Officer,
    quan: Officer,
    tri: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    StaffMember.objects.create(
        unit=world.to, full_name="Rơ Châm Pốt", folded="ro cham pot", phone="",
        post="Đài", from_date=date(2024, 1, 1), added_by=quan, added_at=now,
    )  # fmt: skip

    def seen() -> list[Any]:
        reader = registers.reader_of(lan, at=now)
        found: list[Any] = []
        for book in (books.STATIONS, books.STAFF):
            rows = registers.fence(book, reader)
            found.append(set(rows.values_list("pk", "unit")))
        for day in (MERGER - timedelta(days=1), MERGER, now.date()):
            found.append(dict(count_on(OTHER_STATIONS, day)))
            found.append(dict(count_on(STAFF, day)))
        return found

    before = seen()
    assert [len(rows) for rows in before[:2]] == [2, 1]
    eve = MERGER - timedelta(days=1)
    counted = count_on(OTHER_STATIONS, eve), count_on(STAFF, eve)
    merge = run(draft())
    assert seen() != before
    # The days before the merge are counted where they were, once.
    assert (count_on(OTHER_STATIONS, eve), count_on(STAFF, eve)) == counted
    assert sum(count_on(OTHER_STATIONS, MERGER).values()) == 2
    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    assert seen() == before
    assert Station.objects.filter(undone_at__isnull=False).count() == 2
    # What nobody sees is in nobody's way.
    person = StaffMember.objects.get(unit=world.to)
    again = {"full_name": person.full_name, "post": "Đài", "from_date": MERGER}
    line = lines.add_line(book=books.STAFF, unit=ia_grai, values=again, by=lan, at=now)
    run(draft("Lần hai"))
    names = StaffMember.objects.filter(unit=ia_grai, undone_at=None, to_date=None)
    assert names.count() == 2
    assert line in names
    assert not Station.objects.filter(undone_at__isnull=False).exists()


def test_officers_of_the_new_unit_read_the_past_of_their_ground_and_change_nothing(
    draft: Draft,
    run: Run,
    world: World,
    lan: Officer,
    hoa: Officer,
    tri: Officer,
    ia_grai: Unit,
    now: datetime,
) -> None:
    def sees(officer: Officer, unit: Unit) -> bool:
        return access.can_see(officer, unit=unit, at=now)

    assert not sees(lan, world.to)
    merge = run(draft())
    assert sees(lan, world.to)
    assert sees(lan, world.village)
    assert sees(tri, world.doa)
    assert not sees(hoa, world.to)
    assert not access.can(lan, "author", unit=world.to, at=now)
    stations = access.fence(Station.objects.all(), officer=lan, at=now)
    assert stations.filter(unit=world.to).exists()
    kept = access.fence(Station.objects.all(), officer=lan, at=now, kinds=["author"])
    assert not kept.filter(unit=world.to).exists()
    assert [u.pk for u in access.units_of(lan, at=now)] == [ia_grai.pk]

    actions.undo_merge(merge_uid=merge.uid, by=tri, at=now)
    assert not sees(lan, world.to)


def test_what_will_not_sound_any_more_is_listed_and_the_new_unit_is_told(
    draft: Draft,
    run: Run,
    world: World,
    province: Unit,
    lan: Officer,
    quan: Officer,
    tri: Officer,
    now: datetime,
) -> None:
    # Before the day, with codes that are not used again; Ia Kha's province stays.
    olds = Unit.objects.filter(pk__in=[world.to.pk, world.kha.pk])
    for unit in olds:
        Unit.objects.filter(pk=unit.pk).update(valid_to=None, code=f"9{unit.pk}")
    Unit.objects.filter(pk=world.kha.pk).update(path=f"{province.path}{world.kha.pk}/")
    boss = make_officer("boss", "Puih Bốp", (world.to, "approver"))
    for title, issuer, ground, writer, approver in (
        ("Của xã", world.to, world.to, world.siu, boss),
        ("Của tỉnh", province, world.kha, quan, tri),
    ):
        bulletin = newsroom.create_bulletin(
            unit=issuer, draft=Words(title, "Mời bà con họp."), by=writer, at=now
        )
        sent = schedule.submit(
            bulletin_id=bulletin.pk,
            timing=Timing(ONCE, starts_at=now + timedelta(days=1)),
            units=[Unit.objects.get(pk=ground.pk)],
            devices=[],
            by=writer,
            at=now,
        )
        voice_all(now)
        sent.refresh_from_db()
        schedule.release(
            broadcast_uid=sent.uid, sha256=sent.sha256, by=approver, at=now
        )
    olds.update(valid_to=MERGER)

    merge = draft()
    seen = preview.look(merge, at=now)
    left = next(one for one in seen.left if "lượt phát đã duyệt" in one.name)
    assert left.count == 2
    assert {words.split(" → ")[0] for words, _to in left.places} == {
        world.to.full_name,
        world.kha.full_name,
    }
    run(merge)

    told = Notice.objects.filter(subject__contains="phải duyệt lại")
    assert set(told.values_list("officer", flat=True)) >= {lan.pk, world.siu.pk}
    assert not told.filter(officer=tri).exists()
    body = told.filter(officer=lan).get().body
    assert "Của xã" in body


def test_an_officer_of_the_district_stays_unless_a_person_decides(
    draft: Draft, run: Run, world: World, tra: Officer, ia_grai: Unit, now: datetime
) -> None:
    make_officer("dan", "Đặng Dân", (world.west, "author"))
    make_officer("tinh", "Tỉnh Cũ", (world.old, "viewer"))
    merge = draft()
    seen = preview.look(merge, at=now)
    # All of the west went into one commune; only the divided east would be open.
    assert seen.open == []
    run(merge)
    assert Role.objects.filter(unit=ia_grai, officer__username="dan").exists()
    assert Role.objects.filter(unit=merge.unit, officer__username="tinh").exists()
