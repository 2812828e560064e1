"""`run_worker`: makes sounds and does the chores until it is told to stop."""

import signal
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from nguon.core import logs
from nguon.fleet.telltale import Telltale
from nguon.web.chores import chores
from nguon.web.worker import Worker

KEEP_SECONDS = 60


class Command(BaseCommand):
    """Run the worker; `--once` for one turn."""

    help = "Make the sounds that are asked for, deliver notices, roll the plans on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--once`."""
        parser.add_argument(
            "--once", action="store_true", help="do what waits now, then end"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        worker = Worker(clock=lambda: datetime.now(UTC), chores=chores())
        if options["once"]:
            worker.run_once()
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_signal: worker.stop())
        logs.configure(settings.LOG_FORM)
        # Its threads live as long as it does: each keeps its connection. To open
        # SQLite's anew for every turn was a third of all its work.
        connections.settings["default"]["CONN_MAX_AGE"] = KEEP_SECONDS
        telltale = Telltale(
            settings.WORKER_HEALTH,
            condition=worker.condition,
            figures=worker.figures,
        )
        telltale.open()
        try:
            worker.run()
        finally:
            telltale.close()
