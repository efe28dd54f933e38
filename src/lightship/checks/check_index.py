"""Whether an index of hashes finds everything within its radius, and nothing else.

``check_index(build)`` runs every check on an index that ``build(hashes, radius)`` makes; the first that fails raises
:class:`AssertionError` with what was missing or too much. Ours, faiss's and ``threatexchange``'s pass it
(``tests/contract/test_index.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from lightship.core.ports import HashIndex

Hashes = NDArray[np.uint64]
Build = Callable[[Hashes, int], HashIndex]
Rows = set[tuple[int, int, int]]

BITS = 256


def brute_force(hashes: Hashes, queries: Hashes, radius: int) -> Rows:
    """Return every ``(query, entry, distance)`` within the radius, by comparing everything with everything."""
    found: Rows = set()
    for number, query in enumerate(queries):
        distances = np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(distances <= radius)
        found |= {(number, int(row), int(distances[row])) for row in near}
    return found


def flipped(hash_: Hashes, bits: int, rng: np.random.Generator) -> Hashes:
    """Return a hash ``(4,)`` with so many of its bits turned over."""
    other = hash_.copy()
    for bit in rng.choice(BITS, bits, replace=False):
        other[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return other


def check_index(build: Build, radii: Sequence[int] = (31, 16, 15, 1, 0), entries: int = 20_000) -> None:
    """Run every check.

    Parameters
    ----------
    build
        Makes an index of ``(N, 4) uint64`` hashes for a radius in bits.
    radii
        The radii that it can do.
    entries
        Entries of the longer lists.

    Raises
    ------
    AssertionError
        Naming the check that failed, and how.
    """
    rng = np.random.default_rng(0)
    lists = {
        "a uniform list": rng.integers(0, 2**64, (entries, 4), dtype=np.uint64),
        "a list of flat pictures' alike hashes": _alike(rng, entries),
        "a list of one hash many times": np.repeat(
            rng.integers(0, 2**64, (1, 4), dtype=np.uint64), 300, axis=0
        ),
        "the hashes of all zeros and all ones": np.array([[0] * 4, [2**64 - 1] * 4], dtype=np.uint64),
        "one hash": rng.integers(0, 2**64, (1, 4), dtype=np.uint64),
    }
    for radius in radii:
        for name, hashes in lists.items():
            kept = hashes.copy()
            index = build(hashes, radius)
            _same(f"{name}, radius {radius}", index, hashes, _queries(rng, hashes, radius), radius)
            _must(len(index) == len(hashes), f"{name}: it says that it holds {len(index)} of {len(hashes)}")
            _must(bool((hashes == kept).all()), f"{name}: the list was changed")
    index = build(lists["a uniform list"], radii[0])
    queries = _queries(rng, lists["a uniform list"], radii[0])
    _batches_as_singles(index, queries)
    _from_threads(index, queries)
    _must(len(index.pairs(np.empty((0, 4), np.uint64))) == 0, "no query: something was found")


def _must(holds: bool, what: str) -> None:
    if not holds:  # not an assert statement: those go when Python optimises
        raise AssertionError(what)


def _alike(rng: np.random.Generator, entries: int) -> Hashes:
    centres = rng.integers(0, 2**64, (8, 4), dtype=np.uint64)
    noise = np.ones((entries, 4), np.uint64) * np.uint64(2**64 - 1)
    for _ in range(5):  # a bit is turned over with probability 1/32: 8 of 256 on average
        noise &= rng.integers(0, 2**64, noise.shape, dtype=np.uint64)
    return np.asarray(centres[rng.integers(0, 8, entries)] ^ noise, dtype=np.uint64)


def _queries(rng: np.random.Generator, hashes: Hashes, radius: int) -> Hashes:
    """Return queries at every distance up to just beyond the radius, those at its edge several times, and a far one."""
    bits = [*range(min(BITS, radius + 3)), *[radius, radius + 1] * 8]
    near = [flipped(hashes[rng.integers(len(hashes))], count, rng) for count in bits]
    return np.stack([*near, rng.integers(0, 2**64, 4, dtype=np.uint64)])


def _rows(index: HashIndex, queries: Hashes) -> Rows:
    listed = [(int(query), int(entry), int(distance)) for query, entry, distance in index.pairs(queries)]
    _must(len(listed) == len(set(listed)), "an entry was found twice")
    return set(listed)


def _same(what: str, index: HashIndex, hashes: Hashes, queries: Hashes, radius: int) -> None:
    found, true = _rows(index, queries), brute_force(hashes, queries, radius)
    missing, extra = true - found, found - true
    example = next(iter(missing or extra), None)
    said = f"{len(missing)} of {len(true)} missing and {len(extra)} too much, such as {example}"
    _must(not (missing or extra), f"{what}: {said}")


def _batches_as_singles(index: HashIndex, queries: Hashes) -> None:
    singles = {
        (number, entry, distance)
        for number, query in enumerate(queries)
        for _, entry, distance in _rows(index, query[None])
    }
    _must(singles == _rows(index, queries), "a batch finds something else than its queries one by one")


def _from_threads(index: HashIndex, queries: Hashes) -> None:
    alone = _rows(index, queries)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: _rows(index, queries), range(8)):
            _must(rows == alone, "several threads at once find something else")
