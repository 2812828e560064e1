"""The demo world: the real new Gia Lai, three communes of it filled with examples.

Names of villages are of the kinds the province really has and are marked as
examples. Everything is made by the rooms' own actions, as an officer would make it,
and making it twice changes nothing.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from nguon.demo import evaluation
from nguon.demo.past import news
from nguon.demo.past.making import BEFORE
from nguon.demo.places import DATA, HOME, MORE, OTHER, PROVINCE_CODE, WARD
from nguon.demo.registers import load_registers
from nguon.fleet import actions as fleet
from nguon.fleet.models import (
    ACTIVE,
    BOARD,
    REJECTED,
    REVOKED,
    SPEAKER,
    WAITING,
    Claim,
    Device,
)
from nguon.newsroom import actions as newsroom
from nguon.newsroom import rules as newsroom_rules
from nguon.newsroom.models import Bulletin
from nguon.people import actions as people
from nguon.people.models import (
    ADMINISTRATOR,
    APPROVER,
    AUTHOR,
    TECHNICIAN,
    VIEWER,
    Officer,
    Role,
)
from nguon.plan.shipped import enter_first
from nguon.schedule import actions as schedule
from nguon.schedule import authority, station
from nguon.schedule import rules as schedule_rules
from nguon.schedule.models import Broadcast, Paper
from nguon.territory import actions as territory
from nguon.territory.models import COMMUNE, PROVINCE, VILLAGE, Unit
from nguon.territory.queries import get_unit
from nguon.web.chores import chores
from nguon.web.worker import Worker

# user name, full name, where, roles
PEOPLE: Sequence[tuple[str, str, str, tuple[str, ...]]] = (
    ("admin", "Quản trị tỉnh", PROVINCE_CODE, (ADMINISTRATOR,)),
    ("lan", "Nguyễn Thị Lan", HOME, (AUTHOR,)),
    ("minh", "Trần Văn Minh", HOME, (APPROVER,)),
    ("hoa", "Lê Thị Hoa", OTHER, (AUTHOR, APPROVER)),
    ("tung", "Rơ Châm Tùng", PROVINCE_CODE, (TECHNICIAN, VIEWER)),
    ("quan", "Phạm Quân", PROVINCE_CODE, (APPROVER, AUTHOR)),
    ("mai", "Huỳnh Thị Mai", PROVINCE_CODE, (APPROVER, AUTHOR)),
)
DAILY_TIMES = (time(6, 0), time(11, 0), time(17, 0))
# The slots of the home station: key, part of the day, when it begins.
SLOTS = (("sang", "sáng", time(5, 30)), ("trua", "trưa", time(11, 15)),
         ("chieu", "chiều", time(17, 15)))  # fmt: skip
SHELVED = 6


@dataclass(frozen=True)
class Wanted:
    """How many devices the world has claims for."""

    speakers: int
    boards: int
    simulated: int
    spread: bool = False
    # There will be days behind: more communes have devices, reports are asked later.
    past: bool = False


def load(*, wanted: Wanted, at: datetime) -> dict[str, Any]:
    """Make what is missing; return addresses of everything a story needs."""
    day, since = at.date(), at - BEFORE
    codes = (HOME, OTHER, WARD, *(MORE if wanted.past else ()))
    with transaction.atomic():
        province = get_unit(PROVINCE_CODE, kind=PROVINCE, day=day)
        communes = {code: get_unit(code, kind=COMMUNE, day=day) for code in codes}
        password = _password()
        units = {PROVINCE_CODE: province, **communes}
        officers = _load_people(units, password, at=since)
        _load_villages(communes.values(), by=officers["admin"], at=at)
        claims = _load_claims(communes, wanted, by=officers["tung"], at=at)
        _load_bulletins(communes[HOME], by=officers["lan"], at=at)
        enter_first(keeper=province, by=officers["quan"], at=at)
        load_registers(province=province, by=officers["quan"], at=at)
        evaluation.load(
            province,
            [communes[code] for code in (HOME, OTHER, WARD)],
            officers,
            since=since,
            asks=not wanted.past,
            at=at,
        )
        if wanted.past:
            news.ask_sounds(at=at)
    return {
        "password": password,
        "officers": {
            username: {
                "name": name,
                "roles": list(roles),
                "place": {PROVINCE_CODE: province, **communes}[where].full_name,
            }
            for username, name, where, roles in PEOPLE
        },
        "province": province.uid,
        "communes": {code: unit.uid for code, unit in communes.items()},
        "home": communes[HOME].uid,
        "other": communes[OTHER].uid,
        "villages": [unit.uid for unit in _villages(communes[HOME])],
        "claims": claims,
        "units_loaded": Unit.objects.count(),
        "bulletins": Bulletin.objects.count(),
    }


@dataclass(frozen=True)
class Welcomed:
    """How many devices are on the bus, and how many somebody has turned away."""

    active: int
    refused: int


def welcome(*, expect: int, at: datetime) -> Welcomed:
    """Let in, as the technician, whoever waits; return how many are settled."""
    tung = Officer.objects.get(username="tung")
    waiting = Device.objects.filter(state=WAITING).order_by("pk")[:expect]
    keys = list(waiting.values_list("pk", flat=True))
    if keys:
        fleet.approve_devices(device_ids=keys, by=tung, at=at)
    return Welcomed(
        active=Device.objects.filter(state=ACTIVE, connected=True).count(),
        refused=Device.objects.filter(state__in=(REJECTED, REVOKED)).count(),
    )


def load_authority(*, at: datetime) -> str:
    """Let Lan speak live to the home commune for a day; return the paper's uid.

    Minh has approved it. What is in force already stays.
    """
    lan = Officer.objects.get(username="lan")
    minh = Officer.objects.get(username="minh")
    held = authority.list_authorities(officer=lan, act=station.LIVE, at=at)
    if held:
        return held[0].uid
    today = at.astimezone(schedule_rules.LOCAL).date()
    paper = schedule.draft_paper(
        unit=get_unit(HOME, kind=COMMUNE, day=at.date()),
        kind=station.AUTHORITY,
        body=station.Authority(
            officers=(lan.pk,),
            acts=("announce", "live"),
            begin=time(0),
            end=time(0),
            reason="Chạy thử nói trực tiếp",
        ),
        title="Ủy quyền nói trực tiếp",
        first_date=today,
        last_date=today + timedelta(days=1),
        by=lan,
        at=at,
    )
    schedule.send_paper(paper_uid=paper.uid, by=lan, at=at)
    schedule.approve_paper(paper_uid=paper.uid, sha256=paper.sha256, by=minh, at=at)
    return paper.uid


def load_programme(*, at: datetime) -> int:
    """Give the home commune a week on the air; return how many broadcasts there are.

    Three daily bulletins: two are approved by Minh, the third waits for whoever tries
    the demo. Then the station itself: rules, and a programme for each of its slots.
    """
    home = get_unit(HOME, kind=COMMUNE, day=at.date())
    if Paper.objects.filter(unit=home, kind=station.RULES).exists():
        return Broadcast.objects.count()
    lan = Officer.objects.get(username="lan")
    minh = Officer.objects.get(username="minh")
    today = at.astimezone(schedule_rules.LOCAL).date()
    drafts = Bulletin.objects.filter(unit=home, versions=None)
    drafts = drafts.exclude(klass="emergency")
    timings = [_daily(hour, today) for hour in DAILY_TIMES]
    timings += [schedule_rules.Timing(schedule_rules.SHELF)] * SHELVED
    sent = [
        schedule.submit(
            bulletin_id=bulletin.pk,
            timing=timing,
            units=[home],
            devices=[],
            by=lan,
            at=at,
        )
        for timing, bulletin in zip(timings, drafts.order_by("pk"), strict=False)
    ]
    Worker(clock=partial(_same, at), chores=chores()).run_once()
    shelf = []
    for broadcast in [*sent[:2], *sent[len(DAILY_TIMES) :]]:
        broadcast.refresh_from_db()
        if broadcast.state == schedule_rules.WAITING:
            released = schedule.release(
                broadcast_uid=broadcast.uid, sha256=broadcast.sha256, by=minh, at=at
            )
            shelf += [released] if released.timing == schedule_rules.SHELF else []
    _put_station_on_air(home, shelf, lan, minh, at=at)
    return len(sent)


def _put_station_on_air(
    home: Unit,
    shelf: Sequence[Broadcast],
    lan: Officer,
    minh: Officer,
    *,
    at: datetime,
) -> None:
    """Put rules and a week's programmes into force, by two persons as always."""
    today = at.astimezone(schedule_rules.LOCAL).date()
    bodies: list[tuple[str, station.Body]] = [("Quy chế đài Ia Grai", _rules(today))]
    share = len(shelf) // len(SLOTS)
    for number, (key, name, _hour) in enumerate(SLOTS):
        pieces = shelf[number * share : (number + 1) * share]
        entries = tuple(station.Entry("bulletin", row.uid) for row in pieces)
        if entries:
            bodies.append((f"Chương trình {name}", station.Programme(key, entries)))
    for title, body in bodies:
        is_rules = isinstance(body, station.StationRules)
        paper = schedule.draft_paper(
            unit=home,
            kind=station.RULES if is_rules else station.PROGRAMME,
            body=body,
            title=title,
            first_date=today,
            last_date=None if is_rules else today + timedelta(days=6),
            by=lan,
            at=at,
        )
        schedule.send_paper(paper_uid=paper.uid, by=lan, at=at)
        schedule.approve_paper(paper_uid=paper.uid, sha256=paper.sha256, by=minh, at=at)


