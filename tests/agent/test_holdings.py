"""What the documents held say together, whatever the order in which they came."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nguon.agent.clock import KEPT_DOUBT_MS, Clock
from nguon.agent.holdings import Holdings
from nguon.agent.identity import Identity
from nguon.agent.media import MediaShelf
from nguon.agent.player import Player
from nguon.agent.rehearsal import Rehearser
from nguon.agent.stage import Stage
from nguon.agent.store import Store
from nguon.agent.streams import Receiver
from nguon.agent.trust import Trust
from nguon.core.messages import Audience, Hours, Item, Plan, Settings
from nguon.core.playout import FOREVER
from nguon.core.signing import DocumentRefusedError
from tests.fakes.province import FakeProvince

HOUR = 3_600_000


class Speaker:
    """The parts of one device that hold and decide, without network or sound card."""

    def __init__(self, fake: FakeProvince, folder: Path) -> None:
        self.fake = fake
        identity = Identity(
            server=fake.url,
            claim=fake.claim,
            kind="speaker",
            device=fake.device,
            root=fake.root.public.x,
        )
        self.at = fake.now()
        self.hands = [100.0]
        self.clock = Clock(
            monotonic=lambda: self.hands[0], system=lambda: self.at / 1000
        )
        self.store = Store(folder / "store.sqlite3")
        self.trust = Trust(identity, self.store)
        self.trust.renew(fake.keyset, at=self.at)
        self.holdings = Holdings(identity, self.store, self.trust)
        self.player = Player(lambda _word: None)
        self.stage = Stage(
            clock=self.clock,
            store=self.store,
            trust=self.trust,
            holdings=self.holdings,
            shelf=MediaShelf(folder / "media"),
            player=self.player,
            receiver=Receiver(),
            output="null",
            wake=lambda: None,
        )

    def settings(
        self, *groups: str, seq: int = 1, rehearsal: str = "", commune: str = ""
    ) -> None:
        told = Settings(
            self.fake.device,
            "speaker",
            (commune or self.fake.commune, self.fake.province),
            groups=groups,
            rehearsal=rehearsal,
        )
        target = {"device": self.fake.device}
        self.take(self.sign("settings", told.body(), target=target, seq=seq))

    def sign(self, kind: str, body: dict[str, Any], **more: Any) -> str:
        return self.fake.sign(kind, body, use="plan", **more)

    def take(self, token: str) -> None:
        accepted = self.trust.check(token, at=self.at, pushed=False)
        assert accepted
        self.holdings.accept(accepted, at=self.at, pushed=False)

    def plan(self, unit: str, *items: Item, number: int = 1, **more: Any) -> str:
        plan = Plan(unit, number, self.at - HOUR, self.at + 192 * HOUR, items, **more)
        told = {"target": {"unit": unit}, "seq": number, "version": 2}
        return self.sign("plan", plan.body(), **told)

    def ends(self) -> list[tuple[str, str]]:
        """Look, and return what was told of ends: outcome and cause."""
        self.stage.look()
        rows = [one.encode()["data"] for one in self.store.waiting(limit=50)]
        return [(row["outcome"], row["cause"]) for row in rows if "outcome" in row]


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    fake = FakeProvince()
    fake.make_keyset()
    found = Speaker(fake, tmp_path)
    yield found
    found.store.close()


def test_hours_add_up_volumes_and_order_are_the_most_local(speaker: Speaker) -> None:
    fake, at = speaker.fake, speaker.at
    group, others = Audience(groups=("chợ",)), Audience(groups=("trường",))
    item = fake.item(
        None, 0, rank="priority", starts_at=at + HOUR, ends_at=at + HOUR + 9
    )
    province = speaker.plan(
        fake.province,
        quiet=((at, at + 1),),
        volumes=((at, at + HOUR, 90),),
        order=("x", "y"),
    )
    commune = speaker.plan(
        fake.commune,
        quiet=((at + 2, at + 3),),
        volumes=((at, at + HOUR, 50),),
        order=("y", "x"),
        local=(
            Hours(group, ((at + 4, at + 5),), ((at, at + 7, 20),)),
            Hours(others, ((at + 6, at + 7),), ((at, at + 7, 10),)),
        ),
    )
    body = {"item": item.encode(), "quiet": [[at + 8, at + 9]]}
    go = speaker.sign("go", body, version=2)
    speaker.settings("chợ")
    found = set()

    for documents in itertools.permutations([province, commune, go]):
        for token in documents:
            if not speaker.trust.holds(token):
                speaker.take(token)
        holdings = speaker.holdings
        found.add((holdings.quiet, holdings.volumes, holdings.order))

    assert found == {
        (
            ((at, at + 1), (at + 2, at + 3), (at + 4, at + 5), (at + 8, at + 9)),
            ((at, at + HOUR, 90), (at, at + HOUR, 50), (at, at + 7, 20)),
            ("y", "x"),
        )
    }


def test_quiet_hours_that_cannot_be_read_refuse_the_whole_document(
    speaker: Speaker,
) -> None:
    speaker.settings()
    item = speaker.fake.item(None, 0, rank="priority")

    with pytest.raises(DocumentRefusedError) as refused:
        speaker.take(
            speaker.sign("go", {"item": item.encode(), "quiet": [[1]]}, version=2)
        )

    assert refused.value.cause == "malformed"
    assert not speaker.holdings.candidates


def test_a_new_group_brings_what_was_held_for_it(speaker: Speaker) -> None:
    speaker.settings()
    at = speaker.at + HOUR
    item = speaker.fake.item(
        None, 0, starts_at=at, ends_at=at + 9, audience=Audience(groups=("chợ",))
    )
    speaker.take(speaker.plan(speaker.fake.commune, item))
    before = list(speaker.holdings.prepared)

    speaker.settings("chợ", seq=2)

    assert before == []
    assert list(speaker.holdings.prepared) == [item]
    assert speaker.holdings.plays[item.id].held_since == speaker.at


def test_the_test_tone_obeys_quiet_hours_stops_and_doubt(speaker: Speaker) -> None:
    speaker.settings()
    at = speaker.at
    speaker.clock.sync(at, sent=100.0, answered=100.0)
    assert speaker.stage.test() == "no_plan"

    speaker.take(speaker.plan(speaker.fake.commune, quiet=((at + 1_000, at + HOUR),)))
    assert speaker.stage.test() == "quiet"
    speaker.hands[0] += 2 * 3_600
    assert speaker.stage.test() == ""
    pending = speaker.player.cued()
    assert pending
    speaker.player.swap(pending, None)
    token = speaker.fake.sign("stop", {"until": at + 9 * HOUR}, use="emergency")
    speaker.take(token)
    assert speaker.stage.test() == "stopped"
    # A clock beyond every plan held: nobody has told when it must be quiet then.
    speaker.hands[0] += 40 * 24 * 3_600
    assert speaker.stage.test() == "no_plan"


def test_without_any_time_nothing_below_an_emergency_makes_noise(
    speaker: Speaker,
) -> None:
    speaker.settings()
    far = speaker.at + 100 * HOUR
    speaker.take(speaker.plan(speaker.fake.commune, quiet=((far, far + HOUR),)))

    assert speaker.clock.doubt_ms == FOREVER
    assert speaker.stage.test() == "clock"


def test_the_volume_of_the_hour_takes_the_place_of_the_devices_own(
    speaker: Speaker,
) -> None:
    speaker.settings()
    at = speaker.at
    speaker.clock.sync(at, sent=100.0, answered=100.0)
    heard: list[int] = []
    speaker.player.set_volume = heard.append  # type: ignore[method-assign]
    speaker.stage.volume = 70

    speaker.stage.look()
    speaker.take(speaker.plan(speaker.fake.commune, volumes=((at, at + HOUR, 30),)))
    speaker.stage.look()
    speaker.hands[0] += 3_601
    speaker.stage.look()

    assert heard == [70, 30, 70]


def test_a_kept_clock_is_doubted_by_a_quarter_of_an_hour() -> None:
    at = 1_795_000_000_000

    def clock(*, system: int = at, **more: Any) -> Clock:
        return Clock(monotonic=lambda: 100.0, system=lambda: system / 1000, **more)

    kept = clock(not_before=at - 1)
    assert kept.doubt_ms == KEPT_DOUBT_MS
    assert clock(not_before=at - 1, rtc=False).doubt_ms == FOREVER
    assert clock(not_before=at + 1).doubt_ms == FOREVER
    assert clock().doubt_ms == FOREVER
    corrected = clock(not_before=at - 1, offset_ms=3 * HOUR)
    assert corrected.doubt_ms == KEPT_DOUBT_MS + 3 * HOUR
    kept.hint(at + 60_000)
    assert kept.doubt_ms == KEPT_DOUBT_MS + 60_000
    kept.hint(at + HOUR)
    assert kept.doubt_ms == FOREVER


def test_a_signed_time_leaves_its_own_doubt_and_the_drift_since() -> None:
    mono = [100.0]
    clock = Clock(monotonic=lambda: mono[0], system=lambda: 1.0)

    clock.sync(1_795_000_000_000, sent=99.9, answered=100.0)
    fresh = clock.doubt_ms
    mono[0] += 86_400

    assert 50 <= fresh <= 53
    assert 8_600 < clock.doubt_ms < 8_800


# --- what is left out, and ground that is left --------------------------------------


def later(speaker: Speaker) -> Item:
    """Return an item that begins in an hour."""
    at = speaker.at + HOUR
    return speaker.fake.item(None, 0, starts_at=at, ends_at=at + HOUR)


def test_an_item_that_a_plan_names_again_in_time_was_never_gone(
    speaker: Speaker,
) -> None:
    commune, item = speaker.fake.commune, later(speaker)
    speaker.clock.sync(speaker.at, sent=100.0, answered=100.0)
    speaker.settings()
    speaker.take(speaker.plan(commune, item))
    speaker.take(speaker.plan(commune, number=2))
    assert speaker.ends() == []

    speaker.take(speaker.plan(commune, item, number=3))
    assert list(speaker.holdings.prepared) == [item]

    speaker.take(speaker.plan(commune, number=4))
    assert speaker.ends() == []
    speaker.hands[0] += 3_600
    assert speaker.ends() == [("cancelled", "withdrawn")]


def test_an_item_that_was_called_back_is_told_at_once(speaker: Speaker) -> None:
    commune, item = speaker.fake.commune, later(speaker)
    speaker.clock.sync(speaker.at, sent=100.0, answered=100.0)
    speaker.settings()
    speaker.take(speaker.plan(commune, item))
    speaker.take(speaker.plan(commune, number=2))
    body = {"items": [item.id], "lane": "plan"}
    speaker.take(speaker.sign("cancel", body))

    assert speaker.ends() == [("cancelled", "withdrawn")]


def test_ground_that_is_ours_again_brings_back_what_was_told_to_it(
    speaker: Speaker,
) -> None:
    commune, item = speaker.fake.commune, later(speaker)
    speaker.clock.sync(speaker.at, sent=100.0, answered=100.0)
    plan = speaker.plan(commune, item, number=2)
    urgent = speaker.fake.item(None, 0, ends_at=speaker.at + HOUR)
    go = speaker.sign("go", {"item": urgent.encode()}, seq=7)
    older = speaker.plan(commune, item, number=1)
    elsewhere = speaker.plan("e" * 12)
    speaker.settings()
    for token in (plan, go):
        speaker.take(token)
    speaker.settings(seq=2, commune="e" * 12)
    speaker.take(elsewhere)
    assert speaker.ends()[1:] == []
    assert not speaker.holdings.candidates
    with pytest.raises(DocumentRefusedError, match="wrong_target"):
        speaker.take(plan)

    # The merge is undone: the very same bytes are in force here once more.
    speaker.settings(seq=3)
    with pytest.raises(DocumentRefusedError, match="old_sequence"):
        speaker.take(older)
    for token in (plan, go):
        speaker.take(token)

    assert item in list(speaker.holdings.prepared)
    assert set(speaker.holdings.candidates) == {item.id, urgent.id}
    assert speaker.trust.check(plan, at=speaker.at, pushed=False) is None


# --- the rehearsal after a repair ---------------------------------------------------


def rehearser(speaker: Speaker, folder: Path) -> Rehearser:
    return Rehearser(
        clock=speaker.clock,
        store=speaker.store,
        holdings=speaker.holdings,
        shelf=MediaShelf(folder / "media"),
    )


def ask_rehearsal(speaker: Speaker, **args: Any) -> None:
    target = {"device": speaker.fake.device}
    body = {"verb": "rehearse", "args": args}
    token = speaker.fake.sign("command", body, use="command", target=target)
    speaker.take(token)


def told(speaker: Speaker) -> list[dict[str, Any]]:
    rows = [one.encode() for one in speaker.store.waiting(limit=50)]
    return [dict(row["data"]) for row in rows if row["type"] == "rehearsed"]


def test_the_rehearsal_is_told_once_for_what_it_is_about_and_again_when_asked(
    speaker: Speaker, tmp_path: Path
) -> None:
    at = speaker.at
    item = speaker.fake.item(
        b"sound", 4_000, starts_at=at + HOUR, ends_at=at + 2 * HOUR
    )
    speaker.settings()
    speaker.take(speaker.plan(speaker.fake.commune, item))
    own = rehearser(speaker, tmp_path)
    assert not own.look()

    speaker.settings(seq=2, rehearsal="a" * 12)
    assert own.look()
    assert not own.look()
    own.asked()
    assert own.look()
    speaker.settings(seq=3)
    assert not own.look()

    first, again = told(speaker)
    assert first == again
    assert [row[0] for row in first["rows"]] == [item.id]
    assert first["missing"] == [item.id]
    assert first["settings"] == 2
    assert first["plans"].keys() == {speaker.fake.commune}
    assert first["trusted"] is False


def test_only_an_emergency_sounds_in_a_rehearsal_across_a_restart_until_new_settings(
    speaker: Speaker,
) -> None:
    at = speaker.at
    fake = speaker.fake
    speaker.clock.sync(at, sent=100.0, answered=100.0)
    speaker.settings()
    item = fake.item(None, 0, starts_at=at, ends_at=at + HOUR)
    speaker.take(speaker.plan(fake.commune, item))
    speaker.holdings.commanded = lambda *told: speaker.holdings.rehearse(told[2])

    def rehearsing() -> bool:
        return speaker.stage._situation(speaker.hands[0], at).rehearsing

    assert not rehearsing()
    ask_rehearsal(speaker, rehearsal="a" * 12, settings=2)
    assert rehearsing()
    # A restart forgets nothing, and a late command cannot shut the device out.
    speaker.holdings = Holdings(
        speaker.stage._holdings._identity, speaker.store, speaker.trust
    )
    speaker.stage._holdings = speaker.holdings
    speaker.holdings.load()
    speaker.holdings.commanded = lambda *told: speaker.holdings.rehearse(told[2])
    assert rehearsing()
    speaker.settings(seq=2, rehearsal="a" * 12)
    assert rehearsing()
    speaker.settings(seq=3)
    assert not rehearsing()
    ask_rehearsal(speaker, rehearsal="a" * 12, settings=2)
    assert not rehearsing()
