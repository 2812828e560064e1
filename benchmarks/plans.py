"""Plans of a whole province: built in one go, and after one changed slot.

1. A temporary database with the real map of the country, 3,000 villages and N devices
   of the 135 communes of Gia Lai. Bulletins are written, voiced by a stand-in,
   approved and laid on the shelf by the rooms' own actions; communes, devices and
   papers beyond the first are written as rows in bulk, through the database's guards.
2. `full_build_s`: the scheduler's `build_all`, on days so far apart that every airing
   and every plan is new: compiled, signed, stored, devices nudged; median of rounds.
   Done with a tenth of the devices too: `growth_ratio`.
3. `one_change_ms`: Minh approves rules in which one slot moved, by the real
   `approve_paper`, in several communes; `plans_touched` counts what was signed.
4. Every plan in force is verified as a device does, decoded and counted.

NGUON_DATABASE_URL names another database (an empty PostgreSQL).
"""

import argparse
import os
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

from benchmarks import _bench

LIMIT_S, LIMIT_MS, LIMIT_RATIO = 5.0, 200.0, 1.5
VILLAGES, FEWER = 3000, 10
COMMUNES, ITEMS_A_DAY = 135, 20
BEGIN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
# Far enough that no airing is planned twice.
APART = timedelta(days=10)
SLOTS = ((5, 30), (8, 0), (10, 0), (14, 0), (17, 0), (19, 0))
ENTRIES = 4
SOUND_MS = 150_000


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure, and say whether the promise is kept."""
    os.environ.setdefault("NGUON_SECRET_KEY", secrets.token_hex(30))
    os.environ["NGUON_DATA_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "nguon.web.settings"
    import django

    django.setup()
    return Province(arguments.devices, arguments.rounds).run()


class Province:
    """The province of this bench; Django's rooms are imported once it is set up."""

    def __init__(self, devices: int, rounds: int) -> None:
        self.devices = devices
        self.rounds = rounds
        self.now = BEGIN

    def run(self) -> dict[str, Any]:
        """Make the world, measure it small, whole and changed, and verify it."""
        self._make_world()
        few = self._add_devices(self.devices // FEWER)
        small = [self._build_all() for _ in range(self.rounds)]
        _bench.say(f"{few} devices: {small}")
        self._add_devices(self.devices - few)
        whole = [self._build_all() for _ in range(self.rounds)]
        _bench.say(f"{self.devices} devices: {whole}")
        items, sizes = self._verify()
        changes, touched = self._change_slots()
        self._verify()
        ratio = statistics.median(whole) / statistics.median(small)
        full = statistics.median(whole)
        one = _bench.distribution(changes)
        return {
            "bench": "plans",
            "communes": COMMUNES,
            "villages": VILLAGES,
            "devices": self.devices,
            "rounds": self.rounds,
            "items": items,
            "bytes_per_plan": round(statistics.mean(sizes)),
            "full_build_s": round(full, 2),
            "full_builds_s": [round(one, 2) for one in whole],
            "growth_ratio": round(ratio, 2),
            "one_change_ms": one,
            "plans_touched": touched,
            "database": self.vendor,
            "limits": {
                "full_build_s": LIMIT_S,
                "one_change_ms.p95": LIMIT_MS,
                "growth_ratio": LIMIT_RATIO,
            },
            "passed": full <= LIMIT_S
            and one["p95"] <= LIMIT_MS
            and ratio <= LIMIT_RATIO
            and touched == 1,
        }

    # --- the world -----------------------------------------------------------------

    def _make_world(self) -> None:
        from django.core.management import call_command
        from django.db import connection

        from nguon.fleet import keys
        from nguon.people import actions as people
        from nguon.territory.models import COMMUNE, PROVINCE
        from nguon.territory.queries import get_unit, list_communes

        call_command("migrate", verbosity=0)
        call_command("load_territory", verbosity=0, stdout=sys.stderr)
        keys.make(at=BEGIN)
        self.vendor = connection.vendor
        day = BEGIN.date()
        self.province = get_unit("52", kind=PROVINCE, day=day)
        self.communes = list_communes(province_code="52", day=day)
        _bench.check(len(self.communes) == COMMUNES, "not the map of today")
        assert all(unit.kind == COMMUNE for unit in self.communes)
        self.lan, self.minh = (
            people.create_officer(
                username=name, full_name=name.title(), password=secrets.token_hex(9),
                email=f"{name}@example.vn", by=None, at=BEGIN,
            )
            for name in ("lan", "minh")
        )  # fmt: skip
        for officer, kind in ((self.lan, "author"), (self.minh, "approver")):
            people.grant_role(
                officer=officer, unit=self.province, kind=kind, by=None, at=BEGIN
            )
        self.villages = self._add_villages()
        self._add_devices(len(self.communes))
        self.materials = [
            self._shelve(number) for number in range(len(SLOTS) * ENTRIES)
        ]
        self._take_everywhere()
        self._put_papers_in_force()

    def _add_villages(self) -> list[Any]:
        from nguon.territory.models import VILLAGE, Unit

        rows = [
            Unit(
                code=f"T{number}", kind=VILLAGE, subkind="Làng", name=f"{number}",
                folded=f"lang {number}", parent=self.communes[number % COMMUNES],
                valid_from=date(2025, 7, 1), population=500,
            )
            for number in range(VILLAGES)
        ]  # fmt: skip
        Unit.objects.bulk_create(rows, batch_size=500)
        found = list(Unit.objects.filter(code__startswith="T", kind=VILLAGE))
        for row in found:
            row.path = f"{row.parent.path}{row.pk}/" if row.parent else ""
        Unit.objects.bulk_update(found, ["path"], batch_size=500)
        return found

    def _add_devices(self, count: int) -> int:
        from nguon.fleet.models import ACTIVE, Device

        known = Device.objects.count()
        Device.objects.bulk_create(
            [
                Device(
                    kind="speaker", name=f"Loa {number}",
                    unit=self.villages[number % VILLAGES], state=ACTIVE,
                    public_key=secrets.token_urlsafe(32), enrolled_at=BEGIN,
                    decided_by=self.minh, decided_at=BEGIN,
                )
                for number in range(known, max(known, count))
            ],
            batch_size=500,
        )  # fmt: skip
        return Device.objects.count()

    def _shelve(self, number: int) -> Any:
        """Write, voice and approve a bulletin that programmes may use."""
        from nguon.fleet import actions as fleet
        from nguon.newsroom import actions as newsroom
        from nguon.newsroom.rules import Draft
        from nguon.schedule import actions, rules

        text = "Mời bà con nghe hướng dẫn chăm sóc cây cà phê mùa khô. " * 6
        bulletin = newsroom.create_bulletin(
            unit=self.province, draft=Draft(f"Bài số {number}", f"{number}. {text}"),
            by=self.lan, at=BEGIN,
        )  # fmt: skip
        broadcast = actions.submit(
            bulletin_id=bulletin.pk, timing=rules.Timing(rules.SHELF),
            units=[self.communes[0]], devices=[], by=self.lan, at=BEGIN,
        )  # fmt: skip
        while (claimed := newsroom.claim_rendition(at=BEGIN)) is not None:
            media = fleet.store_media(
                data=claimed.key.encode(), mime="audio/mpeg", duration_ms=SOUND_MS,
                at=BEGIN,
            )  # fmt: skip
            newsroom.finish_rendition(
                rendition_id=claimed.pk, lease=claimed.lease, media=media,
                sound=newsroom.Sound(SOUND_MS, -16, -2, [0]), at=BEGIN,
            )  # fmt: skip
        actions.prepare_ready(at=BEGIN)
        broadcast.refresh_from_db()
        return actions.release(
            broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=self.minh, at=BEGIN
        )

    def _take_everywhere(self) -> None:
        """Let every commune take every bulletin of the shelf."""
        from nguon.schedule import rules
        from nguon.schedule.models import InboxEntry

        InboxEntry.objects.bulk_create(
            [
                InboxEntry(unit=unit, broadcast=row, arrived_at=BEGIN)
                for unit in self.communes
                for row in self.materials
            ],
            ignore_conflicts=True,
            batch_size=500,
        )
        InboxEntry.objects.update(
            state=rules.TAKEN, decided_by=self.lan, decided_at=BEGIN
        )

    def _rules(self) -> Any:
        from nguon.schedule.station import (
            DayPart,
            Quiet,
            Repeat,
            Slot,
            StationRules,
            Volume,
        )

        return StationRules(
            slots=tuple(
                Slot(
                    id=f"s{hour}", name=f"Khung {hour} giờ", kind="programme",
                    minutes=15, begin=clock(hour, minute),
                    repeat=Repeat(BEGIN.date(), holidays="keep"),
                )
                for hour, minute in SLOTS
            ),
            parts=(DayPart("sáng", clock(5), clock(11)),),
            quiet=(Quiet(clock(21), clock(5)),),
            volumes=(Volume(clock(5), clock(7), 60),),
        )  # fmt: skip

    def _put_papers_in_force(self) -> None:
        """Write the rules and programmes of every commune, by Lan and by Minh."""
        from nguon.schedule import rules, station
        from nguon.schedule.models import Paper, PaperInvolvement
        from nguon.schedule.station import Entry, Programme

        uids = [row.uid for row in self.materials]
        bodies: list[Any] = [self._rules()]
        bodies += [
            Programme(
                f"s{hour}",
                tuple(
                    Entry("bulletin", uid)
                    for uid in uids[n * ENTRIES : (n + 1) * ENTRIES]
                ),
            )
            for n, (hour, _minute) in enumerate(SLOTS)
        ]
        papers = []
        for unit in self.communes:
            for number, body in enumerate(bodies):
                kind = station.PROGRAMME if number else station.RULES
                encoded = station.encode(kind, body)
                papers.append(
                    Paper(
                        kind=kind, unit=unit, number=number or 1,
                        subject=station.subject_of(kind, body), title="Giấy tờ",
                        body=encoded, first_date=BEGIN.date(), created_at=BEGIN,
                        sha256=station.hash_of(
                            kind=kind, unit=unit.uid, body=encoded,
                            first_date=BEGIN.date(), last_date=None,
                        ),
                    )
                )  # fmt: skip
        Paper.objects.bulk_create(papers, batch_size=200)
        rows = list(Paper.objects.filter(state=rules.DRAFT))
        acts = ((self.lan, "edit"), (self.minh, "approve"))
        PaperInvolvement.objects.bulk_create(
            [
                PaperInvolvement(
                    paper=row, person=officer, kind=kind, at=BEGIN,
                    approved_sha256=row.sha256 if kind == "approve" else "",
                )
                for row in rows
                for officer, kind in acts
            ],
            batch_size=200,
        )  # fmt: skip
        found = Paper.objects.filter(state=rules.DRAFT)
        found.update(state=rules.WAITING, submitted_by=self.lan, submitted_at=BEGIN)
        Paper.objects.filter(state=rules.WAITING).update(
            state=rules.APPROVED, approved_by=self.minh, approved_at=BEGIN
        )

    # --- measuring -----------------------------------------------------------------

    def _build_all(self) -> float:
        """Build every plan anew, on days that were never planned; return seconds."""
        from nguon.schedule import actions

        self.now += APART
        begun = time.perf_counter()
        changed = actions.build_all(at=self.now)
        spent = time.perf_counter() - begun
        built = {unit.pk for unit in changed} & {unit.pk for unit in self.communes}
        _bench.check(len(built) == COMMUNES, f"{len(built)} plans were built")
        return spent

    def _verify(self) -> tuple[int, list[int]]:
        """Verify every plan in force as a device does; return items and sizes."""
        from nguon.core.messages import Plan
        from nguon.fleet import keys
        from nguon.fleet.actions.documents import to_ms
        from nguon.fleet.models import SignedDocument

        held = SignedDocument.objects.filter(
            kind="plan", superseded_at__isnull=True, unit__in=self.communes
        )
        trusted, items, sizes = keys.ring().trusted, 0, []
        for document in held:
            payload = trusted.verify(document.jws, at=to_ms(self.now))
            plan = Plan.decode(payload)
            days = [
                (item.starts_at + 7 * 3600_000) // 86_400_000 for item in plan.items
            ]
            full = [day for day in set(days) if days.count(day) >= ITEMS_A_DAY]
            _bench.check(len(full) >= 7, "a plan without a full week")
            _bench.check(plan.quiet and plan.volumes, "a plan without its hours")
            items += len(plan.items)
            sizes.append(len(document.jws))
        _bench.check(len(sizes) == COMMUNES, "a commune without a plan")
        return items, sizes

    def _change_slots(self) -> tuple[list[float], int]:
        """Move one slot in each of several communes; return ms, and plans signed."""
        spent, touched = [], 0
        for number, unit in enumerate(self.communes[:: COMMUNES // 30]):
            self.now += timedelta(seconds=1)
            took, signed = self._change_one(unit, minutes=5 + number % 5)
            spent.append(took)
            touched = max(touched, signed)
        return spent, touched

    def _change_one(self, unit: Any, *, minutes: int) -> tuple[float, int]:
        from dataclasses import replace

        from nguon.fleet.models import SignedDocument
        from nguon.schedule import actions

        body = self._rules()
        moved = replace(body.slots[0], begin=clock(5, 30 + minutes))
        paper = actions.draft_paper(
            unit=unit, kind="rules", body=replace(body, slots=(moved, *body.slots[1:])),
            title="Dời khung sáng", first_date=BEGIN.date(), last_date=None,
            by=self.lan, at=self.now,
        )  # fmt: skip
        actions.send_paper(paper_uid=paper.uid, by=self.lan, at=self.now)
        before = SignedDocument.objects.filter(kind="plan").count()
        took = _milliseconds(
            lambda: actions.approve_paper(
                paper_uid=paper.uid, sha256=paper.sha256, by=self.minh, at=self.now
            )
        )
        plans = SignedDocument.objects.filter(kind="plan").order_by("-pk")
        signed = plans.count() - before
        _bench.check(signed and plans[0].unit_id == unit.pk, "its plan was not signed")
        return took, signed


def _milliseconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.exit(_bench.run(str(__doc__), measure, devices=10_000, rounds=5))
