"""`archive_months`: puts old months of plays and events into files, or takes them back.

Without words it lists what is in the database and what lies in files.
"""

from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nguon.audit import archives, months
from nguon.audit.models import Archive
from nguon.core.errors import DomainError


class Command(BaseCommand):
    """List, put away, check and restore months."""

    help = "Put old months of plays and events into files, check them, take them back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do; a month is written 2026-01."""
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--due", action="store_true", help="put away all that is due")
        one.add_argument("--put-away", metavar="MONTH", help="put this month away now")
        one.add_argument("--check", action="store_true", help="read every file back")
        one.add_argument("--restore", metavar="MONTH", help="take this month back")
        parser.add_argument("--table", help="only this: fleet.DeviceEvent, …")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it. Raises CommandError when something is not as it should be."""
        at = datetime.now(UTC)
        kept = [one for one in months.tables() if options["table"] in {None, one.model}]
        if not kept:
            raise CommandError(f"Không có bảng {options['table']} được giữ theo tháng.")
        try:
            self._do(kept, options, at)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.data}") from error
        except Archive.DoesNotExist as error:
            raise CommandError("Tháng này chưa được lưu trữ.") from error

    def _do(
        self, kept: list[months.Kept], options: dict[str, Any], at: datetime
    ) -> None:
        if options["due"]:
            for one, month in archives.list_closed(at=at, keep=settings.KEEP_MONTHS):
                if one in kept:
                    self._say(archives.put_away(one, month, at=at))
        elif options["put_away"]:
            for one in kept:
                self._say(archives.put_away(one, _month(options["put_away"]), at=at))
        elif options["check"]:
            self._check()
        elif options["restore"]:
            for one in kept:
                rows = archives.restore(one, _month(options["restore"]), at=at)
                self.stdout.write(f"{one.model}: {rows} dòng đã trở lại")
        else:
            self._list(kept)

    def _say(self, archive: Archive) -> None:
        self.stdout.write(f"{archive.file}: {archive.rows} dòng, {archive.size} byte")

    def _check(self) -> None:
        for archive in Archive.objects.order_by("model", "month"):
            path = archives.folder() / archive.file
            archives.check_file(path, sha256=archive.sha256)
            self.stdout.write(f"{archive.file}: đúng, {archive.rows} dòng")

    def _list(self, kept: list[months.Kept]) -> None:
        for one in kept:
            if months.is_partitioned(one.table):
                for part in months.list_parts(one):
                    mb = part.size / 1024**2
                    self.stdout.write(f"{part.name}: ~{part.rows} dòng, {mb:.1f} MB")
            else:
                self.stdout.write(f"{one.table}: một bảng, không chia tháng")
        for archive in Archive.objects.order_by("model", "month"):
            self._say(archive)


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise CommandError(f"{text}: hãy viết tháng như 2026-01.") from error
