"""Tables of figures. Only `indicators.actions` writes here."""

from nguon.indicators.models.facts import (
    DayFact,
    FactDay,
    FactMonth,
    MonthFact,
    PeriodFigure,
)
from nguon.indicators.models.listening import (
    ListeningAnswer,
    ListeningPlace,
    ListeningRound,
)
from nguon.indicators.models.reported import ReportedFigure

__all__ = [
    "DayFact",
    "FactDay",
    "FactMonth",
    "ListeningAnswer",
    "ListeningPlace",
    "ListeningRound",
    "MonthFact",
    "PeriodFigure",
    "ReportedFigure",
]
