"""Example lines of the registers, and a training that two people have done.

Every name and number is made up and says so. A register that has lines is left alone.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

from django.utils import timezone

from nguon.core.errors import InvalidError
from nguon.fleet import tables
from nguon.people.models import Officer
from nguon.registers import actions, books
from nguon.registers.models import StaffMember, Training
from nguon.territory.models import Unit

DATA = Path(__file__).parent / "data"
LESSONS = "Soạn một bản tin\nDuyệt và phát thử\nDừng phát"
# Who did all lessons, and when: long ago, or so many days before the demo is made.
LEARNT = date(2025, 11, 5)
LEARNT_AGO = timedelta(days=31)


def load_registers(*, province: Unit, by: Officer, at: datetime) -> int:
    """Fill each register that is empty; return how many lines were written.

    `by` keeps the registers of the province. Raises InvalidError `registers.no_rows`
    when an example cannot be read.
    """
    count = 0
    for book in books.BOOKS.values():
        if book.model.objects.exists():
            continue
        content = (DATA / f"so-{book.code}.csv").read_bytes()
        _reading, told = actions.import_table(
            book=book, rows=tables.read(content), take_good=False, by=by, at=at
        )
        if told is None:
            raise InvalidError("registers.no_rows")
        count += told.new
    if not Training.objects.exists():
        _train(province, by=by, at=at)
    return count


def _train(province: Unit, *, by: Officer, at: datetime) -> None:
    training = actions.add_training(
        unit=province,
        title="Vận hành đài xã (ví dụ)",
        lessons=LESSONS,
        by=by,
        at=at,
    )
    lately = timezone.localdate(at - LEARNT_AGO)
    for name, day in (("nguoi vi du hai", LEARNT), ("nguoi vi du bon", lately)):
        learner = StaffMember.objects.filter(folded=name).first()
        if learner is None:
            continue
        actions.record_proofs(
            training_uid=training.uid,
            person_uid=learner.uid,
            numbers=[1, 2, 3],
            proven_on=day,
            by=by,
            at=at,
        )
