"""PDQ, exact and fast: the perceptual hash of a picture's brightness as one linear operator and one median.

PDQ's two box passes, its decimation to 64×64 and its DCT are all linear, so they collapse into small constant matrices
for each frame size: ``B = M_h · Y · M_wᵀ`` (64×64) and ``C = D · B · Dᵀ`` (16×16); a bit is set where ``C`` exceeds its
lower median. Bits and quality equal the reference implementation's (``pdqhash``) on float luma at full resolution.

A row of ``M`` is zero but for some ``4·size/128`` neighbours, so the product is taken four rows at a time over their
own band, in tiles that stay in the processor's cache and below the size at which OpenBLAS wakes its threads
(``M·N·K ≤ 2¹⁸``): one core's work, beside the decoder's.

**Scaling rule:** the full-resolution luma is hashed. Shrinking first moves up to the whole match budget of 31 bits.

**Edges.** Below 32 px a side ties make rounding decide, and implementations differ by up to 25 bits; below 5 px the
hash is zero and the quality 0, as in the reference. A flat picture has quality 0 and rounding noise for bits.
The quality is a sum of whole numbers that float gradients are cut to, so where one lies on the border rounding decides,
and the quality may differ from the reference's by one.
From 8-bit luma, which is rounded, up to 2 bits may differ from the reference's hash of the RGB picture.
(``pdqhash`` reads its argument's memory without its strides: compare with contiguous pictures only.)

References
----------
J. Dalins, C. Wilson, D. Boudry 2019, "PDQ & TMK + PDQF"; the windows and the rounding are those of ``pdqhash`` 0.2.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.known import PDQ_BYTES
from lightship.exchange.hash_lists import hex_bytes

MATCH_BITS = 31
"""The reference's match limit: at most this many of 256 bits differ."""

SIDE = 64
LEAST_SIDE_PX = 5
DIHEDRAL = (
    "as it is",
    "upside down",
    "mirrored",
    "turned by 180°",
    "transposed",
    "turned by 90° clockwise",
    "turned by 90° anticlockwise",
    "transposed about the other diagonal",
)
"""What each of the eight hashes of :func:`dihedral` is the hash of, in order."""

_COARSE = 16
GROUP = 4  # rows of M in one product; measured: 4 beats 2, 8 and 16 from 360p to 1080p
_PRODUCT = 1 << 18  # M·N·K up to which OpenBLAS stays on the calling thread

Hash = NDArray[np.uint64]
"""``(4,) uint64``: the 256 bits, first word and highest bit first, in the order of the usual hex text."""

Hashed = tuple[Hash, int]
"""A picture's hash, and its quality from 0 to 100."""

Brightness = NDArray[np.uint8] | NDArray[np.floating]
"""``(H, W)``, 0-255, limited or full range: PDQ leaves out the constant term, and a gain moves the median along."""

Band = tuple[int, int, int, NDArray[np.float32]]
"""First row of the result, first and last + 1 input row, and the ``(rows, inputs)`` block of the operator."""


def decimation(size: int) -> NDArray[np.float64]:
    """Return ``(64, size)``: both box passes along one axis, sampled at the 64 centres.

    The box at ``i`` is the mean of ``[i - (w-h), i + h - 1]`` with ``w = ceil(size/128)`` and ``h = (w+2)//2``, clipped
    at the edges and divided by the true count: lopsided where ``w`` is even.
    """
    window = math.ceil(size / 128)
    half = (window + 2) // 2

    def box(i: int) -> tuple[int, int]:
        return max(0, i - (window - half)), min(size, i + half)

    operator = np.zeros((SIDE, size))
    for row, centre in zip(operator, ((np.arange(SIDE) + 0.5) * size / SIDE).astype(int), strict=True):
        first, end = box(int(centre))
        for i in range(first, end):
            inner, inner_end = box(i)
            row[inner:inner_end] += 1.0 / ((end - first) * (inner_end - inner))
    return operator


