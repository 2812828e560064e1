"""Files as officers send them, and as an attacker would; made here, byte by byte."""

import io
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import nguon.channels
from nguon.speech import audio

LETTER = """ỦY BAN NHÂN DÂN
XÃ IA GRAI
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Số: 45/TB-UBND
Ia Grai, ngày 20 tháng 11 năm 2026
THÔNG BÁO
V/v tiêm phòng lở mồm long móng cho trâu, bò
Kính gửi: Ban nhân dân các thôn, làng
Căn cứ Kế hoạch số 12/KH-UBND ngày 02/01/2026;
Ủy ban nhân dân xã thông báo lịch tiêm phòng cho trâu, bò.
Thời gian: 7 giờ 30 ngày 25/11/2026 tại nhà rông các làng.
Đề nghị bà con giữ trâu bò ở nhà, mang theo sổ theo dõi.
Nơi nhận:
- Như trên;
- Lưu: VT.
TM. ỦY BAN NHÂN DÂN
CHỦ TỊCH
Nguyễn Văn A"""
FONT = Path(nguon.channels.__file__).parent / "fonts/LiberationSerif-Regular.ttf"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ODF = "urn:oasis:names:tc:opendocument:xmlns"


def packed(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return target.getvalue()


def docx(text: str, *, before: str = "") -> bytes:
    lines = "".join(f"<w:p><w:r><w:t>{x}</w:t></w:r></w:p>" for x in text.split("\n"))
    xml = f'{before}<w:document xmlns:w="{WORD}"><w:body>{lines}</w:body></w:document>'
    return packed(
        {
            "[Content_Types].xml": b"<Types/>",
            "word/document.xml": xml.encode(),
            "word/vbaProject.bin": b"Sub AutoOpen()",
        }
    )


def odt(text: str) -> bytes:
    lines = "".join(f"<text:p>{line}</text:p>" for line in text.split("\n"))
    xml = (
        f'<office:document-content xmlns:office="{ODF}:office:1.0" '
        f'xmlns:text="{ODF}:text:1.0"><office:body><office:text>{lines}'
        "</office:text></office:body></office:document-content>"
    )
    return packed(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": xml.encode(),
        }
    )


def pdf(text: str) -> bytes:
    """Return a PDF of one page; the letters are those of Latin-1."""
    shown = "".join(f"({line}) Tj T* " for line in text.split("\n"))
    stream = f"BT /F1 12 Tf 14 TL 50 800 Td {shown}ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
        b"/Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        start,
    )


def letter_photo(text: str) -> bytes:
    """Return a letter as a phone sees it: greyish, a little turned, a JPEG."""
    font = ImageFont.truetype(FONT, size=28)
    sheet = Image.new("RGB", (1240, 1400), (236, 232, 220))
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(text.split("\n")):
        pen.text((80, 60 + 52 * number), line, fill=(30, 30, 40), font=font)
    target = io.BytesIO()
    turned = sheet.rotate(1.2, fillcolor=(200, 196, 180), expand=True)
    turned.save(target, "JPEG", quality=80)
    return target.getvalue()


def tone(seconds: float = 2.0, *, rate: int = 16_000) -> bytes:
    """Return a WAV of a tone, as a phone's recorder makes it."""
    import wave

    target = io.BytesIO()
    t = np.arange(int(seconds * rate)) / rate
    samples = (np.sin(2 * np.pi * 300 * t) * 8_000).astype("<i2")
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return target.getvalue()


def video(seconds: int = 1, *, side: int = 64, sound: bytes = b"") -> bytes:
    """Return an MP4 of a few grey pictures, with samples of `nguon.speech.audio`."""
    target = io.BytesIO()
    with av.open(target, mode="w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, 10)
        heard = audio.add_aac(container) if sound else None
        for number in range(10 * seconds):
            pixels = np.full((side, side, 3), 10 + number * 5 % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if heard is not None:
            for piece in (*audio.frames(sound), None):
                container.mux(heard.encode(piece))
    return target.getvalue()
