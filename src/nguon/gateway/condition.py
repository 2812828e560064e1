"""How the gateway is: for the operator's page, and as figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nguon.core.metrics import COUNTER, GAUGE, Metric, figure
from nguon.fleet.telltale import Condition

if TYPE_CHECKING:
    from nguon.gateway.broker import Bus
    from nguon.gateway.carrier import Carrier
    from nguon.gateway.events import Events
    from nguon.gateway.floods import Floods
    from nguon.gateway.presence import Presence
    from nguon.gateway.run import SignIns


@dataclass
class Parts:
    """What one connection to the bus is made of; `waiting` as last looked at."""

    bus: Bus
    carrier: Carrier
    presence: Presence
    events: Events
    sign_ins: SignIns
    floods: Floods
    waiting: int = 0


def condition(parts: Parts | None) -> Condition:
    """Say how a gateway is; without parts it has no bus now."""
    if parts is None or not parts.bus.devices.is_connected:
        return Condition(good=False, data={"bus": False})
    return Condition(
        good=True,
        data={
            "bus": True,
            "connected": parts.presence.connected_count,
            "waiting": parts.waiting,
            "stored": parts.events.stored,
            "aside": parts.events.aside,
            "floods": parts.floods.cut_off,
        },
    )


def figures(parts: Parts | None) -> list[Metric]:
    """Return the figures of a gateway since its bus came last."""
    how = condition(parts)
    found = [figure("nguon_bus_up", GAUGE, "1 while the bus is there.", how.good)]
    if parts is None:
        return found
    events, presence = parts.events, parts.presence
    sign_ins, floods, carrier = parts.sign_ins, parts.floods, parts.carrier
    rows = (
        ("devices_connected", GAUGE, "Devices on the bus.", presence.connected_count),
        ("events_waiting", GAUGE, "Messages not stored yet.", parts.waiting),
        ("events_stored_total", COUNTER, "Events stored.", events.stored),
        ("events_aside_total", COUNTER, "Events set aside.", events.aside),
        ("beats_total", COUNTER, "Beats heard.", presence.beats),
        ("beats_unreadable_total", COUNTER, "Beats dropped.", presence.unreadable),
        (
            "beat_hours_dropped_total",
            COUNTER,
            "Hours no memory was left for.",
            presence.hours_dropped,
        ),
        ("beats_odd_total", COUNTER, "Beats with a wrong field.", presence.wrong),
        ("sign_ins_total", COUNTER, "Sign-ins decided.", sign_ins.answered),
        ("sign_ins_refused_total", COUNTER, "Sign-ins refused.", sign_ins.refused),
        ("floods_total", COUNTER, "Devices cut off for a flood.", floods.cut_off),
        ("flood_messages_total", COUNTER, "Messages of floods.", floods.dropped),
        ("outbox_sent_total", COUNTER, "Messages carried.", carrier.sent),
        ("sent_again_total", COUNTER, "Documents sent again.", carrier.sent_again),
    )
    for name, kind, text, value in rows:
        found.append(figure(f"nguon_{name}", kind, text, value))
    return found
