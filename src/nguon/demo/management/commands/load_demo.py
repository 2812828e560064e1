"""`load_demo`: make the demo world; print as JSON what a story needs to know."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo import world


class Command(BaseCommand):
    """Make people, villages, claims and bulletins; repeatable."""

    help = "Load the demo world (repeatable); prints JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how many devices there should be."""
        parser.add_argument("--speakers", type=int, default=2)
        parser.add_argument("--boards", type=int, default=1)
        parser.add_argument("--simulated", type=int, default=0)
        parser.add_argument(
            "--spread",
            action="store_true",
            help="simulated devices in all three communes, not in the first alone",
        )

        parser.add_argument(
            "--past",
            action="store_true",
            help="more communes have devices: there will be days behind them",
        )

    def handle(self, **options: Any) -> None:
        """Load, and print."""
        wanted = world.Wanted(
            speakers=options["speakers"],
            boards=options["boards"],
            simulated=options["simulated"],
            spread=options["spread"],
            past=options["past"],
        )
        found = world.load(wanted=wanted, at=timezone.now())
        self.stdout.write(json.dumps(found, ensure_ascii=False))
