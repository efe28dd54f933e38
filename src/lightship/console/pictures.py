"""Stills as they are shown before they are clear: a blur of the whole, or one part clear in the blur of the rest."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lightship.console.problems import Problem

PARTS = 9
"""A still has so many parts, three by three, from the top left on."""
_SIDE = 3
_COARSE_PX = 20
_SHOWN_PX = 320


def blurred(data: bytes) -> bytes:
    """Return a still as a grey blur (PNG): it is cut down to 20 pixels of width, so no sharpening brings it back.

    Raises
    ------
    Problem
        If it is no picture.
    """
    return _png(_blur(_decoded(data, cv2.IMREAD_GRAYSCALE)))


def part_of(data: bytes, part: int) -> bytes:
    """Return a still of which one part is clear, in the grey blur of the rest (PNG).

    Raises
    ------
    Problem
        If it is no picture, or has no such part.
    """
    if not 1 <= part <= PARTS:
        raise Problem("invalid", f"A still has the parts 1 to {PARTS}.")
    clear = _decoded(data, cv2.IMREAD_COLOR)
    height, width = clear.shape[:2]
    grey = _blur(cv2.cvtColor(clear, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False))
    whole = cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR)
    shown = np.repeat(whole[:, :, None], 3, axis=2).astype(np.uint8, copy=False)
    row, column = divmod(part - 1, _SIDE)
    here = np.s_[
        row * height // _SIDE : (row + 1) * height // _SIDE,
        column * width // _SIDE : (column + 1) * width // _SIDE,
    ]
    shown[here] = clear[here]
    return _png(shown)


def _decoded(data: bytes, how: int) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), how) if data else None
    if found is None:
        raise Problem("not-found", "The exhibit cannot be shown as a still.")
    return found.astype(np.uint8, copy=False)


def _blur(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the blur of ``(H, W) uint8``, 320 pixels wide."""
    height = max(1, round(_COARSE_PX * grey.shape[0] / grey.shape[1]))
    coarse = cv2.resize(grey, (_COARSE_PX, min(height, 4 * _COARSE_PX)), interpolation=cv2.INTER_AREA)
    size = (_SHOWN_PX, round(_SHOWN_PX * coarse.shape[0] / _COARSE_PX))
    wide = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(wide, (0, 0), 12.0).astype(np.uint8, copy=False)


def _png(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1].tobytes())
