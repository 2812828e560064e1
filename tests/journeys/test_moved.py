"""Two communes become one while their real speakers run: followed, proven, undone.

Real NATS, gateway, web, worker and two agents. The gateway is killed while settings
are signed anew. What was approved for an old commune before is told as withdrawn on
the moved speaker, never left without a word, and sounds again after the undo.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nguon.core import signing
from nguon.demo import wav
from nguon.demo.client import Client
from nguon.demo.stack import Stack

pytestmark = [pytest.mark.server]

PATIENCE_SECONDS = 60.0
ASK_SECONDS = 0.1
# Broadcasts of the old commune, one after the other all the time: whatever the pace of
# this machine, some begin while the merge is in force and some after its undo.
STEPS, FIRST_S, STEP_S = 10, 10.0, 6.0
LENGTH = timedelta(seconds=STEP_S)
ONSET_MS, CORRELATION = 20, 0.98
# The law comes with a new map; here it is today's, of the demo's first two communes.
NEW_MAP = """
from datetime import date
from django.utils import timezone
from nguon.people import actions as people
from nguon.people.models import APPROVER
from nguon.territory.models import Succession, Unit
at, day = timezone.now(), timezone.localdate()
olds = list(Unit.objects.filter(uid__in={olds}))
province = olds[0].parent
new = Unit.objects.create(
    kind="commune", code="99001", subkind="Xã", name="Ia Hợp Nhất",
    folded="xa ia hop nhat", parent=province, valid_from=day, uid={new},
)
new.path = f"{{province.path}}{{new.pk}}/"
new.save(update_fields=["path"])
for old in olds:
    old.valid_to = day
    old.save(update_fields=["valid_to"])
    Succession.objects.create(old=old, new=new, kind="whole")
