"""`load_past`: the days behind the demo, counted; tells on the way how far it is."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from nguon.demo import past
from nguon.demo.processes import TOLD


class Command(BaseCommand):
    """Make the days before today for the devices that are in; once in a folder."""

    help = "Make the days behind the demo by the rooms' own actions; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Make, and print how many minutes sounded. Raises CommandError."""
        try:
            minutes = past.load_past(at=timezone.now(), say=self._tell)
        except past.PastBrokenError as error:
            raise CommandError(
                "Lần trước bị ngắt khi đang dựng những ngày trước. Hãy làm lại từ đầu:"
                " ./nguon demo --fresh\n"
                "The days behind were cut off half made; start over with --fresh."
            ) from error
        self.stdout.write(json.dumps({"days": past.DAYS, "minutes": minutes}))

    def _tell(self, text: str) -> None:
        self.stderr.write(TOLD + text)
