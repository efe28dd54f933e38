"""The picture inside its border: letterbox, pillarbox, or a frame of one colour, found on brightness alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightship.core.values import Luma

FLAT = 20
"""Brightness may vary by so much along a line of a border: what encoders leave of one colour."""

_LEAST_PX = 2  # measured: a border of 1 % hides half of all pictures, one of 2 % nine of ten
_KEPT_SHARE = 0.3  # of a side: what is left of a picture must be a picture
_STEP = 4  # every fourth pixel of a line tells whether it is flat


@dataclass(frozen=True, slots=True)
class Inside:
    """Where the picture lies, pixels: ``luma[top:bottom, left:right]``."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, luma: Luma) -> Luma:
        """Return that part, a view."""
        return luma[self.top : self.bottom, self.left : self.right]


def inside(luma: Luma) -> Inside | None:
    """Return the picture inside a border, or None where there is none worth cutting off.

    Most pictures have none, which four lines tell; only then is more read.

    Parameters
    ----------
    luma
        ``(H, W) uint8``.
    """
    height, width = luma.shape
    if min(height, width) < 64:  # smaller pictures have no hash worth the name
        return None
    edges = luma[0, ::_STEP], luma[-1, ::_STEP], luma[::_STEP, 0], luma[::_STEP, -1]
    if not any(int(line.max()) - int(line.min()) <= FLAT for line in edges):
        return None
    top, bottom = _margins(luma[:, ::_STEP])
    rows = luma[top : height - bottom]
    left, right = _margins(rows[::_STEP].T) if len(rows) else (0, 0)
    if max(top, bottom, left, right) < _LEAST_PX:
        return None
    if height - top - bottom < _KEPT_SHARE * height or width - left - right < _KEPT_SHARE * width:
        return None
    return Inside(top, height - bottom, left, width - right)


def _margins(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """Return how many lines at the beginning and at the end are flat and of one brightness with the outermost."""
    low, high = lines.min(axis=1).astype(np.int16), lines.max(axis=1).astype(np.int16)

    def run(low: NDArray[np.int16], high: NDArray[np.int16]) -> int:
        border = (high - low <= FLAT) & (np.abs(low - low[0]) <= FLAT) & (np.abs(high - high[0]) <= FLAT)
        return len(border) if border.all() else int(np.argmin(border))

    return run(low, high), run(low[::-1], high[::-1])
