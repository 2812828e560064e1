"""`tell_broadcast UID`: what the database knows of a broadcast, as JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from nguon.demo import evidence


class Command(BaseCommand):
    """Print a broadcast, its hashes and its play records."""

    help = "Print a broadcast and its play records as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the uid."""
        parser.add_argument("uid")

    def handle(self, *, uid: str, **_options: Any) -> None:
        """Print."""
        self.stdout.write(json.dumps(evidence.tell_broadcast(uid), ensure_ascii=False))