@lru_cache(maxsize=64)
def bands(size: int, *, both: bool) -> tuple[Band, ...]:
    """Return the operator of one axis, cut into bands.

    With ``both``, the rows of the operator that reads the axis backwards follow, interleaved by place, so that one
    pass over the picture serves both: results 0 to 3 read forwards, 4 to 7 backwards, and so on.
    """
    forwards = decimation(size)
    if both:
        backwards = forwards[
            ::-1, ::-1
        ]  # row i: what reading backwards has at 63 - i, which lies at the same place
        pairs = zip(forwards.reshape(-1, GROUP, size), backwards.reshape(-1, GROUP, size), strict=True)
        groups = [np.concatenate(pair) for pair in pairs]
    else:
        groups = list(forwards.reshape(-1, GROUP, size))
    bands = []
    for number, group in enumerate(groups):
        used = np.flatnonzero(group.any(axis=0))
        first, end = int(used[0]), int(used[-1]) + 1
        block = np.ascontiguousarray(group[:, first:end], dtype=np.float32)
        bands.append((number * len(group), first, end, block))
    return tuple(bands)


@lru_cache(maxsize=1)
def _dct() -> NDArray[np.float32]:
    """Return ``(16, 64)``: DCT rows 1 to 16, without the constant one."""
    k, j = np.arange(1, _COARSE + 1)[:, None], np.arange(SIDE)[None, :]
    rows = math.sqrt(2.0 / SIDE) * np.cos(math.pi / (2 * SIDE) * k * (2 * j + 1))
    return np.asarray(rows, dtype=np.float32)


