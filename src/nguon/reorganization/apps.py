"""Django's registration of merges, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards

GUARDS = (
    guards.Guard(
        "nguon_reorganization_moved_kept",
        "reorganization_moved",
        "DELETE",
        "reorganization.moved_kept: what moved is never forgotten",
    ),
    guards.Guard(
        "nguon_reorganization_moved_fixed",
        "reorganization_moved",
        "UPDATE",
        "reorganization.moved_kept: what moved, from where to where, stays",
        "NEW.merge_id <> OLD.merge_id OR NEW.kind <> OLD.kind OR NEW.key <> OLD.key"
        " OR NEW.old_id <> OLD.old_id OR NEW.new_id <> OLD.new_id"
        " OR NEW.made IS DISTINCT FROM OLD.made"
        " OR (OLD.undone_at IS NOT NULL"
        " AND NEW.undone_at IS DISTINCT FROM OLD.undone_at)",
    ),
    guards.Guard(
        "nguon_reorganization_merge_over",
        "reorganization_merge",
        "UPDATE",
        "reorganization.over: an undone or confirmed merge stays as it is",
        "OLD.state IN ('undone', 'confirmed') OR (OLD.state = 'run'"
        " AND NEW.state = 'drafted')",
    ),
)


class ReorganizationConfig(AppConfig):
    """Merges; guards are set again after every migrate."""

    name = "nguon.reorganization"

    def ready(self) -> None:
        """Register the guards."""
        guards.register(self, GUARDS)