def _rules(today: date) -> station.StationRules:
    """Return the home station's rules; whoever runs without quiet hours has none."""
    night = (station.Quiet(time(21), time(5)),) if settings.QUIET_HOURS else ()
    return station.StationRules(
        slots=tuple(
            station.Slot(
                id=key,
                name=f"Khung {name}",
                kind="programme",
                minutes=10,
                part=name,
                repeat=station.Repeat(today),
            )
            for key, name, _hour in SLOTS
        ),
        parts=tuple(
            station.DayPart(name, hour, time(hour.hour + 2))
            for _key, name, hour in SLOTS
        ),
        quiet=night,
        volumes=(
            station.Volume(time(5), time(21), 80),
            station.Volume(time(5), time(6, 30), 60),
        ),
    )


def _same(at: datetime) -> datetime:
    return at


def _daily(hour: time, today: date) -> schedule_rules.Timing:
    return schedule_rules.Timing(
        kind=schedule_rules.DAILY,
        time_of_day=hour,
        first_date=today,
        last_date=today + timedelta(days=6),
    )


def _password() -> str:
    """Return the password of the demo people, made once and kept for the operator."""
    path = Path(settings.DATA_DIR) / "demo-password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"gia-lai-{secrets.token_hex(3)}", encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _load_people(
    units: dict[str, Unit], password: str, *, at: datetime
) -> dict[str, Officer]:
    officers = {}
    for username, full_name, code, kinds in PEOPLE:
        officer = Officer.objects.filter(username=username).first()
        if officer is None:
            officer = people.create_officer(
                username=username,
                full_name=full_name,
                password=password,
                email=f"{username}@example.vn",
                by=None,
                at=at,
                is_superuser=username == "admin",
            )
        held = set(Role.objects.filter(officer=officer).values_list("kind", flat=True))
        for kind in kinds:
            if kind not in held:
                people.grant_role(
                    officer=officer, unit=units[code], kind=kind, by=None, at=at
                )
        officers[username] = officer
    return officers


