"""Registers the schedule room and keeps its database guards in place."""

from datetime import date
from importlib import import_module

from django.apps import AppConfig

from nguon.audit import guards as audit_guards
from nguon.audit import months
from nguon.schedule import guards


def _settle(month: date) -> None:
    """Count the days of a month for good; models exist only after `ready`."""
    import_module("nguon.schedule.actions").settle_month(month=month)


class ScheduleConfig(AppConfig):
    """The schedule room; its guards are re-created after every migrate."""

    name = "nguon.schedule"

    def ready(self) -> None:
        """Hand the guards over, and say what is kept by month."""
        audit_guards.register(self, guards.GUARDS)
        months.register(
            months.Kept(
                "schedule.PlayRecord", "planned_at", fill=75, before_archive=_settle
            )
        )
