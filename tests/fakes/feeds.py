"""A small real web server that offers feeds, good and bad ones, over loopback."""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape


def rss(*items: tuple[str, str, str, str]) -> bytes:
    """Return an RSS 2.0 feed of (id, title, HTML, day) entries."""
    rows = "".join(
        f"<item><guid>{escape(key)}</guid><title>{escape(title)}</title>"
        f"<link>https://soyte.example.vn/{escape(key)}</link>"
        f"<description>{escape(body)}</description><pubDate>{day}</pubDate></item>"
        for key, title, body, day in items
    )
    head = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
    return f"{head}<title>Sở Y tế</title>{rows}</channel></rss>".encode()


@dataclass
class Page:
    """What is answered at one path; `drip_s` is a pause before every byte."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0


class FakeFeeds:
    """Serves `pages`; keeps what it was asked, with the headers."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        handler = type("Handler", (_Handler,), {"feeds": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        """Return the address of a path here."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def stop(self) -> None:
        """End for good."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    feeds: FakeFeeds

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.feeds.asked.append((self.path, dict(self.headers)))
        page = self.feeds.pages.get(self.path, Page(status=404))
        etag = page.headers.get("ETag")
        if etag and self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(page.status)
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            if not page.drip_s:
                self.wfile.write(page.body)
                return
            for at in range(len(page.body)):
                self.wfile.write(page.body[at : at + 1])
                time.sleep(page.drip_s)
