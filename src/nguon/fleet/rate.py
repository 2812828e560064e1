"""Limits how often somebody may ask, per key and process; the edge gives the clock."""

from threading import Lock

MAX_KEYS = 50_000


class Bucket:
    """A bucket per key: `burst` at once, then `rate` per second (token bucket)."""

    def __init__(self, *, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = burst
        self._lock = Lock()
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, key: str, *, at: float, cost: float = 1.0) -> bool:
        """Take from the key's bucket; say whether there was enough in it."""
        with self._lock:
            level = self._level(key, at)
            if level < cost:
                self._held[key] = (level, at)
                return False
            if len(self._held) >= MAX_KEYS:
                self._held.clear()
            self._held[key] = (level - cost, at)
            return True

    def is_empty(self, key: str, *, at: float) -> bool:
        """Say whether nothing could be taken now."""
        with self._lock:
            return self._level(key, at) < 1.0

    def _level(self, key: str, at: float) -> float:
        level, since = self._held.get(key, (float(self.burst), at))
        return min(float(self.burst), level + max(0.0, at - since) * self.rate)
