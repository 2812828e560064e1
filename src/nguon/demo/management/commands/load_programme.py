"""`load_programme`: a week of daily slots for the demo's home commune."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import world


class Command(BaseCommand):
    """Submit three daily bulletins and approve two; repeatable."""

    help = "Give the demo a week of programmes; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Load, and print how many there are."""
        self.stdout.write(
            json.dumps({"broadcasts": world.load_programme(at=timezone.now())})
        )
