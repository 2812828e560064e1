"""Who is due when: a heap of moments in which the latest word counts."""

import heapq


class Agenda:
    """Numbers with a due moment each; setting it again replaces the old one."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._due: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, number: int) -> bool:
        return number in self._due

    def set(self, number: int, at: float) -> None:
        """Make a number due at a moment, whatever was set before."""
        if self._due.get(number) != at:
            self._due[number] = at
            heapq.heappush(self._heap, (at, number))

    def sooner(self, number: int, at: float) -> None:
        """Make a number due at a moment unless it is due before."""
        if at < self._due.get(number, float("inf")):
            self.set(number, at)

    def drop(self, number: int) -> None:
        """Forget a number."""
        self._due.pop(number, None)

    def next(self) -> float:
        """Return the earliest moment, or infinity."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else float("inf")

    def take(self, at: float, limit: int = 1_000_000) -> list[int]:
        """Return and forget the numbers due by `at`, earliest first."""
        found: list[int] = []
        while len(found) < limit and self.next() <= at:
            _moment, number = heapq.heappop(self._heap)
            del self._due[number]
            found.append(number)
        return found
