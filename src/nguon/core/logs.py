"""How a process logs: for people, or one JSON object a line for machines.

What officers write and devices say is never part of a log line, only names and ids.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

TEXT, JSON = "text", "json"
FORMS = (TEXT, JSON)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and the error if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def configure(
    form: str, *, level: int = logging.INFO, to: TextIO | None = None
) -> None:
    """Log everything of this process in one form, on standard error."""
    handler = logging.StreamHandler(to or sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonFormatter() if form == JSON else plain)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # The web server brings handlers of its own; one form is enough.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