tri = people.create_officer(
    username="tri", full_name="Kpă Trí", password={password},
    email="tri@example.vn", by=None, at=at,
)
people.grant_role(officer=tri, unit=province, kind=APPROVER, by=None, at=at)
"""
NEW = "hopnhathopnh"
# A unit and, of a village, its commune.
UNIT = "territory_unit u LEFT JOIN territory_unit above ON above.id = u.parent_id"
COMMUNE = "CASE u.kind WHEN 'village' THEN above.uid ELSE u.uid END"
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Sent:
    """One approved broadcast, its sound, and when it begins."""

    uid: str
    sound: bytes
    starts_at: datetime


@dataclass(frozen=True)
class Play:
    """What the server knows of one play; `commune` is that of its first word."""

    device: str
    outcome: str
    cause: str
    commune: str
    began: float
    ended: float

    @property
    def end(self) -> tuple[str, str, str]:
        """How it ended, why, and where."""
        return self.outcome, self.cause, self.commune


class World:
    """The people at their screens, and what both sides have written down."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.communes = (stack.world["home"], stack.world["other"])
        self.province = stack.world["province"]
        self.tri: Client
        self.address = ""
        names = ("lan", "minh", "hoa", "quan", "tung")
        self.lan, self.minh, self.hoa, self.quan, self.tung = map(stack.login, names)
        stack.add_speakers([self._claim(unit) for unit in self.communes])
        self.uids = (stack.agent_uid(0), stack.agent_uid(1))

    def _claim(self, unit: str) -> str:
        fields = {"unit": unit, "kind": "speaker", "name": "Loa thật", "count": "1"}
        (code,) = self.tung.tell("/thiet-bi/ma-ghi-danh/", **fields)["codes"]
        return str(code)

    def write(self, writer: Client, unit: str, text: str, klass: str = "normal") -> str:
        """Have somebody write a bulletin; return its address."""
        made = writer.tell("/ban-tin/moi/", unit=unit, kind=klass)
        own = f"/ban-tin/{made['bulletin_uid']}/"
        writer.tell(
            f"{own}luu/", revision=made["revision"], title=text, body=text,
            klass=klass, field="1", languages="vi", languages_sent="1",
        )  # fmt: skip
        return own

    def send(
        self,
        writer: Client,
        approver: Client,
        bulletin: str,
        unit: str,
        *,
        after: float = 0.0,
    ) -> Sent:
        """Send and approve a bulletin that begins in so many seconds, or now."""
        starts_at = datetime.now(UTC) + timedelta(seconds=after)
        timing = {"timing": "once", "starts_at": starts_at.isoformat()}
        if not after:
            timing = {"timing": "now"}
        uid = writer.tell(f"{bulletin}phat/", units=unit, **timing)["broadcast_uid"]
        page = f"/duyet/{uid}/"
        seen = wait(
            lambda: (told := approver.ask(page))["state"] == "waiting" and told,
            "no sound was made",
        )
        sound = approver.get(seen["sounds"][0]["sound_url"]).body
        approver.tell(f"{page}phat/", sha256=seen["sha256"])
        return Sent(uid, sound, starts_at)

    def bring_new_map(self) -> None:
        """Load today's map, and let a second person of the province in."""
        told = {"olds": self.communes, "new": NEW, "password": self.stack.password}
        script = NEW_MAP.format_map({key: repr(value) for key, value in told.items()})
        self.stack.manage("shell", "--no-imports", "-c", script)

    def merge(self) -> None:
        """Have Quân draw the merge up and Trí run it, while the gateway dies.

        It comes back when both speakers have been signed anew.
        """
        self.tri = self.stack.login("tri")
        today = f"{datetime.now(LOCAL):%Y-%m-%d}"
        fields = {"tinh": self.province, "ngay": today, "ten": "Hai xã thành một"}
        self.address = f"/sap-xep/{self.quan.tell('/sap-xep/moi/', **fields)['uid']}/"
        seen = self.tri.ask(self.address)
        assert seen["moves"]["fleet.Device"] == len(self.uids)
        run = f"{self.address}chay/"
        with ThreadPoolExecutor(1) as people:
            sure = {"sha256": seen["sha256"], "biet_loa_im": "1"}
            running = people.submit(self.tri.tell, run, **sure)
            self.stack.kill("gateway")
            running.result()
        self.stack.restart("gateway")

    def undo(self) -> None:
        """Have Trí undo it; the gateway dies when the first speaker obeys."""
        self.tri.tell(f"{self.address}hoan-tac/")
        home = self.communes[0]
        wait(lambda: home in self.ground(0), "the speaker was not told to go back")
        self.stack.kill("gateway")
        self.stack.restart("gateway")

    # --- the agents' side ------------------------------------------------------------

    def remembered(self, number: int, query: str) -> list[tuple[Any, ...]]:
        """Ask the disk of a real speaker."""
        return read(self.stack.agent_home(number) / "store.sqlite3", query)

    def ground(self, number: int) -> list[str]:
        """Return the ground that the settings on a speaker's disk name."""
        held = self.remembered(number, "SELECT jws FROM document WHERE kind='settings'")
        return list(signing.read(held[0][0])[1]["units"])

    def plans(self, number: int) -> set[str]:
        """Return the units whose plans a speaker holds."""
        held = self.remembered(number, "SELECT target FROM document WHERE kind='plan'")
        return {row[0] for row in held}

    def sign_ins(self, number: int) -> int:
        """Return how often the bus let a speaker in: a line of its log each."""
        log = self.stack.logs / f"{self.stack.agent_name(number)}.log"
        return log.read_text(encoding="utf-8").count("bus: connected")

    def wait_for_ground(self, *units: str, sign_ins: int) -> None:
        """Wait until each speaker lives in its unit: by its disk, by the screens.

        It holds the signed settings and that unit's plan, has been let in by the bus
        so often, and stands there for whoever looks.
        """

        def lives(number: int, unit: str) -> bool:
            shown = self.device(number)
            return (
                unit in self.ground(number)
                and unit in self.plans(number)
                and self.sign_ins(number) >= sign_ins
                and shown["connected"]
                and self.commune_of(shown["unit"]) == unit
            )

        wait(
            lambda: all(lives(n, unit) for n, unit in enumerate(units)),
            "a speaker was not followed to its ground",
        )

    def check_sound(
        self, number: int, heard: Sequence[Sent], others: Sequence[Sent]
    ) -> None:
        """See that a speaker sounded these, each once and whole, and nothing else.

        `others` were sent to it too: where the server knows of a sound, there it was.
        """
        (path,) = self.stack.wavs(number)
        plays = {sent.uid: self.plays(sent)[self.uids[number]] for sent in heard}
        last = max(play.ended for play in plays.values())
        life = wait(
            lambda: (read := wav.read_life(path)).ended_at_ms > last and read,
            "the file of the speaker stands still",
        )
        for sent in heard:
            began = plays[sent.uid].began
            found = wav.find(life, wav.decode(sent.sound), near_ms=began)
            assert abs(found.onset_ms - began) <= ONSET_MS
            assert found.correlation >= CORRELATION
        spans = [(play.began, play.ended) for play in plays.values()]
        for sent in others:
            play = self.plays(sent)[self.uids[number]]
            planned = sent.starts_at.timestamp() * 1000
            # The time of one that is not over may be coming while we look.
            ends = play.ended if play.outcome else life.ended_at_ms
            if play.began or not play.outcome:
                spans.append((play.began or planned, max(planned, ends)))
        assert wav.is_silent_between(life, spans)

    # --- the server's side -----------------------------------------------------------

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the server's own database."""
        return read(self.stack.folder / "nguon.sqlite3", query, *values)

    def connected(self) -> bool:
        """Tell whether both speakers are on the bus, as the technician sees it."""
        return all(self.device(number)["connected"] for number in (0, 1))

    def device(self, number: int) -> dict[str, Any]:
        """Return what the technician's screen says of a speaker."""
        return dict(self.tung.ask(f"/thiet-bi/{self.uids[number]}/"))

    def commune_of(self, unit: str) -> str:
        """Return the commune of a commune or village."""
        ((uid,),) = self.rows(f"SELECT {COMMUNE} FROM {UNIT} WHERE u.uid = ?", unit)
        return str(uid)

    def plays(self, sent: Sent) -> dict[str, Play]:
        """Return what is stored of a broadcast, by device."""
        found = self.rows(
            f"SELECT d.uid, p.outcome, p.cause, {COMMUNE}, p.started_at, p.ended_at"
            f" FROM {UNIT} JOIN schedule_playrecord p ON p.unit_id = u.id"
            " JOIN schedule_broadcast b ON b.id = p.broadcast_id"
            " JOIN fleet_device d ON d.id = p.device_id WHERE b.uid = ?",
            sent.uid,
        )
        plays = [Play(*row[:4], *map(moment, row[4:])) for row in found]
        assert len({play.device for play in plays}) == len(plays)
        return {play.device: play for play in plays}

    def wait_over(self, sent: Sent, *devices: str) -> list[tuple[str, str, str]]:
        """Wait until these, and only they, have told their end; return how."""

        def over() -> Any:
            plays = self.plays(sent)
            return all(d in plays and plays[d].outcome for d in devices) and plays

        plays = wait(over, "a speaker never told its end")
        assert set(plays) == set(devices)
        return [plays[device].end for device in devices]

    def check_nothing_lost_or_doubled(self, number: int) -> None:
        """See that every event so far is stored, once, and no document refused."""
        asked = "SELECT seq FROM sqlite_sequence WHERE name = 'event'"
        ((last,),) = self.remembered(number, asked)
        stored = (
            "SELECT count(DISTINCT log), count(*), min(n), max(n)"
            " FROM fleet_deviceevent e JOIN fleet_device d ON d.id = e.device_id"
            " WHERE d.uid = ? AND n <= ?"
        )
        wait(
            lambda: self.rows(stored, self.uids[number], last) == [(1, last, 1, last)],
            "events were lost",
        )
        wait(
            lambda: not self.remembered(number, f"SELECT 1 FROM event WHERE n<={last}"),
            "an event was never acknowledged",
        )
        refused = "SELECT name FROM fact WHERE name LIKE 'refused.%'"
        assert self.remembered(number, refused) == []


