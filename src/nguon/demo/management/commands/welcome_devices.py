"""`welcome_devices`: the demo's technician lets in whoever enrols, until all are in."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from nguon.demo import world

ASK_SECONDS = 0.1


class Command(BaseCommand):
    """Approve waiting devices until as many as expected are in."""

    help = "Approve the demo's devices as they come; prints JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many to wait for, and for how long."""
        parser.add_argument("--expect", type=int, required=True)
        parser.add_argument("--seconds", type=float, default=90.0)

    def handle(self, *, expect: int, seconds: float, **_options: Any) -> None:
        """Ask again and again. Raises CommandError when too few came."""
        until = time.monotonic() + seconds
        while (active := world.welcome(expect=expect, at=timezone.now())) < expect:
            if time.monotonic() > until:
                raise CommandError(f"{active} of {expect} devices came in.")
            time.sleep(ASK_SECONDS)
        self.stdout.write(json.dumps({"active": active}))
