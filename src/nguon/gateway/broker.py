"""The bus as the gateway sees it; the only file that knows the NATS library.

Three connections: the devices' traffic, the decisions who may connect, and the
system account. Each finds its way back by itself when the server was away.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    ExternalStream,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamSource,
)
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from nguon.gateway.nats_config import ACCOUNT, EVENTS, Seeds

logger = logging.getLogger(__name__)

STREAM, CONSUMER = "EVENTS", "gateway"
BEATS = "nguon.v1.device.*.beat"
SIGN_INS = "$SYS.REQ.USER.AUTH"
CONNECTS = f"$SYS.ACCOUNT.{ACCOUNT}.CONNECT"
DISCONNECTS = f"$SYS.ACCOUNT.{ACCOUNT}.DISCONNECT"
MAX_STREAM_BYTES = 4 * 1024**3
# At a leaf, and of what came from it: so long a break, and so much, is bridged.
LEAF_SECONDS, LEAF_BYTES = 7 * 24 * 3600.0, 1024**3
MAX_WAITING = 20_000
# A gateway that died with events in its hands gives them back after this.
ACK_WAIT_SECONDS = 15.0
ASK_SECONDS = 2.0
# Servers answer a question to all of them within this after the one before.
ANSWER_SECONDS = 0.4

Receive = Callable[[Msg], Awaitable[None]]

__all__ = ["Bus", "BusAwayError", "Msg", "connect"]


class BusAwayError(ConnectionError):
    """The NATS server cannot be reached now; trying again helps."""


@dataclass(frozen=True)
class Connection:
    """One device's connection, as the NATS server tells it."""

    uid: str
    server: str
    number: int
    host: str
    since: str


