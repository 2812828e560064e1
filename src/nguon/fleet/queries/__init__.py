"""Reads about the fleet; nothing here writes.

`documents` what a device must hold, `devices` lists, maps and what sounds, `upkeep`
incidents and repairs.
"""

from nguon.fleet.queries.devices import (
    CommuneCount,
    Coverage,
    Spot,
    Wanted,
    count_audible,
    count_causes,
    count_communes,
    count_coverage,
    count_devices,
    filter_devices,
    is_audible,
    list_evidence,
    list_makes,
    list_signals,
    list_spots,
    order_devices,
    signals_of,
    vitals_of,
)
from nguon.fleet.queries.documents import (
    Held,
    get_media,
    list_flooding,
    list_held,
    list_states,
)
from nguon.fleet.queries.upkeep import (
    count_back,
    count_orders,
    filter_orders,
    find_labelled,
    is_overdue,
    list_faults_of,
    local_text,
    mean_time_to_repair,
    order_incidents,
)

__all__ = [
    "CommuneCount",
    "Coverage",
    "Held",
    "Spot",
    "Wanted",
    "count_audible",
    "count_back",
    "count_causes",
    "count_communes",
    "count_coverage",
    "count_devices",
    "count_orders",
    "filter_devices",
    "filter_orders",
    "find_labelled",
    "get_media",
    "is_audible",
    "is_overdue",
    "list_evidence",
    "list_faults_of",
    "list_flooding",
    "list_held",
    "list_makes",
    "list_signals",
    "list_spots",
    "list_states",
    "local_text",
    "mean_time_to_repair",
    "order_devices",
    "order_incidents",
    "signals_of",
    "vitals_of",
]
