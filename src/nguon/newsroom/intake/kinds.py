"""What a file is, told by its content and never by its name."""

import zipfile
from io import BytesIO

from nguon.core.errors import InvalidError

DOCX, ODT, PDF, PICTURE, SOUND, TEXT = "docx", "odt", "pdf", "picture", "sound", "text"

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SOUNDS = (
    *(b"ID3", b"OggS", b"fLaC", b"#!AMR", b"caff", b"FORM"),
    *(b"\x1aE\xdf\xa3", b"0&\xb2u\x8ef\xcf\x11", b"riff.\x91"),
)
_SCRIPTED = (b"<svg", b"<script", b"<html", b"<!doctype html", b"<?php")
_HEAD = 4_096


class FileRefusedError(InvalidError):
    """The file is nothing that a bulletin is made from; the code says what it is."""


def tell(data: bytes) -> str:
    """Return what the content is. Raises FileRefusedError with its own sentence.

    A container of sound may also hold a video; the reader looks inside.
    """
    head = data[:_HEAD]
    if not data:
        raise FileRefusedError("newsroom.file_empty")
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return PICTURE
    if head.startswith(b"PK"):
        return _packed(data)
    if head.startswith(_OLD_OFFICE):
        raise FileRefusedError("newsroom.file_old_office")
    if _is_sound(head):
        return SOUND
    if any(sign in head.lower() for sign in _SCRIPTED):
        raise FileRefusedError("newsroom.file_scripted")
    return _plain(data)


def _is_sound(head: bytes) -> bool:
    mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    wave = head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    return mpeg or wave or head[4:8] == b"ftyp" or head.startswith(_SOUNDS)


def _packed(data: bytes) -> str:
    """Return which document a ZIP holds; only its list of names is read here."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileRefusedError("newsroom.file_broken") from error
    if "word/document.xml" in names:
        return DOCX
    if "content.xml" in names:
        return ODT
    raise FileRefusedError("newsroom.file_unknown")


def _plain(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileRefusedError("newsroom.file_unknown") from error
    if "\0" in text:
        raise FileRefusedError("newsroom.file_unknown")
    return TEXT