@dataclass
class Bus:
    """The three connections of one gateway."""

    devices: Client
    decisions: Client
    system: Client

    async def publish(self, subject: str, payload: bytes) -> None:
        """Hand one message to the connection. Raises BusAwayError."""
        try:
            await self.devices.publish(subject, payload)
        except NatsError as error:
            raise BusAwayError(str(error)) from error

    async def flush(self) -> None:
        """Wait until the server has what was published. Raises BusAwayError."""
        if not self.devices.is_connected:
            raise BusAwayError("not connected")
        try:
            await self.devices.flush(timeout=int(ASK_SECONDS))
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error

    async def take_sign_ins(self, receive: Receive) -> None:
        """Be asked who may connect; several gateways share the questions.

        This server asks in one account, leaf nodes in the system's.
        """
        for client in (self.decisions, self.system):
            await client.subscribe(SIGN_INS, queue="gateway", cb=receive)
            await client.flush()

    async def hear_connections(self, connected: Receive, gone: Receive) -> None:
        """Hear of every device that connects or goes."""
        await self.system.subscribe(CONNECTS, cb=connected)
        await self.system.subscribe(DISCONNECTS, cb=gone)
        await self.system.flush()

    async def hear_beats(self, receive: Receive) -> None:
        """Hear the devices' beats."""
        await self.devices.subscribe(BEATS, cb=receive)
        await self.devices.flush()

    async def take_events(self, receive: Receive) -> None:
        """Be given events until each is acknowledged; makes the stream if absent.

        Raises BusAwayError.
        """
        try:
            await self._take_events(receive)
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error

    async def _take_events(self, receive: Receive) -> None:
        wanted = StreamConfig(
            name=STREAM,
            subjects=[EVENTS],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_bytes=MAX_STREAM_BYTES,
        )
        await _make(self.devices.jetstream(), wanted)
        await self._consume(STREAM, receive)

    async def take_leaf_events(self, leaf: str, receive: Receive) -> None:
        """Be given the events that a leaf keeps, as soon as its link is there.

        Raises BusAwayError.
        """
        source = StreamSource(
            name=STREAM, external=ExternalStream(api=f"$JS.leaf-{leaf}.API", deliver="")
        )
        wanted = StreamConfig(
            name=leaf_stream(leaf),
            sources=[source],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=LEAF_SECONDS,
            max_bytes=LEAF_BYTES,
        )
        try:
            await _make(self.devices.jetstream(), wanted)
            await self._consume(leaf_stream(leaf), receive)
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error

    async def make_leaf_stream(self, leaf: str) -> None:
        """Make the stream at a leaf in which its devices' events wait for us.

        Raises BusAwayError, also while the link to the leaf is cut.
        """
        wanted = StreamConfig(
            name=STREAM,
            subjects=[EVENTS],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_age=LEAF_SECONDS,
            max_bytes=LEAF_BYTES,
        )
        try:
            await _make(self.devices.jetstream(domain=f"leaf-{leaf}"), wanted)
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error

    async def _consume(self, name: str, receive: Receive) -> None:
        await self.devices.jetstream().subscribe(
            EVENTS,
            queue=CONSUMER,
            durable=CONSUMER,
            stream=name,
            cb=receive,
            manual_ack=True,
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=ACK_WAIT_SECONDS,
                max_ack_pending=MAX_WAITING,
            ),
        )

    async def count_waiting(self, leaves: Collection[str] = ()) -> int:
        """Return how many events are here and not stored yet. Raises BusAwayError."""
        stream, waiting = self.devices.jetstream(), 0
        try:
            for name in (STREAM, *map(leaf_stream, leaves)):
                info = await stream.consumer_info(name, CONSUMER)
                waiting += (info.num_pending or 0) + (info.num_ack_pending or 0)
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error
        return waiting

    async def has_consumer(self) -> bool:
        """Say whether the stream still hands us events. Raises BusAwayError."""
        try:
            await self.devices.jetstream().consumer_info(STREAM, CONSUMER)
        except NotFoundError:
            return False
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error
        return True

    async def list_connections(self, device: str = "") -> list[Connection]:
        """Return who is connected. Raises BusAwayError."""
        return [row async for row in self._find_connections(device)]

    async def _find_connections(self, device: str) -> AsyncIterator[Connection]:
        """Yield connections, server after server, as each answers."""
        asked: dict[str, Any] = {"acc": ACCOUNT, "offset": 0, "limit": 1024}
        if device:
            asked["mqtt_client"] = device
        async for answer in self._ask_all("$SYS.REQ.SERVER.PING.CONNZ", asked):
            server = answer["server"]["id"]
            offset = 0
            while True:
                rows = answer["data"].get("connections") or []
                for row in rows:
                    if row.get("mqtt_client"):
                        yield _connection(server, row)
                offset += len(rows)
                if not rows or offset >= answer["data"].get("total", 0):
                    break
                page = {**asked, "offset": offset}
                answer = await self._ask(f"$SYS.REQ.SERVER.{server}.CONNZ", page)

    async def kick(self, device: str) -> int:
        """Cut every connection of a device; return how many. Raises BusAwayError."""
        count = 0
        async for row in self._find_connections(device):
            await self._ask(f"$SYS.REQ.SERVER.{row.server}.KICK", {"cid": row.number})
            count += 1
        return count

    async def _ask_all(
        self, subject: str, asked: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """Ask every server of the bus; yield each answer as it comes.

        Raises BusAwayError when none answers.
        """
        try:
            inbox = self.system.new_inbox()
            answers = await self.system.subscribe(inbox)
            data = json.dumps(asked).encode("ascii")
            await self.system.publish(subject, data, reply=inbox)
            patience = ASK_SECONDS
            try:
                while True:
                    message = await answers.next_msg(timeout=patience)
                    patience = ANSWER_SECONDS
                    found: dict[str, Any] = json.loads(message.data)
                    yield found
            finally:
                await answers.unsubscribe()
        except TimeoutError as error:
            if patience == ASK_SECONDS:
                raise BusAwayError(str(error)) from error
        except (NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error

    async def _ask(self, subject: str, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await self.system.request(
                subject, json.dumps(asked).encode("ascii"), timeout=ASK_SECONDS
            )
        except (TimeoutError, NatsError, OSError) as error:
            raise BusAwayError(str(error)) from error
        found: dict[str, Any] = json.loads(answer.data)
        return found


def leaf_stream(leaf: str) -> str:
    """Return the name of the stream that sources a leaf's events."""
    return f"{STREAM}_{leaf}"


async def _make(stream: JetStreamContext, wanted: StreamConfig) -> None:
    """Make a stream unless it is there."""
    try:
        await stream.stream_info(str(wanted.name))
    except NotFoundError:
        await stream.add_stream(wanted)


def _connection(server: str, row: dict[str, Any]) -> Connection:
    return Connection(
        uid=row["mqtt_client"],
        server=server,
        number=row["cid"],
        host=str(row.get("ip", ""))[:60],
        since=str(row.get("start", ""))[:40],
    )


@asynccontextmanager
async def connect(
    url: str, seeds: Seeds, *, returned: Callable[[], None]
) -> AsyncIterator[Bus]:
    """Connect three times, and close at the end.

    `returned` is called when the devices' connection has come back after a break.
    Raises BusAwayError when the server cannot be reached now.
    """
    clients: list[Client] = []

    async def noted(error: Exception) -> None:
        logger.warning("The bus said: %s", error)

    async def back() -> None:
        returned()

    async def client(seed: str, name: str) -> Client:
        made = await nats.connect(
            url,
            name=name,
            nkeys_seed_str=seed,
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            # Before the devices: who asks while nobody decides waits for nothing.
            reconnect_time_wait=0.1,
            connect_timeout=2,
            ping_interval=10,
            error_cb=noted,
            reconnected_cb=back if name == "nguon-gateway" else None,
            pending_size=16 * 1024 * 1024,
        )
        clients.append(made)
        return made

    try:
        async with asyncio.timeout(5):
            bus = Bus(
                devices=await client(seeds.gateway, "nguon-gateway"),
                decisions=await client(seeds.auth, "nguon-gateway-auth"),
                system=await client(seeds.system, "nguon-gateway-system"),
            )
    except (NatsError, OSError, TimeoutError) as error:
        for made in clients:
            await made.close()
        raise BusAwayError(f"{url}: {error}") from error
    try:
        yield bus
    finally:
        for made in clients:
            await made.close()
