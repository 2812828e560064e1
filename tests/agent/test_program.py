"""The real program against a small real province: what it plays, tells and refuses."""

import time

import numpy as np
import pytest

from nguon.core.signing import SigningKey
from tests.agent.conftest import Agent, make_sound
from tests.fakes.province import FakeProvince

pytestmark = pytest.mark.server


def test_a_planned_item_sounds_at_its_time_and_its_record_tells_the_truth(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, samples = make_sound(2)
    agent.run()
    planned = fake_province.now() + 2_500

    item = fake_province.item(sound, 2_000, starts_at=planned)
    fake_province.plan(item)
    finished = fake_province.wait_for("finished", item.id)
    agent.end()

    [recording] = agent.recordings()
    begins, alike = recording.find(samples)
    record = finished["data"]
    assert alike > 0.99
    assert abs(begins - record["started_at"]) < 5
    assert abs(record["started_at"] - planned) <= 20
    assert record["outcome"] == "finished"
    assert abs(record["sounded_ms"] - 2_000) < 60
    kinds = [e["type"] for e in fake_province.events.values() if e["item"] == item.id]
    assert kinds == ["received", "prepared", "started", "finished"]
    assert len(fake_province.told("birth")) == 1
    before = recording.sounding(recording.started_at, begins - 1)
    after = recording.sounding(begins + 2_100, recording.started_at + 1e9)
    assert not before.any()
    assert not np.any(after)


def test_a_stop_silences_within_100_ms_survives_a_kill_and_ends_with_its_lift(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(20)
    agent.run()
    item = fake_province.item(sound, 20_000)
    go = fake_province.sign("go", {"item": item.encode()}, use="plan")
    fake_province.push(go)
    fake_province.wait_for("started", item.id)
    time.sleep(0.5)

    sent = fake_province.now()
    fake_province.push_stop()
    stopped = fake_province.wait_for("stopped")
    record = fake_province.wait_for("finished", item.id)["data"]
    agent.kill()
    agent.run()
    later = fake_province.item(sound, 20_000)
    fake_province.push(
        fake_province.sign("go", {"item": later.encode()}, use="plan"), held=False
    )
    fake_province.wait_for("prepared", later.id)
    fake_province.wait_for("birth", count=2)
    stop_id = stopped["data"]["document"]
    fake_province.push(
        fake_province.sign("lift", {"stop": stop_id}, use="emergency"), held=False
    )
    lifted = fake_province.wait_for("lifted")
    fake_province.wait_for("started", later.id)
    time.sleep(0.3)
    agent.end()

    first, second = agent.recordings()
    assert record["outcome"] == "stopped"
    assert 0 <= stopped["at"] - sent <= 100
    heard = first.sounding(first.started_at, sent + 100)
    assert heard.any()
    assert not first.sounding(sent + 100, 2e12).any()
    assert stopped["data"]["silent_at"] - sent <= 100
    assert lifted["data"] == {"document": stop_id, "how": "lift"}
    assert not second.sounding(second.started_at, lifted["at"]).any()
    assert second.sounding(lifted["at"], 2e12).any()
    assert len(fake_province.told("stopped")) == 1
    assert len(fake_province.told("finished", item.id)) == 1


def test_an_item_killed_in_the_middle_goes_on_and_has_one_record(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, samples = make_sound(6)
    agent.run()
    item = fake_province.item(sound, 6_000)
    fake_province.plan(item)
    fake_province.wait_for("started", item.id)

    time.sleep(3)
    agent.kill()
    agent.run()
    record = fake_province.wait_for("finished", item.id)["data"]
    agent.end()

    first, second = agent.recordings()
    begins, _alike = first.find(samples[: 2 * 48_000])
    _at, alike = second.find(samples[-2 * 48_000 :])
    assert alike > 0.99
    assert abs(begins - record["started_at"]) < 5
    assert len(fake_province.told("started", item.id)) == 1
    assert len(fake_province.told("finished", item.id)) == 1
    assert record["outcome"] == "finished"
    # At most a second was heard twice, nothing was left out.
    heard = np.count_nonzero(first.samples) + np.count_nonzero(second.samples)
    assert 6.0 <= heard / 48_000 < 7.3


def test_an_alert_cuts_the_programme_which_then_goes_on(
    agent: Agent, fake_province: FakeProvince
) -> None:
    talk, talk_samples = make_sound(5)
    alarm, alarm_samples = make_sound(1.5, seed=2)
    agent.run()
    programme = fake_province.item(talk, 5_000)
    fake_province.plan(programme)
    fake_province.wait_for("started", programme.id)

    sent = fake_province.now()
    alert = fake_province.item(alarm, 1_500, rank="emergency", start="cut")
    fake_province.push_alert(alert)
    fake_province.wait_for("finished", alert.id)
    record = fake_province.wait_for("finished", programme.id)["data"]
    agent.end()

    [recording] = agent.recordings()
    began, alike = recording.find(alarm_samples)
    _at, rest = recording.find(talk_samples[-48_000:])
    assert began - sent < 2_000
    assert alike > 0.99
    assert rest > 0.99
    assert len(record["parts"]) == 2
    assert abs(record["sounded_ms"] - 5_000) < 60


def test_it_plays_on_without_network_and_tells_later(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    agent.run()
    first = fake_province.item(sound, 1_000, starts_at=fake_province.now() + 3_000)
    second = fake_province.item(sound, 1_000, starts_at=fake_province.now() + 7_000)
    fake_province.plan(first, second)
    fake_province.wait_for("prepared", second.id)

    fake_province.stop()
    time.sleep(0.2)
    agent.kill()
    agent.run(wait=False)
    time.sleep(8.5)
    fake_province.open_http()
    fake_province.bus.start()
    fake_province.wait_for("finished", second.id)
    agent.end()

    played = [r for r in agent.recordings() if r.samples.any()]
    assert len(played) == 1
    for item in (first, second):
        [record] = fake_province.told("finished", item.id)
        assert abs(record["data"]["started_at"] - item.starts_at) <= 20
    assert fake_province.told("birth")[-1]["data"]["clock_trusted"] in {True, False}


def test_without_network_and_battery_clock_it_stays_silent_and_says_why(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    agent.run()
    at = fake_province.now()
    fake_province.quiet = [(at + 7_200_000, at + 10_800_000)]
    item = fake_province.item(sound, 1_000, starts_at=at + 5_000, ends_at=at + 9_000)
    fake_province.plan(item)
    fake_province.wait_for("prepared", item.id)

    fake_province.stop()
    agent.kill()
    agent.clock = ("--no-rtc",)
    agent.run(wait=False)
    time.sleep(max(0.0, (item.ends_at + 500 - fake_province.now()) / 1000))
    fake_province.open_http()
    fake_province.bus.start()
    missed = fake_province.wait_for("missed", item.id)
    agent.end()

    assert missed["data"]["cause"] == "clock"
    assert not any(recording.samples.any() for recording in agent.recordings())
    assert fake_province.told("birth")[-1]["data"]["clock_doubt_ms"] > 900_000


def test_an_item_whose_time_passed_while_off_is_missed_with_its_cause(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    agent.run()
    agent.kill()
    at = fake_province.now()
    gone = fake_province.item(sound, 1_000, starts_at=at + 200, ends_at=at + 1_500)
    late = fake_province.item(sound, 1_000, starts_at=at + 200)
    fake_province.plan(gone, late)

    time.sleep(1.5)
    agent.run()
    missed = fake_province.wait_for("missed", gone.id)
    fake_province.wait_for("finished", late.id)
    agent.end()

    assert missed["data"]["cause"] == "offline"
    assert not fake_province.told("started", gone.id)


def test_a_cut_media_fetch_resumes_and_costs_one_chunk_at_most(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(60)
    assert len(sound) > 300_000
    fake_province.cut_after = [100_000, 77_777, 1]
    agent.run()
    at = fake_province.now() + 3600_000
    item = fake_province.item(sound, 60_000, starts_at=at, ends_at=at + 120_000)

    fake_province.plan(item)
    fake_province.wait_for("prepared", item.id, seconds=30)
    agent.end()

    assert fake_province.media_sent <= len(sound) + 64 * 1024
    [path] = (agent.home / "media").iterdir()
    assert path.read_bytes() == sound


def test_a_sound_with_other_bytes_is_never_played(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    agent.run()
    at = fake_province.now()
    item = fake_province.item(sound, 1_000, starts_at=at, ends_at=at + 4_000)
    forged, _other = make_sound(1, seed=7)
    fake_province.media[item.renditions[0].sha256] = forged[: len(sound)].ljust(
        len(sound), b"\0"
    )

    fake_province.plan(item)
    missed = fake_province.wait_for("missed", item.id)
    agent.end()

    assert missed["data"]["cause"] == "no_media"
    assert not agent.recordings()[0].samples.any()


def test_every_forged_or_stale_document_is_refused_reported_and_silent(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    fake = fake_province
    agent.run()
    item = fake.item(sound, 1_000, rank="emergency", start="cut").encode()
    body = {"item": item}
    good = fake.sign("stop", {"until": fake.now() + 1}, use="emergency", life_ms=60_000)
    head, payload, _signature = fake.sign("alert", body, use="emergency").split(".")
    other = fake.sign("alert", body, use="emergency").split(".")[2]
    fake.seq += 100
    fake.push(good)
    fake.wait_for("lifted")
    fake.push(fake.sign("lift", {"stop": "none"}, use="emergency", seq=500), held=False)
    bad = {
        "bad_signature": f"{head}.{payload}.{other}",
        "wrong_key_use": fake.sign("alert", body, use="plan"),
        "wrong_target": fake.sign(
            "alert", body, use="emergency", target={"unit": "x" * 12}
        ),
        "expired": fake.sign("alert", body, use="emergency", life_ms=-1),
        "unknown_version": fake.sign("alert", body, use="emergency", version=2),
        "malformed": "no document",
        "unknown_key": fake.sign("alert", body, use="", key=SigningKey.generate()),
        "old_sequence": fake.sign("lift", {"stop": "x"}, use="emergency", seq=20),
        "replayed": good,
    }

    for token in bad.values():
        fake.push(token, held=False)
    fake.wait_for("refused", count=len(bad))
    agent.end()

    causes = [event["data"]["cause"] for event in fake.told("refused")]
    assert sorted(causes) == sorted(bad)
    assert not fake.told("received", item["id"])
    assert not agent.recordings()[0].samples.any()


def test_a_tampered_plan_is_refused_and_the_good_one_stays(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    agent.run()
    item = fake_province.item(sound, 1_000, starts_at=fake_province.now() + 2_500)
    good = fake_province.plan(item)
    fake_province.wait_for("prepared", item.id)

    evil = fake_province.item(sound, 1_000, starts_at=fake_province.now() + 1_000)
    token = fake_province.plan(evil)
    head, body, _signature = token.split(".")
    fake_province.plan_token = ".".join([head, body, good.split(".")[2]])
    refused = fake_province.wait_for("refused")
    fake_province.wait_for("finished", item.id)
    agent.end()

    assert refused["data"]["cause"] == "bad_signature"
    assert not fake_province.told("received", evil.id)


def test_a_wrong_system_clock_is_corrected_by_the_signed_time(
    agent: Agent, fake_province: FakeProvince
) -> None:
    sound, _samples = make_sound(1)
    fake_province.offset_ms = 3 * 3600_000
    fake_province.make_keyset()
    agent.run()
    planned = fake_province.now() + 2_000

    item = fake_province.item(sound, 1_000, starts_at=planned)
    fake_province.plan(item)
    record = fake_province.wait_for("finished", item.id)["data"]
    agent.end()

    birth = fake_province.told("birth")[0]["data"]
    assert abs(record["started_at"] - planned) <= 20
    assert birth["clock_trusted"]
    assert abs(birth["clock_offset_ms"] - 3 * 3600_000) < 500


def test_events_are_sent_again_until_the_gateway_acknowledges(
    agent: Agent, fake_province: FakeProvince
) -> None:
    fake_province.acknowledge = False
    agent.run()
    fake_province.wait_for("birth")

    agent.kill()
    agent.run()
    fake_province.wait_for("birth", count=2)
    agent.kill()
    fake_province.acknowledge = True
    agent.run()
    fake_province.wait_for("birth", count=3)
    agent.end()

    assert len(fake_province.told("birth")) == 3
    assert fake_province.deliveries > 3


def test_enrolment_refuses_a_root_that_the_claim_does_not_vouch_for(
    agent: Agent, fake_province: FakeProvince
) -> None:
    fake_province.root = SigningKey.generate()
    fake_province.make_keyset()

    agent.run(wait=False)

    assert agent.process
    assert agent.process.wait(10) == 1
    assert "foreign_root" in agent.log()
    assert (agent.home / "device.jwk").stat().st_mode & 0o777 == 0o600
