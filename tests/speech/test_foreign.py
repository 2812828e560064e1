"""What devices cannot play is decoded, whatever its form; hostile bytes harm nobody."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from nguon.core.addresses import AddressError
from nguon.radio.feeds import HttpFeed, SourceAwayError, UnplayableSourceError
from nguon.radio.hls import HlsFeed
from nguon.radio.segments import Piece
from nguon.speech import foreign, transcode
from nguon.speech.foreign import Decoder
from nguon.speech.listen import listen
from nguon.speech.transcode import Publisher, Transcoder
from tests.fakes import radio as fake
from tests.fakes.radio import FakeRadio, Muxer

RATE = 48_000
ROOT = Path(__file__).resolve().parents[2]
HOME = ["127.0.0.1"]


def tone_in(form: str, *, seconds: int = 4) -> list[bytes]:
    """Return a tone of 1 kHz as a station of this form sends it."""
    muxer = Muxer(form)
    wave = 9_000 * np.sin(2 * np.pi * 1_000 * np.arange(RATE * seconds) / RATE)
    pcm = wave.astype("<i2").tobytes()
    chunks = [muxer.feed(pcm[at : at + 9_600]) for at in range(0, len(pcm), 9_600)]
    return [muxer.init, *chunks]


@pytest.mark.parametrize(
    ("form", "codec"),
    [(fake.ADTS, "aac"), (fake.TS, "aac"), (fake.FMP4, "aac"), (fake.OPUS, "opus")],
)
def test_every_form_that_stations_send_is_decoded_to_what_it_was(
    form: str, codec: str
) -> None:
    chunks = tone_in(form)
    decoder = Decoder(iter(chunks))

    samples = np.frombuffer(b"".join(decoder.samples()), "<i2").astype(float)
    middle = samples[RATE : 2 * RATE]
    spectrum = np.abs(np.fft.rfft(middle))

    assert decoder.codec == codec
    assert 3.5 < len(samples) / RATE < 4.2
    assert int(np.argmax(spectrum)) == 1_000
    assert spectrum[1_000] ** 2 / np.sum(spectrum**2) > 0.98


@pytest.mark.parametrize("form", [fake.ADTS, fake.TS])
def test_who_joins_in_the_middle_and_loses_a_piece_still_hears(form: str) -> None:
    chunks = tone_in(form)
    data = b"".join(chunks)[1_111:]
    data = data[:9_000] + os.urandom(700) + data[9_900:]

    samples = b"".join(Decoder(iter([data])).samples())

    assert len(samples) / 2 / RATE > 2


def test_hostile_bytes_are_refused_in_a_sentence_and_never_crash() -> None:
    chance = random.Random(5)
    good = {form: b"".join(tone_in(form, seconds=1)) for form in fake.FOREIGN}
    for form, data in good.items():
        for _turn in range(12):
            bad = bytearray(data)
            for _byte in range(60):
                bad[chance.randrange(len(bad))] = chance.randrange(256)
            try:
                size = sum(map(len, Decoder(iter([bytes(bad)])).samples()))
            except UnplayableSourceError:
                continue
            assert size < 30 * RATE * 2, form


def test_what_is_no_sound_is_unplayable_and_opens_nothing() -> None:
    for data in (
        b"",
        b"<html>" * 999,
        b"ffconcat version 1.0\nfile /etc/passwd\n" * 99,
        b"#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1/x.ts\n" * 99,
        bytes(4_000),
        b"\x00\x00\x00\x18ftypmp42" + os.urandom(3_000),
    ):
        with pytest.raises(UnplayableSourceError):
            list(Decoder(iter([data])).samples())


def test_what_a_feed_raises_comes_out_of_the_decoder() -> None:
    def breaks() -> Iterator[bytes]:
        yield from tone_in(fake.ADTS, seconds=1)
        raise SourceAwayError("core.source_away", why="broken")

    decoder = Decoder(breaks())
    heard: list[bytes] = []

    with pytest.raises(SourceAwayError):
        heard.extend(decoder.samples())

    assert len(b"".join(heard)) > RATE


def test_a_form_is_told_by_its_beginning() -> None:
    for form, name in (
        (fake.ADTS, "aac"),
        (fake.TS, "mpegts"),
        (fake.FMP4, "mov"),
        (fake.OPUS, "ogg"),
    ):
        assert foreign.form_of(b"".join(tone_in(form, seconds=1))[:4_000]) == name


# --- addresses ------------------------------------------------------------------------


class Trap:
    """A source that leads elsewhere; `asked` are the paths that were fetched."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[str] = []
        trap = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                trap.asked.append(self.path)
                status, where, body = trap.answers[self.path]
                self.send_response(status)
                self.send_header("Location", where)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def trap() -> Iterator[Trap]:
    found = Trap()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_no_redirect_and_no_address_in_a_playlist_leads_inside(trap: Trap) -> None:
    port = trap.url.rpartition(":")[2]
    inside = f"http://localhost:{port}"
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
    trap.answers = {
        "/moved": (302, f"{inside}/secret", b""),
        "/child": (200, "", f"{playlist}#EXTINF:2,\n{inside}/secret\n".encode()),
        "/file": (200, "", f"{playlist}#EXTINF:2,\nfile:///etc/passwd\n".encode()),
        "/header": (
            200,
            "",
            f'{playlist}#EXT-X-MAP:URI="{inside}/secret"\n#EXTINF:2,\n/1\n'.encode(),
        ),
        "/master": (
            200,
            "",
            f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{inside}/secret\n".encode(),
        ),
        "/segment": (200, "", f"{playlist}#EXTINF:2,\n/moved\n".encode()),
        "/secret": (200, "", b"#EXTM3U\n"),
    }

    for make, path in (
        (HttpFeed, "/moved"),
        *((HlsFeed, f"/{name}") for name in
          ("moved", "child", "file", "header", "master", "segment")),
    ):  # fmt: skip
        with pytest.raises(AddressError):
            list(make(trap.url + path, inside=HOME).chunks())
    with pytest.raises(AddressError):
        list(HttpFeed(f"{trap.url}/secret").chunks())

    assert "/secret" not in trap.asked


