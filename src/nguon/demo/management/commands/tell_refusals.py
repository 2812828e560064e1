"""`tell_refusals UID`: try to approve one's own bulletin; print how it was refused."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import evidence


class Command(BaseCommand):
    """Try by the action, as a superuser and by raw SQL; keep nothing of it."""

    help = "Show that nobody can approve what they wrote; prints JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the uid of a waiting broadcast."""
        parser.add_argument("uid")

    def handle(self, *, uid: str, **_options: Any) -> None:
        """Try, and print."""
        found = evidence.tell_refusals(uid, at=timezone.now())
        self.stdout.write(json.dumps(found, ensure_ascii=False))
