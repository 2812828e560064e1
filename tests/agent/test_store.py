"""What the device keeps is whole after any restart, and nothing is told twice."""

from pathlib import Path

from nguon.agent.store import (
    MAX_REFUSED_WAITING,
    Acceptance,
    Held,
    Play,
    StopHeld,
    Store,
)

NOW = 1_795_000_000_000


def held(document: str, kind: str = "plan", seq: int = 1) -> Held:
    return Held(document, kind, "u" * 12, seq, "a.b.c", NOW)


def test_events_keep_their_numbers_over_restarts_until_acknowledged(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "s")
    store.tell("birth", at=NOW, boots=1)
    store.tell("birth", at=NOW, boots=2)
    store.acknowledged(log=store.log, numbers=[1, 2])
    log = store.log
    store.close()

    store = Store(tmp_path / "s")
    store.tell("birth", at=NOW, boots=3)
    store.acknowledged(log="another", numbers=[3])

    assert store.log == log
    assert [event.n for event in store.waiting(limit=9)] == [3]
    store.close()


def test_a_lift_that_comes_before_its_stop_is_remembered(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    lift = Acceptance(held("l", "lift"), keep_until=NOW + 9, lifts="stop1")
    store.accept(lift)

    stop = StopHeld("stop1", NOW, NOW + 9)
    store.accept(Acceptance(held("stop1", "stop"), keep_until=NOW + 9, stop=stop))

    [kept] = store.stops()
    assert kept.ended == "lift"
    store.close()


def test_an_item_is_received_once_and_its_record_closes_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    play = Play("i1", NOW, NOW + 9, held_since=NOW)
    for number in (1, 2):
        document = held(f"p{number}", seq=number)
        change = Acceptance(
            document, keep_until=NOW + 9, replaces_kind=True, plays=[play]
        )
        store.accept(change)

    kinds = [event.type for event in store.waiting(limit=9)]
    assert kinds == ["received"]
    assert [document.id for document in store.documents()] == ["p2"]
    store.close()


def test_a_flood_of_refusals_is_counted_but_does_not_fill_the_disk(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "s")

    for _number in range(MAX_REFUSED_WAITING + 20):
        store.refused("expired", at=NOW, document="d")

    assert store.refusals() == {"expired": MAX_REFUSED_WAITING + 20}
    assert len(store.waiting(limit=9_999)) == MAX_REFUSED_WAITING
    store.close()
