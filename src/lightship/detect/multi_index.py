"""Multi-index hashing: every entry of a long list within a distance of a hash, exactly, compiled by numba.

A 256-bit hash is cut into a ring of 16 slots of 16 bits. Two hashes at most 31 bits apart agree to within one bit in at
least one slot (16 slots with two differing bits each would make 32), so looking up each slot's value and its 16 one-bit
neighbours finds every match: about 0.4 % of a uniform list are candidates. The pigeonring principle says more: there is
a slot from which on every run of ``l`` slots differs in at most ``31·l/16`` bits. So a candidate whose *next* slot
brings the two to more than three bits can be dropped, and only one in 400 is left whose whole hash is compared.

Each slot's entries lie sorted by its value, and beside each lies its next slot, so that a bucket's candidates are read
in a row, 32 at a time (one vector instruction compares them where the processor has wide ones). At most 15 bits apart
one slot agrees exactly, and the neighbours are not needed.

Looking up is waiting for memory, so the bounds of a query's buckets, then the buckets, then what is left of them are
asked for some steps before they are read. A batch is looked up slot by slot, so that a slot's bounds stay in cache.

References
----------
M. Norouzi, A. Punjani, D. J. Fleet 2012, "Fast search in Hamming space with multi-index hashing";
J. Qin, C. Xiao 2018, "Pigeonring: a principle for faster thresholded similarity search".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.detect.index import MOST, checked
from lightship.detect.pdq import MATCH_BITS

SLOTS, VALUES = 16, 1 << 16

_NEAR = 17  # a slot's value and its one-bit neighbours
_LANES = 32  # candidates compared at once
_UNITS = 32  # (slot, query) pairs whose buckets are asked for together: two queries, or 32 of a batch
_ROOM = 1024  # candidates that wait for their whole hashes


@intrinsic
def _ones(_context: Any, _word: Any) -> Any:
    """Count a word's set bits in one instruction."""

    def code(_lowering: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@intrinsic
def _lowest(_context: Any, _word: Any) -> Any:
    """Return the number of a word's lowest set bit; the word is not 0."""

    def code(_lowering: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

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


@intrinsic
def _close(_context: Any, array: Any, _place: Any, _word: Any, _bits: Any) -> Any:
    """Return a mask of which of the 32 values ``array[place:]`` differ from a word in at most so many bits."""

    def code(lowering: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lane = ir.IntType(16)
        lanes = ir.VectorType(lane, _LANES)
        nowhere = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)

        def all_lanes(value: Any) -> Any:
            first = builder.insert_element(
                ir.Constant(lanes, ir.Undefined), builder.trunc(value, lane), ir.IntType(32)(0)
            )
            return builder.shuffle_vector(first, ir.Constant(lanes, ir.Undefined), nowhere)

        made = lowering.make_array(signature.args[0])(lowering, builder, arguments[0])
        block = builder.load(builder.bitcast(builder.gep(made.data, [arguments[1]]), lanes.as_pointer()))
        block.align = 2
        name = f"llvm.ctpop.v{_LANES}i16"
        count = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(lanes, [lanes]), name
        )
        bits = builder.call(count, [builder.xor(block, all_lanes(arguments[2]))])
        near = builder.icmp_unsigned("<=", bits, all_lanes(arguments[3]))
        return builder.zext(builder.bitcast(near, ir.IntType(_LANES)), ir.IntType(64))

    return types.uint64(array, types.int64, types.uint64, types.uint64), code


@njit(cache=True, nogil=True)
def _sort(values: Any, starts: Any, nexts: Any, low: Any, high: Any) -> None:
    """Sort the entries by each slot's value, by counting; ``starts`` holds places in the arrays of all slots."""
    number = values.shape[0]
    for slot in range(SLOTS):
        start = starts[slot]
        start[:] = 0
        start[0] = slot * number
        for i in range(number):
            start[np.int64(values[i, slot]) + 1] += 1
        for value in range(VALUES):
            start[value + 1] += start[value]
        place = start.copy()
        after = (slot + 1) % SLOTS
        for i in range(number):
            key = np.int64(values[i, slot])
            at = place[key]
            nexts[at], low[at], high[at] = values[i, after], i & 0xFFFF, i >> 16
            place[key] = at + 1


@njit(nogil=True, inline="always")
def _value(hash_: Any, slot: int) -> Any:
    return (hash_[slot >> 2] >> np.uint64(16 * (slot & 3))) & np.uint64(0xFFFF)


@njit(nogil=True, inline="always")
def _leading_slot(entry: Any, query: Any, one: Any, two: Any) -> int:
    """Return the first slot that leads from the query to the entry."""
    for slot in range(SLOTS):
        after = (slot + 1) % SLOTS
        own = _ones(_value(entry, slot) ^ _value(query, slot))
        if own <= one and own + _ones(_value(entry, after) ^ _value(query, after)) <= two:
            return slot
    return SLOTS


@njit(cache=True, nogil=True)
def _compare(
    hashes: Any,
    low: Any,
    high: Any,
    queries: Any,
    radius: Any,
    waiting: Any,
    filled: int,
    found: Any,
    count: int,
) -> int:
    """Compare whole hashes; returns how many match by now. Rows of ``waiting``: place, slot, query, room for one."""
    one, two = radius // np.uint64(SLOTS), np.uint64(2) * radius // np.uint64(SLOTS)
    for step in range(filled):
        place = waiting[step, 0]
        waiting[step, 3] = np.int64(low[place]) | (np.int64(high[place]) << 16)
        _fetch(hashes, waiting[step, 3])
    for step in range(filled):
        entry = waiting[step, 3]
        query = queries[waiting[step, 2]]
        bits = _ones(hashes[entry, 0] ^ query[0]) + _ones(hashes[entry, 1] ^ query[1])
        bits += _ones(hashes[entry, 2] ^ query[2]) + _ones(hashes[entry, 3] ^ query[3])
        if bits <= radius and _leading_slot(hashes[entry], query, one, two) == waiting[step, 1]:
            if count < len(found):
                found[count, 0], found[count, 1], found[count, 2] = waiting[step, 2], entry, bits
            count += 1
    return count


@njit(cache=True, nogil=True)
def _search(
    hashes: Any, starts: Any, nexts: Any, low: Any, high: Any, queries: Any, radius: Any, found: Any
) -> int:
    """Write ``(query, entry, distance)`` rows; returns how many there are, of which at most ``len(found)`` are written.

    An entry that several slots lead to is taken in the first of them.
    """
    one, two = radius // np.uint64(SLOTS), np.uint64(2) * radius // np.uint64(SLOTS)
    near = _NEAR if one else np.int64(1)
    first, last = np.empty(_UNITS * _NEAR, np.int64), np.empty(_UNITS * _NEAR, np.int64)
    waiting = np.empty((_ROOM, 4), np.int64)
    number = len(queries)
    count, filled = 0, 0
    for begin in range(0, SLOTS * number, _UNITS):
        units = range(begin, min(begin + _UNITS, SLOTS * number))
        for unit in units:  # ask for the bounds of the buckets ...
            slot = unit // number
            value = np.int64(_value(queries[unit - slot * number], slot))
            _fetch(starts[slot], value)
            for bit in range(4, near - 1):  # the lower bits' neighbours lie in the same lines
                _fetch(starts[slot], value ^ (1 << bit))
        bucket = 0
        for unit in units:  # ... for the buckets ...
            slot = unit // number
            value = np.int64(_value(queries[unit - slot * number], slot))
            for bit in range(near):
                key = value if bit == near - 1 else value ^ (1 << bit)
                first[bucket], last[bucket] = starts[slot, key], starts[slot, key + 1]
                if last[bucket] > first[bucket]:
                    _fetch(nexts, first[bucket])
                    _fetch(nexts, last[bucket] - 1)
                bucket += 1
        bucket = 0
        for unit in units:  # ... and keep the candidates whose next slot is near as well.
            slot = unit // number
            query = unit - slot * number
            after = _value(queries[query], (slot + 1) % SLOTS)
            for bit in range(near):
                most = two if bit == near - 1 else two - np.uint64(1)
                for place in range(first[bucket], last[bucket], _LANES):
                    mask = _close(nexts, place, after, most)
                    if last[bucket] - place < _LANES:  # what follows is another bucket's
                        mask &= (np.uint64(1) << np.uint64(last[bucket] - place)) - np.uint64(1)
                    while mask:
                        at = place + np.int64(_lowest(mask))
                        mask &= mask - np.uint64(1)
                        waiting[filled, 0], waiting[filled, 1], waiting[filled, 2] = at, slot, query
                        _fetch(low, at)
                        _fetch(high, at)
                        filled += 1
                        if filled == _ROOM:
                            count = _compare(
                                hashes, low, high, queries, radius, waiting, filled, found, count
                            )
                            filled = 0
                bucket += 1
    return int(_compare(hashes, low, high, queries, radius, waiting, filled, found, count))


class MultiIndex:
    """Every entry within a radius, exactly; for lists of thousands to 16 million.

    Takes 32 bytes an entry for the hashes and 80 for the order, and 4 MB. Safe to query from several threads at once,
    which the compiled part does without Python's lock.

    Parameters
    ----------
    hashes
        ``(N, 4) uint64``. Not copied, and must not change afterwards.
    radius
        Largest distance that is found, 0 to 31 bits.
    order
        Another index's :attr:`order` of the same hashes, if it is known already.

    Raises
    ------
    InputError
        If an array is of another shape or type, there are too many, or the radius is beyond what one neighbouring bit
        a slot can find.
    """

    def __init__(
        self,
        hashes: NDArray[np.uint64],
        radius: int = MATCH_BITS,
        *,
        order: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        if not 0 <= radius <= MATCH_BITS:
            raise InputError(f"A radius of {radius} bits is not 0 to {MATCH_BITS}.", "hash index", "")
        self.hashes = np.ascontiguousarray(checked(hashes))
        self.radius = radius
        number = len(self.hashes)
        if number > MOST:
            raise InputError(f"{number} hashes are more than {MOST}.", "hash index", "Keep them in several.")
        shapes: dict[str, tuple[tuple[int, ...], type[np.integer[Any]]]] = {
            "starts": ((SLOTS, VALUES + 1), np.int32),
            "nexts": ((SLOTS * number + _LANES,), np.uint16),
            "low": ((SLOTS * number,), np.uint16),
            "high": ((SLOTS * number,), np.uint8),
        }
        if order is None:
            made = {name: np.zeros(shape, kind) for name, (shape, kind) in shapes.items()}
            _sort(self.hashes.view(np.uint16).reshape(number, SLOTS), *made.values())
            order = made
        elif {name: (one.shape, one.dtype) for name, one in order.items()} != {
            name: (shape, np.dtype(kind)) for name, (shape, kind) in shapes.items()
        }:
            raise InputError("The index's order does not fit its hashes.", "hash index", "Build it anew.")
        self.order = order
        """What the index knows beside the hashes, as named arrays that can be kept on disk."""
        self._arrays = tuple(order[name] for name in shapes)

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, hashes included."""
        return self.hashes.nbytes + sum(one.nbytes for one in self.order.values())

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
            count = int(_search(self.hashes, *self._arrays, queries, np.uint64(self.radius), found))
            if count <= room:
                return found[:count]
            room = count
