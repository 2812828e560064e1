"""`run_relays`: transcodes the relay sources that devices cannot play themselves."""

import signal
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from nguon.core import logs
from nguon.fleet.telltale import Telltale
from nguon.schedule.transcoding import Desk


class Command(BaseCommand):
    """Run until SIGTERM or Ctrl-C."""

    help = "Make MP3 of the relays on air whose codec devices cannot play."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Work until SIGTERM or Ctrl-C."""
        desk = Desk(settings.RELAYS_DIR, clock=lambda: datetime.now(UTC))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_signal: desk.stopping.set())
        logs.configure(settings.LOG_FORM)
        telltale = Telltale(
            settings.RELAYS_HEALTH, condition=desk.condition, figures=desk.figures
        )
        telltale.open()
        try:
            desk.run()
        finally:
            telltale.close()
