"""A provider of messages on this machine: it keeps what it is asked, and answers.

It speaks the wires of `nguon.channels.adapters` (an SMS gateway, a webhook, Zalo's
article and OAuth), and fails on request.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class FakeProvider:
    """`asked` holds (path, headers, body); `status` is what it answers with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, str], dict[str, Any]]] = []
        self.status = 200
        self.zalo_error = 0
        self.renewals = ["first"]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> "FakeProvider":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def texts(self, path: str) -> list[dict[str, Any]]:
        return [body for asked, _headers, body in self.asked if asked == path]

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.asked)
        if path == "/v4/oa/access_token":
            if body["refresh_token"] != self.renewals[-1]:
                return {"error": -14118, "error_name": "Invalid refresh token"}
            self.renewals.append(f"renewal-{number}")
            return {
                "access_token": f"access-{number}",
                "refresh_token": self.renewals[-1],
                "expires_in": "3600",
            }
        if path == "/v2.0/article/create":
            if self.zalo_error:
                return {"error": self.zalo_error, "message": "no"}
            return {"error": 0, "data": {"token": f"article-{number}"}}
        return {"id": f"id-{number}", "cost": 420, "status": "queued"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                is_form = "form" in self.headers.get("Content-Type", "")
                body = (
                    {key: value[0] for key, value in parse_qs(raw).items()}
                    if is_form
                    else json.loads(raw)
                )
                headers = {**dict(self.headers), "raw": raw}
                provider.asked.append((self.path, headers, body))
                answer = json.dumps(provider.answer(self.path, body)).encode()
                self.send_response(provider.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        return Handler
