"""The tables of plans; only `plan.actions` writes here."""

from nguon.plan.models.money import FundingLine, RunningCost, Target
from nguon.plan.models.plans import ActionPlan, PlanDocument, ReportDate, Task
from nguon.plan.models.tasks import Assignment, Progress
from nguon.plan.models.visits import Finding, FindingStep, Visit

__all__ = [
    "ActionPlan",
    "Assignment",
    "Finding",
    "FindingStep",
    "FundingLine",
    "PlanDocument",
    "Progress",
    "ReportDate",
    "RunningCost",
    "Target",
    "Task",
    "Visit",
]
