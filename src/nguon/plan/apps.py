"""Django's registration of plans, what their database refuses, what they tell."""

from django.apps import AppConfig

from nguon.audit import guards
from nguon.indicators import told

SENT = (
    "EXISTS (SELECT 1 FROM plan_actionplan p WHERE p.id = OLD.plan_id"
    " AND p.state <> 'draft')"
)
OUTSIDE = (
    "EXISTS (SELECT 1 FROM plan_actionplan p WHERE p.id = NEW.plan_id"
    " AND (NEW.last_date > p.last_date OR NEW.last_date < p.first_date))"
)
MOVED = "(OLD.last_date IS NULL OR NEW.last_date <> OLD.last_date)"
GUARDS = (
    *guards.append_only("plan_progress", "plan.progress"),
    *guards.append_only("plan_visit", "plan.visit"),
    *guards.append_only("plan_findingstep", "plan.finding_step"),
    guards.Guard(
        "nguon_plan_task_fixed",
        "plan_task",
        "UPDATE",
        "plan.task_immutable: a task that was sent down stays as it was signed",
        f"{SENT} AND (NEW.plan_id <> OLD.plan_id OR NEW.number <> OLD.number"
        " OR NEW.title <> OLD.title OR NEW.product <> OLD.product"
        " OR NEW.lead <> OLD.lead)",
    ),
    guards.Guard(
        "nguon_plan_task_kept",
        "plan_task",
        "DELETE",
        "plan.task_immutable: a task that was sent down is not deleted",
        SENT,
    ),
    guards.Guard(
        "nguon_plan_task_within",
        "plan_task",
        "INSERT",
        "plan.task_outside: a task ends within its plan",
        OUTSIDE,
    ),
    guards.Guard(
        "nguon_plan_task_stays_within",
        "plan_task",
        "UPDATE",
        "plan.task_outside: a task ends within its plan",
        f"{MOVED} AND {OUTSIDE}",
    ),
    guards.Guard(
        "nguon_plan_holds_tasks",
        "plan_actionplan",
        "UPDATE",
        "plan.tasks_outside: a plan lasts as long as its tasks",
        "(NEW.first_date <> OLD.first_date OR NEW.last_date <> OLD.last_date)"
        " AND EXISTS (SELECT 1 FROM plan_task t WHERE t.plan_id = NEW.id"
        " AND (t.last_date > NEW.last_date OR t.last_date < NEW.first_date))",
    ),
    guards.Guard(
        "nguon_plan_kept",
        "plan_actionplan",
        "DELETE",
        "plan.sent: a plan that was sent down is not deleted",
        "OLD.state <> 'draft'",
    ),
    guards.Guard(
        "nguon_plan_spent_kept",
        "plan_fundingline",
        "DELETE",
        "plan.draft_spent: money that was spent is not deleted",
        "OLD.spent > 0",
    ),
    guards.Guard(
        "nguon_plan_assignment_fixed",
        "plan_assignment",
        "UPDATE",
        "plan.assignment_immutable: what was given to whom stays",
        f"{SENT} AND (NEW.plan_id <> OLD.plan_id OR NEW.unit_id <> OLD.unit_id)",
    ),
    guards.Guard(
        "nguon_plan_assignment_done",
        "plan_assignment",
        "UPDATE",
        "plan.evidence_missing: done needs evidence",
        "NEW.done_at IS NOT NULL AND OLD.done_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM plan_progress g WHERE g.assignment_id = NEW.id"
        " AND g.kind = 'done' AND g.at = NEW.done_at)",
    ),
)


class PlanConfig(AppConfig):
    """Plans; guards are set again after every migrate."""

    name = "nguon.plan"

    def ready(self) -> None:
        """Register the guards, and the running costs that a figure is made of."""
        from nguon.plan.money_queries import count_running_costs

        guards.register(self, GUARDS)
        costs = told.Source(
            words="đồng chi chạy đài và cụm loa trong năm",
            missing="Đếm từ chi phí chạy trong Kế hoạch; địa bàn này chưa ghi.",
            page="plan:plans",
            read=count_running_costs,
        )
        told.register(told.RUNNING_COST, costs)
