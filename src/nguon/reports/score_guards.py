"""What the database itself refuses about the evaluation score."""

from nguon.audit import guards
from nguon.audit.guards import Guard

_PUBLISHED = (
    "EXISTS (SELECT 1 FROM reports_scoresheet s WHERE s.id = {row}.sheet_id"
    " AND s.state = 'published')"
)
_LOCKED = "reports.sheet_locked: a published score sheet is not changed"
_SUM = "(SELECT COALESCE(SUM(l.weight), 0) FROM reports_scoreline l WHERE l.sheet_id = "

GUARDS = (
    *guards.append_only("reports_scoreresult", "reports.score"),
    Guard(
        "nguon_reports_scoreresult_shown",
        "reports_scoreresult",
        "INSERT",
        "reports.sheet_draft: only a published sheet has results",
        f"NOT {_PUBLISHED.format(row='NEW')}",
    ),
    *(
        Guard(
            f"nguon_reports_scoreline_{event.lower()}",
            "reports_scoreline",
            event,
            _LOCKED,
            " OR ".join(_PUBLISHED.format(row=row) for row in rows),
        )
        for event, rows in (
            ("INSERT", ["NEW"]),
            ("UPDATE", ["OLD", "NEW"]),
            ("DELETE", ["OLD"]),
        )
    ),
    Guard(
        "nguon_reports_scoresheet_whole",
        "reports_scoresheet",
        "UPDATE",
        "reports.weights_sum: the weights of a published sheet are 100 together",
        f"NEW.state = 'published' AND {_SUM}NEW.id) <> 100",
    ),
    Guard(
        "nguon_reports_scoresheet_born",
        "reports_scoresheet",
        "INSERT",
        "reports.weights_sum: a score sheet begins as a draft",
        "NEW.state <> 'draft'",
    ),
    Guard(
        "nguon_reports_scoresheet_fixed",
        "reports_scoresheet",
        "UPDATE",
        _LOCKED,
        "OLD.state = 'published' AND (NEW.state <> 'published'"
        " OR NEW.unit_id <> OLD.unit_id OR NEW.year <> OLD.year"
        " OR NEW.least_covered <> OLD.least_covered"
        " OR NEW.changed_by_id <> OLD.changed_by_id"
        " OR NEW.published_by_id <> OLD.published_by_id"
        " OR NEW.published_at <> OLD.published_at"
        " OR (OLD.shown_at IS NOT NULL AND (NEW.shown_at IS NULL"
        " OR NEW.shown_at <> OLD.shown_at OR NEW.shown_by_id <> OLD.shown_by_id)))",
    ),
    Guard(
        "nguon_reports_scoresheet_kept",
        "reports_scoresheet",
        "DELETE",
        _LOCKED,
        "OLD.state = 'published'",
    ),
)
