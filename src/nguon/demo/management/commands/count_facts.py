"""`count_facts`: gaps and doubles among the stored events of all devices, as JSON."""

import json
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from nguon.fleet.models import SERVER_LOG, DeviceEvent


class Command(BaseCommand):
    """Count."""

    help = "Count numbers missing or stored twice in each device's log; prints JSON."

    def handle(self, **_options: Any) -> None:
        """Count: a device numbers its events from 1 on without a gap."""
        rows = DeviceEvent.objects.exclude(log=SERVER_LOG)
        stored = Counter(rows.values_list("device_id", "log", "n"))
        latest: dict[tuple[int, str], int] = {}
        for device, log, n in stored:
            latest[device, log] = max(n, latest.get((device, log), 0))
        told = {
            "events": sum(stored.values()),
            "lost": sum(latest.values()) - len(stored),
            "doubled": sum(stored.values()) - len(stored),
        }
        self.stdout.write(json.dumps(told))
