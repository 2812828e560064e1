"""MQTT packets survive the way through bytes, however the stream is cut."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nguon.simulator import mqtt

texts = st.text(st.characters(codec="utf-8"), max_size=40)
numbers = st.integers(1, 0xFFFF)
packets = st.one_of(
    st.builds(mqtt.Connect, texts, texts, texts, st.integers(0, 0xFFFF)),
    st.builds(mqtt.Connack, st.integers(0, 5)),
    st.builds(
        lambda topic, payload, packet: mqtt.Publish(
            topic.encode(), payload, 1 if packet else 0, packet
        ),
        texts,
        st.binary(max_size=20_000),
        st.integers(0, 0xFFFF),
    ),
    st.builds(mqtt.Puback, numbers),
    st.builds(
        mqtt.Subscribe, numbers, st.lists(texts, min_size=1, max_size=9).map(tuple)
    ),
    st.builds(
        mqtt.Suback,
        numbers,
        st.lists(st.sampled_from([0, 1, 2, 128]), max_size=9).map(tuple),
    ),
    st.builds(mqtt.Plain, st.sampled_from([12, 13, 14])),
)


def encode(packet: mqtt.Packet) -> bytes:
    match packet:
        case mqtt.Connect(client, username, password, keep_alive):
            return mqtt.encode_connect(
                client=client,
                username=username,
                password=password,
                keep_alive=keep_alive,
            )
        case mqtt.Connack(code):
            return mqtt.encode_connack(code)
        case mqtt.Publish(topic, payload, qos, number):
            return mqtt.encode_publish(
                topic=topic.decode(), payload=payload, qos=qos, packet=number
            )
        case mqtt.Puback(number):
            return mqtt.encode_puback(number)
        case mqtt.Subscribe(number, topics):
            return mqtt.encode_subscribe(packet=number, topics=topics)
        case mqtt.Suback(number, codes):
            return mqtt.encode_suback(packet=number, codes=codes)
        case mqtt.Plain(kind):
            return bytes((kind << 4, 0))


class Receiver:
    """A line whose packets are collected, and a transport that only remembers."""

    def __init__(self) -> None:
        self.packets: list[mqtt.Packet] = []
        self.aborted = False
        self.line = mqtt.Line(self.packets.append, lambda: None)
        self.line.transport = self  # type: ignore[assignment]

    def abort(self) -> None:
        self.aborted = True

    def feed(self, data: bytes) -> None:
        buffer = self.line.get_buffer(-1)
        buffer[: len(data)] = data
        self.line.buffer_updated(len(data))


@given(st.lists(packets, max_size=6), st.lists(st.integers(1, 3_000), max_size=30))
def test_any_packets_arrive_whole_however_the_stream_is_cut(
    sent: list[mqtt.Packet], cuts: list[int]
) -> None:
    stream = b"".join(encode(packet) for packet in sent)
    receiver = Receiver()

    start = 0
    for length in (*cuts, len(stream)):
        for at in range(start, min(start + length, len(stream)), 50_000):
            receiver.feed(stream[at : min(start + length, at + 50_000)])
        start = min(start + length, len(stream))

    assert receiver.packets == sent
    assert not receiver.aborted


@given(st.binary(min_size=1, max_size=60))
def test_noise_raises_nothing_and_is_either_a_packet_or_the_end_of_the_line(
    noise: bytes,
) -> None:
    receiver = Receiver()

    receiver.feed(noise)

    assert receiver.aborted or len(receiver.packets) <= len(noise)


def test_a_length_nobody_means_ends_the_line() -> None:
    receiver = Receiver()

    receiver.feed(b"\x30\xff\xff\xff\x7f")

    assert receiver.aborted


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 200_000])
def test_publish_lengths_of_every_width(size: int) -> None:
    data = mqtt.encode_publish(topic="a/b", payload=bytes(size))

    assert mqtt.frame_end(data, 0) == len(data)
    assert mqtt.decode(data) == mqtt.Publish(b"a/b", bytes(size), 0, 0)


async def test_a_line_speaks_over_a_real_socket() -> None:
    heard: list[bytes] = []
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(2))
        writer.write(mqtt.encode_publish(topic="a", payload=b"hello"))
        await reader.read()
        writer.close()

    got: list[mqtt.Packet] = []

    def take(packet: mqtt.Packet) -> None:
        got.append(packet)
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_connection(
        lambda: mqtt.Line(take, lambda: None), "127.0.0.1", port
    )
    line.send(mqtt.PINGREQ)
    async with asyncio.timeout(5):
        await done.wait()
    transport.close()
    server.close()
    await server.wait_closed()

    assert heard == [mqtt.PINGREQ]
    assert got == [mqtt.Publish(b"a", b"hello", 0, 0)]
