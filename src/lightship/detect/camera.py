"""Camera evidence: a frozen or a black picture. Weak; it only makes the guard look more often, never more than that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.values import Reading

FROZEN_LOOKS = 8
"""Looks in a row without a change, two seconds at four looks a second: sensors are never that quiet."""
FROZEN_LEVEL = 0.05
"""Mean change of brightness a pixel, out of 255, below which two looks are the same picture."""
BLACK_LEVEL = 24
"""Brightness below which a pixel is black, in limited range (16 is black itself)."""
_STRIDE_PX = 4


class CameraEvidence:
    """Says when the picture is frozen or black."""

    name = "camera"
    version = "1"
    labels = frozenset({"camera-frozen", "camera-black"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "camera"

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._still = 0

    @classmethod
    def load(cls) -> CameraEvidence:
        """Return the detector."""
        return cls()

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return what is wrong with the camera in each frame ``(H, W) uint8``, in order; scores are 0 to 1."""
        return [self._read(frame[::_STRIDE_PX, ::_STRIDE_PX].astype(np.int16)) for frame in frames]

    def _read(self, small: NDArray[np.int16]) -> tuple[Reading, ...]:
        last, self._last = self._last, small
        same = (
            last is not None
            and last.shape == small.shape
            and float(np.abs(small - last).mean()) < FROZEN_LEVEL
        )
        self._still = self._still + 1 if same else 0
        found = []
        if self._still >= FROZEN_LOOKS:
            found.append(Reading(self.name, "camera-frozen", min(1.0, self._still / (2 * FROZEN_LOOKS))))
        black = float((small < BLACK_LEVEL).mean())
        if black > 0.99:
            found.append(Reading(self.name, "camera-black", black))
        return tuple(found)
