"""What the database itself refuses about ground: one code, two units, one day.

A unique constraint cannot compare periods, so a trigger does, on both databases.
"""

from nguon.audit.guards import Guard

_OVERLAP = (
    "EXISTS (SELECT 1 FROM territory_unit u WHERE u.kind = NEW.kind"
    " AND u.code = NEW.code{other}"
    " AND (u.valid_to IS NULL OR u.valid_to > NEW.valid_from)"
    " AND (NEW.valid_to IS NULL OR u.valid_from < NEW.valid_to))"
)
_WORDS = "territory.unit_overlap: one code cannot name two units on one day"

GUARDS = (
    Guard(
        "nguon_territory_unit_overlap_insert",
        "territory_unit",
        "INSERT",
        _WORDS,
        _OVERLAP.format(other=""),
    ),
    Guard(
        "nguon_territory_unit_overlap_update",
        "territory_unit",
        "UPDATE",
        _WORDS,
        "(NEW.kind <> OLD.kind OR NEW.code <> OLD.code"
        " OR NEW.valid_from <> OLD.valid_from"
        " OR COALESCE(NEW.valid_to, '9999-12-31')"
        " <> COALESCE(OLD.valid_to, '9999-12-31')) AND "
        + _OVERLAP.format(other=" AND u.id <> NEW.id"),
    ),
)
