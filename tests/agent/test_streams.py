"""A tuner receives what an agent can play, tells truly how its source is, and ends."""

import gc
import threading
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator

import pytest

from nguon.agent import streams
from nguon.agent.streams import Receiver, StreamVoice, Tuner
from nguon.core.addresses import AddressError
from nguon.core.messages import Stream
from nguon.core.signing import DocumentRefusedError
from nguon.radio.feeds import (
    Connection,
    FrameCutter,
    LiveFeed,
    SourceAwayError,
    UnplayableSourceError,
    frame_size,
)
from nguon.radio.hls import Playlist, Segment
from nguon.speech import audio
from nguon.speech.live import LiveEncoder
from tests.agent.conftest import make_sound, wait_until
from tests.fakes import radio as fake
from tests.fakes.radio import FakeRadio

RATE = 48_000


@pytest.fixture
def radio() -> Iterator[FakeRadio]:
    found = FakeRadio().start()
    yield found
    found.stop()


@pytest.fixture
def tune() -> Iterator[Callable[..., Tuner]]:
    tuners: list[Tuner] = []

    def do(kind: str, url: str = "", *, allow_inside: bool = True) -> Tuner:
        stream = Stream("s", kind, url)
        tuner = Tuner(stream, allow_inside=allow_inside, tell=lambda: None)
        tuners.append(tuner)
        return tuner

    yield do
    for tuner in tuners:
        tuner.close()
        assert tuner.join(6)


