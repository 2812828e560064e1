"""`load_programme`: a week of slots for the demo's home commune, and what came in."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import arrivals, world


class Command(BaseCommand):
    """Submit three daily bulletins and approve two; repeatable."""

    help = "Give the demo a week of programmes; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Load, and print how many there are."""
        at = timezone.now()
        told = {
            "broadcasts": world.load_programme(at=at),
            "arrivals": arrivals.load_arrivals(at=at),
        }
        self.stdout.write(json.dumps(told))
