"""`tell_home`: the uid of the demo's home commune, for a leaf that serves it."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from nguon.demo.places import HOME
from nguon.territory.models import COMMUNE
from nguon.territory.queries import get_unit


class Command(BaseCommand):
    """Tell."""

    help = "Print the uid of the demo's home commune as JSON."

    def handle(self, **_options: Any) -> None:
        """Print it."""
        unit = get_unit(HOME, kind=COMMUNE, day=timezone.localdate())
        self.stdout.write(json.dumps({"home": unit.uid}))
