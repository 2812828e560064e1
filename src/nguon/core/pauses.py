"""How long to wait so that not all do the same at once."""

import random


def jitter(low: float, high: float) -> float:
    """Return a number between the two, in the unit of both."""
    return random.uniform(low, high)  # noqa: S311  (nothing secret about it)
