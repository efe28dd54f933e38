"""Whether bytes carry a picture or film. None is taken in, ever: a referral is words, identifiers and hashes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
)
"""JPEG, PNG, GIF, TIFF, Matroska and WebM, Flash video; others are told by more than how they start."""
_PACKED = (b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b\x08", b"%PDF-")
"""What may hold any number of them, and is no form of a referral either."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{64,}")
_HEAD = 64


def carries_picture(data: bytes) -> bool:
    r"""Return whether bytes are a picture, a film or an archive, or have one in them as Base64.

    Examples
    --------
    >>> carries_picture(b'{"text": "words"}'), carries_picture(b"\x89PNG\r\n\x1a\n....")
    (False, True)
    """
    return _begins(data) or any(_begins(head) for head in _decoded(data))


def _begins(head: bytes) -> bool:
    riff = head[:4] == b"RIFF" and head[8:12] in {b"WEBP", b"AVI "}
    bmp = head[:2] == b"BM" and head[6:10] == bytes(4)  # two letters alone begin many a text
    return head.startswith((*_STARTS, *_PACKED)) or head[4:8] == b"ftyp" or riff or bmp


def _decoded(data: bytes) -> Iterator[bytes]:
    """Yield how each long run of Base64 begins; JSON may have written its strokes with a backslash."""
    for run in _BASE64.finditer(data.replace(b"\\/", b"/")):
        try:
            yield base64.b64decode(run[0][:_HEAD].translate(bytes.maketrans(b"-_", b"+/")), validate=True)
        except binascii.Error:
            continue
