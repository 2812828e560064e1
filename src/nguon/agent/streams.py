"""Sound that is made while it is heard: relays and live speech, kept ready to sound.

A `Tuner` receives one stream in a thread of its own, decodes it into a bounded
buffer and says how the source is. A dead or silent source makes its item unready, so
by rank the fallback sounds; the tuner goes on trying and the item comes back. A
`StreamVoice` reads the buffer for the audio thread and never waits for anything.
"""

import base64
import binascii
import logging
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import mul

import miniaudio

from nguon.agent.voice import RATE, Samples
from nguon.core import addresses
from nguon.core.addresses import AddressError
from nguon.core.messages import Item, Stream
from nguon.core.pauses import jitter
from nguon.core.signing import DocumentRefusedError
from nguon.radio.feeds import (
    STALE_S,
    Feed,
    HttpFeed,
    LiveFeed,
    SourceAwayError,
    UnplayableSourceError,
)
from nguon.radio.hls import HlsFeed

log = logging.getLogger(__name__)

# A source below this for so long is silent: a broken studio line, not a pause.
SILENCE_DBFS = -55.0
SILENCE_S = 8.0
# A source that was dead or silent must sound this long before it is believed.
BACK_S = 2.0
_TRY_S = (1.0, 2.0, 5.0, 10.0)
_PIECE = 1_152
# Who has taken nothing for so long does not listen (any more).
_LISTENS_S = 0.5
_QUIET_ENERGY = (32768.0 * 10 ** (SILENCE_DBFS / 20)) ** 2
# No buffer is longer than this, whatever a source sends: 2.3 MB a tuner.
LONGEST_S = 24.0
# A segment is at most this long in base64: 10 s of any MP3 that we make.
MAX_SEGMENT_TEXT = 200_000

READY, DEAD, SILENT, OVER = "ready", "dead", "silent", "over"


@dataclass(frozen=True)
class Habit:
    """How a kind of stream is kept: seconds of sound.

    `begin` must be there before it sounds, `keep` is what waits while it does not
    sound, and when more than `most` waits while it does, it is cut back to `keep`.
    """

    begin: float
    keep: float
    most: float


# Made by our own server at an even pace: near to the source, as far as that can be.
MADE = Habit(begin=1.0, keep=6.0, most=LONGEST_S)
HABITS = {
    "http": Habit(begin=1.0, keep=2.0, most=LONGEST_S),
    "hls": Habit(begin=1.0, keep=20.0, most=LONGEST_S),
    # Speech must stay near to the speaker's mouth: late sound is thrown away.
    "live": Habit(begin=0.35, keep=0.5, most=1.2),
}


class _Buffer:
    """Decoded pieces between the decoder's thread and the audio thread."""

    def __init__(self, habit: Habit, monotonic: Callable[[], float]) -> None:
        self._habit = habit
        self._monotonic = monotonic
        self._room = threading.Condition()
        self._pieces: deque[tuple[Samples, bool]] = deque()
        self._frames = 0
        self._taken = -_LISTENS_S
        self._closed = False

    @property
    def seconds(self) -> float:
        """How much sound waits."""
        return self._frames / RATE

    @property
    def is_heard(self) -> bool:
        """Say whether somebody takes from it."""
        return self._monotonic() - self._taken < _LISTENS_S

    def put(self, piece: Samples, *, is_quiet: bool) -> None:
        """Take a piece; drop the oldest, or wait, so that the bound is kept."""
        with self._room:
            while self.is_heard and not self._closed and self.seconds > LONGEST_S:
                self._room.wait(_LISTENS_S)
            self._pieces.append((piece, is_quiet))
            self._frames += len(piece)
            if not self.is_heard or LONGEST_S > self._habit.most < self.seconds:
                self._cut_to(self._habit.keep)

    def _cut_to(self, seconds: float) -> None:
        while self._pieces and self._frames - len(self._pieces[0][0]) > seconds * RATE:
            self._frames -= len(self._pieces.popleft()[0])

    def take(self, frames: int) -> tuple[Samples, int]:
        """Return up to so many frames, and how many of them are quiet at the end."""
        out: Samples = array("h")
        quiet = 0
        with self._room:
            self._taken = self._monotonic()
            while self._pieces and len(out) < frames:
                piece, is_quiet = self._pieces.popleft()
                room = frames - len(out)
                if len(piece) > room:
                    self._pieces.appendleft((piece[room:], is_quiet))
                    piece = piece[:room]
                out.extend(piece)
                self._frames -= len(piece)
                quiet = quiet + len(piece) if is_quiet else 0
            self._room.notify()
        return out, quiet

    def close(self) -> None:
        """Drop everything and let nobody wait."""
        with self._room:
            self._closed = True
            self._pieces.clear()
            self._frames = 0
            self._room.notify()


