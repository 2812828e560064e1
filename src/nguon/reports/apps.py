"""Django's registration of reports, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards
from nguon.reports import open_guards, score_guards

_OPEN = (
    "EXISTS (SELECT 1 FROM reports_submission s WHERE s.id = {row}.submission_id"
    " AND s.state IN ('draft', 'returned'))"
)
_USED = "EXISTS (SELECT 1 FROM reports_period p WHERE p.form_id = {row}.form_id)"
_ANSWERED = (
    "EXISTS (SELECT 1 FROM reports_call c"
    " WHERE c.id = {row}.call_id AND c.answered_at IS NOT NULL)"
)
# All that an answered call still does: it is withdrawn, once.
_WITHDRAWS = (
    "OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL"
    " AND NEW.answered_at IS NOT NULL AND NEW.answered_at = OLD.answered_at"
    " AND NEW.answered_by_id = OLD.answered_by_id AND NEW.answer_id = OLD.answer_id"
    " AND NEW.title = OLD.title AND NEW.sender = OLD.sender"
    " AND NEW.due_date = OLD.due_date"
)
# Both sides times the denominator: a division could be of whole numbers, or by 0.
_BEYOND = (
    "EXISTS (SELECT 1 FROM reports_field f WHERE f.id = NEW.field_id AND ("
    "NEW.above * (CASE f.ratio WHEN 'share' THEN 100.0 ELSE 1.0 END)"
    " < f.least * COALESCE(NEW.below, 1) OR "
    "NEW.above * (CASE f.ratio WHEN 'share' THEN 100.0 ELSE 1.0 END)"
    " > f.most * COALESCE(NEW.below, 1)))"
)
_MOVES = (
    "OLD.state = NEW.state"
    " OR (OLD.state IN ('draft', 'returned') AND NEW.state = 'sent')"
    " OR (OLD.state = 'sent' AND NEW.state IN ('returned', 'accepted'))"
    " OR (OLD.state = 'accepted' AND NEW.state = 'returned')"
)
_LOCKED = "reports.answer_locked: what was sent or accepted is not changed"
_FIXED = "reports.form_used: the fields of a form are fixed from its first period on"

GUARDS = (
    *guards.append_only("reports_step", "reports.step"),
    *(
        guards.Guard(
            f"nguon_reports_answer_{event.lower()}",
            "reports_answer",
            event,
            _LOCKED,
            f"NOT {_OPEN.format(row='NEW' if event == 'INSERT' else 'OLD')}",
        )
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
    guards.Guard(
        "nguon_reports_answer_stays",
        "reports_answer",
        "UPDATE",
        "reports.answer_moved: an answer stays with its submission and field",
        "NEW.submission_id <> OLD.submission_id OR NEW.field_id <> OLD.field_id",
    ),
    *(
        guards.Guard(
            f"nguon_reports_section_{event.lower()}",
            "reports_section",
            event,
            "reports.section_locked: what was sent or accepted is not changed",
            f"NOT {_OPEN.format(row='NEW' if event == 'INSERT' else 'OLD')}",
        )
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
    *guards.append_only("reports_issue", "reports.issue"),
    guards.Guard(
        "nguon_reports_issue_insert",
        "reports_issue",
        "INSERT",
        "reports.not_now: only what was accepted is issued",
        "NOT EXISTS (SELECT 1 FROM reports_submission s"
        " WHERE s.id = NEW.submission_id AND s.state = 'accepted')",
    ),
    # Days are kept, and written as text, with the year first in both databases.
    guards.Guard(
        "nguon_reports_issue_number",
        "reports_issue",
        "INSERT",
        "reports.number_taken: one number of a unit and year is one report",
        "EXISTS (SELECT 1 FROM reports_issue i"
        " JOIN reports_submission a ON a.id = i.submission_id"
        " JOIN reports_submission b ON b.id = NEW.submission_id"
        " WHERE a.unit_id = b.unit_id AND i.number = NEW.number"
        " AND substr(CAST(i.issued_on AS text), 1, 4)"
        " = substr(CAST(NEW.issued_on AS text), 1, 4))",
    ),
    guards.Guard(
        "nguon_reports_submission_issued",
        "reports_submission",
        "UPDATE",
        "reports.issued: a report that was issued does not change",
        "NEW.state <> OLD.state AND EXISTS"
        " (SELECT 1 FROM reports_issue i WHERE i.submission_id = NEW.id)",
    ),
    *(
        guards.Guard(
            f"nguon_reports_answer_range_{event.lower()}",
            "reports_answer",
            event,
            "reports.range: a figure beyond what its field allows",
            f"NEW.source = 'typed' AND {_BEYOND}",
        )
        for event in ("INSERT", "UPDATE")
    ),
    *(
        guards.Guard(
            f"nguon_reports_field_{event.lower()}",
            "reports_field",
            event,
            _FIXED,
            _USED.format(row="NEW" if event == "INSERT" else "OLD"),
        )
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
    guards.Guard(
        "nguon_reports_submission_moves",
        "reports_submission",
        "UPDATE",
        "reports.not_now: a submission goes one way",
        f"NOT ({_MOVES})",
    ),
    guards.Guard(
        "nguon_reports_submission_back",
        "reports_submission",
        "UPDATE",
        "reports.reason_missing: going back needs a step with its reason",
        "NEW.state = 'returned' AND OLD.state <> 'returned' AND NOT EXISTS"
        " (SELECT 1 FROM reports_step t WHERE t.submission_id = NEW.id"
        " AND t.kind = (CASE OLD.state WHEN 'accepted' THEN 'unlocked'"
        " ELSE 'returned' END) AND t.at = NEW.moved_at)",
    ),
    guards.Guard(
        "nguon_reports_submission_fixed",
        "reports_submission",
        "UPDATE",
        "reports.submission_locked: what was sent or accepted is not changed",
        "OLD.state IN ('sent', 'accepted') AND (NEW.unit_id <> OLD.unit_id"
        " OR NEW.period_id <> OLD.period_id OR NEW.revision <> OLD.revision"
        " OR NEW.missing <> OLD.missing OR NEW.sent_at <> OLD.sent_at"
        " OR NEW.first_sent_on <> OLD.first_sent_on)",
    ),
    guards.Guard(
        "nguon_reports_submission_kept",
        "reports_submission",
        "DELETE",
        "reports.submission_kept: what was sent once is not deleted",
        "OLD.first_sent_on IS NOT NULL",
    ),
    guards.Guard(
        "nguon_reports_call_answered",
        "reports_call",
        "UPDATE",
        "reports.call_answered: what was given back stays as it was given",
        f"OLD.answered_at IS NOT NULL AND NOT ({_WITHDRAWS})"
        " OR NEW.sha256 <> OLD.sha256 OR NEW.unit_id <> OLD.unit_id"
        " OR NEW.file_id <> OLD.file_id",
    ),
    guards.Guard(
        "nguon_reports_call_kept",
        "reports_call",
        "DELETE",
        "reports.call_answered: what was answered is withdrawn, not deleted",
        "OLD.answered_at IS NOT NULL",
    ),
    *(
        guards.Guard(
            f"nguon_reports_mapping_{event.lower()}",
            "reports_mapping",
            event,
            "reports.call_answered: what was given back stays as it was given",
            _ANSWERED.format(row="NEW" if event == "INSERT" else "OLD"),
        )
        for event in ("INSERT", "UPDATE", "DELETE")
    ),
    # A day as text, the year first in both databases: a check by Django's own function
    # could not be read by another program on SQLite.
    guards.Guard(
        "nguon_reports_payment_month",
        "reports_payment",
        "INSERT",
        "reports.pay_day: a payment is of a month, named by its first day",
        "substr(CAST(NEW.month AS text), 9, 2) <> '01'",
    ),
    guards.Guard(
        "nguon_reports_payment_update",
        "reports_payment",
        "UPDATE",
        "reports.pay_immutable: what was paid is withdrawn, once, never changed",
        "OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL"
        " OR NEW.unit_id <> OLD.unit_id OR NEW.month <> OLD.month"
        " OR NEW.person_id <> OLD.person_id OR NEW.amount <> OLD.amount"
        " OR NEW.paid_on <> OLD.paid_on OR NEW.document <> OLD.document",
    ),
    guards.Guard(
        "nguon_reports_payment_delete",
        "reports_payment",
        "DELETE",
        "reports.pay_immutable: what was paid is withdrawn, never deleted",
    ),
    guards.Guard(
        "nguon_reports_period_fixed",
        "reports_period",
        "UPDATE",
        "reports.period_immutable: a period stays as it was opened",
        "NEW.form_id <> OLD.form_id OR NEW.first_date <> OLD.first_date"
        " OR NEW.after_date <> OLD.after_date OR NEW.due_date <> OLD.due_date",
    ),
)


class ReportsConfig(AppConfig):
    """Reports; guards are set again after every migrate."""

    name = "nguon.reports"

    def ready(self) -> None:
        """Register the guards."""
        every = (*GUARDS, *score_guards.GUARDS, *open_guards.GUARDS)
        guards.register(self, every)
