"""Every change to plans. Each is one transaction and leaves one line in the audit."""

from nguon.plan.actions.assignments import (
    assign,
    mark_read,
    report_done,
    send_back,
    tell,
    tell_late,
)
from nguon.plan.actions.carry import carry_over
from nguon.plan.actions.money import COLUMNS as TARGET_COLUMNS
from nguon.plan.actions.money import (
    Count,
    import_targets,
    record_spent,
    set_funding,
    set_running_cost,
    set_target,
)
from nguon.plan.actions.plans import (
    add_document,
    add_report_date,
    add_task,
    change_plan,
    close_plan,
    draft_plan,
    remove_document,
    remove_draft,
    remove_report_date,
    remove_task,
    send_plan,
)
from nguon.plan.actions.visits import (
    answer_finding,
    close_finding,
    record_visit,
    reopen_finding,
)

__all__ = [
    "TARGET_COLUMNS",
    "Count",
    "add_document",
    "add_report_date",
    "add_task",
    "answer_finding",
    "assign",
    "carry_over",
    "change_plan",
    "close_finding",
    "close_plan",
    "draft_plan",
    "import_targets",
    "mark_read",
    "record_spent",
    "record_visit",
    "remove_document",
    "remove_draft",
    "remove_report_date",
    "remove_task",
    "reopen_finding",
    "report_done",
    "send_back",
    "send_plan",
    "set_funding",
    "set_running_cost",
    "set_target",
    "tell",
    "tell_late",
]
