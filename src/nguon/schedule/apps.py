"""Registers the schedule room and keeps its database guards in place."""

from django.apps import AppConfig

from nguon.audit import guards as audit_guards
from nguon.schedule import guards


class ScheduleConfig(AppConfig):
    """The schedule room; its guards are re-created after every migrate."""

    name = "nguon.schedule"

    def ready(self) -> None:
        """Hand the guards over."""
        audit_guards.register(self, guards.GUARDS)
