"""How a device comes to belong: it asks, and waits until a person has let it in.

With the answer come the province's root key, pinned for good, and where the bus is.
"""

import asyncio
import logging
import platform
from collections.abc import Callable
from dataclasses import replace

from nguon import __version__
from nguon.agent.clock import Clock
from nguon.agent.identity import Home, Identity
from nguon.agent.server import Server, ServerRefusedError, ServerUnreachableError
from nguon.agent.signals import wait
from nguon.agent.store import Store
from nguon.core.errors import RefusedError
from nguon.core.pauses import jitter

log = logging.getLogger(__name__)

_ENROL_S = 3.0


class NotAcceptedError(RefusedError):
    """The enrolment was rejected, or taken back."""


class Joiner:
    """Asks the server where the enrolment stands, and keeps what it answers."""

    def __init__(
        self,
        *,
        home: Home,
        store: Store,
        clock: Clock,
        server: Server,
        feed: Callable[[], None],
    ) -> None:
        self.identity = home.identity()
        self._home = home
        self._store = store
        self._clock = clock
        self._server = server
        self._feed = feed

    async def until_enrolled(self, ending: asyncio.Event) -> bool:
        """Wait until a person has let this device in; say whether that happened.

        Raises NotAcceptedError, ForeignRootError.
        """
        self._server.device = self.identity.device
        if self.identity.root and self._store.fact("joined_at"):
            return True
        while not ending.is_set():
            self._feed()
            try:
                if await self._ask_enrolment():
                    self._store.remember(joined_at=self._clock.now())
                    return True
            except ServerUnreachableError:
                log.info("enrolment: the server does not answer")
            except ServerRefusedError as error:
                self._clock.hint(error.server_at or self._clock.now())
                log.info("enrolment: refused with %s", error.status)
            await wait(ending, jitter(_ENROL_S / 2, _ENROL_S))
        return False

    async def _ask_enrolment(self) -> bool:
        """Learn where the enrolment stands; pin the root key and note the bus."""
        answer = await asyncio.to_thread(self._server.enrolment)
        identity = self.identity.pinned(str(answer["root_key"]))
        bus = answer.get("bus") or {}
        identity = replace(
            identity,
            bus_host=str(bus.get("host", "")),
            bus_port=int(bus.get("port", 0)),
            bus_tls=bool(bus.get("tls", False)),
        )
        if identity != self.identity:
            self._home.write(identity)
            self.identity = identity
        if answer["state"] in {"rejected", "revoked"} and not self._store.fact(
            "joined_at"
        ):
            raise NotAcceptedError("agent.not_accepted", state=answer["state"])
        return bool(answer["state"] == "active")


async def enrol(home: Home, *, server: str, claim: str, kind: str) -> Identity:
    """Ask to be enrolled; asking again after a crash goes on with the same key."""
    identity = home.begin(Identity(server=server, claim=claim, kind=kind))
    if identity.device:
        return identity
    key = home.key()
    client = Server(server, key=key, clock=Clock())
    answer = await asyncio.to_thread(
        client.enrol,
        {
            "claim_code": identity.claim,
            "public_key": key.public.x,
            "kind": identity.kind,
            "make": "nguon",
            "model": f"agent {platform.machine()}",
            "version": __version__,
        },
    )
    identity = replace(identity, device=str(answer["device"]))
    home.write(identity)
    return identity
