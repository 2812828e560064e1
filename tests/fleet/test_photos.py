"""A photo is made anew: upright, small, and without where it was taken."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest

from nguon.core.errors import InvalidError
from nguon.fleet import photos

# TIFF, big-endian: Orientation, and a GPS directory with a latitude reference.
PLACE = b"14\xc2\xb0 01' 22\" N"


def picture(width: int, height: int, codec: str = "mjpeg") -> bytes:
    """Return a photo whose left half is red, the right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height = width, height
    encoder.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
    encoder.time_base = Fraction(1, 25)
    frame = frame.reformat(format=encoder.pix_fmt)
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def with_exif(jpeg: bytes, *, orientation: int) -> bytes:
    """Return a JPEG with an Exif block: an orientation and a place in words."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes([0, orientation, 0, 0])
    text = b"\x01\x0e\x00\x02" + len(PLACE).to_bytes(4, "big") + b"\x00\x00\x00\x26"
    tiff = b"MM\x00\x2a\x00\x00\x00\x08\x00\x02" + text + entry + b"\x00" * 4 + PLACE
    block = b"Exif\x00\x00" + tiff
    head = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    return jpeg[:2] + head + jpeg[2:]


def look(jpeg: bytes) -> np.ndarray:
    with av.open(BytesIO(jpeg)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.mark.parametrize("codec", ["mjpeg", "png"])
def test_a_photo_comes_out_as_a_small_jpeg(codec: str) -> None:
    clean = photos.make_clean(picture(3200, 1200, codec))

    assert clean.startswith(b"\xff\xd8")
    assert look(clean).shape == (600, 1600, 3)


def test_a_small_photo_is_not_made_larger() -> None:
    assert look(photos.make_clean(picture(64, 48))).shape == (48, 64, 3)


def test_the_place_in_a_photo_is_gone() -> None:
    told = with_exif(picture(640, 480), orientation=1)
    assert PLACE in told

    clean = photos.make_clean(told)

    assert PLACE not in clean
    assert b"Exif" not in clean


@pytest.mark.parametrize(
    ("orientation", "shape", "red"),
    [
        (1, (480, 640, 3), (240, 100)),
        (3, (480, 640, 3), (240, 540)),
        (6, (640, 480, 3), (100, 240)),
        (8, (640, 480, 3), (540, 240)),
    ],
)
def test_a_photo_taken_sideways_stands_upright(
    orientation: int, shape: tuple[int, ...], red: tuple[int, int]
) -> None:
    clean = look(
        photos.make_clean(with_exif(picture(640, 480), orientation=orientation))
    )

    assert clean.shape == shape
    pixel = clean[red]
    assert pixel[0] > 200
    assert pixel[2] < 60


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\xff\xd8\xff", b"<svg/>" * 100, b"RIFF" + b"\0" * 400]
)
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError) as error:
        photos.make_clean(data)

    assert error.value.code == "fleet.photo_unreadable"


def test_a_file_too_big_is_refused_unread() -> None:
    with pytest.raises(InvalidError) as error:
        photos.make_clean(b"\xff\xd8" + b"\0" * photos.MAX_BYTES)

    assert error.value.code == "fleet.photo_too_big"
