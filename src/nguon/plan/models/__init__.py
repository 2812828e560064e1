"""The tables of plans; only `plan.actions` writes here."""

from nguon.plan.models.plans import ActionPlan, PlanDocument, ReportDate, Task
from nguon.plan.models.tasks import Assignment, Progress

__all__ = [
    "ActionPlan",
    "Assignment",
    "PlanDocument",
    "Progress",
    "ReportDate",
    "Task",
]
