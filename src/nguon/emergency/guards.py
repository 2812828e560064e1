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
        "NEW.until <> OLD.until OR NEW.uid <> OLD.uid"
        " OR NEW.document <> OLD.document OR NEW.ordered_at <> OLD.ordered_at"
        " OR NEW.ordered_by_id <> OLD.ordered_by_id"
        " OR NEW.unit_id IS DISTINCT FROM OLD.unit_id"
        " OR NEW.device_id IS DISTINCT FROM OLD.device_id"
        " OR (OLD.lifted_at IS NOT NULL"
        " AND (NEW.lifted_by_id IS DISTINCT FROM OLD.lifted_by_id"
        " OR NEW.lift_asked_by_id IS DISTINCT FROM OLD.lift_asked_by_id))",
    ),
    Guard(
        "nguon_stop_lift_asked_before",
        "emergency_stop",
        "UPDATE",
        "emergency.same_person: a lift is asked first, then confirmed by another",
        "NEW.lifted_by_id IS NOT NULL AND OLD.lifted_by_id IS NULL"
        " AND (OLD.lift_asked_by_id IS NULL"
        " OR OLD.lift_asked_by_id <> NEW.lift_asked_by_id"
        " OR OLD.lift_asked_by_id = NEW.lifted_by_id)",
    ),
    Guard(
        "nguon_stop_born",
        "emergency_stop",
        "INSERT",
        "emergency.stop_immutable: a stop begins unlifted",
        "NEW.lifted_by_id IS NOT NULL OR NEW.lift_asked_by_id IS NOT NULL",
    ),
]
