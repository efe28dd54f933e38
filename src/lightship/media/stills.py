"""Still pictures from files: upright, whole, and bounded by their pixels before they are decoded.

FFmpeg decodes most still pictures well, but leaves out the mirroring that a camera's orientation tag may ask for, shows
the missing part of a JPEG that is cut short as grey, and knows no animated WebP. OpenCV does those right, so JPEG, PNG,
WebP, TIFF and BMP are read by it; GIF and animated PNG go frame by frame through
:func:`lightship.media.sources.open_source`, as a video does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.values import Luma, Rgb

MOST_PIXELS = 200_000_000
"""Larger pictures are refused: a file of some hundred kilobytes can ask for gigabytes."""

_TAIL_BYTES = 4096
_BATCH_PIXELS = 50_000_000  # pixels of an animation that are decoded at a time


class StillPicture:
    """A still picture, decoded in brightness, and in colour when asked.

    Parameters
    ----------
    at_s
        Seconds into an animation; 0 for a single picture.
    luma
        ``(H, W) uint8``, upright.
    colours
        Decodes it in colour, ``(H, W, 3) uint8 RGB``.
    """

    __slots__ = ("_colours", "_luma", "at_s", "height", "width")

    def __init__(self, at_s: float, luma: Luma, colours: Callable[[], Rgb]) -> None:
        self.at_s = at_s
        self.height, self.width = luma.shape
        self._luma, self._colours = luma, colours

    def luma(self) -> Luma:
        """Return BT.601 brightness ``(H, W) uint8``, full range, upright."""
        return self._luma

    def rgb(self) -> Rgb:
        """Return the picture as ``(H, W, 3) uint8 RGB, 0-255``, upright."""
        return self._colours()


def kind(path: Path) -> str:
    """Return ``jpeg``, ``png``, ``webp``, ``tiff``, ``bmp``, ``animation`` for what FFmpeg shall read frame by frame,
    or nothing where it is no still picture; by the file's own bytes.

    Raises
    ------
    InputError
        If it cannot be read, or is larger than :data:`MOST_PIXELS`.
    """  # noqa: D205
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", path.name, "Check the path."
        ) from error
    found = _kind(head)
    _bounded(path, *_size(found, head))
    return "animation" if found == "gif" or (found == "png" and b"acTL" in head) else found


def cut_short(path: Path) -> bool:
    """Return whether a GIF lacks its end: FFmpeg plays what there is of it and says nothing."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return head == b"GIF8" and not file.read().rstrip(b"\0\r\n").endswith(b";")


def open_still(path: Path, form: str) -> Iterator[StillPicture]:
    """Yield the picture, or those of an animated WebP or of a TIFF's pages.

    Parameters
    ----------
    form
        As :func:`kind` says.

    Raises
    ------
    InputError
        If it is damaged or cut short.
    """
    import cv2

    data = np.fromfile(path, np.uint8)
    if form == "webp" and data[12:16].tobytes() == b"VP8X" and data[20] & 0x02:
        yield from _animation(data, path)
        return
    whole = form != "png" or b"IEND" in data[-64:].tobytes()
    try:
        cv2.utils.logging.setLogLevel(0)  # what it has to say is said below, in one sentence
        pages: Sequence[Any] = []
        if form == "tiff":
            for width, height in _tiff_pages(data.tobytes()):
                _bounded(path, width, height)
            _, pages = cv2.imdecodemulti(data, cv2.IMREAD_GRAYSCALE)
        else:
            pages = [cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)] if whole else []
    except cv2.error:
        pages = []
    if not pages or any(page is None for page in pages):
        raise _damaged(path)
    for number, page in enumerate(pages):
        yield StillPicture(float(number), np.asarray(page, np.uint8), _in_colour(data, number))


def _in_colour(data: NDArray[np.uint8], page: int) -> Callable[[], Rgb]:
    def decode() -> Rgb:
        import cv2

        _, pages = cv2.imdecodemulti(data, cv2.IMREAD_COLOR)
        return np.asarray(cv2.cvtColor(pages[page], cv2.COLOR_BGR2RGB), np.uint8)

    return decode


