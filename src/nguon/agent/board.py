"""The board's output: a page on loopback, made from the signed plans it holds.

It asks nobody: the same page comes without network. The kiosk browser fetches it
again every two seconds and keeps the last one when the agent is gone. An item counts
as shown when a browser has fetched the screen that holds its text, not before.
"""

import asyncio
import contextlib
import html
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib import resources
from string import Template

from nguon.agent.clock import Clock
from nguon.agent.holdings import Holdings
from nguon.agent.media import MediaBrokenError, MediaShelf
from nguon.core.messages import Item, Picture
from nguon.core.playout import is_real_emergency, precedence

log = logging.getLogger(__name__)

# Wall-clock time of Viet Nam; it has no summer time.
_LOCAL = timezone(timedelta(hours=7))
SCREEN_S = 12
_PIECE = 420
_REQUEST_BYTES = 8 * 1024
_TIMEOUT_S = 5.0
_CLASSES = {
    "emergency": ("emergency", "KHẨN CẤP"),
    "priority": ("priority", "ƯU TIÊN"),
    "live": ("priority", "TRỰC TIẾP"),
}
_WEEKDAYS = ("Thứ hai", "Thứ ba", "Thứ tư", "Thứ năm", "Thứ sáu", "Thứ bảy", "Chủ nhật")
_PICTURES = "/anh/"
_FILES = {"/board.css": "text/css", "/board.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Screen:
    """What is seen at one moment: a piece of text or a picture, others' titles."""

    item: Item | None
    text: str
    number: int
    count: int
    others: tuple[Item, ...]
    picture: Picture | None = None


def list_shown(holdings: Holdings, *, at: int) -> list[Item]:
    """Return the items that stand on the board now, the most important first."""
    stops = holdings.active_stops(at=at)
    shown = []
    for candidate in holdings.candidates.values():
        item = candidate.item
        if not item.starts_at <= at < item.shown_until or holdings.is_cancelled(item):
            continue
        real = is_real_emergency(item)
        if any(not real or item.approved_at <= stop.issued_at for stop in stops):
            continue
        shown.append(item)
    return sorted(shown, key=_place)


def _place(item: Item) -> tuple[tuple[int | str, ...], int, int, str]:
    """Order what is shown: by rank, urgency and level as it sounds, then the newest."""
    return precedence(item)[:3], -item.level, -item.approved_at, item.id


def list_arrivals(holdings: Holdings, items: Sequence[Item]) -> dict[str, int]:
    """Return since when each item could be shown: its start, or when it came."""
    plays = holdings.plays
    return {
        item.id: max(item.starts_at, plays[item.id].held_since)
        if item.id in plays
        else item.starts_at
        for item in items
    }


def pick_screen(
    items: Sequence[Item],
    *,
    at: int,
    arrivals: Mapping[str, int],
    pictures: Collection[str] = (),
) -> Screen:
    """Return the screen of this moment; while an emergency stands, only that.

    The newest emergency is seen at once, whatever was on, and read to its end before
    the others take their turns again. `pictures` are the hashes that are here; each
    has a turn of its own after its item's text.
    """
    alarms = [item for item in items if is_real_emergency(item)]
    since = 0
    if alarms:
        newest = max(alarms, key=lambda item: (arrivals[item.id], item.id))
        since = min(at, arrivals[newest.id])
        first = alarms.index(newest)
        alarms = [*alarms[first:], *alarms[:first]]
    turns: list[tuple[Item, str, Picture | None]] = []
    for item in alarms or items:
        turns += [(item, piece, None) for piece in split_text(item.text)]
        turns += [(item, "", one) for one in item.pictures if one.sha256 in pictures]
    if not turns:
        return Screen(None, "", 0, 0, ())
    number = (at - since) // (SCREEN_S * 1000) % len(turns)
    item, text, picture = turns[number]
    others = tuple(other for other in items if other is not item)
    return Screen(item, text, number + 1, len(turns), others, picture)


def split_text(text: str) -> list[str]:
    """Return a long text in pieces that fit a screen, cut between sentences."""
    pieces = [""]
    for word in text.split(" "):
        longer = f"{pieces[-1]} {word}".strip()
        ends = pieces[-1].endswith((".", "!", "?", "\n"))
        if len(longer) > _PIECE or (ends and len(pieces[-1]) > _PIECE * 2 // 3):
            pieces.append(word)
        else:
            pieces[-1] = longer
    return pieces


class Board:
    """Serves the page; `shown` is called with each item that a browser fetched."""

    def __init__(
        self,
        *,
        clock: Clock,
        holdings: Holdings,
        shelf: MediaShelf,
        shown: Callable[[Item, int], None],
    ) -> None:
        self._clock = clock
        self._holdings = holdings
        self._shelf = shelf
        self._shown = shown
        folder = resources.files("nguon.agent") / "pages"
        self._page = Template((folder / "board.html").read_text(encoding="utf-8"))
        self._files = {path: (folder / path[1:]).read_bytes() for path in _FILES}
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> int:
        """Serve on loopback; return the port. Raises OSError when it is taken."""
        self._server = await asyncio.start_server(
            self._answer, "127.0.0.1", port, limit=_REQUEST_BYTES
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop serving."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(
            OSError,
            TimeoutError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ):
            async with asyncio.timeout(_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self.respond(head))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def respond(self, head: bytes) -> bytes:
        """Return the whole answer to the head of a request."""
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or words[0] not in {"GET", "HEAD"}:
            return _response("405 Method Not Allowed", "text/plain", b"")
        path = words[1].partition("?")[0]
        if path in self._files:
            return _response("200 OK", _FILES[path], self._files[path])
        if path.startswith(_PICTURES):
            return self._picture(path.removeprefix(_PICTURES))
        if path != "/":
            return _response("404 Not Found", "text/plain", b"")
        at = self._clock.now()
        items = list_shown(self._holdings, at=at)
        arrivals = list_arrivals(self._holdings, items)
        screen = pick_screen(
            items, at=at, arrivals=arrivals, pictures=self._shelf.ready
        )
        page = self.page(screen, at=at)
        if screen.item and words[0] == "GET":
            self._shown(screen.item, at)
        return _response("200 OK", "text/html", page.encode())

    def _picture(self, sha256: str) -> bytes:
        """Answer with a picture of something that is shown, hashed once more."""
        at = self._clock.now()
        shown = list_shown(self._holdings, at=at)
        if not any(one.sha256 == sha256 for item in shown for one in item.pictures):
            return _response("404 Not Found", "text/plain", b"")
        try:
            return _response("200 OK", "image/jpeg", self._shelf.load(sha256))
        except MediaBrokenError:
            return _response("404 Not Found", "text/plain", b"")

    def page(self, screen: Screen, *, at: int) -> str:
        """Return the page of a screen."""
        now = datetime.fromtimestamp(at / 1000, tz=_LOCAL)
        stopped = bool(self._holdings.active_stops(at=at))
        item = screen.item
        return self._page.substitute(
            name=html.escape(self._holdings.settings.name or "Bảng tin"),
            time=f"{now:%H:%M}",
            date=f"{_WEEKDAYS[now.weekday()]}, {now:%d/%m/%Y}",
            look=_look(item)[0] if item else "calm",
            main=_main(screen) if item else _empty(stopped=stopped),
            others=_others(screen),
            screen_ms=SCREEN_S * 1000,
        )


def _look(item: Item) -> tuple[str, str]:
    """Return the style and the words of an item's class."""
    if item.drill:
        return "drill", "DIỄN TẬP"
    return _CLASSES.get(item.rank, ("normal", "BẢN TIN"))


def _main(screen: Screen) -> str:
    item = screen.item
    if item is None:
        return ""
    label = _look(item)[1]
    drill = (
        '<p class="drill-line">DIỄN TẬP: đây không phải tình huống thật.</p>'
        if item.drill
        else ""
    )
    paragraphs = (
        _seen(screen.picture)
        if screen.picture
        else "".join(
            f"<p>{html.escape(line)}</p>" for line in screen.text.splitlines() if line
        )
    )
    issued = datetime.fromtimestamp(item.starts_at / 1000, tz=_LOCAL)
    turn = f"Trang {screen.number}/{screen.count}" if screen.count > 1 else ""
    return (
        f'<p class="label">{label}</p>{drill}<h1>{html.escape(item.title)}</h1>'
        f'<div class="text">{paragraphs}</div>'
        f'<p class="foot"><span>Phát lúc {issued:%H:%M %d/%m/%Y}</span>'
        f"<span>{turn}</span></p>"
    )


def _seen(picture: Picture) -> str:
    words = html.escape(picture.caption)
    return (
        f'<figure><img src="{_PICTURES}{picture.sha256}" alt="{words}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _empty(*, stopped: bool) -> str:
    words = (
        "Đang tạm dừng theo lệnh của người trực."
        if stopped
        else "Hiện không có bản tin."
    )
    return f'<p class="quiet">{words}</p>'


def _others(screen: Screen) -> str:
    rows = "".join(
        f'<li class="{_look(item)[0]}"><b>{_look(item)[1]}</b> '
        f"{html.escape(item.title)}</li>"
        for item in screen.others[:4]
    )
    return f"<ul>{rows}</ul>" if rows else ""


def _response(status: str, mime: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {mime}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\n"
        f"Content-Security-Policy: {_POLICY}\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
