"""How long the merge of the real Gia Lai takes: 373 old communes become 135.

1. A database of its own with both maps of the country, and on the old ground
   `--devices` devices, `--officers` officers, villages, groups, words, registers.
2. Preview, run, undo, and run again, through the room's own actions; what is divided
   was decided before by a person.
3. Before it counts: every kind has as many things after as before, what was undone is
   where it was, and every device's signed settings name the unit that it stands in.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import _bench
from benchmarks.search import _database, _settings

LIMIT_S = 60.0
DAY = date(2025, 7, 1)
Result = TypeVar("Result")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Fill, merge back and forth, and say whether the promise is kept."""
    with _database(arguments.database) as address:
        _settings(folder, address)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("load_territory", verbosity=0)
        began = time.monotonic()
        makers = _fill(arguments.devices, arguments.officers)
        _bench.say(f"filled in {time.monotonic() - began:.0f} s")
        found = _merge(*makers)
    total = sum(found[name] for name in ("preview_s", "run_s", "undo_s", "rerun_s"))
    return {
        "bench": "merge",
        "database": arguments.database,
        "devices": arguments.devices,
        **found,
        "total_s": round(total, 2),
        "limits": {"total_s": LIMIT_S},
        "passed": total <= LIMIT_S and found["counts_before"] == found["counts_after"],
    }


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    result = work()
    return result, round(time.perf_counter() - began, 2)


def _merge(province: Any, maker: Any, approver: Any) -> dict[str, Any]:
    """Look, run, undo, run again; return the times and the counts."""
    from nguon.reorganization import actions, preview

    at = datetime.now(tz=UTC)
    merge = _draft(province, maker, at)
    seen, preview_s = _timed(lambda: preview.look(merge, at=at))
    _bench.check(not seen.open, "something is still open")
    before = _places()
    run, run_s = _timed(
        lambda: actions.run_merge(
            merge_uid=merge.uid,
            sha256=seen.sha256,
            knows_silence=True,
            by=approver,
            at=at,
        )
    )
    _check_signed()
    moved = run.moved.count()
    later = at + timedelta(minutes=1)
    _undone, undo_s = _timed(
        lambda: actions.undo_merge(merge_uid=merge.uid, by=approver, at=later)
    )
    _bench.check(_places() == before, "undo left something elsewhere")
    again = _draft(province, maker, later)
    fresh = preview.look(again, at=later)
    rerun, rerun_s = _timed(
        lambda: actions.run_merge(
            merge_uid=again.uid,
            sha256=fresh.sha256,
            knows_silence=True,
            by=approver,
            at=later,
        )
    )
    _check_signed()
    return {
        "old_communes": len({p.old.pk for p in seen.ground.of_kind("commune")}),
        "new_communes": sum(u.kind == "commune" for u in seen.ground.news.values()),
        "moved": moved,
        "preview_s": preview_s,
        "run_s": run_s,
        "undo_s": undo_s,
        "rerun_s": rerun_s,
        "counts_before": run.counts["before"],
        "counts_after": rerun.counts["after"],
    }


def _draft(province: Any, maker: Any, at: datetime) -> Any:
    """Draw the merge up; what is open goes to its first option."""
    from nguon.reorganization import actions, preview

    merge = actions.draft_merge(
        unit=province, day=DAY, heirs=[], title="Gia Lai 2025", by=maker, at=at
    )
    for place, _count in preview.look(merge, at=at).open:
        actions.choose_heir(
            merge_uid=merge.uid,
            old_id=place.old.pk,
            heir_id=place.options[0].pk,
            by=maker,
            at=at,
        )
    return merge


def _places() -> dict[str, set[Any]]:
    """Return what stands where."""
    from nguon.fleet.models import Device, DeviceGroup, Registration
    from nguon.people.models import Role
    from nguon.registers.models import StaffMember
    from nguon.territory.models import Unit

    roles = Role.objects.filter(valid_to=None)
    villages = Unit.objects.filter(kind="village", valid_to=None)
    staff = StaffMember.objects.filter(to_date=None)
    return {
        "devices": set(Device.objects.values_list("pk", "unit")),
        "groups": set(DeviceGroup.objects.values_list("pk", "unit", "name")),
        "covers": set(Registration.villages.through.objects.values_list()),
        "roles": set(roles.values_list("officer", "unit", "kind")),
        "villages": set(villages.values_list("pk", "parent")),
        "staff": set(staff.values_list("pk", "unit")),
    }


def _check_signed() -> None:
    """See that each device is told, signed, the very ground that it stands on."""
    from nguon.core.signing import read
    from nguon.fleet.models import SignedDocument
    from nguon.territory.models import Unit

    uids = dict(Unit.objects.values_list("pk", "uid"))
    rows = SignedDocument.objects.filter(kind="settings", superseded_at=None)
    count = 0
    for jws, path in rows.values_list("jws", "device__unit__path").iterator():
        _header, payload = read(jws)
        told = [uids[int(key)] for key in reversed(path.strip("/").split("/"))]
        _bench.check(payload["units"] == told, "told of other ground")
        count += 1
    _bench.check(count, "no device was told anything")


