"""Every change to reports. Each is one transaction and leaves one line in the audit."""

from nguon.reports.actions.calls import (
    Target,
    answer_call,
    map_place,
    open_call,
    remind_calls,
    remove_call,
    unmap_place,
    withdraw_call,
)
from nguon.reports.actions.forms import add_field, create_form, remove_field
from nguon.reports.actions.issues import draft_sections, save_sections, take_issue
from nguon.reports.actions.payments import (
    Paper,
    import_payments,
    pay_person,
    pay_rest,
    withdraw_payment,
)
from nguon.reports.actions.periods import close_period, open_period, remind
from nguon.reports.actions.publications import publish_figures, withdraw_figures
from nguon.reports.actions.scores import (
    draft_sheet,
    publish_sheet,
    show_results,
    write_sheet,
)
from nguon.reports.actions.submissions import (
    accept,
    save_and_send,
    save_answers,
    send,
    send_back,
    unlock,
)

__all__ = [
    "Paper",
    "Target",
    "accept",
    "add_field",
    "answer_call",
    "close_period",
    "create_form",
    "draft_sections",
    "draft_sheet",
    "import_payments",
    "map_place",
    "open_call",
    "open_period",
    "pay_person",
    "pay_rest",
    "publish_figures",
    "publish_sheet",
    "remind",
    "remind_calls",
    "remove_call",
    "remove_field",
    "save_and_send",
    "save_answers",
    "save_sections",
    "send",
    "send_back",
    "show_results",
    "take_issue",
    "unlock",
    "unmap_place",
    "withdraw_call",
    "withdraw_figures",
    "withdraw_payment",
    "write_sheet",
]