def listen(voice: StreamVoice, seconds: float) -> array:
    """Take what a sink would take in so much time."""
    heard = array("h")
    for _block in range(int(seconds * 50)):
        heard.extend(voice.take(RATE // 50))
        time.sleep(0.02)
    return heard


# --- frames ---------------------------------------------------------------------------


def test_a_stream_is_cut_at_its_frames_whatever_the_pieces() -> None:
    mp3, _samples = make_sound(2)
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x01" + bytes(257)

    for size in (1, 7, 100, 5_000):
        cutter = FrameCutter()
        data = tag + b"no frame" + mp3
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        frames = [frame for piece in pieces for frame in cutter.feed(piece)]
        assert mp3.endswith(b"".join(frames))
        assert len(frames) >= 2 * RATE // 1_152
        assert all(frame_size(frame) == len(frame) for frame in frames)


def test_bytes_that_are_no_mp3_are_refused_soon() -> None:
    with pytest.raises(UnplayableSourceError):
        list(FrameCutter().feed(b"<html>" * 20_000))


def test_a_playlist_with_what_cannot_be_played_is_refused() -> None:
    for line in (
        "#EXT-X-BYTERANGE:1000@0",
        '#EXT-X-MAP:URI="all.mp4",BYTERANGE="600@0"',
        "#EXT-X-MAP:BROKEN",
        "#EXT-X-KEY:METHOD=AES-128",
    ):
        with pytest.raises(UnplayableSourceError):
            Playlist(f"#EXTM3U\n{line}\n", base="http://radio.vn/")
    with pytest.raises(UnplayableSourceError):
        Playlist("<html>", base="http://radio.vn/")


def test_a_playlist_names_its_segments_and_a_master_its_variants() -> None:
    media = Playlist(
        "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:41\n"
        "#EXTINF:6,\na.mp3\n#EXTINF:6,\n/b.mp3\n#EXT-X-ENDLIST\n",
        base="http://radio.vn/x/index.m3u8",
    )
    master = Playlist(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=96000\nhi.m3u8\n"
        "#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1,BANDWIDTH=48000\nlo.m3u8\n",
        base="http://radio.vn/",
    )

    assert media.segments == [
        Segment("http://radio.vn/x/a.mp3"),
        Segment("http://radio.vn/b.mp3"),
    ]
    assert (media.first, media.target_s, media.ended) == (41, 6.0, True)
    assert min(master.variants) == (48_000, "http://radio.vn/lo.m3u8")


# --- relays ---------------------------------------------------------------------------


@pytest.mark.server
@pytest.mark.parametrize("kind", ["http", "hls", "icy", "moved"])
def test_a_relay_becomes_ready_and_sounds_without_holes(
    kind: str, radio: FakeRadio, tune: Callable[..., Tuner]
) -> None:
    radio.icy = kind == "icy"
    radio.redirect = "/moved" if kind == "moved" else ""
    is_hls = kind == "hls"

    tuner = tune("hls" if is_hls else "http", radio.hls_url if is_hls else radio.url)
    wait_until(lambda: tuner.is_ready, seconds=10)
    voice = StreamVoice("i", tuner, offset_ms=0)
    heard = listen(voice, 3)

    assert voice.empty < RATE // 2
    assert not voice.is_over
    assert sum(1 for sample in heard if sample) > 2 * RATE
    assert tuner.buffer.seconds <= streams.LONGEST_S


@pytest.mark.server
def test_a_source_that_hangs_is_dead_within_4_seconds_and_comes_back(
    radio: FakeRadio, tune: Callable[..., Tuner]
) -> None:
    tuner = tune("http", radio.url)
    wait_until(lambda: tuner.is_ready)
    voice = StreamVoice("i", tuner, offset_ms=0)
    begin = time.monotonic()

    radio.mode = fake.HUNG
    listen(voice, 4.5)
    was = tuner.look()
    radio.mode = fake.ON
    wait_until(lambda: tuner.is_ready, seconds=15)
    told = tuner.tally(begin, time.monotonic())

    assert was == streams.DEAD
    assert 3_000 < told["dead"] < 15_000
    assert told["silent"] == 0


@pytest.mark.server
def test_a_silent_source_is_noticed_counted_and_believed_again(
    radio: FakeRadio, tune: Callable[..., Tuner]
) -> None:
    tuner = tune("http", radio.url)
    wait_until(lambda: tuner.is_ready)
    voice = StreamVoice("i", tuner, offset_ms=0)

    radio.mode = fake.SILENT
    begin = time.monotonic()
    while tuner.look() == streams.READY:
        listen(voice, 0.5)
        assert time.monotonic() < begin + 14
    empty = voice.empty
    radio.mode = fake.ON
    wait_until(lambda: tuner.is_ready, seconds=8)

    assert tuner.tally(begin, time.monotonic())["silent"] > 8_000
    assert empty > 5 * RATE


@pytest.mark.server
def test_what_is_no_mp3_is_unplayable_and_what_is_inside_is_not_opened(
    radio: FakeRadio, tune: Callable[..., Tuner]
) -> None:
    radio.content_type = "text/html"

    page = tune("http", radio.url)
    wait_until(lambda: page.cause == "text/html")
    asked = len(radio.requests)
    inside = tune("http", radio.url, allow_inside=False)
    wait_until(lambda: inside.cause == "core.address_inside")

    assert not page.is_ready
    assert not inside.is_ready
    page.close()
    assert len(radio.requests) <= asked + 1
    radio.redirect = "file:///etc/passwd"
    with pytest.raises(AddressError):
        Connection(allow_inside=True).get(radio.url)
    radio.redirect = "/live"
    with pytest.raises(UnplayableSourceError):
        Connection(allow_inside=True).get(radio.url)


@pytest.mark.server
def test_playlist_and_segments_come_over_one_connection(
    radio: FakeRadio, tune: Callable[..., Tuner]
) -> None:
    wait_until(lambda: len(radio.segments) >= 3)

    tuner = tune("hls", radio.hls_url)
    wait_until(lambda: len(radio.requests) >= 14, seconds=20)

    assert tuner.is_ready
    assert len([path for path in radio.requests if path.startswith("/seg-")]) >= 4
    assert radio.connections == 1


@pytest.mark.server
def test_a_host_that_hangs_up_between_two_files_is_asked_again_at_once(
    radio: FakeRadio,
) -> None:
    radio.patience_s = 0.1
    wait_until(lambda: len(radio.segments) >= 1)
    line = Connection(allow_inside=True)

    first = line.read(radio.hls_url, limit=10_000)
    time.sleep(0.5)
    second = line.read(radio.hls_url, limit=10_000)
    radio.mode = fake.DEAD
    with pytest.raises(SourceAwayError):
        line.read(radio.hls_url, limit=10_000)
    line.close()

    assert first[0].startswith(b"#EXTM3U")
    assert second[0].startswith(b"#EXTM3U")
    assert radio.connections in {2, 3}


@pytest.mark.server
def test_a_kept_connection_is_never_used_for_another_host(radio: FakeRadio) -> None:
    other = FakeRadio(seed=8).start()
    line = Connection(inside=[f"127.0.0.1:{radio.port}"])
    try:
        wait_until(lambda: len(radio.segments) >= 1)
        line.read(radio.hls_url, limit=10_000)

        with pytest.raises(AddressError):
            line.read(other.hls_url, limit=10_000)
        line.close()
        with pytest.raises(SourceAwayError):
            line.read(radio.hls_url, limit=10_000)
    finally:
        other.stop()

    assert other.requests == []
    assert len(radio.requests) == 1


@pytest.mark.server
def test_a_hundred_reconnects_leave_no_thread_and_no_memory(radio: FakeRadio) -> None:
    def turn() -> None:
        tuner = Tuner(
            Stream("s", "http", radio.url), allow_inside=True, tell=lambda: None
        )
        wait_until(lambda: tuner.buffer.seconds > 0)
        tuner.close()
        assert tuner.join(6)

    for _turn in range(3):
        turn()
    gc.collect()
    threads = threading.active_count()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _turn in range(100):
        turn()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    # The fake's own answering threads end a moment later.
    wait_until(lambda: threading.active_count() <= threads + 2, seconds=5)
    assert after - before < 500_000


# --- live -----------------------------------------------------------------------------


def live_pieces(seconds: float) -> list[bytes]:
    _mp3, samples = make_sound(seconds)
    encoder, step = LiveEncoder(rate=RATE), RATE // 4
    data = samples.astype("<i2")
    found = [
        encoder.feed(data[at : at + step].tobytes()) for at in range(0, len(data), step)
    ]
    return [*found, encoder.finish()]


def test_live_segments_sound_in_order_and_end_with_the_last(
    tune: Callable[..., Tuner],
) -> None:
    pieces = live_pieces(1)
    tuner = tune("live")
    assert tuner.live is not None

    taken = [tuner.live.put(n, piece, last=False) for n, piece in enumerate(pieces, 1)]
    again = tuner.live.put(2, pieces[1], last=False)
    wait_until(lambda: tuner.is_ready)
    voice = StreamVoice("i", tuner, offset_ms=0)
    tuner.live.put(len(pieces) + 1, b"", last=True)
    heard = array("h")
    ends = time.monotonic() + 5
    while not voice.is_over and time.monotonic() < ends:
        heard.extend(voice.take(960))
        time.sleep(0.001)

    assert all(taken)
    assert not again
    assert voice.is_over
    assert tuner.look() == streams.OVER


def test_late_live_sound_is_thrown_away_so_that_speech_stays_near(
    tune: Callable[..., Tuner],
) -> None:
    tuner = tune("live")
    assert tuner.live is not None
    voice = StreamVoice("i", tuner, offset_ms=0)
    voice.take(960)

    for n, piece in enumerate(live_pieces(6), 1):
        tuner.live.put(n, piece, last=False)
        voice.take(96)
        time.sleep(0.02)

    assert tuner.buffer.seconds <= streams.HABITS["live"].most + 0.1


def test_live_speech_that_no_segment_follows_is_dead_after_3_seconds() -> None:
    mono = [100.0]
    tuner = Tuner(
        Stream("s", "live"),
        allow_inside=False,
        tell=lambda: None,
        monotonic=lambda: mono[0],
    )
    assert tuner.live is not None
    for n, piece in enumerate(live_pieces(1), 1):
        tuner.live.put(n, piece, last=False)
    wait_until(lambda: tuner.is_ready)

    mono[0] += 2.9
    before = tuner.look()
    mono[0] += 0.2
    after = tuner.look()
    tuner.close()

    assert (before, after) == (streams.READY, streams.DEAD)
    assert tuner.join(3)


def test_a_flood_of_segments_never_blocks_and_is_bounded() -> None:
    feed = LiveFeed()

    taken = [feed.put(n, b"x" * 1_000, last=False) for n in range(1, 500)]

    assert sum(taken) == 64


def test_segments_of_what_is_not_held_are_left_and_malformed_ones_refused() -> None:
    receiver = Receiver()

    assert not receiver.take_segment({"id": "d", "item": "i", "n": 1, "mp3": ""})
    for broken in (
        {"id": "d", "item": "i", "n": 1},
        {"id": "d", "item": "i", "n": "1", "mp3": ""},
        {"id": "d", "item": "i", "n": 1, "mp3": "?"},
        {"id": "d", "item": "i", "n": 1, "mp3": "A" * 300_000},
    ):
        with pytest.raises(DocumentRefusedError):
            receiver.take_segment(broken)


def test_an_mp3_made_live_decodes_to_what_was_said() -> None:
    mp3 = b"".join(live_pieces(2))

    decoded = audio.decode(mp3, limit_seconds=4)

    assert abs(len(decoded) / 2 / RATE - 2) < 0.15
