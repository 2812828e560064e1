"""Django's registration of indicators, and what their database refuses."""

from django.apps import AppConfig

from nguon.audit import guards

_SAME = " OR ".join(
    f"NEW.{column} <> OLD.{column}"
    for column in (
        "indicator", "unit_id", "first_date", "after_date", "above", "submission",
        "recorded_by_id", "recorded_at",
    )
)  # fmt: skip
GUARDS = (
    guards.Guard(
        "nguon_indicators_reported_update",
        "indicators_reportedfigure",
        "UPDATE",
        "indicators.reported_immutable: withdrawn once, never changed",
        f"OLD.withdrawn_at IS NOT NULL OR {_SAME}"
        " OR COALESCE(NEW.below, -1) <> COALESCE(OLD.below, -1)",
    ),
    guards.Guard(
        "nguon_indicators_reported_delete",
        "indicators_reportedfigure",
        "DELETE",
        "indicators.reported_immutable: never deleted",
    ),
)


class IndicatorsConfig(AppConfig):
    """Figures that are counted from the facts of the rooms below."""

    name = "nguon.indicators"

    def ready(self) -> None:
        """Register the guards."""
        guards.register(self, GUARDS)
