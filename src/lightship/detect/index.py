"""Finding the entries of a list within a distance of a hash."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lightship.detect.pdq import MATCH_BITS

_BLOCK = 16_384


class ScanIndex:
    """An exact scan with the processor's bit count; good to some hundred thousand hashes.

    Works in blocks that stay in cache and looks at the second half of the bits only where the first half allows
    a match.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``.
    radius
        Largest distance that counts as a match, bits.
    """

    def __init__(self, hashes: NDArray[np.uint64], radius: int = MATCH_BITS) -> None:
        self.radius = radius
        self._columns = np.ascontiguousarray(hashes.T)

    def __len__(self) -> int:
        return int(self._columns.shape[1])

    def query(self, hashes: NDArray[np.uint64]) -> list[list[tuple[int, int]]]:
        """Return, for each row of ``hashes`` ``(Q, 4) uint64``, all ``(entry, distance)`` pairs, nearest first."""
        return [self._one(hash_) for hash_ in np.atleast_2d(hashes)]

    def _one(self, hash_: NDArray[np.uint64]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(self), _BLOCK):
            block = self._columns[:, start : start + _BLOCK]
            half = np.bitwise_count(block[0] ^ hash_[0]) + np.bitwise_count(block[1] ^ hash_[1])
            near = np.flatnonzero(half <= self.radius)
            if len(near):
                rest = np.bitwise_count(block[2:, near] ^ hash_[2:, None]).sum(axis=0, dtype=np.int64)
                bits = half[near].astype(np.int64) + rest
                found += [
                    (int(start + i), int(d)) for i, d in zip(near, bits, strict=True) if d <= self.radius
                ]
        return sorted(found, key=lambda match: match[::-1])
