"""A small real radio: an endless sound over HTTP, and the same as HLS, at real time.

As MP3; or, by its `form`, as AAC: `adts` over HTTP and in transport streams (`ts`) or
fragmented MP4 (`fmp4`) over HLS, or Opus in Ogg (`opus`).

It can be told to fall silent, to break off, to hang (connected but mute), and to come
back. What it sends is noise that resembles nothing else, so that a recording shows
when it sounded.
"""

import contextlib
import io
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np

from nguon.speech import audio
from nguon.speech.live import LiveEncoder

RATE = 48_000
_STEP_S = 0.12
SEGMENT_S = 1.2
FOREIGN = ("adts", "ts", "fmp4", "opus")
ON, SILENT, HUNG, DEAD = "on", "silent", "hung", "dead"


MP3, ADTS, TS, FMP4, OPUS = "mp3", "adts", "ts", "fmp4", "opus"
_MUXERS: dict[str, tuple[str, dict[str, str], str]] = {
    ADTS: ("adts", {}, "audio/aac"),
    TS: ("mpegts", {}, "video/mp2t"),
    FMP4: (
        "mp4",
        {"movflags": "empty_moov+default_base_moof+frag_every_frame"},
        "video/mp4",
    ),
    OPUS: ("ogg", {"page_duration": "20000"}, "application/ogg"),
}


