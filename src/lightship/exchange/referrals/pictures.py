"""Whether bytes carry a picture or film. None is taken in, ever: a referral is words, identifiers and hashes."""

from __future__ import annotations

import base64
import re

_STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cJXL \r\n\x87\n",
    b"\x1aE\xdf\xa3",
    b"FLV\x01",
    bytes.fromhex("3026b2758e66cf11"),
    b"\0\0\1\xba",
    b"\0\0\1\xb3",
    b"G@\0\x10",
    b"G@\x11\x10",
)
"""JPEG, PNG, GIF, TIFF, JPEG 2000, JPEG XL, Matroska and WebM, Flash video, ASF, MPEG: the others need more."""
_PACKED = (
    b"PK\x03\x04",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x1f\x8b\x08",
    b"%PDF-",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    *(b"BZh%d1AY" % level for level in range(1, 10)),
)
"""What may hold any number of them, and is no form of a referral either."""
_SHORT_JXL = b"\xff\x0a"
_PACKET = 188
"""Bytes of a packet of an MPEG transport stream; each begins with a G."""

_LEAST = 64
"""Characters of Base64 from which it may be a picture."""
_BASE64 = rb"[A-Za-z0-9+/]"
_ESCAPED = re.compile(rb"\\u00([0-7][0-9A-Fa-f])|&#0*([0-9]{1,3});|&#[xX]0*([0-9A-Fa-f]{1,2});")
_JOINED = bytes.maketrans(b"-_", b"+/")
_BETWEEN = bytes(range(0x21)) + b"\\" + bytes(range(0x7F, 0x100))
"""What may stand within Base64: white space, the strokes that JSON writes, and what is not ASCII."""


def carries_picture(data: bytes) -> bool:
    r"""Return whether bytes are a picture, a film or an archive, or have one in them as Base64 or hexadecimal.

    Examples
    --------
    >>> carries_picture(b'{"text": "words"}'), carries_picture(b"\x89PNG\r\n\x1a\n....")
    (False, True)
    """
    return _begins(data) or spells_picture(data)


def spells_picture(text: bytes) -> bool:
    """Return whether a picture, film or archive stands in a text as Base64 or hexadecimal, wherever it begins.

    The time that it takes grows as the text does, and no faster.
    """
    plain = text.replace(b"\0", b"")  # UTF-16 and UTF-32 are ASCII with noughts between
    for white in (rb"\n", rb"\r", rb"\t"):
        plain = plain.replace(white, b"\n")
    plain = _ESCAPED.sub(_meant, plain)
    low = plain.lower()
    digits = low.translate(None, delete=_BETWEEN)
    if any(start in digits and shape.search(low) for start, shape in _HEX):
        return True
    joined = plain.translate(_JOINED, delete=_BETWEEN)
    return any(start in joined and shape.search(joined) for start, shape in _SHAPES)


def _begins(head: bytes) -> bool:
    riff = head[:4] == b"RIFF" and head[8:12] in {b"WEBP", b"AVI "}
    bmp = head[:2] == b"BM" and head[6:10] == bytes(4)  # two letters alone begin many a text
    packets = head[: 3 * _PACKET + 1 : _PACKET] == b"GGGG"
    starts = (*_STARTS, *_PACKED, _SHORT_JXL)
    return head.startswith(starts) or head[4:8] == b"ftyp" or riff or bmp or packets


def _meant(found: re.Match[bytes]) -> bytes:
    """Return the character that JSON or XML means by an escape."""
    one = int(found[2]) if found[2] else int(found[1] or found[3], 16)
    return bytes([one]) if one < 0x80 else b""


def _shape(start: bytes, more: bytes = b"") -> tuple[bytes, re.Pattern[bytes]]:
    """Return how Base64 begins, and the whole of what to look for."""
    return start, re.compile(re.escape(start) + more + _BASE64 + b"{%d}" % (_LEAST - len(start)))


def _as_base64(start: bytes) -> bytes:
    return base64.b64encode(start + bytes(2))[: len(start) * 8 // 6]


_SHAPES = (
    *(_shape(_as_base64(one)) for one in (*_STARTS, *_PACKED)),
    _shape(b"UklGR", _BASE64 + b"{6}(?:XRUJQ|BVkkg)"),  # RIFF, then WEBP or AVI
    _shape(b"Qk", b"[0-3]" + _BASE64 + b"{5}AAAAA[A-P]"),  # BM, then four noughts
    (b"Z0eX", re.compile(b"[GWm2]Z0eX[A-D]" + _BASE64 + b"{%d}" % (_LEAST - 11))),  # ftyp, four bytes on
    # Two bytes alone begin many a path: only where a long run begins with them.
    (b"/w", re.compile(b"(?<!%s)/w[o-r]%s{253}" % (_BASE64, _BASE64))),
)


def _hex(start: bytes) -> tuple[bytes, re.Pattern[bytes]]:
    """Return how digits begin, and the whole: more than the longest hash has, and from where the digits begin."""
    digits = start.hex().encode()
    first = rb"\s?".join(b"%c" % one for one in digits)
    return digits, re.compile(b"(?<![0-9a-f])" + first + rb"(?:\s{0,2}[0-9a-f]){%d}" % (129 - len(digits)))


_HEX = tuple(_hex(one) for one in (*_STARTS, *_PACKED, b"RIFF"))
