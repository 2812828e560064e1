"""What the database itself refuses about stops."""

from nguon.audit.guards import Guard

GUARDS: list[Guard] = [
    Guard(
        "nguon_stop_kept",
        "emergency_stop",
        "DELETE",
        "emergency.stop_immutable: a stop is lifted, never deleted",
    ),
    Guard(
        "nguon_stop_fixed",
        "emergency_stop",
        "UPDATE",
        "emergency.stop_immutable: who stopped what until when stays as ordered",
        "NEW.until <> OLD.until OR NEW.ordered_by_id <> OLD.ordered_by_id"
        " OR NEW.unit_id IS DISTINCT FROM OLD.unit_id"
        " OR NEW.device_id IS DISTINCT FROM OLD.device_id"
        " OR (OLD.lifted_at IS NOT NULL"
        " AND (NEW.lifted_by_id IS DISTINCT FROM OLD.lifted_by_id"
        " OR NEW.lift_asked_by_id IS DISTINCT FROM OLD.lift_asked_by_id))",
    ),
]