def _load_villages(communes: Iterable[Unit], *, by: Officer, at: datetime) -> None:
    """Import the example villages of every commune that has none."""
    for commune in communes:
        if not _villages(commune):
            text = (DATA / f"villages-{commune.code}.csv").read_text(encoding="utf-8")
            territory.import_villages(text=text, ground=[commune.path], by=by, at=at)


def _villages(commune: Unit) -> list[Unit]:
    return list(Unit.objects.filter(parent=commune, kind=VILLAGE).order_by("code"))


def _load_claims(
    communes: dict[str, Unit], wanted: Wanted, *, by: Officer, at: datetime
) -> dict[str, list[str]]:
    """Make the claims that are missing; return the codes of every kind, in order."""
    home = communes[HOME]
    places = [home]
    if wanted.spread:
        places = list(communes.values())
    groups = (
        ("speakers", SPEAKER, "Loa thật", wanted.speakers, [home], False),
        ("boards", BOARD, "Bảng tin", wanted.boards, [home], False),
        ("simulated", SPEAKER, "Loa mô phỏng", wanted.simulated, places, True),
    )
    codes = {}
    for group, kind, word, count, where, simulated in groups:
        found = []
        for index, place in enumerate(where):
            share = count // len(where) + (index < count % len(where))
            names = [f"{word} {place.name} {number}" for number in range(1, share + 1)]
            found += _claim(
                place, kind, names, simulated=simulated, by=by, at=at, group=group
            )
        codes[group] = found
    return codes


def _claim(
    commune: Unit,
    kind: str,
    names: list[str],
    *,
    simulated: bool,
    group: str,
    by: Officer,
    at: datetime,
) -> list[str]:
    """Spread devices over the villages; a board stands at the commune's office."""
    villages = [commune] if group == "boards" else _villages(commune)
    known = dict(Claim.objects.filter(name__in=names).values_list("name", "code"))
    for index, village in enumerate(villages):
        missing = [name for name in names[index :: len(villages)] if name not in known]
        if not missing:
            continue
        made = fleet.create_claims(
            unit=village, kind=kind, names=missing, by=by, at=at, simulated=simulated
        )
        known |= {claim.name: claim.code for claim in made}
    return [known[name] for name in names]


def _load_bulletins(unit: Unit, *, by: Officer, at: datetime) -> None:
    if Bulletin.objects.filter(unit=unit).exists():
        return
    text = (DATA / "bulletins-vi.json").read_text(encoding="utf-8")
    for row in json.loads(text):
        newsroom.create_bulletin(
            unit=unit,
            draft=newsroom_rules.Draft(
                row["title"], row["body"], row["class"], row["field"], ("vi",)
            ),
            by=by,
            at=at,
        )
