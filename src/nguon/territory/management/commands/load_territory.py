"""`load_territory`: both maps of the country, the succession; may be run again."""

from typing import Any

from django.core.management.base import BaseCommand

from nguon.territory.load import load


class Command(BaseCommand):
    """Translate the command line into one load."""

    help = "Nạp danh mục đơn vị hành chính hai thời kỳ và bảng kế thừa."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Load, and tell the operator what is being done."""
        load(say=self.stderr.write)
