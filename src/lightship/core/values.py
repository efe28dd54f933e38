"""The values that move from room to room. Frozen; no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
"""``(H, W, 3) uint8 RGB, 0-255``."""

Luma = NDArray[np.uint8]
"""``(H, W) uint8``, the brightness plane as the decoder gives it (limited or full range)."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a picture, pixels from its top left corner."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What one detector says of one picture.

    Parameters
    ----------
    detector
        Name in the registry, such as ``"exposure"``.
    label
        A member of the closed label set, :data:`lightship.core.ladder.LABELS`.
    score
        Larger is more of the label. For a calibrated detector any real number (its calibration gives it
        meaning); for an analytic one the weight of evidence in decibans that its bound allows.
    detail
        Plain words for the log: which list, what distance. Never a hash or content.
    box
        Where in the picture, if the detector knows.
    matched
        Entries of lists that it matched, as ``list/reference``: the owner's reference, never a hash.
    """

    detector: str
    label: str
    score: float
    detail: str = ""
    box: Box | None = None
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """The weight of evidence that one detector has given over the current block.

    Parameters
    ----------
    at_s
        Seconds on the stream's own clock.
    weight_db
        ``10·log10(e)`` in decibans against "this is benign".
    """

    at_s: float
    detector: str
    label: str
    weight_db: float
    detail: str = ""


Rung = Literal["observe", "blur", "pause", "end"]
"""The responses, from the lightest to the gravest."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A rung entered or left, with the reasons and the policy that caused it.

    Parameters
    ----------
    rung
        The response in force from now on; None means nothing is in force.
    before
        The response that was in force until now.
    by
        ``"evidence"``, ``"person"``, ``"blind"`` (detection was not able to see) or ``"benign"``
        (the evidence has gone).
    total_db
        The watchkeeper's level in decibans at the moment of decision.
    policy
        Digest of the policy that decided.
    """

    at_s: float
    rung: Rung | None
    before: Rung | None
    by: Literal["evidence", "person", "blind", "benign"]
    total_db: float
    policy: str
    reasons: tuple[Signal, ...] = ()
