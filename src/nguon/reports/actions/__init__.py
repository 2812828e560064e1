"""Every change to reports. Each is one transaction and leaves one line in the audit."""

from nguon.reports.actions.forms import add_field, create_form, remove_field
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
    save_answers,
    send,
    send_back,
    unlock,
)

__all__ = [
    "accept",
    "add_field",
    "close_period",
    "create_form",
    "draft_sheet",
    "open_period",
    "publish_figures",
    "publish_sheet",
    "remind",
    "remove_field",
    "save_answers",
    "send",
    "send_back",
    "show_results",
    "unlock",
    "withdraw_figures",
    "write_sheet",
]
