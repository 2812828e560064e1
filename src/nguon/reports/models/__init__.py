"""The tables of reports; only `reports.actions` writes here."""

from nguon.reports.models.calls import Call, Mapping
from nguon.reports.models.issues import Issue, Section
from nguon.reports.models.periods import Answer, Field, Form, Period, Step, Submission

__all__ = [
    "Answer",
    "Call",
    "Field",
    "Form",
    "Issue",
    "Mapping",
    "Period",
    "Section",
    "Step",
    "Submission",
]
