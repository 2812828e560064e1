"""Registers the newsroom and keeps its database guards in place."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate

from nguon.newsroom import guards


class NewsroomConfig(AppConfig):
    """The newsroom; its guards are re-created after every migrate."""

    name = "nguon.newsroom"

    def ready(self) -> None:
        """Lift the guards before a migration and put them back after it."""
        pre_migrate.connect(guards.lift_before_migrate, sender=self)
        post_migrate.connect(guards.set_after_migrate, sender=self)
