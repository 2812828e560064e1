"""An MP3 cut into segments is the same MP3, to the sample."""

import numpy as np
import pytest

from nguon.core.addresses import AddressError
from nguon.radio.feeds import FRAME_END, FrameCutter
from nguon.radio.hls import Playlist
from nguon.radio.segments import Segmenter, write_playlist
from nguon.speech import audio
from nguon.speech.live import FRAME_MS, LiveEncoder

RATE = 48_000
BASE = "http://radio.vn/x/index.m3u8"


def frames_of(data: bytes) -> list[bytes]:
    return list(FrameCutter().feed(data + FRAME_END))


def test_segments_one_after_the_other_are_the_very_mp3_that_was_cut() -> None:
    tone = 9_000 * np.sin(2 * np.pi * 440 * np.arange(RATE * 9) / RATE)
    pcm = tone.astype("<i2").tobytes()
    encoder, segmenter = LiveEncoder(rate=RATE), Segmenter(frame_ms=FRAME_MS, ms=2_000)
    mp3, pieces = b"", []
    # Whatever the portions in which it comes.
    for at in range(0, len(pcm), 7_346):
        made = encoder.feed(pcm[at : at + 7_346])
        mp3 += made
        pieces += segmenter.add(made)
    pieces += segmenter.rest()

    joined = [frame for piece in pieces for frame in frames_of(piece.data)]
    decoded = np.frombuffer(audio.decode(b"".join(joined), limit_seconds=10), "<i2")
    jumps = np.abs(np.diff(decoded[RATE // 2 : -RATE // 2].astype(float)))

    assert b"".join(joined) == mp3
    assert [piece.ms for piece in pieces[:-1]] == [2_016] * (len(pieces) - 1)
    assert all(len(frames_of(piece.data)) == piece.ms // 24 for piece in pieces)
    # A whole number of frames of 1,152 samples: not one sample more or less.
    assert abs(len(decoded) - len(joined) * 1_152) <= 1_152
    # A tone of 440 Hz moves this far from one sample to the next; a click is further.
    assert jumps.max() < 1.3 * 9_000 * 2 * np.pi * 440 / RATE


def test_a_playlist_that_we_write_is_read_by_our_own_reader() -> None:
    text = write_playlist([(41, 2_016), (42, 2_016), (43, 504)], usual_ms=2_000)

    read = Playlist(text, base=BASE)

    assert [one.url for one in read.segments] == [
        f"http://radio.vn/x/{n}.mp3" for n in (41, 42, 43)
    ]
    assert (read.first, read.target_s, read.ended) == (41, 3.0, False)
    assert Playlist(write_playlist([], usual_ms=2_000, last=True), base=BASE).ended


def test_a_playlist_with_headers_and_sound_of_its_own_says_so() -> None:
    media = Playlist(
        '#EXTM3U\n#EXT-X-MAP:URI="a.mp4"\n#EXTINF:2,\n1.m4s\n'
        '#EXT-X-MAP:URI="b.mp4"\n#EXTINF:2,\n2.m4s\n',
        base=BASE,
    )
    master = Playlist(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="a"\npictures.m3u8\n',
        base=BASE,
    )

    assert [one.init for one in media.segments] == [
        "http://radio.vn/x/a.mp4",
        "http://radio.vn/x/b.mp4",
    ]
    assert master.sounds == ["http://radio.vn/x/sound.m3u8"]


def test_an_address_in_a_playlist_that_is_none_is_refused_and_breaks_nothing() -> None:
    for row in ("http://[x/1.ts", '#EXT-X-MAP:URI="http://[x"'):
        with pytest.raises(AddressError, match="address_unusable"):
            Playlist(f"#EXTM3U\n{row}\n", base=BASE)
