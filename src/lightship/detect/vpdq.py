"""vPDQ's own rule for whole files: what share of each video's frames the other one has, whatever their order.

Frames of the same hash count once, frames of quality below 50 not at all, and two frames agree within 31 bits, as in
the reference (``threatexchange``'s vpdq extension). It says how much two videos share; which stretch, and in which
order, says :mod:`lightship.detect.sequence`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR
from lightship.detect.index import build_index
from lightship.detect.pdq import MATCH_BITS


@dataclass(frozen=True, slots=True)
class Shares:
    """What two videos have in common.

    Parameters
    ----------
    of_query, of_listed
        Percent of each one's frames that the other has; 0 where it has no frame that can be compared.
    """

    of_query: float
    of_listed: float


def shares(
    query: NDArray[np.uint64],
    query_quality: NDArray[np.uint8],
    listed: NDArray[np.uint64],
    listed_quality: NDArray[np.uint8],
    *,
    bits: int = MATCH_BITS,
    quality: int = QUALITY_FLOOR,
) -> Shares:
    """Compare two videos frame by frame.

    Parameters
    ----------
    query, listed
        Frame hashes ``(N, 4) uint64``.
    query_quality, listed_quality
        0 to 100 each, ``(N,)``.
    bits, quality
        Largest distance at which two frames agree, and the least quality that counts.

    Raises
    ------
    InputError
        If the hashes are of another shape or type.
    """
    asked, held = _compared(query, query_quality, quality), _compared(listed, listed_quality, quality)
    if not len(asked) or not len(held):
        return Shares(0.0, 0.0)
    pairs = build_index(held, bits).pairs(asked)
    pairs = pairs[pairs[:, 2] <= bits]
    return Shares(
        100.0 * len(np.unique(pairs[:, 0])) / len(asked), 100.0 * len(np.unique(pairs[:, 1])) / len(held)
    )


def _compared(hashes: NDArray[np.uint64], qualities: NDArray[np.uint8], quality: int) -> NDArray[np.uint64]:
    """Return the frames that count: each hash once, with the quality of its first frame, as the reference has it."""
    if not len(hashes):
        return hashes
    _, first = np.unique(hashes, axis=0, return_index=True)
    kept = np.sort(first)
    return np.ascontiguousarray(hashes[kept[np.asarray(qualities)[kept] >= quality]])
