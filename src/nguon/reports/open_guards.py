"""What the database itself refuses about open data."""

from nguon.audit import guards
from nguon.audit.guards import Guard
from nguon.reports import opening

_PEOPLE = ", ".join(f"'{code}'" for code in sorted(opening.ABOUT_PEOPLE))
_OF = "(SELECT p.unit_id FROM reports_publication p WHERE p.id = NEW.publication_id)"

GUARDS = (
    *guards.append_only("reports_publishedfigure", "reports.published"),
    Guard(
        "nguon_reports_publishedfigure_people",
        "reports_publishedfigure",
        "INSERT",
        "reports.published_people: a figure about people is told of the whole only",
        f"NEW.indicator IN ({_PEOPLE}) AND NEW.unit_id <> {_OF}",
    ),
    Guard(
        "nguon_reports_publication_fixed",
        "reports_publication",
        "UPDATE",
        "reports.publication_immutable: what was published is withdrawn, not changed",
        "OLD.withdrawn_at IS NOT NULL OR NEW.unit_id <> OLD.unit_id"
        " OR NEW.first_date <> OLD.first_date OR NEW.after_date <> OLD.after_date"
        " OR NEW.counted_days <> OLD.counted_days OR NEW.uid <> OLD.uid"
        " OR NEW.published_by_id <> OLD.published_by_id"
        " OR NEW.published_at <> OLD.published_at",
    ),
    Guard(
        "nguon_reports_publication_kept",
        "reports_publication",
        "DELETE",
        "reports.publication_immutable: what was published is withdrawn, not deleted",
    ),
)
