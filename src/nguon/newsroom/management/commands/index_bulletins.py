"""`manage index_bulletins`: write the library's search index anew."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from nguon.newsroom import search


class Command(BaseCommand):
    """Indexes every bulletin; needed after communes were merged."""

    help = "Lập lại chỉ mục tìm bản tin (sau khi sắp xếp địa bàn)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Index all in one transaction, so that nobody searches half an index."""
        with transaction.atomic():
            count = search.rebuild()
        self.stdout.write(f"{count}\n")