class Muxer:
    """Encodes as real stations do, in one of the forms that devices cannot play."""

    def __init__(self, form: str) -> None:
        name, options, self.mime = _MUXERS[form]
        self.form = form
        self._out = io.BytesIO()
        self._sink = _Sink(self._out)
        options = {**options, "flush_packets": "1"}
        self._container = av.open(self._sink, "w", format=name, options=options)
        codec = "libopus" if form == OPUS else "aac"
        self._stream = self._container.add_stream(codec, rate=RATE)
        self._stream.codec_context.layout = "mono"
        self._stream.codec_context.bit_rate = 64_000
        self._fifo = av.AudioFifo()
        self._made = 0
        self.init = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return the bytes that these samples complete."""
        for frame in audio.frames(pcm):
            frame.pts = self._made
            self._made += frame.samples
            self._fifo.write(frame)
        context = self._stream.codec_context
        resampler = av.AudioResampler(format=context.format, layout="mono", rate=RATE)
        size = context.frame_size or 960
        while (frame := self._fifo.read(size)) is not None:
            for piece in resampler.resample(frame):
                self._container.mux(self._stream.encode(piece))
        return self._drain()

    def _drain(self) -> bytes:
        data = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        if self.form in {FMP4, OPUS} and not self.init:
            size = self._header_size(data)
            self.init, data = data[:size], data[size:]
        return data

    def _header_size(self, data: bytes) -> int:
        """Return how long the header is that each new listener is sent first."""
        at = 0
        if self.form == OPUS:
            for _page in range(2):
                segments = data[at + 26]
                at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
            return at
        while data[at + 4 : at + 8] in {b"ftyp", b"moov"}:
            at += struct.unpack(">I", data[at : at + 4])[0]
        return at


class _Sink:
    """What a muxer writes to; it cannot go back, as on a line."""

    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        return self._out.write(data)


class FakeRadio:
    """One station; `mode` is what it does now, `form` what it sends."""

    def __init__(self, *, seed: int = 7, form: str = MP3) -> None:
        noise = np.random.default_rng(seed).standard_normal(RATE * 60)
        smooth = np.convolve(noise * 9_000, np.ones(12) / 12, "same")
        self.samples = smooth.astype("<i2")
        self.form = form
        self.muxer = None if form == MP3 else Muxer(form)
        self.mode = ON
        self.icy = False
        self.redirect = ""
        self.content_type = self.muxer.mime if self.muxer else "audio/mpeg"
        self.burst: deque[bytes] = deque(maxlen=8)
        self.requests: list[str] = []
        self.connections = 0
        self.began_ms = 0.0
        # So long a connection on which nothing is asked is kept open; 0: always.
        self.patience_s = 0.0
        self.segments: deque[tuple[int, bytes]] = deque(maxlen=8)
        self._news = threading.Condition()
        self._number = 0
        self._piece = b""
        self._ending = threading.Event()
        handler = type("Handler", (_Handler,), {"radio": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._threads = [
            threading.Thread(target=self._server.serve_forever, daemon=True),
            threading.Thread(target=self._broadcast, daemon=True),
        ]

    @property
    def url(self) -> str:
        """The address of the endless MP3."""
        return f"http://127.0.0.1:{self.port}/live"

    @property
    def hls_url(self) -> str:
        """The address of the playlist."""
        return f"http://127.0.0.1:{self.port}/index.m3u8"

    def likeness(self, piece: np.ndarray) -> float:
        """Return how like a stretch of a recording is to the best part of our own."""
        return find(piece, self.samples)[1]

    def heard_after(self, piece: np.ndarray, at_ms: float) -> float:
        """Return how many ms after we sent it a stretch was heard from `at_ms` on."""
        at, alike = find(piece, self.samples)
        assert alike > 0.8, alike
        step = int(RATE * _STEP_S)
        # A piece of sound is sent when its last sample has been made.
        sent_ms = self.began_ms + (at - step) * 1000 / RATE
        turn_ms = (len(self.samples) - step) * 1000 / RATE
        return (at_ms - sent_ms) % turn_ms

    def start(self) -> "FakeRadio":
        """Go on air."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """End for good."""
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._threads[1].join(5)

    def _broadcast(self) -> None:
        """Make the next piece when its time has come."""
        encoder = self.muxer or LiveEncoder(rate=RATE)
        start, turn = time.monotonic(), 0
        self.began_ms = time.time() * 1000
        step = int(RATE * _STEP_S)
        segment = b""
        while not self._ending.wait(
            max(0.0, start + turn * _STEP_S - time.monotonic())
        ):
            at = turn * step % (len(self.samples) - step)
            piece = self.samples[at : at + step].tobytes()
            mp3 = encoder.feed(bytes(len(piece)) if self.mode == SILENT else piece)
            turn += 1
            with self._news:
                if self.mode in {ON, SILENT}:
                    self._number += 1
                    self._piece = mp3
                    self.burst.append(mp3)
                    segment += mp3
                    if turn % round(SEGMENT_S / _STEP_S) == 0:
                        number = self.segments[-1][0] + 1 if self.segments else 0
                        self.segments.append((number, segment))
                        segment = b""
                self._news.notify_all()

    def next_piece(self, after: int) -> tuple[int, bytes]:
        """Return the next piece, or nothing when the station broke off."""
        with self._news:
            while not self._ending.is_set() and self.mode != DEAD:
                if self._number > after and self.mode != HUNG:
                    return self._number, self._piece
                self._news.wait(0.5)
        return 0, b""


def find(piece: np.ndarray, sound: np.ndarray) -> tuple[int, float]:
    """Return where in a sound a piece is, and how like it is to that part (0 to 1)."""
    if not piece.any():
        return 0, 0.0
    piece, sound = piece.astype(float), sound.astype(float)
    size = 1 << (len(piece) + len(sound)).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size))
    curve = np.fft.irfft(product, size)[: len(sound) - len(piece)]
    at = int(np.argmax(curve))
    part = sound[at : at + len(piece)]
    return at, float(curve[at] / (np.linalg.norm(piece) * np.linalg.norm(part)))


class _Handler(BaseHTTPRequestHandler):
    radio: FakeRadio
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.radio.connections += 1
        if self.radio.patience_s:
            self.timeout = self.radio.patience_s
        super().setup()

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        radio = self.radio
        radio.requests.append(self.path)
        if radio.mode == DEAD:
            self.send_error(503)
        elif radio.redirect and self.path == "/live":
            self.send_response(302)
            self.send_header("Location", radio.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path in {"/live", "/moved"}:
            self._stream()
        elif self.path == "/index.m3u8":
            self._playlist()
        elif self.path.startswith("/seg-"):
            number = int(self.path[5:-4])
            data = dict(radio.segments).get(number)
            self._send(data, radio.content_type) if data else self.send_error(404)
        elif self.path == "/init.mp4" and radio.muxer:
            self._send(radio.muxer.init, radio.content_type)
        else:
            self.send_error(404)

    def _stream(self) -> None:
        radio = self.radio
        self.wfile.write(b"ICY 200 OK\r\n" if radio.icy else b"HTTP/1.0 200 OK\r\n")
        self.wfile.write(f"Content-Type: {radio.content_type}\r\n\r\n".encode())
        if radio.muxer:
            self.wfile.write(radio.muxer.init)
        number, piece = radio.next_piece(-1)
        with contextlib.suppress(OSError):
            while piece:
                self.wfile.write(piece)
                number, piece = radio.next_piece(number)
        self.close_connection = True

    def _playlist(self) -> None:
        rows = list(self.radio.segments)[-5:]
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{rows[0][0] if rows else 0}")
        lines += ['#EXT-X-MAP:URI="init.mp4"'] if self.radio.form == FMP4 else []
        for number, _data in rows:
            lines += [f"#EXTINF:{SEGMENT_S},", f"seg-{number}.mp3"]
        body = "\n".join(lines) + "\n"
        self._send(body.encode(), "application/vnd.apple.mpegurl")

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data)
