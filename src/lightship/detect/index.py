"""Finding the entries of a list within a distance of a hash."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.detect.pdq import MATCH_BITS

_BLOCK = 16_384


class ScanIndex:
    """An exact scan with the processor's bit count; good to some hundred thousand hashes.

    Works in blocks that stay in cache, and looks at the second half of the bits only where the first half allows a
    match: 2 in 10⁹ random hashes pass that by chance, so half the bits are what a scan costs.
    Measured: 9,000 queries a second among 100,000 hashes on one core.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``; N may be 0.

    Raises
    ------
    InputError
        If they are of another shape or type.
    """

    radius: ClassVar[int] = MATCH_BITS

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self._columns = np.ascontiguousarray(_checked(hashes).T)

    def __len__(self) -> int:
        return int(self._columns.shape[1])

    def query(self, hashes: NDArray[np.uint64]) -> list[list[tuple[int, int]]]:
        """Return, for each row of ``hashes`` ``(Q, 4) uint64``, all ``(entry, distance)`` pairs, nearest first.

        Raises
        ------
        InputError
            If they are of another shape or type.
        """
        return [self._one(hash_) for hash_ in _checked(hashes)]

    def _one(self, hash_: NDArray[np.uint64]) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for start in range(0, len(self), _BLOCK):
            block = self._columns[:, start : start + _BLOCK]
            half = np.bitwise_count(block[0] ^ hash_[0]) + np.bitwise_count(block[1] ^ hash_[1])
            near = np.flatnonzero(half <= self.radius)
            if len(near):
                rest = np.bitwise_count(block[2:, near] ^ hash_[2:, None]).sum(axis=0, dtype=np.int64)
                bits = half[near] + rest
                found += [
                    (int(start + i), int(d)) for i, d in zip(near, bits, strict=True) if d <= self.radius
                ]
        return sorted(found, key=lambda match: (match[1], match[0]))


def _checked(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    if hashes.ndim != 2 or hashes.shape[1] != 4 or hashes.dtype != np.uint64:
        raise InputError(f"Hashes are (N, 4) uint64, not {hashes.shape} {hashes.dtype}.", "hash index", "")
    return hashes
