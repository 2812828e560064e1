"""How the parts of this device wake each other: one event for each that waits."""

import asyncio
import contextlib


class Signals:
    """What is set to have a part take its next turn at once."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self.pull = asyncio.Event()
        self.fetch = asyncio.Event()
        self.send = asyncio.Event()
        self.beat = asyncio.Event()
        self.update = asyncio.Event()

    def changed(self) -> None:
        """Something changed: look again, and send what there is to tell."""
        self.wake.set()
        self.send.set()


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so long.

    Not `wait_for`: on Python 3.11 it may swallow a cancellation that comes together
    with the event, and then a task would never end.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
