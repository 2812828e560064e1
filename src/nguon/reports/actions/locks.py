"""What every change of a report looks at first: is it there, open, not stale."""

from nguon.core.errors import AbsentError, ConflictError
from nguon.reports.models import Submission


def lock(submission_id: int, *, even_closed: bool = False) -> Submission:
    """Return a submission, locked; of an open period unless said otherwise.

    Raises AbsentError `reports.submission_absent`, ConflictError `reports.closed`.
    """
    rows = Submission.objects.select_for_update(of=("self",)).select_related(
        "period__form", "unit", "above__unit", "sent_by"
    )
    row = rows.filter(pk=submission_id).first()
    if row is None:
        raise AbsentError("reports.submission_absent")
    if row.period.closed_at is not None and not even_closed:
        raise ConflictError("reports.closed")
    return row


def check_revision(row: Submission, revision: int) -> None:
    """Refuse what was read before somebody saved. ConflictError `reports.revision`."""
    if row.revision != revision:
        name = row.changed_by.full_name if row.changed_by else ""
        raise ConflictError("reports.revision", name=name)


def check_above(row: Submission) -> None:
    """Refuse to change what a report above has summed up already; locks that one.

    Raises ConflictError `reports.above_sent`.
    """
    if row.above_id is None:
        return
    above = Submission.objects.select_for_update().get(pk=row.above_id)
    if not above.is_open:
        raise ConflictError("reports.above_sent")
