"""`run_gateway`: the process between the bus and the database. Ends on SIGTERM."""

import asyncio
import gc
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from nguon.core import logs
from nguon.gateway.run import Gateway

# A thread that computes hands the interpreter on after this; with Python's own 5 ms
# each statement of a group of events waits longer for it than for the database.
SWITCH_SECONDS = 0.0005


class Command(BaseCommand):
    """Run one gateway until a signal ends it."""

    # Django's own checks read every page's code; the gateway serves no page, and each
    # tenth of a second without it counts after a crash.
    requires_system_checks = ("nguon",)
    help = "Carry documents to the bus, events to the database; decide who connects."

    def handle(self, **_options: Any) -> None:
        """Run."""
        logs.configure(settings.LOG_FORM)
        sys.setswitchinterval(SWITCH_SECONDS)
        # What has been loaded stays for good: the collector need not look through it.
        gc.freeze()
        asyncio.run(Gateway(ready=self._ready).run())

    def _ready(self) -> None:
        self.stdout.write("gateway ready")
        self.stdout.flush()
