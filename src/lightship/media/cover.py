"""Covering: a blur that cannot be undone, a still card with words, and silence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lightship.core.ports import Picture
from lightship.media import lettering
from lightship.media.frames import ArrayPicture, Sound, VideoPicture, frame_from_planes, planar, plane_view

if TYPE_CHECKING:
    import av

MOST_BLOCKS = 16
"""Blocks along the longer side of a blurred picture."""

LEAST_BLOCK_PX = 8
"""A block is at least so wide and high, so that a small picture is blurred as well."""

_PAPER = (24, 32, 44)
_INK = (255, 255, 255)
_SOFT_INK = (206, 216, 228)


def grid(width: int, height: int) -> tuple[int, int]:
    """Return how many blocks, across and down, are left of a picture of this size after blurring.

    Examples
    --------
    >>> grid(1280, 720), grid(720, 1280), grid(16, 16), grid(1, 1)
    ((16, 9), (9, 16), (2, 2), (1, 1))
    """
    longer = max(width, height)
    blocks = min(MOST_BLOCKS, longer // LEAST_BLOCK_PX)
    return max(1, round(blocks * width / longer)), max(1, round(blocks * height / longer))


def blur(picture: Picture) -> ArrayPicture | VideoPicture:
    """Return the picture so strongly blurred that the output holds only the averages of at most 16 blocks a side.

    The averages are whole numbers made from exact sums, so two pictures whose blocks have the same sums give
    the same output to the last bit: nothing else of the input can be recovered.
    """
    blocks = grid(picture.width, picture.height)
    if isinstance(picture, VideoPicture):
        frame = planar(picture.to_frame())
        planes = [_blurred(plane_view(frame, number), blocks) for number in range(len(frame.planes))]
        return VideoPicture(picture.at_s, frame_from_planes(planes, frame, frame.format.name))
    rgb = picture.rgb()
    planes = [_blurred(rgb[:, :, channel], blocks) for channel in range(3)]
    return ArrayPicture(picture.at_s, np.stack(planes, axis=2))


def block_sums(
    plane: NDArray[np.uint8], blocks: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the exact sum of each block of a plane, and its number of pixels, both ``(down, across)``.

    Parameters
    ----------
    plane
        ``(H, W) uint8``.
    blocks
        Across and down.
    """
    import cv2

    height, width = plane.shape
    across, down = min(blocks[0], width), min(blocks[1], height)
    columns = np.linspace(0, width, across + 1).round().astype(np.int64)
    rows = np.linspace(0, height, down + 1).round().astype(np.int64)
    strips = [
        # A strip's column sums fit 32 bits up to 8 million rows.
        cv2.reduce(np.ascontiguousarray(plane[top:bottom]), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
        for top, bottom in itertools.pairwise(rows)
    ]
    sums = np.add.reduceat(np.stack(strips), columns[:-1], axis=1, dtype=np.int64)
    return sums, np.outer(np.diff(rows), np.diff(columns))


def _blurred(plane: NDArray[np.uint8], blocks: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    sums, counts = block_sums(plane, blocks)
    means = ((2 * sums + counts) // (2 * counts)).astype(np.uint8)
    size = (plane.shape[1], plane.shape[0])
    return np.asarray(cv2.resize(means, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def card(width: int, height: int, title: str, lines: Sequence[str]) -> ArrayPicture:
    """Return a still card: a title and lines of text, as large as the picture allows.

    Parameters
    ----------
    width, height
        Pixels. On a picture too small to read on, the card is plain.
    title
        What happened, in a few words.
    lines
        What to know and where help is; each is wrapped as needed.
    """
    image = lettering.blank(width, height, _PAPER)
    margin_px = max(1, min(width, height) // 14)
    room_px = (width - 2 * margin_px, height - 2 * margin_px)
    for words in (lines, ()):  # where the picture is small the title stands alone
        rows = _fitting(title, words, room_px, max(6, max(width, height) // 18))
        if rows:
            _draw(image, rows, margin_px, (height - sum(row.high_px for row in rows)) // 2)
            break
    return ArrayPicture(0.0, image)


_TITLE, _BODY = 700, 400  # weights of the letters


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    size_px: int
    weight: int
    high_px: int

    @property
    def width_px(self) -> int:
        return lettering.measure(self.text, self.size_px, self.weight) if self.text else 0


def _fitting(title: str, lines: Sequence[str], room_px: tuple[int, int], size_px: int) -> list[_Row]:
    while size_px >= 6:
        rows = _rows(title, lines, room_px[0], size_px)
        fits_down = sum(row.high_px for row in rows) <= room_px[1]
        if fits_down and all(row.width_px <= room_px[0] for row in rows):
            return rows
        size_px = min(size_px - 1, size_px * 9 // 10)
    return []


def _rows(title: str, lines: Sequence[str], width_px: int, size_px: int) -> list[_Row]:
    small_px = max(5, size_px * 6 // 10)
    rows = [
        _Row(text, size_px, _TITLE, size_px * 13 // 10)
        for text in lettering.wrap(title, width_px, size_px, _TITLE)
    ]
    for line in lines:
        rows.append(_Row("", small_px, _BODY, small_px // 2))
        rows += [
            _Row(text, small_px, _BODY, small_px * 14 // 10)
            for text in lettering.wrap(line, width_px, small_px, _BODY)
        ]
    return rows


def _draw(image: NDArray[np.uint8], rows: Sequence[_Row], left_px: int, top_px: int) -> None:
    for row in rows:
        if row.text:
            shade = _INK if row.weight == _TITLE else _SOFT_INK
            lettering.write(image, row.text, left_px, top_px + row.size_px, row.size_px, shade, row.weight)
        top_px += row.high_px


def silence(sound: Sound) -> Sound:
    """Return the same stretch of time without sound."""
    import av

    heard: av.AudioFrame = sound.frame
    still = av.AudioFrame(format=heard.format.name, layout=heard.layout.name, samples=heard.samples)
    rest = 128 if heard.format.name in {"u8", "u8p"} else 0
    for plane in still.planes:
        plane.update(bytes([rest]) * plane.buffer_size)
    still.sample_rate, still.pts = heard.sample_rate, heard.pts
    if heard.time_base is not None:
        still.time_base = heard.time_base
    return Sound(sound.at_s, still)
