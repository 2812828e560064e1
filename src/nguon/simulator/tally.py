"""What happened in the swarm, counted: when, on how many devices, with what end.

Moments are ms since 1970 with fractions, read from the machine's own clock when the
thing happened in this process, so that a benchmark on the same machine can subtract.
"""

import hashlib
from collections import Counter, OrderedDict
from typing import Any

_KEPT = 200
# A distribution's marks, as benchmarks print them.
_MARKS = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))


def distribution(values: list[float]) -> dict[str, float | int]:
    """Return p50, p95, p99, max and n of some numbers; empty numbers give n = 0."""
    ordered = sorted(values)
    if not ordered:
        return {"n": 0}
    last = len(ordered) - 1
    marks = {name: ordered[min(last, int(p * len(ordered)))] for name, p in _MARKS}
    return {**marks, "max": ordered[-1], "n": len(ordered)}


class Moments:
    """When something happened on each device, by the name of what happened."""

    __slots__ = ("at", "causes")

    def __init__(self) -> None:
        self.at: dict[str, list[float]] = {}
        self.causes: Counter[str] = Counter()

    def add(self, what: str, at: float) -> None:
        """Note one moment."""
        self.at.setdefault(what, []).append(at)

    def as_json(self) -> dict[str, Any]:
        """Return every moment, and the causes of not sounding."""
        return {**self.at, "causes": dict(self.causes)}

    def counts(self) -> dict[str, Any]:
        """Return how many there were of each."""
        counted = {what: len(moments) for what, moments in self.at.items()}
        return {**counted, "causes": dict(self.causes)}


class Tally:
    """Moments by item, by order (stop, lift, cancel) and by message; refusals."""

    def __init__(self) -> None:
        self.items: OrderedDict[str, Moments] = OrderedDict()
        self.orders: OrderedDict[str, Moments] = OrderedDict()
        self.arrivals: OrderedDict[tuple[bytes, bytes], list[float]] = OrderedDict()
        self.refusals: Counter[str] = Counter()

    def item(self, key: str) -> Moments:
        """Return the moments of an item."""
        return _entry(self.items, key)

    def order(self, key: str) -> Moments:
        """Return the moments of a stop, lift, cancel or command."""
        return _entry(self.orders, key)

    def arrived(self, topic: bytes, payload: bytes, at: float) -> None:
        """Note that a message came to a device, before anybody looked at it."""
        key = (topic, payload)
        found = self.arrivals.get(key)
        if found is None:
            found = self.arrivals[key] = []
            while len(self.arrivals) > _KEPT:
                self.arrivals.popitem(last=False)
        found.append(at)

    def arrivals_of(self, sha256: str, topic: str = "") -> list[float]:
        """Return when a message's bytes came, on one topic or on any."""
        found: list[float] = []
        for (name, payload), moments in self.arrivals.items():
            on_topic = not topic or name.decode() == topic
            if on_topic and hashlib.sha256(payload).hexdigest() == sha256:
                found += moments
        return found

    def forget(self) -> None:
        """Begin anew."""
        self.items.clear()
        self.orders.clear()
        self.arrivals.clear()
        self.refusals.clear()


def _entry(kept: OrderedDict[str, Moments], key: str) -> Moments:
    found = kept.get(key)
    if found is None:
        found = kept[key] = Moments()
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return found
