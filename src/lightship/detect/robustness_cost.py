"""What the retries of a look cost, measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lightship.core.values import Luma
from lightship.detect.border import inside
from lightship.detect.look_up import flipped
from lightship.detect.pdq import WeighRows, pdq

_SIZES = ((640, 360), (1280, 720), (1920, 1080))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a look at a picture costs that is on no list, the usual case, without the search itself.

    Parameters
    ----------
    width, height
        Pixels.
    hash_us
        One hash.
    border_us
        Looking for a border where there is none.
    mirror_us, cut_us
        The mirrored hash, and both hashes of a letterboxed picture's inside, as retries make them.
    """

    width: int
    height: int
    hash_us: float
    border_us: float
    mirror_us: float
    cut_us: float


def costs(luma: Luma, weigh: WeighRows) -> tuple[Cost, ...]:
    """Return what looks at a picture cost, made into the usual sizes.

    Parameters
    ----------
    luma
        ``(H, W) uint8``.
    weigh
        As for :func:`lightship.detect.pdq.pdq`.
    """
    return tuple(_cost(luma, size, weigh) for size in _SIZES)


def _cost(luma: Luma, size: tuple[int, int], weigh: WeighRows) -> Cost:
    width, height = size
    luma, bar = np.asarray(cv2.resize(luma, size), np.uint8), height // 8
    boxed = np.zeros_like(luma)
    boxed[bar : height - bar] = cv2.resize(luma, (width, height - 2 * bar))

    def mirrored(luma: NDArray[np.uint8]) -> None:
        pdq(flipped(luma), weigh)

    def cut() -> None:
        found = inside(boxed)
        assert found is not None
        inner = np.ascontiguousarray(found.of(boxed))
        pdq(inner, weigh)
        mirrored(inner)

    return Cost(
        width,
        height,
        _median_us(lambda: pdq(luma, weigh)),
        _median_us(lambda: inside(luma)),
        _median_us(lambda: mirrored(luma)),
        _median_us(cut),
    )


def _median_us(call: Callable[[], object]) -> float:
    def times() -> Iterator[float]:
        for _ in range(41):
            begun_s = time.perf_counter()
            call()
            yield 1e6 * (time.perf_counter() - begun_s)

    call()
    return float(np.median(list(times())))
