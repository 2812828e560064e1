"""A loopback port at which a process tells how it is: `/health` and `/metrics`.

In a thread of its own, so that it answers while the process is busy. It is never
open to others: figures of a safety system are nobody else's business.
"""

import http.client
import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nguon.core import metrics
from nguon.core.metrics import COUNTER, GAUGE, Metric, figure

logger = logging.getLogger(__name__)

ASK_SECONDS = 1.0
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Condition:
    """How a process is; `data` are figures for the operator's page."""

    good: bool
    data: dict[str, Any] = field(default_factory=dict)


class Telltale:
    """The port of one process."""

    def __init__(
        self,
        address: str,
        *,
        condition: Callable[[], Condition],
        figures: Callable[[], list[Metric]],
    ) -> None:
        self._address = address
        self._condition = condition
        self._figures = figures
        self._server: ThreadingHTTPServer | None = None

    def open(self) -> None:
        """Begin to answer; an empty address means that nobody wants to know.

        A port that is taken costs the figures, never the process.
        """
        host, _, port = self._address.rpartition(":")
        if not self._address or host not in LOOPBACK:
            return
        told = self

        class Handler(_Handler):
            telltale = told

        try:
            self._server = ThreadingHTTPServer((host, int(port)), Handler)
        except OSError:
            logger.exception("Nobody can ask this process how it is")
            return
        serve = self._server.serve_forever
        threading.Thread(target=serve, name="telltale", daemon=True).start()

    def close(self) -> None:
        """End."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, content type and body of an answer."""
        if path == "/metrics":
            text = metrics.expose([*self._figures(), *process_figures()])
            return 200, metrics.CONTENT_TYPE, text.encode()
        if path == "/health":
            how = self._condition()
            body = json.dumps({"good": how.good, **how.data}).encode()
            return 200 if how.good else 503, "application/json", body
        return 404, "text/plain", b""


class _Handler(BaseHTTPRequestHandler):
    telltale: Telltale

    def do_GET(self) -> None:
        status, kind, body = self.telltale.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: it is asked every few seconds."""


def ask(address: str) -> Condition | None:
    """Ask the process at an address how it is; None when nobody answers."""
    host, _, port = address.rpartition(":")
    if not address:
        return None
    line = http.client.HTTPConnection(host, int(port), timeout=ASK_SECONDS)
    try:
        line.request("GET", "/health")
        data = json.loads(line.getresponse().read(64 * 1024))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        line.close()
    return Condition(bool(data.pop("good", False)), data)


def process_figures() -> list[Metric]:
    """Return what this process costs."""
    page = os.sysconf("SC_PAGE_SIZE")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    times = os.times()
    spent = times.user + times.system
    return [
        figure(
            "process_resident_memory_bytes", GAUGE, "Resident memory.", pages * page
        ),
        figure("process_cpu_seconds_total", COUNTER, "CPU time spent.", spent),
    ]
