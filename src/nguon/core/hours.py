"""What the plans that a device holds say together of hours, volumes and order.

One rule for the device, the virtual device and the server's preview: silence is added
up, whoever asks for it; of volumes and of the order the most local plan wins.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nguon.core.messages import Plan
from nguon.core.playout import Listener

Intervals = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Hours:
    """Quiet intervals, volumes (a later row wins) and the commune's order."""

    quiet: Intervals = ()
    volumes: tuple[tuple[int, int, int], ...] = ()
    order: tuple[str, ...] = ()


def gather(
    plans: Iterable[Plan], listener: Listener, *, urgent: Iterable[Intervals] = ()
) -> Hours:
    """Return the hours of one listener; `plans` stand with the most local first.

    `urgent` is the quiet hours that urgent documents bring.
    """
    held = list(plans)
    quiet = {interval for plan in held for interval in plan.quiet}
    quiet.update(interval for intervals in urgent for interval in intervals)
    volumes: list[tuple[int, int, int]] = []
    for plan in reversed(held):
        ours = [row for row in plan.local if listener.is_meant(row.audience)]
        quiet.update(interval for row in ours for interval in row.quiet)
        volumes.extend(plan.volumes)
        volumes.extend(volume for row in ours for volume in row.volumes)
    return Hours(
        quiet=tuple(sorted(quiet)),
        volumes=tuple(volumes),
        order=next((plan.order for plan in held if plan.order), ()),
    )


def local_first(plans: Iterable[Plan], units: Sequence[str]) -> list[Plan]:
    """Return the plans of a device's units: of its own first, then of those above."""
    of = {plan.unit: plan for plan in plans}
    return [of[uid] for uid in units if uid in of]
