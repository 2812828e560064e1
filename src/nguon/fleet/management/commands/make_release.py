"""`make_release`: the agent's archive from the sources, the same bytes every time."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

import nguon
from nguon.core import updates


class Command(BaseCommand):
    """Write the archive of the device program."""

    help = "Write the agent's archive from these sources, the same bytes every time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --number, --output and --sources."""
        parser.add_argument("--number", required=True, help="the version, as 1.4.2")
        parser.add_argument(
            "--output", type=Path, required=True, help="a .zip to write"
        )
        parser.add_argument(
            "--sources",
            type=Path,
            default=Path(nguon.__file__).parent.parent,
            help="the folder that holds nguon/",
        )

    def handle(
        self, *, number: str, output: Path, sources: Path, **_options: Any
    ) -> None:
        """Pack, and say what the approver will see."""
        data = updates.pack(sources, version=number)
        output.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        self.stdout.write(f"{output} {number} {len(data)} bytes sha256 {digest}")
