"""Registers the newsroom and keeps its database guards in place."""

from django.apps import AppConfig

from nguon.audit import guards as audit_guards
from nguon.newsroom import guards


class NewsroomConfig(AppConfig):
    """The newsroom; its guards are re-created after every migrate."""

    name = "nguon.newsroom"

    def ready(self) -> None:
        """Hand the guards over."""
        audit_guards.register(self, guards.GUARDS)
