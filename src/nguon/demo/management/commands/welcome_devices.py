"""`welcome_devices`: the demo's technician lets in whoever enrols, until all are in."""

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from nguon.demo import world
from nguon.demo.processes import TOLD

ASK_SECONDS = 0.1
TELL_SECONDS = 5.0


class Command(BaseCommand):
    """Approve waiting devices until as many as expected are in or turned away."""

    help = "Approve the demo's devices as they come; prints JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many to wait for, and for how long."""
        parser.add_argument("--expect", type=int, required=True)
        parser.add_argument("--seconds", type=float, default=90.0)

    def handle(self, *, expect: int, seconds: float, **_options: Any) -> None:
        """Ask again and again. Raises CommandError when too few came."""
        began = time.monotonic()
        until, tell_at = began + seconds, began + TELL_SECONDS
        found = world.welcome(expect=expect, at=timezone.now())
        while found.active + found.refused < expect:
            if time.monotonic() > until:
                raise CommandError(f"{found.active} of {expect} devices came in.")
            if time.monotonic() > tell_at:
                tell_at += TELL_SECONDS
                self.stderr.write(f"{TOLD}{found.active}/{expect} thiết bị đã vào …")
            time.sleep(ASK_SECONDS)
            found = world.welcome(expect=expect, at=timezone.now())
        self.stdout.write(json.dumps(asdict(found)))
