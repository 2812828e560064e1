"""The tables of reports; only `reports.actions` writes here."""

from nguon.reports.models.calls import Call, Mapping
from nguon.reports.models.issues import Issue, Section
from nguon.reports.models.payments import Payment
from nguon.reports.models.periods import (
    Answer,
    Field,
    Form,
    Period,
    Step,
    Submission,
    kind_choices,
    level_choices,
    ratio_choices,
    source_choices,
    state_choices,
    step_choices,
)
from nguon.reports.models.published import Publication, PublishedFigure
from nguon.reports.models.scores import ScoreLine, ScoreResult, ScoreSheet

__all__ = [
    "Answer",
    "Call",
    "Field",
    "Form",
    "Issue",
    "Mapping",
    "Payment",
    "Period",
    "Publication",
    "PublishedFigure",
    "ScoreLine",
    "ScoreResult",
    "ScoreSheet",
    "Section",
    "Step",
    "Submission",
    # Migrations name them by this path.
    "kind_choices",
    "level_choices",
    "ratio_choices",
    "source_choices",
    "state_choices",
    "step_choices",
]
