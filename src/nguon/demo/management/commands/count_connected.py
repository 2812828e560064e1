"""`count_connected`: how many devices the database knows to be on the bus, as JSON."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from nguon.fleet.models import ACTIVE, Device


class Command(BaseCommand):
    """Count."""

    help = "Count active devices, and those of them that are connected; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Print the two numbers."""
        active = Device.objects.filter(state=ACTIVE)
        connected = active.filter(connected=True).count()
        self.stdout.write(
            json.dumps({"active": active.count(), "connected": connected})
        )