class _Frames(miniaudio.StreamableSource):  # type: ignore[misc]
    """The decoder's view of a feed: one MP3 frame at each reading."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self._rest = b""
        self.error: Exception | None = None

    def read(self, num_bytes: int) -> bytes:
        if not self._rest:
            try:
                self._rest = next(self._frames, b"")
            except (SourceAwayError, UnplayableSourceError, AddressError) as error:
                # Into the decoder's C code nothing may be raised.
                self.error = error
        piece, self._rest = self._rest[:num_bytes], self._rest[num_bytes:]
        return piece


class Tuner:
    """One stream item's source: received, decoded, watched, tried again.

    `tell` is called from the tuner's thread when it may have become ready or over. A
    stream whose address is only a path stands at `server`, the device's own, which may
    be inside the network; wherever it might redirect to may not.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        allow_inside: bool,
        tell: Callable[[], None],
        server: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = stream
        self.cause = ""
        self._server = server if stream.url.startswith("/") else ""
        self._habit = MADE if self._server else HABITS[stream.kind]
        self._heard = ""
        self._allow_inside = allow_inside
        self._tell = tell
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.live = LiveFeed() if stream.kind == "live" else None
        self._feed: Feed | None = self.live
        self.buffer = _Buffer(self._habit, monotonic)
        self._latest = monotonic()
        self._sound_s = 0.0
        self._quiet_s = 0.0
        self._needs_s = self._habit.begin
        self._ended = False
        # How the source was, since when: from the first look to the end.
        self._story: list[tuple[float, str]] = [(monotonic(), DEAD)]
        self._thread = threading.Thread(
            target=self._run, name=f"tuner {stream.id}", daemon=True
        )
        self._thread.start()

    # --- the stage's side ----------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Say whether the item may sound."""
        return self.look() == READY

    @property
    def is_over(self) -> bool:
        """Say whether the source has said its last word and it was heard."""
        return self.look() == OVER

    @property
    def is_silent(self) -> bool:
        """Say whether the source was found silent; without waiting for a lock."""
        return self._story[-1][1] == SILENT

    @property
    def is_heard_out(self) -> bool:
        """Say the same for the audio thread, which waits for no lock."""
        return self._ended and self.buffer.seconds == 0

    def look(self) -> str:
        """Return how the source is now: ready, dead, silent or over."""
        with self._lock:
            was = self._story[-1][1]
            now, since = self._judge(was)
            if now != was:
                self._story.append((max(since, self._story[-1][0]), now))
                log.info("stream %s: %s %s", self.stream.id, now, self.cause)
            return now

    def _judge(self, was: str) -> tuple[str, float]:
        """Return the state and since when; the lock is held."""
        mono = self._monotonic()
        age = mono - self._latest
        if self._ended:
            is_on = self.buffer.is_heard and self.buffer.seconds > 0
            return (was if is_on else OVER), mono
        if was == READY:
            # What is buffered of a source that broke off is still heard.
            is_heard = self.buffer.is_heard
            stale_s = STALE_S if is_heard or self._feed is None else self._feed.stale_s
            if age > stale_s and not (is_heard and self.buffer.seconds > 0):
                self._sound_s, self._needs_s = 0.0, BACK_S
                self.cause = self.cause or "no_bytes"
                return DEAD, self._latest
            if self._quiet_s > SILENCE_S:
                self._sound_s, self._needs_s = 0.0, BACK_S
                return SILENT, mono - self._quiet_s
            return READY, mono
        if self._sound_s >= self._needs_s and self.buffer.seconds > 0:
            self.cause = ""
            return READY, mono
        return was, mono

    def tally(self, begin: float, end: float) -> dict[str, int]:
        """Return for how long, in ms, the source was dead and silent in a span."""
        self.look()
        found = {DEAD: 0.0, SILENT: 0.0}
        with self._lock:
            ends = [since for since, _state in self._story[1:]] + [end]
            for (since, state), until in zip(self._story, ends, strict=True):
                length = min(until, end) - max(since, begin)
                if state in found and length > 0:
                    found[state] += length
        return {state: round(length * 1000) for state, length in found.items()}

    def close(self) -> None:
        """Hang up and let the thread end; does not wait for it."""
        self._closing.set()
        feed = self._feed
        if feed is not None:
            feed.close()
        self.buffer.close()

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; say whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # --- the tuner's thread ----------------------------------------------------------

    def _run(self) -> None:
        tries = 0
        while not self._closing.is_set():
            began = self._latest
            try:
                self._receive(self._open())
            except (SourceAwayError, UnplayableSourceError, AddressError) as error:
                self.cause = str(error.data.get("why") or error.code)[:40]
            except miniaudio.MiniaudioError:
                self.cause = "no_mp3"
            except Exception:  # a source may not end the device, whatever it sends
                log.exception("stream: an error while receiving")
                self.cause = "error"
            if self.live is not None:
                break
            tries = 0 if self._latest > began else tries + 1
            wait = _TRY_S[min(tries, len(_TRY_S) - 1)]
            self._closing.wait(jitter(wait / 2, wait))
        if self.live is not None and self.live.ended:
            with self._lock:
                self._ended = True
        self._tell()

    def _open(self) -> Feed:
        """Return a fresh feed; live speech keeps the one it has."""
        if self.live is not None:
            return self.live
        url, inside = self._server + self.stream.url, []
        if self._server:
            own = addresses.parse(self._server)
            inside.append(f"{own.host}:{own.port}")
        feed: HlsFeed | HttpFeed
        if self.stream.kind == "hls":
            feed = HlsFeed(
                url, allow_inside=self._allow_inside, inside=inside, after=self._heard
            )
        else:
            feed = HttpFeed(url, allow_inside=self._allow_inside, inside=inside)
        self._feed = feed
        if self._closing.is_set():
            feed.close()
        return feed

    def _receive(self, feed: Feed) -> None:
        """Decode a feed until it ends. Raises what the feed raises."""
        frames = _Frames(feed.frames())
        try:
            self._decode(frames)
        except miniaudio.MiniaudioError:
            if frames.error is None:
                raise
        finally:
            if self.live is None:
                feed.close()
            if isinstance(feed, HlsFeed):
                self._heard = feed.heard
        if frames.error is not None:
            raise frames.error
        if self.live is None:
            raise SourceAwayError("core.source_away", why="ended")

    def _decode(self, frames: _Frames) -> None:
        pieces = miniaudio.stream_any(
            frames,
            miniaudio.FileFormat.MP3,
            nchannels=1,
            sample_rate=RATE,
            frames_to_read=_PIECE,
        )
        try:
            for piece in pieces:
                if self._closing.is_set():
                    return
                self._take(array("h", piece))
        finally:
            pieces.close()

    def _take(self, piece: Samples) -> None:
        """Put decoded sound into the buffer and learn from it how the source is."""
        energy = sum(map(mul, piece, piece)) / max(1, len(piece))
        is_quiet = energy < _QUIET_ENERGY and self.live is None
        length = len(piece) / RATE
        with self._lock:
            mono = self._monotonic()
            if self._feed is not None and mono - self._latest > self._feed.stale_s:
                self._sound_s = 0.0
            self._latest = mono
            self._quiet_s = self._quiet_s + length if is_quiet else 0.0
            self._sound_s += 0.0 if is_quiet else length
        self.buffer.put(piece, is_quiet=is_quiet)
        with self._lock:
            changes = (self._story[-1][1] != READY) == (self._sound_s >= self._needs_s)
        if changes:
            self._tell()


