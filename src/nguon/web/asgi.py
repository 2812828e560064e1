"""The ASGI application that uvicorn serves: officers first, devices in turn.

Every device asks for its state once a minute, and thousands ask at once after a
break. Threads of one Python process share one interpreter, so each further one that
computes makes an officer's approval wait; devices can wait, an approval may not.
"""

import asyncio
import gc
import os
import sys
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nguon.web.settings")

# A thread that computes hands the interpreter on after this; Python's own 5 ms, met
# at each of the forty queries of an approval, add up to a quarter of a second.
SWITCH_SECONDS = 0.0005
DEVICE_STATE = "/device/v1/state"


class DevicesInTurn:
    """Answers one device's question for its state after the other."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._turn = asyncio.Semaphore(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Let anything through at once, but a device's pull in its turn."""
        if scope.get("path") != DEVICE_STATE:
            await self._application(scope, receive, send)
            return
        await self._turn.acquire()
        held = True

        async def send_on(message: Any) -> None:
            # The work is done when the answer begins: a slow line holds up nobody.
            nonlocal held
            if held:
                held = False
                self._turn.release()
            await send(message)

        try:
            await self._application(scope, receive, send_on)
        finally:
            if held:
                self._turn.release()


sys.setswitchinterval(SWITCH_SECONDS)
application = DevicesInTurn(get_asgi_application())
# What has been loaded stays for good: the collector need not look through it again.
gc.freeze()
