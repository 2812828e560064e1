"""`import_villages FILE`: the villages of a province from CSV; may be run again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.territory import actions, villages


class Command(BaseCommand):
    """Translate the command line into one import."""

    help = "Nhập danh sách thôn, làng, buôn, tổ dân phố, khu vực từ tệp CSV."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, and whether wrong rows are left out."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--keep-good", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import, or say row by row what is wrong. Raises CommandError."""
        try:
            reading = actions.import_villages(
                text=villages.decode(options["file"].read_bytes()),
                ground=["/"],
                by=None,
                at=timezone.now(),
                keep_good=options["keep_good"],
            )
        except actions.RowsWrongError as error:
            self._tell(error.problems)
            raise CommandError("Chưa nhập gì. Hãy sửa các dòng trên.") from error
        except (InvalidError, OSError) as error:
            raise CommandError(str(error)) from error
        self._tell(reading.problems)
        self.stderr.write(
            f"Đã nhập {len(reading.fresh)}, sửa {len(reading.changed)}, "
            f"bỏ {len(reading.problems)} dòng."
        )

    def _tell(self, problems: Any) -> None:
        for problem in problems:
            self.stderr.write(f"Dòng {problem.row}: {problem.words}.")