# --- listening ------------------------------------------------------------------------


@pytest.mark.server
@pytest.mark.parametrize(
    ("form", "kind", "route", "codec"),
    [
        (fake.MP3, "http", "direct", "mp3"),
        (fake.ADTS, "http", "server", "aac"),
        (fake.TS, "hls", "server", "aac"),
        (fake.FMP4, "hls", "server", "aac"),
        (fake.OPUS, "http", "server", "opus"),
    ],
)
def test_the_watch_tells_codec_rate_and_route(
    form: str, kind: str, route: str, codec: str
) -> None:
    radio = FakeRadio(form=form).start()
    try:
        time.sleep(2.5 * fake.SEGMENT_S)
        url = radio.url if kind == "http" else radio.hls_url
        told = listen(url, kind=kind, inside=HOME)
    finally:
        radio.stop()

    assert (told.state, told.route, told.codec) == ("live", route, codec)
    assert told.kbps is not None
    assert 30 < told.kbps < 200


# --- publishing -----------------------------------------------------------------------


def test_segments_are_published_at_their_pace_and_old_ones_go(tmp_path: Path) -> None:
    now, waits = [100.0], []

    def wait(seconds: float) -> None:
        waits.append(round(seconds, 3))
        now[0] += seconds

    publisher = Publisher(tmp_path, first=700, monotonic=lambda: now[0])

    for turn in range(20):
        now[0] += 30 if turn == 15 else 0
        publisher.turn(Piece(b"%d" % turn, 2_016), wait=wait)

    kept = sorted(int(path.stem) for path in tmp_path.glob("[0-9]*.mp3"))
    rows = (tmp_path / transcode.PLAYLIST).read_text().split()
    assert waits[0] == 0
    assert waits[1:15] == [2.016] * 14
    # A late one comes at once, and the pace goes on from there: none is hurried.
    assert waits[15:] == [0, *[2.016] * 4]
    assert kept == list(range(708, 720))
    assert [row for row in rows if row.endswith(".mp3")] == [
        f"{n}.mp3" for n in range(714, 720)
    ]


def test_a_source_that_hangs_or_floods_stops_at_bounds(tmp_path: Path) -> None:
    now = [0.0]
    publisher = Publisher(tmp_path, first=1)
    transcoder = Transcoder(
        url="http://x", kind="http", inside=(), publisher=publisher,
        monotonic=lambda: now[0],
    )  # fmt: skip

    flood = [publisher.put(Piece(b"", 2_016), seconds=0) for _piece in range(40)]
    now[0] += transcode.HANGS_S - 1
    before = transcoder.hangs
    now[0] += 2

    assert sum(flood) == transcode.WAITING
    assert (before, transcoder.hangs) == (False, True)


@pytest.fixture
def run_transcoder(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(url: str, kind: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nguon.speech.transcode"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        started.append(process)
        asked = {"url": url, "kind": kind, "inside": HOME, "folder": str(tmp_path)}
        assert process.stdin
        process.stdin.write(json.dumps(asked))
        process.stdin.close()
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def next_state(process: subprocess.Popen[str], state: str, *, seconds: float) -> str:
    """Wait for a word of the process; return the cause it tells."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        if told["state"] == state:
            return str(told["cause"])
    raise AssertionError(f"not {state}")


@pytest.mark.server
def test_a_source_that_breaks_off_is_joined_again_by_the_same_process(
    run_transcoder: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    radio = FakeRadio(form=fake.ADTS).start()
    try:
        process = run_transcoder(radio.url, "http")
        next_state(process, "on", seconds=8)
        radio.mode = fake.HUNG
        cause = next_state(process, "away", seconds=8)
        was = {path.name for path in tmp_path.glob("*.mp3")}
        radio.mode = fake.ON
        next_state(process, "on", seconds=12)
        until = time.monotonic() + 8
        while not {path.name for path in tmp_path.glob("[0-9]*.mp3")} - was:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        radio.stop()

    assert cause == "broken"
    assert process.poll() is None