class StreamVoice:
    """A tuner as the player hears it: silence where nothing has come."""

    def __init__(self, key: str, tuner: Tuner, *, offset_ms: int) -> None:
        self.key = key
        self.offset_ms = offset_ms
        self._tuner = tuner
        self._empty = 0
        self._quiet = 0

    def take(self, frames: int) -> Samples:
        """Return exactly so many frames, at once."""
        piece, quiet = self._tuner.buffer.take(frames)
        self._quiet = self._quiet + quiet if quiet == len(piece) else quiet
        missing = frames - len(piece)
        if missing and not self.is_over:
            self._empty += missing
            piece.extend(array("h", bytes(2 * missing)))
        return piece

    @property
    def is_over(self) -> bool:
        """Say whether the source has ended and all of it was heard."""
        return self._tuner.is_heard_out

    @property
    def empty(self) -> int:
        """How many of the frames taken were no sound: none had come, or silence."""
        return self._empty + (self._quiet if self._tuner.is_silent else 0)


@dataclass
class Receiver:
    """The tuners of this device: one for each stream item that is near or on."""

    allow_inside: bool = False
    tell: Callable[[], None] = lambda: None
    server: str = ""
    tuners: dict[str, Tuner] = field(default_factory=dict)

    def keep(self, items: Mapping[str, Item]) -> None:
        """Tune in to these stream items (by id) and leave all others.

        One whose plan now names another address is tuned in to anew.
        """
        for key, tuner in list(self.tuners.items()):
            if key not in items or items[key].stream != tuner.stream:
                self.tuners.pop(key).close()
        for key, item in items.items():
            if key not in self.tuners and item.stream is not None:
                self.tuners[key] = Tuner(
                    item.stream,
                    allow_inside=self.allow_inside,
                    tell=self.tell,
                    server=self.server,
                )

    def has(self, key: str) -> bool:
        """Say whether a stream item is tuned in to."""
        return key in self.tuners

    def is_ready(self, key: str) -> bool:
        """Say whether a stream item could sound now."""
        tuner = self.tuners.get(key)
        return tuner is not None and tuner.is_ready

    def is_over(self, key: str) -> bool:
        """Say whether a stream item has said its last word."""
        tuner = self.tuners.get(key)
        return tuner is not None and tuner.is_over

    def voice(self, key: str, *, offset_ms: int) -> StreamVoice | None:
        """Return a voice of an item that is ready, or None."""
        if not self.is_ready(key):
            return None
        return StreamVoice(key, self.tuners[key], offset_ms=offset_ms)

    def take_segment(self, payload: Mapping[str, object]) -> bool:
        """Take a verified live segment; say whether it belongs to what is held.

        Raises DocumentRefusedError: malformed, replayed.
        """
        item, n, text = payload.get("item"), payload.get("n"), payload.get("mp3")
        document = str(payload["id"])
        fits = isinstance(item, str) and isinstance(n, int) and isinstance(text, str)
        if not fits or len(str(text)) > MAX_SEGMENT_TEXT:
            raise DocumentRefusedError("malformed", document=document)
        try:
            mp3 = base64.b64decode(str(text), validate=True)
        except binascii.Error as error:
            raise DocumentRefusedError("malformed", document=document) from error
        tuner = self.tuners.get(str(item))
        if tuner is None or tuner.live is None:
            return False
        last = payload.get("last") is True
        return tuner.live.put(int(str(n)), mp3, last=last)

    def tally(self, key: str, begin: float, end: float) -> dict[str, int]:
        """Return how long, in ms, an item's source was dead and silent in a span."""
        tuner = self.tuners.get(key)
        return tuner.tally(begin, end) if tuner else {DEAD: 0, SILENT: 0}

    def close(self) -> None:
        """Leave every stream."""
        self.keep({})
