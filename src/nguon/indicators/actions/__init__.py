"""Every change to what the room of figures keeps."""

from nguon.indicators.actions.facts import (
    LATE_DAYS,
    SETTLED,
    add_up_month,
    count_day,
    roll_facts,
)
from nguon.indicators.actions.figures import count_period, roll_figures
from nguon.indicators.actions.listening import (
    draw_round,
    drop_round,
    end_due,
    end_round,
    tell,
)
from nguon.indicators.actions.reported import record_reported, withdraw_reported

__all__ = [
    "LATE_DAYS",
    "SETTLED",
    "add_up_month",
    "count_day",
    "count_period",
    "draw_round",
    "drop_round",
    "end_due",
    "end_round",
    "record_reported",
    "roll_facts",
    "roll_figures",
    "tell",
    "withdraw_reported",
]