def moment(text: str | None) -> float:
    """Return a moment of the server's database in ms; 0 for none."""
    if text is None:
        return 0.0
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000


def read(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read somebody's database, past all of our code."""
    address = f"file:{path}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=30)) as database:
        return database.execute(query, values).fetchall()


def wait(ready: Callable[[], Any], what: str) -> Any:
    """Return what a look finds, as soon as it finds something."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (found := ready()):
        assert time.monotonic() < until, what
        time.sleep(ASK_SECONDS)
    return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Stack(tmp_path / "world", devices=0, agents=0, boards=0) as stack:
        yield World(stack)


def test_a_moved_speaker_is_followed_and_goes_back(world: World) -> None:
    (home, other), (one, two) = world.communes, world.uids
    wait(world.connected, "a speaker did not come in")
    drafts = [world.write(world.lan, home, "Loa xã cũ.") for _step in range(STEPS)]
    ladder = [
        world.send(world.lan, world.minh, draft, home, after=FIRST_S + STEP_S * n)
        for n, draft in enumerate(drafts)
    ]
    world.bring_new_map()
    run_at = datetime.now(UTC)
    world.merge()
    world.wait_for_ground(NEW, NEW, sign_ins=2)
    followed_at = datetime.now(UTC)

    # A person of the one old commune writes, one of the other approves.
    draft = world.write(world.lan, NEW, "Xã mới xin chào.")
    joint = world.send(world.lan, world.hoa, draft, NEW)
    assert world.wait_over(joint, one, two) == [("finished", "", NEW)] * 2
    # What was approved for an old commune does not sound, and that is told in its time.
    lost = next(sent for sent in ladder if sent.starts_at > followed_at)
    assert world.wait_over(lost, one) == [("cancelled", "withdrawn", home)]

    undo_at = datetime.now(UTC)
    world.undo()
    world.wait_for_ground(home, other, sign_ins=3)
    # The bus brings what is said to all, and the old commune's own sounds again.
    draft = world.write(world.quan, world.province, "Tỉnh xin chào.", "priority")
    joined = world.send(world.quan, world.tri, draft, world.province)
    ends = [("finished", "", home), ("finished", "", other)]
    assert world.wait_over(joined, one, two) == ends
    back_at = datetime.now(UTC)
    kept = next(sent for sent in ladder if sent.starts_at > back_at)
    assert world.wait_over(kept, one) == ends[:1]

    whole = [kept]
    for sent in ladder[: ladder.index(kept)]:
        (end,) = world.wait_over(sent, one)
        if sent.starts_at + LENGTH < run_at:
            assert end == ends[0]
            whole.append(sent)
        elif followed_at < sent.starts_at < undo_at:
            assert end == ("cancelled", "withdrawn", home)
    rest = [sent for sent in ladder if sent not in whole]
    world.check_sound(0, [*whole, joint, joined], rest)
    world.check_sound(1, [joint, joined], [])
    for number in range(len(world.uids)):
        world.check_nothing_lost_or_doubled(number)
