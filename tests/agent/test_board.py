"""A board shows its plans in words and colours, without network, and proves it."""

import hashlib
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from nguon.agent.board import Board, Screen, pick_screen, split_text
from nguon.agent.media import MediaShelf
from nguon.core.messages import Audience, Item, Picture
from nguon.demo.processes import free_port
from tests.agent.conftest import Agent, wait_until
from tests.fakes.province import FakeProvince

NOW = 1_795_000_000_000


def make_item(name: str, **changes: object) -> Item:
    values: dict[str, object] = {
        "id": name,
        "broadcast": "b",
        "bulletin": "b",
        "title": name,
        "text": "Lời.",
        "rank": "programme",
        "starts_at": NOW,
        "ends_at": NOW + 1,
        "shown_until": NOW + 1,
        "approved_at": NOW,
        "content_sha256": "",
        "audience": Audience(),
    }
    return Item(**(values | changes))  # type: ignore[arg-type]


class FixedClock:
    """A clock that stands."""

    def __init__(self, at: int) -> None:
        self.now = lambda: at


class OneItem:
    """Holdings of one item and no stop."""

    def __init__(self, item: Item) -> None:
        self.candidates = {item.id: SimpleNamespace(item=item)}
        self.plays: dict[str, object] = {}
        self.settings = SimpleNamespace(name="Nhà văn hóa")
        self.active_stops = lambda *, at: ()
        self.is_cancelled = lambda _item: False


def test_while_an_emergency_stands_no_other_text_takes_its_place() -> None:
    news, alarm = make_item("tin"), make_item("lũ", rank="emergency")

    since = {"tin": NOW, "lũ": NOW}

    def screen_at(at: int) -> Screen:
        return pick_screen([alarm, news], at=at, arrivals=since)

    shown = {screen_at(NOW + n * 12_000).item for n in range(9)}
    screen = screen_at(NOW)

    assert shown == {alarm}
    assert screen.others == (news,)


def test_the_newest_alarm_is_seen_at_once_and_read_to_its_end() -> None:
    older = make_item("lũ", rank="emergency", text="Nước lên nhanh. " * 60)
    newer = make_item("vỡ đập", rank="emergency", text="Chạy lên cao ngay. " * 60)
    came = NOW + 17_000
    since = {"lũ": NOW, "vỡ đập": came}
    pages = len(split_text(newer.text))

    shown = [
        pick_screen([older, newer], at=came + n * 12_000, arrivals=since)
        for n in range(pages + 1)
    ]

    assert [(one.item, one.number) for one in shown[:pages]] == [
        (newer, n + 1) for n in range(pages)
    ]
    assert shown[pages].item == older


def test_a_long_text_loses_no_word_between_screens() -> None:
    text = " ".join(f"Câu số {n} kể một việc." for n in range(200))

    pieces = split_text(text)

    assert " ".join(pieces) == text
    assert max(len(piece) for piece in pieces) <= 420
    assert split_text("") == [""]


def test_a_picture_has_its_turn_after_the_text_once_it_is_here() -> None:
    flood = Picture("a" * 64, 9, "Đường <b>ngập</b>")
    item = make_item("lũ", rank="emergency", pictures=(flood,))

    def screens(*here: str) -> list[Screen]:
        return [
            pick_screen(
                [item], at=NOW + n * 12_000, arrivals={"lũ": NOW}, pictures=here
            )
            for n in range(2)
        ]

    assert [one.picture for one in screens()] == [None, None]
    assert [one.picture for one in screens(flood.sha256)] == [None, flood]
    assert Item.decode(item.encode()) == item
    assert "pictures" not in make_item("tin").encode()


def test_a_board_shows_a_picture_only_as_it_was_signed(tmp_path: Path) -> None:
    data = b"\xff\xd8 picture"
    sha256 = hashlib.sha256(data).hexdigest()
    shelf = MediaShelf(tmp_path)
    shelf.path(sha256).write_bytes(data)
    shelf.ready.add(sha256)
    item = make_item(
        "tin", pictures=(Picture(sha256, len(data), "<i>"),), shown_until=NOW + 9_000
    )
    board = Board(
        clock=FixedClock(NOW),  # type: ignore[arg-type]
        holdings=OneItem(item),  # type: ignore[arg-type]
        shelf=shelf,
        shown=lambda _item, _at: None,
    )

    page = board.page(Screen(item, "", 2, 2, (), item.pictures[0]), at=NOW)
    answer = board.respond(f"GET /anh/{sha256} HTTP/1.1\r\n\r\n".encode())
    foreign = board.respond(f"GET /anh/{'b' * 64} HTTP/1.1\r\n\r\n".encode())
    shelf.path(sha256).write_bytes(b"something else")
    broken = board.respond(f"GET /anh/{sha256} HTTP/1.1\r\n\r\n".encode())

    assert f'<img src="/anh/{sha256}" alt="&lt;i&gt;">' in page
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(data)
    assert foreign.startswith(b"HTTP/1.1 404")
    assert broken.startswith(b"HTTP/1.1 404")


@pytest.mark.server
def test_the_board_shows_tells_and_keeps_its_screen_without_network(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fake = FakeProvince()
    fake.kind = "board"
    fake.start()
    folder = tmp_path_factory.mktemp("board")
    agent = Agent(fake, folder / "home", folder / "wav")
    assert agent.enrol().returncode == 0
    port = free_port()
    agent.extra = ["--board-port", str(port)]
    try:
        agent.run()
        news = fake.item(None, 0, title="Họp <thôn>")
        fake.plan(news)
        fake.wait_for("received", news.id)
        assert not fake.told("shown")
        assert "Họp &lt;thôn&gt;" in _page(port)
        fake.wait_for("shown", news.id)

        drill = fake.item(None, 0, rank="emergency", drill=True, title="Thử còi")
        fake.push_alert(drill)
        fake.wait_for("received", drill.id)
        assert "DIỄN TẬP: đây không phải tình huống thật." in _page_with(
            port, "Thử còi"
        )

        fake.stop()
        agent.kill()
        agent.run(wait=False)
        wait_until(lambda: "Thử còi" in _try_page(port), seconds=15)
        assert "Thử còi" in _page(port)

        fake.open_http()
        fake.bus.start()
        fake.bus.wait_until_heard(f"nguon/v1/area/{fake.commune}/alert")
        fake.push_stop()
        fake.wait_for("stopped")
        assert "tạm dừng" in _page(port)
        assert not list(agent.wavs.glob("*"))
    finally:
        if agent.process:
            agent.process.kill()
            agent.process.wait(10)
        fake.stop()


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        return str(answer.read().decode())


def _try_page(port: int) -> str:
    try:
        return _page(port)
    except OSError:
        return ""


def _page_with(port: int, words: str) -> str:
    """Return the page of the screen on which these words stand large."""
    found = ""

    def look() -> bool:
        nonlocal found
        found = _page(port)
        return f"<h1>{words}" in found

    wait_until(look, seconds=30)
    return found
