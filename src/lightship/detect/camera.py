"""Camera evidence: a frozen or a black picture. Weak; it only makes the guard look more often, never more than that.

A live sensor is never still, so a picture that does not change comes from a still, a loop, a paused player or a virtual
camera (shared/domain/device-guard.md, 4.3). But compression hides a sensor: measured at four looks a second on a still
scene through H.264 (CRF 23 to 30, a keyframe every 2 s), noise of 2 levels comes out as a mean change of 0.00 to 0.14
between keyframes and of about 2 at one, and a true still as 0.00 and 0.8 to 1.9. A shared screen is as still, and a
covered lens is black. Hence no weight: policies do not count these labels as evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.values import Luma, Reading

FROZEN_LOOKS = 8
"""Looks in a row, two seconds at four looks a second, in which nothing but keyframes may change the picture."""
FROZEN_LEVEL = 0.05
"""Mean change of brightness a pixel, out of 255, below which two looks are the same picture."""
KEYFRAME_LEVEL = 4.0
"""Mean change that a keyframe may bring to a still."""
KEYFRAMES = 2
"""Keyframes in so many looks."""
BLACK_LEVEL = 24
"""Brightness below which a pixel is black, in limited range (16 is black itself)."""
BLACK_SHARE = 0.99
"""Share of black pixels that makes a black picture."""
_STRIDE_PX = 4


@dataclass(frozen=True, slots=True)
class CameraState:
    """What is remembered from one look to the next.

    Parameters
    ----------
    last
        The last picture, thinned out, ``(h, w) int16``.
    changes
        The mean changes of the last looks, at most :data:`FROZEN_LOOKS`.
    """

    last: NDArray[np.int16] | None = None
    changes: tuple[float, ...] = ()


def step(state: CameraState, luma: Luma) -> tuple[CameraState, tuple[Reading, ...]]:
    """Look at one picture ``(H, W) uint8``; return the next state and what is wrong with the camera, scores 0 to 1."""
    small = luma[::_STRIDE_PX, ::_STRIDE_PX].astype(np.int16)
    changes: tuple[float, ...] = ()
    if state.last is not None and state.last.shape == small.shape:
        changes = (*state.changes, float(np.abs(small - state.last).mean()))[-FROZEN_LOOKS:]
    found = []
    still = sum(change < FROZEN_LEVEL for change in changes)
    if len(changes) == FROZEN_LOOKS and still >= FROZEN_LOOKS - KEYFRAMES and max(changes) < KEYFRAME_LEVEL:
        found.append(Reading(CameraEvidence.name, "camera-frozen", still / FROZEN_LOOKS))
    black = float((small < BLACK_LEVEL).mean())
    if black > BLACK_SHARE:
        found.append(Reading(CameraEvidence.name, "camera-black", black))
    return CameraState(small, changes), tuple(found)


class CameraEvidence:
    """Says when the picture is frozen or black. Keeps the state of one stream."""

    name = "camera"
    version = "1"
    labels = frozenset({"camera-frozen", "camera-black"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "camera"

    def __init__(self) -> None:
        self._state = CameraState()

    @classmethod
    def load(cls) -> CameraEvidence:
        """Return the detector."""
        return cls()

    def of_stream(self, _subject: str) -> CameraEvidence:
        """Return one that has seen nothing yet."""
        return CameraEvidence()

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return what is wrong with the camera in each frame ``(H, W) uint8``, in order; scores are 0 to 1."""
        found = []
        for frame in frames:
            self._state, readings = step(self._state, frame)
            found.append(readings)
        return found
