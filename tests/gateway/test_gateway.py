"""The gateway between a real NATS server and the database, with real MQTT clients."""

import asyncio
import contextlib
import json
import socket
import time
from datetime import UTC, datetime, timedelta

import aiomqtt
import nats
import pytest

from nguon.core.signing import SigningKey
from nguon.demo.processes import free_port
from nguon.fleet import actions, intake, telltale
from nguon.fleet.models import (
    BeatHour,
    DeviceEvent,
    Fault,
    Health,
    OutboxMessage,
    SignedDocument,
    StrayMessage,
)
from nguon.gateway import floods
from nguon.people.models import Officer
from nguon.territory.models import Unit
from tests.gateway.conftest import (
    Enrol,
    NatsServer,
    device,
    in_thread,
    running,
    until,
)

pytestmark = [
    pytest.mark.server,
    pytest.mark.django_db(transaction=True),
    # aiomqtt leaves a future unread when the server cuts a client off.
    pytest.mark.filterwarnings("default"),
]


def clock() -> datetime:
    return datetime.now(tz=UTC)


def ms() -> int:
    return round(time.time() * 1000)


def stop_document(unit: Unit, by: Officer) -> SignedDocument:
    at = clock()
    return actions.publish_urgent(
        kind="stop",
        unit=unit,
        body={"until": ms() + 60_000},
        use="emergency",
        not_after=at + timedelta(minutes=1),
        by=by,
        at=at,
    )


async def next_message(client: aiomqtt.Client, seconds: float = 5.0) -> aiomqtt.Message:
    async with asyncio.timeout(seconds):
        async for message in client.messages:
            return message
    raise AssertionError("no message")


async def leave(client: aiomqtt.Client) -> None:
    """Let go of a client that the server may have cut off."""
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


async def test_only_an_active_device_with_its_own_key_comes_in(
    nats_server: NatsServer, enrol: Enrol, village: Unit, tung: Officer
) -> None:
    speaker = await in_thread(enrol)(village)
    stranger = SigningKey.generate()

    async with running():
        async with speaker.client():
            await until(lambda: device(speaker.uid).connected)
        for client in (
            speaker.client(key=stranger),
            speaker.client(uid="aaaaaaaaaaaa"),
        ):
            with pytest.raises(aiomqtt.MqttError):
                await client.__aenter__()
        await until(lambda: not device(speaker.uid).connected)


async def test_a_device_hears_and_says_only_its_own(
    nats_server: NatsServer, enrol: Enrol, village: Unit, dak_doa: Unit
) -> None:
    mine = await in_thread(enrol)(village, "Loa 1")
    other = await in_thread(enrol)(village, "Loa 2")

    async with running(), mine.client() as client:
        granted = await client.subscribe(
            [
                (mine.topic("command"), 0),
                (mine.topic("ack"), 0),
                (f"nguon/v1/area/{village.uid}/alert", 0),
                (f"nguon/v1/area/{village.parent.parent.uid}/nudge", 0),
                (other.topic("command"), 0),
                (other.topic("event"), 0),
                (f"nguon/v1/area/{dak_doa.uid}/alert", 0),
                ("nguon/v1/device/+/ack", 0),
                ("#", 0),
            ]
        )
        assert [code.value < 128 for code in granted] == [True] * 4 + [False] * 5
        event = {"n": 1, "type": "birth", "at": ms(), "data": {}}
        forged = json.loads(other.batch(event))
        await client.publish(other.topic("event"), json.dumps(forged), qos=0)
        await client.publish(mine.topic("event"), mine.batch(event), qos=1)
        await until(DeviceEvent.objects.exists)
    stored = await in_thread(DeviceEvent.objects.select_related("device").get)()
    assert stored.device.uid == mine.uid


async def test_an_event_is_acknowledged_after_it_is_stored_and_only_once_stored(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)
    rows = [{"n": n, "type": "birth", "at": ms(), "data": {}} for n in (1, 2)]

    async with running(), speaker.client() as client:
        await client.subscribe(speaker.topic("ack"))
        for _ in range(2):
            await client.publish(speaker.topic("event"), speaker.batch(*rows), qos=1)
            message = await next_message(client)
            assert json.loads(message.payload) == {
                "v": 1,
                "log": "log1",
                "stored": [1, 2],
            }
            assert await in_thread(DeviceEvent.objects.count)() == 2

    assert (await in_thread(device)(speaker.uid)).last_heard_at is not None


