"""Registers the emergency room and keeps its database guards in place."""

from django.apps import AppConfig

from nguon.audit import guards as audit_guards
from nguon.emergency import guards


class EmergencyConfig(AppConfig):
    """The emergency room; its guards are re-created after every migrate."""

    name = "nguon.emergency"

    def ready(self) -> None:
        """Hand the guards over."""
        audit_guards.register(self, guards.GUARDS)
