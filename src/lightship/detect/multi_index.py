"""Multi-index hashing: every entry of a long list within a distance of a hash, exactly, compiled by numba.

A 256-bit hash is cut into 16 slots of 16 bits. Two hashes at most 31 bits apart agree to within one bit in at least one
slot (16 slots with two differing bits each would make 32), so looking up each slot's value and its 16 one-bit
neighbours finds every match: about 0.4 % of a uniform list are candidates, whose whole hashes are then compared. At
most 15 bits apart one slot agrees exactly, and the neighbours are not needed.

Looking up is waiting for memory. Each query therefore asks for the memory of its next step early (the bounds of the
buckets, then the buckets, then the candidates, some steps ahead), and for the next query's while it compares: measured,
six times faster than the same look-ups without at a million entries.

References
----------
M. Norouzi, A. Punjani, D. J. Fleet 2012, "Fast search in Hamming space with multi-index hashing".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.detect.index import checked
from lightship.detect.pdq import MATCH_BITS

SLOTS, VALUES = 16, 1 << 16
_NEAR = 17  # a slot's value and its one-bit neighbours
_BUCKETS = SLOTS * _NEAR
_CHUNK = 4096  # candidates whose hashes are asked for at once: 256 kB, which stay in the core's own cache


@intrinsic
def _ones(_context: Any, _word: Any) -> Any:
    """Count a word's set bits in one instruction."""

    def code(_lowering: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@intrinsic
def _fetch(_context: Any, array: Any, row: Any) -> Any:
    """Ask for the memory of a row of a contiguous array; the row need not exist."""

    def code(lowering: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        made = lowering.make_array(kind)(lowering, builder, arguments[0])
        stride = builder.extract_value(made.strides, 0)
        start = builder.ptrtoint(made.data, ir.IntType(64))
        place = builder.add(start, builder.mul(builder.sext(arguments[1], ir.IntType(64)), stride))
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kinds = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = builder.module.globals.get("llvm.prefetch.p0") or ir.Function(
            builder.module, kinds, "llvm.prefetch.p0"
        )
        builder.call(call, [builder.inttoptr(place, byte), number(0), number(3), number(1)])
        return lowering.get_dummy_value()

    return types.void(array, row), code


@njit(cache=True, nogil=True)
def _sort(values: Any, starts: Any, entries: Any) -> None:
    """Sort the entries by each slot's value, by counting."""
    number = values.shape[0]
    for slot in range(SLOTS):
        start = starts[slot]
        start[:] = 0
        for i in range(number):
            start[np.int64(values[i, slot]) + 1] += 1
        for value in range(VALUES):
            start[value + 1] += start[value]
        place = start.copy()
        order = entries[slot]
        for i in range(number):
            key = np.int64(values[i, slot])
            order[place[key]] = i
            place[key] += 1


@njit(nogil=True, inline="always")
def _value(query: Any, slot: int) -> Any:
    return np.int64((query[slot >> 2] >> np.uint64(16 * (slot & 3))) & np.uint64(0xFFFF))


@njit(cache=True, nogil=True)
def _ask(query: Any, starts: Any, near: int) -> None:
    for slot in range(SLOTS):
        value = _value(query, slot)
        _fetch(starts[slot], value)
        for bit in range(5, near - 1):  # the lower bits' neighbours lie in the same lines
            _fetch(starts[slot], value ^ (1 << bit))


@njit(nogil=True, inline="always")
def _leading_slot(entry: Any, query: Any, near: int) -> int:
    """Return the first slot that leads from the query to the entry."""
    for slot in range(SLOTS):
        if _ones(np.uint64(_value(entry, slot) ^ _value(query, slot))) <= np.uint64(near > 1):
            return slot
    return SLOTS


@njit(cache=True, nogil=True)
def _search(hashes: Any, starts: Any, entries: Any, queries: Any, radius: int, near: int, found: Any) -> int:
    """Write ``(query, entry, distance)`` rows; returns how many there are, of which at most ``len(found)`` are written.

    An entry that several slots lead to is taken in the first of them.
    """
    first, last = np.empty(_BUCKETS, np.int64), np.empty(_BUCKETS, np.int64)
    waiting, slots = np.empty(_CHUNK, np.int32), np.empty(_CHUNK, np.int8)
    wide = np.uint64(radius)
    buckets = SLOTS * near
    count = 0
    if len(queries):
        _ask(queries[0], starts, near)
    for number in range(len(queries)):
        query = queries[number]
        for bucket in range(buckets):
            slot, bit = bucket // near, bucket % near
            key = _value(query, slot) if bit == near - 1 else _value(query, slot) ^ (1 << bit)
            first[bucket], last[bucket] = starts[slot, key], starts[slot, key + 1]
            _fetch(entries[slot], first[bucket])
            _fetch(entries[slot], first[bucket] + 16)
        if number + 1 < len(queries):
            _ask(queries[number + 1], starts, near)
        q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
        bucket = 0
        while bucket < buckets:
            filled = 0
            while bucket < buckets and filled < _CHUNK:  # ask for the candidates ...
                slot = bucket // near
                end = min(last[bucket], first[bucket] + _CHUNK - filled)
                for place in range(first[bucket], end):
                    entry = entries[slot, place]
                    _fetch(hashes, np.int64(entry))
                    waiting[filled], slots[filled] = entry, slot
                    filled += 1
                first[bucket] = end
                if end == last[bucket]:
                    bucket += 1
            for step in range(filled):  # ... and compare them once they are there
                entry = waiting[step]
                bits = _ones(hashes[entry, 0] ^ q0) + _ones(hashes[entry, 1] ^ q1)
                if bits > wide:
                    continue
                bits += _ones(hashes[entry, 2] ^ q2) + _ones(hashes[entry, 3] ^ q3)
                if bits <= wide and _leading_slot(hashes[entry], query, near) == slots[step]:
                    if count < len(found):
                        found[count, 0], found[count, 1], found[count, 2] = number, entry, bits
                    count += 1
    return count


class MultiIndex:
    """Every entry within a radius, exactly; for lists of thousands to tens of millions.

    Takes 32 bytes an entry for the hashes and 64 for the order, and 4 MB. Safe to query from several threads at once,
    which the compiled part does without Python's lock.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``. Not copied, and must not change afterwards.
    radius
        Largest distance that is found, 0 to 31 bits.
    starts, entries
        The order, if it is known already: ``(16, 65537) int32`` and ``(16, N) int32``.

    Raises
    ------
    InputError
        If an array is of another shape or type, or the radius is beyond what one neighbouring bit a slot can find.
    """

    def __init__(
        self,
        hashes: NDArray[np.uint64],
        radius: int = MATCH_BITS,
        *,
        starts: NDArray[np.int32] | None = None,
        entries: NDArray[np.int32] | None = None,
    ) -> None:
        if not 0 <= radius <= MATCH_BITS:
            raise InputError(f"A radius of {radius} bits is not 0 to {MATCH_BITS}.", "hash index", "")
        self.hashes = np.ascontiguousarray(checked(hashes))
        self.radius = radius
        number = len(self.hashes)
        if starts is None or entries is None:
            starts = np.empty((SLOTS, VALUES + 1), dtype=np.int32)
            entries = np.empty((SLOTS, number), dtype=np.int32)
            _sort(self.hashes.view(np.uint16).reshape(number, SLOTS), starts, entries)
        elif starts.shape != (SLOTS, VALUES + 1) or entries.shape != (SLOTS, number):
            raise InputError("The index's order does not fit its hashes.", "hash index", "Build it anew.")
        self.starts, self.entries = starts, entries
        self._near = _NEAR if radius >= SLOTS else 1

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, hashes included."""
        return self.hashes.nbytes + self.starts.nbytes + self.entries.nbytes

    def pairs(self, queries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return ``(query, entry, distance)`` rows ``(M, 3) int64``, of ``queries`` ``(Q, 4) uint64``.

        Raises
        ------
        InputError
            If they are of another shape or type.
        """
        queries = np.ascontiguousarray(checked(queries))
        room = 64 + 4 * len(queries)
        while True:
            found = np.empty((room, 3), dtype=np.int64)
            order = (self.starts, self.entries)
            count = int(_search(self.hashes, *order, queries, self.radius, self._near, found))
            if count <= room:
                return found[:count]
            room = count
