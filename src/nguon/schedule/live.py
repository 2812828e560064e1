"""Live speech in the making: each session's line, its tone, its playlist.

Any web process may take any piece of a session: what encoding has to know of the
pieces before stands in the database, some kilobytes. So do the last seconds, as an HLS
playlist (RFC 8216) for makes of speakers that do not read our segments.
"""

from datetime import datetime, timedelta

from nguon.core.errors import AbsentError, InvalidError
from nguon.radio.feeds import FRAME_END, FrameCutter
from nguon.radio.segments import timestamp, write_playlist
from nguon.schedule.models import LiveLine, LiveSegment, LiveSession
from nguon.speech.chime import tone
from nguon.speech.live import FRAME_MS, Mark, go_on

# What browsers send: mono, 16 bit, a quarter of a second at a time.
RATE = 16_000
CHUNK_MS = 250
# After a hiccup a browser sends what has gathered, at most so much at once.
MAX_CHUNK_BYTES = RATE * 2 * 3
HLS_SEGMENT_MS = 2_000
HLS_KEPT = 6
HLS_AFTER = timedelta(seconds=60)
_TONE = tone(RATE)


def feed(line: LiveLine, pcm: bytes) -> bytes:
    """Return the MP3 frames that these samples complete; the caller saves the line.

    The tone sounds in the place of the first 1.5 s. Raises InvalidError.
    """
    if not pcm or len(pcm) % 2 or len(pcm) > MAX_CHUNK_BYTES:
        raise InvalidError("schedule.live_chunk_unusable")
    toned = _TONE[line.taken : line.taken + len(pcm)]
    line.taken += len(pcm)
    return _go_on(line, toned + pcm[len(toned) :], last=False)


def finish(line: LiveLine) -> bytes:
    """Return the last frames of a line."""
    return _go_on(line, b"", last=True)


def _go_on(line: LiveLine, samples: bytes, *, last: bool) -> bytes:
    mark = Mark(line.frames, bytes(line.tail))
    mp3, mark = go_on(mark, samples, rate=RATE, last=last)
    line.frames, line.tail = mark.frames, mark.tail
    return mp3


def extend(session: LiveSession, mp3: bytes, *, last: bool) -> None:
    """Add frames to the playlist: a segment is whole after two seconds, or at last.

    What no playlist names any more is forgotten.
    """
    found = LiveSegment.objects.filter(session=session)
    row = found.order_by("-number").first()
    if row is None or row.whole:
        number, at_ms = (row.number + 1, row.at_ms + row.ms) if row else (0, 0)
        row = LiveSegment(session=session, number=number, at_ms=at_ms, data=b"")
    row.data = bytes(row.data) + mp3
    row.ms += FRAME_MS * sum(1 for _ in FrameCutter().feed(mp3 + FRAME_END))
    row.whole = last or row.ms >= HLS_SEGMENT_MS
    if row.ms:
        row.save()
    found.filter(number__lt=row.number - HLS_KEPT).delete()


def playlist(token: str) -> str:
    """Return the playlist of a session. Raises AbsentError."""
    found = LiveSegment.objects.filter(session__token=token)
    session = LiveSession.objects.filter(token=token).first()
    if session is None or not found.exists():
        raise AbsentError("schedule.live_absent")
    whole = found.filter(whole=True).order_by("-number")[:HLS_KEPT]
    rows = [(row.number, row.ms) for row in whole.defer("data")]
    is_over = session.ended_at is not None
    return write_playlist(rows[::-1], usual_ms=HLS_SEGMENT_MS, last=is_over)


def segment(token: str, number: int) -> bytes:
    """Return one segment of a playlist. Raises AbsentError."""
    found = LiveSegment.objects.filter(session__token=token, number=number, whole=True)
    row = found.first()
    if row is None:
        raise AbsentError("schedule.live_absent")
    return timestamp(row.at_ms) + bytes(row.data)


def forget_heard(*, at: datetime) -> None:
    """Forget the sound of sessions that have been over for a minute."""
    LiveSegment.objects.filter(session__ended_at__lte=at - HLS_AFTER).delete()
