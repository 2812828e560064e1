"""A thread of its own with a database connection of its own.

Django's connections belong to threads. Each kind of work in the gateway has one
desk, so that storing a thousand events never holds up who may connect.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import Error, connections

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Runs blocking work one piece after the other, away from the event loop."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"gateway-{name}")

    async def run(
        self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a piece of work and return what it returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: _with_connection(work, *args, **kwargs)
        )

    def close(self) -> None:
        """Finish the piece at hand, close the connection and end the thread."""
        self._pool.submit(connections.close_all)
        self._pool.shutdown(wait=True)


def _with_connection(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return work(*args, **kwargs)
    except Error:
        # A database that went away leaves a dead connection behind: begin anew.
        connections.close_all()
        raise
