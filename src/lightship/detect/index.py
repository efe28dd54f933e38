"""Finding the entries of a list within a distance of a hash: the exact scan, and which index suits a list."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.ports import HashIndex
from lightship.detect.pdq import MATCH_BITS

_BLOCK = 16_384
SCAN_UP_TO = 8_192
"""Entries up to which scanning is as quick as the index, whose table alone takes 4 MB."""
MOST = 1 << 24
"""Entries of one multi-index, which keeps their numbers in 24 bits; a longer list is kept in several."""


class ScanIndex:
    """An exact scan with the processor's bit count: the reference, and good to some hundred thousand hashes.

    Works in blocks that stay in cache, and looks at the second half of the bits only where the first half allows a
    match: 2 in 10⁹ random hashes pass that by chance, so half the bits are what a scan costs.
    Measured: 9,000 queries a second among 100,000 hashes on one core.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``; N may be 0.
    radius
        Largest distance that is found, 0 to 256 bits.

    Raises
    ------
    InputError
        If they are of another shape or type.
    """

    def __init__(self, hashes: NDArray[np.uint64], radius: int = MATCH_BITS) -> None:
        if not 0 <= radius <= 256:
            raise InputError(f"A radius of {radius} bits is not 0 to 256.", "hash index", "")
        self._columns = np.ascontiguousarray(checked(hashes).T)
        self.radius = radius

    def __len__(self) -> int:
        return int(self._columns.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self._columns.nbytes

    def pairs(self, queries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return ``(query, entry, distance)`` rows ``(M, 3) int64``, of ``queries`` ``(Q, 4) uint64``.

        Raises
        ------
        InputError
            If they are of another shape or type.
        """
        rows = [self._one(number, query) for number, query in enumerate(checked(queries))]
        return np.concatenate([np.empty((0, 3), dtype=np.int64), *rows])

    def _one(self, number: int, query: NDArray[np.uint64]) -> NDArray[np.int64]:
        found = [np.empty((0, 3), dtype=np.int64)]
        for start in range(0, len(self), _BLOCK):
            block = self._columns[:, start : start + _BLOCK]
            half = np.bitwise_count(block[0] ^ query[0]) + np.bitwise_count(block[1] ^ query[1])
            near = np.flatnonzero(half <= self.radius)
            if len(near):
                rest = np.bitwise_count(block[2:, near] ^ query[2:, None]).sum(axis=0, dtype=np.int64)
                bits = half[near] + rest
                kept = bits <= self.radius
                entries = near[kept] + start
                found.append(np.stack([np.full(len(entries), number), entries, bits[kept]], axis=1))
        return np.concatenate(found)


class Sections:
    """Indexes of consecutive parts of a list, as one: for a list that is longer than one index takes.

    Parameters
    ----------
    parts
        In the list's order.
    """

    def __init__(self, parts: Sequence[HashIndex]) -> None:
        self._parts = parts
        self.radius = min(part.radius for part in parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(part.nbytes for part in self._parts)

    def pairs(self, queries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return ``(query, entry, distance)`` rows ``(M, 3) int64``, of ``queries`` ``(Q, 4) uint64``.

        Raises
        ------
        InputError
            If they are of another shape or type.
        """
        found, start = [], 0
        for part in self._parts:
            found.append(part.pairs(queries) + np.array([0, start, 0]))
            start += len(part)
        return np.concatenate(found)


def build_index(
    hashes: NDArray[np.uint64],
    radius: int = MATCH_BITS,
    *,
    scan_up_to: int = SCAN_UP_TO,
    order: Mapping[str, NDArray[Any]] | None = None,
) -> HashIndex:
    """Return the index that suits a list's length.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``.
    radius
        Largest distance that is found, bits.
    scan_up_to
        Entries up to which the list is scanned. Where numba is absent every list is: results are the same, and a list
        of ten million then takes a quarter of a second a query.
    order
        What :func:`order_of` said of an index of the same hashes, to save building it.

    Raises
    ------
    InputError
        If the hashes are of another shape or type.
    """
    if len(hashes) <= scan_up_to or radius > MATCH_BITS or importlib.util.find_spec("numba") is None:
        return ScanIndex(hashes, radius)
    from lightship.detect.multi_index import MultiIndex

    if len(hashes) > MOST:
        starts = range(0, len(hashes), MOST)
        return Sections([MultiIndex(hashes[start : start + MOST], radius) for start in starts])
    return MultiIndex(hashes, radius, order=order or None)


def order_of(index: HashIndex) -> Mapping[str, NDArray[Any]]:
    """Return what took time to build of an index, as named arrays; nothing of a scan or of sections."""
    found: Mapping[str, NDArray[Any]] = getattr(index, "order", {})
    return found


def checked(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the hashes.

    Raises
    ------
    InputError
        If they are not ``(N, 4) uint64``.
    """
    if hashes.ndim != 2 or hashes.shape[1] != 4 or hashes.dtype != np.uint64:
        raise InputError(f"Hashes are (N, 4) uint64, not {hashes.shape} {hashes.dtype}.", "hash index", "")
    return hashes