def _animation(data: NDArray[np.uint8], path: Path) -> Iterator[StillPicture]:
    import cv2

    width, height = _size("webp", data[:64].tobytes())
    batch, done, at_s = max(1, _BATCH_PIXELS // max(1, width * height)), 0, 0.0
    while True:
        try:
            good, found = cv2.imdecodeanimation(data, done, batch)
        except cv2.error:
            good = False
        if not good or not found.frames:
            if not done:
                raise _damaged(path)
            return
        for picture, milliseconds in zip(found.frames, np.ravel(found.durations), strict=True):
            rgb = np.asarray(cv2.cvtColor(picture[..., :3], cv2.COLOR_BGR2RGB), np.uint8)
            luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
            yield StillPicture(at_s, luma, partial(_same, rgb))
            at_s += float(milliseconds) / 1000.0
        done += len(found.frames)
        if len(found.frames) < batch:
            return


def _same(rgb: Rgb) -> Rgb:
    return rgb


def _bounded(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        what = f"The picture has {width}×{height} pixels; more than {MOST_PIXELS // 1_000_000} million are not decoded."
        raise InputError(what, path.name, "Scale it down first, if it is to be trusted.")


def _damaged(path: Path) -> InputError:
    return InputError(
        "The picture is cut short, damaged, or of a kind that is not read.",
        path.name,
        "Copy it again, or convert it to PNG.",
    )


def _kind(head: bytes) -> str:
    marks = {
        b"\xff\xd8\xff": "jpeg",
        b"\x89PNG\r\n\x1a\n": "png",
        b"GIF8": "gif",
        b"II*\x00": "tiff",
        b"MM\x00*": "tiff",
    }
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and len(head) > 26 and head[14:18] in {b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"}:
        return "bmp"
    return next((name for mark, name in marks.items() if head.startswith(mark)), "")


def _size(form: str, head: bytes) -> tuple[int, int]:
    """Return the width and height that the file's head declares, pixels; 0 where it declares none there."""
    try:
        if form == "png":
            return _pair(">II", head, 16)
        if form == "gif":
            return _pair("<HH", head, 6)
        if form == "bmp":
            width, height = _pair("<ii", head, 18)
            return width, abs(height)
        if form == "webp":
            return _webp_size(head)
        return _jpeg_size(head) if form == "jpeg" else (0, 0)
    except (struct.error, IndexError):
        return 0, 0


def _pair(form: str, head: bytes, start: int) -> tuple[int, int]:
    first, second = struct.unpack_from(form, head, start)
    return int(first), int(second)


def _webp_size(head: bytes) -> tuple[int, int]:
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = _pair("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(head: bytes) -> tuple[int, int]:
    place = 2
    while place + 9 < len(head):
        code, length = head[place + 1], struct.unpack_from(">H", head, place + 2)[0]
        if 0xC0 <= code <= 0xCF and code not in {0xC4, 0xC8, 0xCC}:
            return _pair(">HH", head, place + 5)[::-1]
        place += 2 + length
    return 0, 0


def _tiff_pages(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the size that each page declares, until one does not make sense."""
    order = "<" if data[:2] == b"II" else ">"
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(f"{order}I", data, 4)
        while place and place not in seen:
            seen.add(place)
            (count,) = struct.unpack_from(f"{order}H", data, place)
            sizes = {256: 0, 257: 0}
            for at in range(place + 2, place + 2 + 12 * count, 12):
                tag, form = struct.unpack_from(f"{order}HH", data, at)
                if tag in sizes:
                    (sizes[tag],) = struct.unpack_from(f"{order}{'H' if form == 3 else 'I'}", data, at + 8)
            yield sizes[256], sizes[257]
            (place,) = struct.unpack_from(f"{order}I", data, place + 2 + 12 * count)
    except struct.error:
        return
