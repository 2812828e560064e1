"""`tell_all`: bulletins, broadcasts, jobs and plays, and whether all is over."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import evidence


class Command(BaseCommand):
    """Print what a test of losses compares."""

    help = "Print counts that show whether anything is lost or doubled; JSON."

    def handle(self, **_options: Any) -> None:
        """Print."""
        found = evidence.tell_all(at=timezone.now())
        self.stdout.write(json.dumps(found, ensure_ascii=False))
