"""`load_authority`: a day's standing authority to speak live in the home commune."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import world


class Command(BaseCommand):
    """Write, send and approve the paper as two persons do; repeatable."""

    help = "Let Lan speak live to the home commune for a day; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Load, and print the paper's uid."""
        paper = world.load_authority(at=timezone.now())
        self.stdout.write(json.dumps({"paper": paper}))
