"""The same figures the slow way: loops over raw rows, no counting by the database."""

from datetime import date, datetime, timedelta
from fractions import Fraction

from nguon.audit.months import LOCAL
from nguon.fleet import health
from nguon.fleet.models import BeatDay, Fault, Registration
from nguon.indicators.rules import Period
from nguon.plan.models import RunningCost
from nguon.registers.models import Propagandist, StaffMember, Station, Training
from nguon.schedule.models import Airing, AudienceMember, Broadcast, PlayRecord
from nguon.territory.models import Unit

Answer = Fraction | None


def _day(at: datetime) -> date:
    return at.astimezone(LOCAL).date()


def _share(above: float, below: float, scale: int = 1) -> Answer:
    return Fraction(above) / below / scale if below else None


class Brute:
    """Every raw row of a ground, read once; `figures` are of one period."""

    def __init__(self, unit: Unit, period: Period) -> None:
        self.unit, self.period = unit, period
        related = ("device", "unit", "broadcast")
        self.plays = [
            play
            for play in PlayRecord.objects.select_related(*related)
            if self._here(play.unit) and self._then(_day(play.planned_at))
        ]
        self.units = [one for one in Unit.objects.all() if self._here(one)]

    def _here(self, unit: Unit) -> bool:
        return unit.path.startswith(self.unit.path)

    def _then(self, day: date) -> bool:
        return self.period.first <= day < self.period.after

    def _commune(self, unit: Unit) -> int | None:
        while unit.kind not in {"commune", "province"}:
            assert unit.parent is not None
            unit = unit.parent
        return unit.pk if unit.kind == "commune" else None

    def _count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.units)

    def figures(self) -> dict[str, Answer]:
        """Return every counted figure as an exact number, None for 0 below."""
        speakers = [play for play in self.plays if play.device.kind == "speaker"]
        boards = [play for play in self.plays if play.device.kind == "board"]
        sounded = {
            self._commune(play.unit)
            for play in speakers
            if play.sounded_ms > 0 and play.grade >= 2
        } - {None}
        lit = {self._commune(play.unit) for play in boards if play.grade >= 2} - {None}
        released = self._released()
        suppliers = {
            ("s", one.version.supplier_id)
            if one.version.supplier_id
            else ("u", one.unit_id)
            for one in released
        }
        played = sum(play.sounded_ms for play in speakers)
        days = self._days()
        in_use, audible, _villages = self._audible(days[-1])
        reached = {key for day in days for key in self._audible(day)[2]}
        repairs = self._repairs()
        due, waits = self._alerts()
        return {
            "communes_sounding": _share(100 * len(sounded), self._count("commune")),
            "communes_with_board": _share(100 * len(lit), self._count("commune")),
            "villages_covered": _share(100 * len(reached), self._count("village")),
            "portals_alive": _share(100 * self._pages(), self._count("commune")),
            "suppliers": Fraction(len(suppliers)),
            "bulletins": Fraction(len(released)),
            "minutes_played": Fraction(played, 60_000),
            "minutes_planned": Fraction(self._planned(), 60_000),
            "devices_audible": _share(100 * audible, in_use),
            "repair_hours": _share(sum(repairs), len(repairs), 3_600),
            "alert_seconds": _share(sum(waits), len(waits), 1_000),
            "alert_sounded": _share(100 * len(waits), due),
            **self._registers(days[-1]),
            "cluster_cost": self._cluster_cost(days[-1]),
        }

    def _registers(self, day: date) -> dict[str, Answer]:
        def stands(line: StaffMember | Propagandist) -> bool:
            ended = line.to_date is not None and line.to_date <= day
            return self._here(line.unit) and line.from_date <= day and not ended

        staff = [one for one in StaffMember.objects.all() if stands(one)]
        trained = 0
        for one in staff:
            known = {
                proof.lesson_id for proof in one.proofs.all() if proof.proven_on <= day
            }
            trained += any(
                {lesson.pk for lesson in training.lessons.all()} <= known
                for training in Training.objects.all()
            )
        people = [one for one in Propagandist.objects.all() if stands(one)]
        others = [
            one
            for one in Station.objects.all()
            if self._here(one.unit)
            and one.kind != "it"
            and one.year <= day.year
            and (one.ended_on is None or one.ended_on > day)
        ]
        return {
            "staff": Fraction(len(staff)),
            "staff_trained": _share(100 * trained, len(staff)),
            "propagandists": Fraction(len(people)),
            "other_stations": Fraction(len(others)),
        }

    def _cluster_cost(self, day: date) -> Answer:
        """Divide what communes pay in the year by the clusters audible in them."""
        latest: dict[int, RunningCost] = {}
        for row in RunningCost.objects.order_by("set_at"):
            is_ours = self._here(row.unit) and row.unit.kind == "commune"
            if is_ours and row.year == day.year and row.plan.state != "draft":
                latest[row.unit_id] = row
        paid = audible = 0
        for beat in BeatDay.objects.filter(day=day).select_related("device", "unit"):
            price = latest.get(self._commune(beat.unit) or 0)
            if price is not None and beat.device.kind == "speaker":
                paid += price.per_cluster
                audible += self._sounds(beat.device_id, day)
        paid += sum(row.per_station for row in latest.values())
        return _share(paid, audible)

    def _days(self) -> list[date]:
        span = (self.period.after - self.period.first).days
        return [self.period.first + timedelta(days=n) for n in range(span)]

    def _released(self) -> list[Broadcast]:
        return [
            one
            for one in Broadcast.objects.select_related("version", "unit")
            if one.approved_at
            and self._then(_day(one.approved_at))
            and self._here(one.unit)
            and not one.version.drill
        ]

    def _pages(self) -> int:
        """Count communes onto whose page something new came."""
        found = set()
        for one in Broadcast.objects.select_related("version", "unit"):
            shown = [one.approved_at] if one.approved_at else []
            if one.timing == "shelf":
                rows = one.airings.all()
                starts = [row.starts_at for row in rows if not row.withdrawn_at]
                shown = [max([*shown, min(starts)])] if starts else []
            if not shown or one.version.drill:
                continue
            for unit in self.units:
                is_own = one.unit.path.startswith(unit.path)
                carried = any(unit.path.startswith(c.path) for c in one.carriers.all())
                if unit.kind != "commune" or not (is_own or carried):
                    continue
                offers = [row for row in one.offers.all() if row.unit_id == unit.pk]
                since = [*shown, *(row.decided_at for row in offers)]
                is_taken = all(row.state == "taken" for row in offers)
                if is_taken and self._then(_day(max(filter(None, since)))):
                    found.add(unit.pk)
        return len(found)

    def _planned(self) -> int:
        total = 0
        for airing in Airing.objects.filter(withdrawn_at=None):
            day = _day(airing.starts_at)
            if not self._then(day):
                continue
            window = round((airing.ends_at - airing.starts_at).total_seconds() * 1000)
            if airing.broadcast is not None:
                sounds = airing.broadcast.version.sounds.all()
                window = min(
                    window, max(sound.rendition.duration_ms for sound in sounds)
                )
            if airing.paper_id is None:
                meant = [
                    row.unit
                    for row in AudienceMember.objects.filter(broadcast=airing.broadcast)
                    if row.device.kind == "speaker"
                ]
            else:
                assert airing.unit is not None
                meant = [
                    row.unit
                    for row in BeatDay.objects.filter(day=day)
                    if row.device.kind == "speaker"
                    and row.unit.path.startswith(airing.unit.path)
                ]
            total += window * sum(self._here(unit) for unit in meant)
        return total

    def _audible(self, day: date) -> tuple[int, int, set[int]]:
        in_use = audible = 0
        villages: set[int] = set()
        here = {one.pk for one in self.units if one.kind == "village"}
        for row in BeatDay.objects.filter(day=day).select_related("device", "unit"):
            if row.device.kind != "speaker":
                continue
            in_use += self._here(row.unit)
            if not self._sounds(row.device_id, day):
                continue
            audible += self._here(row.unit)
            links = Registration.objects.get(pk=row.device_id).villages.all()
            villages |= {row.unit_id, *(one.pk for one in links)} & here
        return in_use, audible, villages

    def _sounds(self, device: int, day: date) -> bool:
        for grade, name in ((2, "decoded"), (3, "amplified"), (4, "measured")):
            for back in range(health.AGE_LIMITS[grade].days):
                then = day - timedelta(days=back)
                beats = BeatDay.objects.filter(device=device, day=then)
                plays = PlayRecord.objects.filter(device=device, grade=grade)
                if any(getattr(beat, name) for beat in beats) or any(
                    _day(play.planned_at) == then for play in plays
                ):
                    return True
        return False

    def _repairs(self) -> list[int]:
        return [
            int((fault.closed_at - fault.began_at).total_seconds())
            for fault in Fault.objects.select_related("unit")
            if fault.closed_at
            and self._then(_day(fault.closed_at))
            and self._here(fault.unit)
            and health.MAKES[fault.cause] == "silent"
        ]

    def _alerts(self) -> tuple[int, list[int]]:
        due, waits = 0, []
        for row in AudienceMember.objects.select_related("broadcast", "unit"):
            one = row.broadcast
            if (
                one.approved_at is None
                or one.version.klass != "emergency"
                or one.version.drill
                or not self._then(_day(one.approved_at))
                or not self._here(row.unit)
                or row.device.kind != "speaker"
            ):
                continue
            due += 1
            starts = [
                play.started_at
                for play in PlayRecord.objects.filter(broadcast=one, device=row.device)
                if play.started_at and play.sounded_ms > 0
            ]
            if starts:
                wait = (min(starts) - one.approved_at) / timedelta(milliseconds=1)
                waits.append(max(0, round(wait)))
        return due, waits
