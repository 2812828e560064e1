"""Every change to reports. Each is one transaction and leaves one line in the audit."""

from nguon.reports.actions.forms import add_field, create_form, remove_field
from nguon.reports.actions.periods import close_period, open_period, remind
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
    "open_period",
    "remind",
    "remove_field",
    "save_answers",
    "send",
    "send_back",
    "unlock",
]
