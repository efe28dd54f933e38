"""The part of :mod:`lightship.detect.pdq` that reads the picture, compiled by numba for matchers and platforms.

The picture is read once, straight from the decoder's 8-bit plane. Sums are taken in another order than numpy's, so that
the 64×64 stage differs in its last digits; the hash's bits are the same on every picture that the tests try.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lightship.detect.pdq import SIDE, Brightness, bands

_TAPS = 4  # rows of the picture taken together, so that a sum is loaded and stored once for four of them


@lru_cache(maxsize=64)
def _operator(height: int, *, both: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return each result's first row ``(64 or 128,)`` and its weights ``(64 or 128, taps)``, zeros filling up."""
    found = []
    for _, start, _, block in bands(height, both=both):
        for row in block:
            used = np.flatnonzero(row)
            found.append((start + int(used[0]), row[used[0] : used[-1] + 1]))
    taps = -(-max(len(weights) for _, weights in found) // _TAPS) * _TAPS
    padded = np.zeros((len(found), taps), dtype=np.float32)
    for line, (_, weights) in zip(padded, found, strict=True):
        line[: len(weights)] = weights
    return np.array([start for start, _ in found]), padded


@njit(cache=True, nogil=True, fastmath={"contract"})
def _weigh(luma: Any, first: Any, weights: Any, rows: Any) -> None:
    height, width = luma.shape
    for number in range(len(first)):
        line = rows[number]
        line[:] = np.float32(0.0)
        for tap in range(0, weights.shape[1], 4):
            at = first[number] + tap
            # What lies below the last row has no weight, whatever is read for it.
            y0, y1 = luma[min(at, height - 1)], luma[min(at + 1, height - 1)]
            y2, y3 = luma[min(at + 2, height - 1)], luma[min(at + 3, height - 1)]
            w0, w1, w2, w3 = weights[number, tap : tap + 4]
            for x in range(width):
                line[x] += (w0 * np.float32(y0[x]) + w1 * np.float32(y1[x])) + (
                    w2 * np.float32(y2[x]) + w3 * np.float32(y3[x])
                )


def weigh_rows(luma: Brightness, *, both: bool) -> NDArray[np.float32]:
    """Return the same as :func:`lightship.detect.pdq.weigh_rows`."""
    rows = np.empty((SIDE * (1 + both), luma.shape[1]), dtype=np.float32)
    _weigh(np.ascontiguousarray(luma), *_operator(luma.shape[0], both=both), rows)
    return rows