def weigh_rows(luma: Brightness, *, both: bool) -> NDArray[np.float32]:
    """Return the operator of the picture's height applied: ``(64, W)``, or ``(128, W)`` with the backwards readings.

    They lie in groups: four rows read forwards and, with ``both``, four backwards at the same place.
    """
    height, width = luma.shape
    rows = np.empty((SIDE * (1 + both), width), dtype=np.float32)
    for top, first, end, block in bands(height, both=both):
        step = max(SIDE, _PRODUCT // block.size)
        for left in range(0, width, step):
            tile = luma[first:end, left : left + step].astype(np.float32, copy=False)
            np.matmul(block, tile, out=rows[top : top + len(block), left : left + step])
    return rows


WeighRows = Callable[..., NDArray[np.float32]]
"""What :func:`weigh_rows` does: here in numpy, in :mod:`lightship.detect.pdq_compiled` by numba."""


def _shrink(luma: Brightness, weigh: WeighRows, *, both: bool = False) -> NDArray[np.float32]:
    """Return the ``(directions down, directions across, 64, 64)`` stages, what was read backwards at its place."""
    directions = 1 + both
    rows = weigh(luma, both=both)
    small = np.empty((SIDE * directions, SIDE * directions), dtype=np.float32)
    for left, first, end, block in bands(luma.shape[1], both=both):
        small[:, left : left + len(block)] = rows[:, first:end] @ block.T
    groups = small.reshape(SIDE // GROUP, directions, GROUP, SIDE // GROUP, directions, GROUP)
    return groups.transpose(1, 4, 0, 2, 3, 5).reshape(directions, directions, SIDE, SIDE)


def _coarse(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the ``(..., 16, 16)`` coefficients of ``(..., 64, 64)`` stages."""
    dct = _dct()
    return np.asarray(dct @ small @ dct.T, dtype=np.float32)


def _quality(small: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the gradients, 0 (flat) to 100, of ``(..., 64, 64)`` stages."""
    steps = np.zeros(small.shape[:-2], dtype=np.int64)
    for axis in (-2, -1):
        change = np.abs(np.diff(small, axis=axis)) * np.float32(100.0) / np.float32(255.0)
        steps += change.astype(np.int64).sum(axis=(-2, -1))
    return np.minimum(100, steps // 90)


def _above_median(coefficients: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of ``(..., 16, 16)`` coefficients exceed their lower median."""
    flat = coefficients.reshape(*coefficients.shape[:-2], _COARSE * _COARSE)
    lower_median = np.partition(flat, 127, axis=-1)[..., 127, None, None]
    return np.asarray(coefficients > lower_median, dtype=np.bool_)


def _words(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return ``(..., 16, 16)`` bits as ``(..., 4) uint64`` hashes, last bit first as in the reference."""
    flat = bits.reshape(*bits.shape[:-2], _COARSE * _COARSE)[..., ::-1]
    return np.packbits(flat, axis=-1).view(">u8").astype(np.uint64)


def _checked(luma: Brightness) -> bool:
    """Return whether the picture is large enough to have a hash.

    Raises
    ------
    InputError
        If it is not ``(H, W)`` numbers.
    """
    if luma.ndim != 2 or luma.dtype.kind not in "uf":
        raise InputError(
            f"A picture's brightness is (H, W) uint8 or float, not {luma.shape} {luma.dtype}.", "PDQ", ""
        )
    return bool(min(luma.shape) >= LEAST_SIDE_PX)


def _finite(small: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(small).all():
        raise InputError("The picture's brightness holds values that are not finite.", "PDQ", "")
    return small


def pdq(luma: Brightness, weigh: WeighRows = weigh_rows) -> Hashed:
    """Return the hash and quality of a picture.

    Parameters
    ----------
    luma
        ``(H, W)`` brightness, 0-255, uint8 or float, at full resolution.
    weigh
        Who applies the operator of the height, which is most of the work.

    Returns
    -------
    hash, quality
        ``(4,) uint64``, and 0 to 100.

    Raises
    ------
    InputError
        If it is not ``(H, W)`` finite numbers.
    """
    if not _checked(luma):
        return np.zeros(4, dtype=np.uint64), 0
    small = _finite(_shrink(luma, weigh)[0, 0])
    words, quality = hash_stages(small)
    return words, int(quality)


def hash_stages(stages: NDArray[np.float32]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes ``(..., 4) uint64`` and qualities ``(...)`` of ``(..., 64, 64) float32`` stages.

    A picture of 64×64 is its own stage: its windows are one pixel wide.
    """
    return _words(_above_median(_coarse(stages))), _quality(stages)


def dihedral(luma: Brightness, weigh: WeighRows = weigh_rows) -> tuple[tuple[Hash, ...], int]:
    """Return the hashes of the picture's eight turned and mirrored forms, exact as if each were hashed itself.

    The signs of one picture's coefficients give the eight only approximately, as even windows are lopsided; four
    coefficient products, from both axes read both ways, and their transposes give them exactly.

    Parameters
    ----------
    luma, weigh
        As for :func:`pdq`.

    Returns
    -------
    hashes, quality
        In the order of :data:`DIHEDRAL`, and the quality of the picture as it is.

    Raises
    ------
    InputError
        If it is not ``(H, W)`` finite numbers.
    """
    if not _checked(luma):
        return tuple(np.zeros(4, dtype=np.uint64) for _ in DIHEDRAL), 0
    stages = _finite(_shrink(luma, weigh, both=True))
    forms = [stages[down, across, :: 1 - 2 * down, :: 1 - 2 * across] for across in (0, 1) for down in (0, 1)]
    bits = _above_median(_coarse(np.stack(forms)))  # a transposed picture has the transposed bits
    words = _words(np.concatenate([bits, bits.transpose(0, 2, 1)]))
    return tuple(words), int(_quality(forms[0]))


def distance(one: Hash, other: Hash) -> int:
    """Return the number of bits, 0 to 256, in which two hashes differ."""
    return int(np.bitwise_count(one ^ other).sum())


def to_hex(hash_: Hash) -> str:
    """Return the usual 64 hexadecimal characters, those of ``pdqhash`` and ``threatexchange``."""
    return hash_.astype(">u8").tobytes().hex()


def from_hex(text: str) -> Hash:
    """Read 64 hexadecimal characters, of either case.

    Raises
    ------
    ValueError
        If the text is not exactly that; whoever reads a file knows the line and says so.
    """
    return np.frombuffer(hex_bytes(text, PDQ_BYTES, "a PDQ hash"), dtype=">u8").astype(np.uint64)
