"""`prepare_demo`: tables, keys, both maps and the bus's configuration; repeatable."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from nguon.territory.models import Succession


class Command(BaseCommand):
    """Do the steps of an installation in one process."""

    help = "Prepare an empty or known data folder for the stack."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the ports of the bus."""
        parser.add_argument("--nats-port", type=int, required=True)
        parser.add_argument("--mqtt-port", type=int, required=True)

    def handle(self, *, nats_port: int, mqtt_port: int, **_options: Any) -> None:
        """Prepare."""
        call_command("migrate", verbosity=0)
        call_command("make_keys", stdout=sys.stderr)
        if not Succession.objects.exists():
            call_command("load_territory")
        call_command(
            "nats_config", port=nats_port, mqtt_port=mqtt_port, stdout=sys.stderr
        )
