"""Registers the audit, whose own table is the first one guarded."""

from django.apps import AppConfig

from nguon.audit import guards


class AuditConfig(AppConfig):
    """The audit; its records are never changed nor deleted."""

    name = "nguon.audit"

    def ready(self) -> None:
        """Hand the guards over."""
        guards.register(self, guards.append_only("audit_record", "audit.record"))