def _fill(devices: int, officers: int) -> tuple[Any, Any, Any]:
    """Put things on the old ground; return the province, who draws up, who runs."""
    from nguon.fleet import keys
    from nguon.fleet.actions.documents import sign_settings
    from nguon.fleet.models import (
        ACTIVE,
        Device,
        DeviceGroup,
        GroupMember,
        Health,
        Registration,
    )
    from nguon.newsroom.models import DictionaryWord
    from nguon.people import actions as people
    from nguon.people.models import Officer, Role
    from nguon.registers.models import StaffMember, Station
    from nguon.territory.models import Succession, Unit
    from nguon.territory.names import fold

    at = datetime.now(tz=UTC) - timedelta(hours=1)
    keys.make(at=at)
    province = Unit.objects.get(code="52", kind="province", valid_from=DAY)
    makers = []
    for username, role in (("tra", "author"), ("tri", "approver")):
        officer = people.create_officer(
            username=username, full_name=username, password="thu-mot-mat-khau",
            email=f"{username}@example.vn", by=None, at=at,
        )  # fmt: skip
        people.grant_role(officer=officer, unit=province, kind=role, by=None, at=at)
        makers.append(officer)
    rows = Succession.objects.filter(new__path__startswith=province.path)
    olds = list(Unit.objects.filter(pk__in=rows.values("old")).order_by("pk"))
    villages = [
        Unit(
            kind="village", code=f"{old.code}-T{n}", subkind="Thôn", name=str(n),
            folded=fold(f"Thôn {n}"), parent=old, valid_from=date(2020, 1, 1),
        )
        for old in olds
        for n in (1, 2, 3)
    ]  # fmt: skip
    villages = Unit.objects.bulk_create(villages, batch_size=500)
    for village in villages:
        village.path = f"{village.parent.path}{village.pk}/"  # type: ignore[union-attr]
    Unit.objects.bulk_update(villages, ["path"], batch_size=200)
    people_of = [
        Officer(
            username=f"cb{n}", full_name=f"Cán bộ {n}", folded=f"can bo {n}",
            password="!", created_at=at,
        )
        for n in range(officers)
    ]  # fmt: skip
    people_of = Officer.objects.bulk_create(people_of, batch_size=500)
    Role.objects.bulk_create(
        [
            Role(officer=one, unit=olds[n % len(olds)], kind=kind, valid_from=at)
            for n, one in enumerate(people_of)
            for kind in ("author", "approver")[: 1 + n % 2]
        ],
        batch_size=500,
    )
    places = [*olds, *villages]
    fleet = [
        Device(
            kind="speaker", name=f"Loa {n}", unit=places[n % len(places)],
            public_key=f"{n:043d}", enrolled_at=at, state=ACTIVE,
            decided_by=makers[0], decided_at=at,
        )
        for n in range(devices)
    ]  # fmt: skip
    fleet = Device.objects.bulk_create(fleet, batch_size=500)
    Registration.objects.bulk_create([Registration(device=d) for d in fleet], 500)
    Health.objects.bulk_create(
        [
            Health(
                device=d,
                commune_id=d.unit.parent_id if d.unit.kind == "village" else d.unit_id,
                state_since=at,
            )
            for d in fleet
        ],
        batch_size=500,
    )
    cover = Registration.villages.through
    cover.objects.bulk_create(
        [
            cover(registration_id=d.pk, unit_id=d.unit_id)
            for d in fleet
            if d.unit.kind == "village"
        ],
        batch_size=500,
    )
    groups = DeviceGroup.objects.bulk_create(
        [
            DeviceGroup(unit=old, name="Trường học", made_by=makers[0], made_at=at)
            for old in olds
        ],
        batch_size=500,
    )
    by_unit = {group.unit_id: group for group in groups}
    GroupMember.objects.bulk_create(
        [
            GroupMember(group=by_unit[d.unit_id], device=d)
            for d in fleet
            if d.unit_id in by_unit
        ],
        batch_size=500,
    )
    DictionaryWord.objects.bulk_create(
        [
            DictionaryWord(
                unit=old, written=f"từ {old.code} {n}", spoken="tờ", folded="tu",
                number=1, saved_by=makers[0], saved_at=at,
            )
            for old in olds
            for n in range(3)
        ],
        batch_size=500,
    )  # fmt: skip
    Station.objects.bulk_create(
        [
            Station(
                unit=old, name="Đài truyền thanh", folded="dai truyen thanh",
                kind="fm", year=2015, source="province", added_by=makers[0],
                added_at=at,
            )
            for old in olds
        ],
        batch_size=500,
    )  # fmt: skip
    StaffMember.objects.bulk_create(
        [
            StaffMember(
                unit=old, full_name=f"Người {old.code}", folded=f"nguoi {old.code}",
                post="Văn hóa - xã hội", from_date=date(2020, 1, 1),
                added_by=makers[0], added_at=at,
            )
            for old in olds
        ],
        batch_size=500,
    )  # fmt: skip
    for start in range(0, len(fleet), 500):
        keys_of = [device.pk for device in fleet[start : start + 500]]
        some = Device.objects.filter(pk__in=keys_of).select_related("unit")
        sign_settings(list(some), by=makers[0], at=at)
    return province, makers[0], makers[1]


if __name__ == "__main__":
    sys.exit(
        _bench.run(
            str(__doc__).partition("\n")[0],
            measure,
            devices=3_000,
            options=(
                ("--officers", {"type": int, "default": 1_000}),
                (
                    "--database",
                    {"choices": ("sqlite", "postgresql"), "default": "sqlite"},
                ),
            ),
        )
    )