async def test_a_broken_message_is_set_aside_and_the_next_goes_through(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)
    good = {"n": 3, "type": "birth", "at": ms(), "data": {}}
    newer = {"n": 4, "type": "teleported", "at": ms(), "data": {}}

    async with running(), speaker.client() as client:
        await client.subscribe(speaker.topic("ack"))
        await client.publish(speaker.topic("event"), b"\xff{not json", qos=1)
        await client.publish(speaker.topic("event"), speaker.batch(good, newer), qos=1)
        message = await next_message(client)

    assert json.loads(message.payload)["stored"] == [3, 4]
    assert await in_thread(StrayMessage.objects.count)() == 2
    assert await in_thread(DeviceEvent.objects.count)() == 1


async def test_an_urgent_document_is_on_the_bus_soon_after_its_commit(
    nats_server: NatsServer, enrol: Enrol, village: Unit, quan: Officer
) -> None:
    speaker = await in_thread(enrol)(village)
    delays = []

    async with running(), speaker.client() as client:
        await client.subscribe(f"nguon/v1/area/{village.uid}/alert")
        for _ in range(20):
            document = await in_thread(stop_document)(village, quan)
            committed = time.perf_counter()
            message = await next_message(client)
            delays.append(time.perf_counter() - committed)
            assert message.payload.decode() == document.jws
            await in_thread(DeviceEvent.objects.create)(
                device=await in_thread(device)(speaker.uid), log="x", n=document.pk,
                type="stopped", at=clock(), document=document.uid, stored_at=clock(),
            )  # fmt: skip
        await until(lambda: not OutboxMessage.objects.filter(sent_at=None).exists())

    assert sorted(delays)[10] < 0.1, delays


async def test_who_stays_silent_gets_an_urgent_document_again(
    nats_server: NatsServer, enrol: Enrol, village: Unit, quan: Officer
) -> None:
    deaf = await in_thread(enrol)(village, "Loa 1")
    fine = await in_thread(enrol)(village, "Loa 2")

    async with running(), deaf.client() as client, fine.client() as other:
        await client.subscribe(deaf.topic("command"))
        await other.subscribe(fine.topic("command"))
        await until(lambda: device(deaf.uid).connected and device(fine.uid).connected)
        document = await in_thread(stop_document)(village, quan)
        heard = {
            "n": 1, "type": "stopped", "at": ms(), "data": {"document": document.uid},
        }  # fmt: skip
        await other.publish(fine.topic("event"), fine.batch(heard), qos=1)
        message = await next_message(client, seconds=6)
        assert message.payload.decode() == document.jws
        with pytest.raises(TimeoutError):
            await next_message(other, seconds=0.3)


async def test_a_revoked_device_is_cut_off_at_once_and_stays_out(
    nats_server: NatsServer, enrol: Enrol, village: Unit, tung: Officer
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        client = await speaker.client().__aenter__()
        await until(lambda: device(speaker.uid).connected)
        row = await in_thread(device)(speaker.uid)
        began = time.perf_counter()
        await in_thread(actions.revoke_device)(device_id=row.pk, by=tung, at=clock())
        with pytest.raises(aiomqtt.MqttError):
            await next_message(client, seconds=3)
        assert time.perf_counter() - began < 2
        await leave(client)
        with pytest.raises(aiomqtt.MqttError):
            await speaker.client().__aenter__()


async def test_a_second_client_with_the_same_key_is_noted(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        first = speaker.client()
        await first.__aenter__()
        async with speaker.client():
            await until(lambda: DeviceEvent.objects.filter(type="clone").exists())
            assert (await in_thread(device)(speaker.uid)).connected
        await leave(first)


async def test_a_killed_bus_loses_nothing_and_the_gateway_finds_back(
    nats_server: NatsServer, enrol: Enrol, village: Unit, quan: Officer
) -> None:
    speaker = await in_thread(enrol)(village)
    event = {"n": 1, "type": "birth", "at": ms(), "data": {}}

    async with running():
        nats_server.kill()
        document = await in_thread(stop_document)(village, quan)
        await asyncio.to_thread(nats_server.start)
        await until(
            lambda: OutboxMessage.objects.filter(sent_at__isnull=False).exists()
        )
        async with asyncio.timeout(15):
            while True:
                try:
                    client = await speaker.client().__aenter__()
                    break
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.2)
        await client.subscribe(speaker.topic("ack"))
        await client.publish(speaker.topic("event"), speaker.batch(event), qos=1)
        message = await next_message(client, seconds=15)
        assert json.loads(message.payload)["stored"] == [1]
        await client.__aexit__(None, None, None)
    assert document.seq == 1


async def test_events_wait_in_the_stream_while_no_gateway_runs(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)
    event = {"n": 7, "type": "birth", "at": ms(), "data": {}}

    async with running(), speaker.client() as client:
        await client.publish(speaker.topic("event"), speaker.batch(event), qos=1)
        await until(lambda: DeviceEvent.objects.filter(n=7).exists())
        client_left = client
        held = client_left
        await held.publish(
            speaker.topic("event"), speaker.batch({**event, "n": 8}), qos=1
        )
    nats_server.kill()
    await asyncio.to_thread(nats_server.start)
    async with running():
        await until(lambda: DeviceEvent.objects.filter(n=8).exists(), seconds=20)
    assert await in_thread(DeviceEvent.objects.count)() == 2


async def test_a_broken_line_is_a_known_fault_within_five_seconds(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        client = await speaker.client().__aenter__()
        told = {"v": 1, "device": speaker.uid, "at": ms(), "line": "ok"}
        odd = {**told, "temperature_c": "nóng", "volume": 70}
        for body in (b"\xff", json.dumps({**told, "device": "x"}), json.dumps(odd)):
            await client.publish(speaker.topic("beat"), body)
        await until(lambda: Health.objects.filter(volume=70).exists())
        row = await in_thread(Health.objects.get)()
        assert (row.line, row.wrong) == ("ok", "temperature_c")
        await until(lambda: BeatHour.objects.filter(heard__gt=0).exists())
        # As a power cut: the socket breaks without a word of MQTT.
        client._client.socket().shutdown(socket.SHUT_RDWR)
        cut = time.monotonic()

        def known() -> bool:
            actions.examine_fleet(at=clock())
            return Fault.objects.filter(cause="lost", closed_at=None).exists()

        await until(known)
        assert time.monotonic() - cut < 3
        await leave(client)
        async with speaker.client():
            await until(lambda: not known())


async def test_devices_are_given_time_to_return_after_the_bus_was_away(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        client = await speaker.client().__aenter__()
        await until(lambda: device(speaker.uid).connected)
        nats_server.kill()
        await asyncio.to_thread(nats_server.start)
        await leave(client)
        async with asyncio.timeout(15):
            while True:
                try:
                    client = await speaker.client().__aenter__()
                    break
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.2)
        await in_thread(actions.examine_fleet)(at=clock())
        assert not await in_thread(Fault.objects.exists)()
        await client.__aexit__(None, None, None)


async def test_a_flood_is_counted_and_cut_off_and_harms_nobody_else(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    mad, sane = await in_thread(enrol)(village), await in_thread(enrol)(village)

    def event(n: int) -> dict[str, object]:
        return {"n": n, "type": "birth", "at": ms(), "data": {}}

    async def pour(client: aiomqtt.Client) -> int:
        sent = 0
        with contextlib.suppress(aiomqtt.MqttError):
            while sent < 20_000:
                for _number in range(10):
                    sent += 1
                    text = mad.batch(event(sent))
                    await client.publish(mad.topic("event"), text, qos=0)
                await asyncio.sleep(0.01)
        return sent

    async with running():
        flooder = await mad.client().__aenter__()
        async with sane.client() as quiet:
            await quiet.subscribe(sane.topic("ack"))
            poured = time.monotonic()
            pouring = asyncio.create_task(pour(flooder))
            await until(lambda: DeviceEvent.objects.filter(type="flood").exists())
            sent = await asyncio.wait_for(pouring, 10)
            lasted = time.monotonic() - poured
            began = time.perf_counter()
            await quiet.publish(sane.topic("event"), sane.batch(event(1)), qos=1)
            told = await next_message(quiet)
            assert json.loads(told.payload)["stored"] == [1]
            assert time.perf_counter() - began < 2
        await leave(flooder)
        with pytest.raises(aiomqtt.MqttError):
            await mad.client().__aenter__()
        await until(lambda: not device(mad.uid).connected)

    def stored() -> int:
        return DeviceEvent.objects.filter(device__uid=mad.uid, type="birth").count()

    assert sent < 20_000
    assert await in_thread(stored)() <= floods.BURST + floods.PER_SECOND * lasted


async def test_a_flood_of_beats_is_cut_off_too(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    mad = await in_thread(enrol)(village)

    async with running():
        client = await mad.client().__aenter__()
        with contextlib.suppress(aiomqtt.MqttError):
            for _number in range(400):
                await client.publish(mad.topic("beat"), b"x" * 100, qos=0)
        await until(lambda: DeviceEvent.objects.filter(type="flood").exists())
        await leave(client)


async def test_a_backlog_taken_long_ago_is_no_flood(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)
    rows = [{"n": n, "type": "birth", "at": ms(), "data": {}} for n in range(1, 401)]

    async with running():
        pass  # makes the stream
    bus = await nats.connect(nats_server.url, nkeys_seed_str=nats_server.seed)
    subject = speaker.topic("event").replace("/", ".")
    for number, row in enumerate(rows):
        await bus.publish(subject, speaker.batch(row).encode())
        if number % 50 == 49:
            await asyncio.sleep(1.5)  # as slowly as a day would, for the limit
    await bus.close()
    async with running():
        await until(lambda: DeviceEvent.objects.filter(type="birth").count() == 400)

    def flooded() -> bool:
        return DeviceEvent.objects.filter(type="flood").exists()

    assert not await in_thread(flooded)()


async def test_both_places_of_a_cloned_key_are_told(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        first = await speaker.client().__aenter__()
        async with speaker.client(host="127.0.0.2"):
            await until(lambda: DeviceEvent.objects.filter(type="clone").exists())
        await leave(first)

    def clone() -> dict[str, str]:
        return dict(DeviceEvent.objects.get(type="clone").data)

    told = await in_thread(clone)()
    assert (told["host"], told["other_host"]) == ("127.0.0.1", "127.0.0.2")
    assert told["since"]


async def test_a_message_beyond_the_limit_never_comes_in(
    nats_server: NatsServer, enrol: Enrol, village: Unit
) -> None:
    speaker = await in_thread(enrol)(village)

    async with running():
        client = await speaker.client().__aenter__()
        await until(lambda: device(speaker.uid).connected)
        with contextlib.suppress(aiomqtt.MqttError):
            payload = b"x" * (intake.MAX_BYTES + 1)
            await client.publish(speaker.topic("event"), payload, qos=0)
            await next_message(client, seconds=3)
        await until(lambda: not device(speaker.uid).connected)
        await leave(client)

    assert not await in_thread(StrayMessage.objects.exists)()


async def test_the_gateway_tells_how_it_is(
    nats_server: NatsServer, enrol: Enrol, village: Unit, settings: object
) -> None:
    speaker = await in_thread(enrol)(village)
    address = f"127.0.0.1:{free_port()}"
    settings.GATEWAY_HEALTH = address  # type: ignore[attr-defined]

    async with running():
        async with speaker.client():
            await until(lambda: device(speaker.uid).connected)
            well = await asyncio.to_thread(telltale.ask, address)
        nats_server.kill()
        async with asyncio.timeout(10):
            while (ill := await asyncio.to_thread(telltale.ask, address)) == well:
                await asyncio.sleep(0.05)
            while ill is None or ill.good:
                ill = await asyncio.to_thread(telltale.ask, address)

    assert well is not None
    assert (well.good, well.data["connected"]) == (True, 1)
    assert ill.data == {"bus": False}
