"""Chance matches: how often benign pictures lie near a list of other benign pictures.

`python -m bench.chance` writes `packs/calibrations/pdq-chance.json`. The list holds pictures of made sources (noise of
every colour from white to very smooth, with edges, gradients, stripes, blocks and letters' shapes laid over it) and
views of half of scikit-image's photographs; the pictures that are compared with it are of other seeds and of the other
half, so that nothing on one side shows what the other shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import footage
from lightship.detect.multi_index import MultiIndex
from lightship.detect.pdq import hash_stages, pdq

LIST, PICTURES = 2_000_000, 2_000_000
VIEWS = 20_000
BITS, QUALITIES = (10, 20, 31), (50, 70, 90)
_SIDE, _BATCH = 64, 2_000
_STILLS = tuple(name for name in footage.SOURCES if name.startswith("photograph"))


def _noise(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Return ``(count, 64, 64)`` pictures of noise whose power falls with frequency, as that of scenes does."""
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.rfftfreq(_SIDE)[None, :])
    frequency[0, 0] = 1.0 / _SIDE
    slope = rng.uniform(0.0, 2.5, (count, 1, 1))
    shape = (count, *frequency.shape)
    phase = rng.standard_normal(shape, np.float32) + 1j * rng.standard_normal(shape, np.float32)
    made = np.fft.irfft2(phase / frequency**slope, s=(_SIDE, _SIDE))
    made = (made - made.mean((1, 2), keepdims=True)) / made.std((1, 2), keepdims=True)
    return np.asarray(
        128.0 + made * np.exp(rng.uniform(np.log(3.0), np.log(60.0), (count, 1, 1))), dtype=np.float32
    )


def _shapes(rng: np.random.Generator, pictures: NDArray[np.float32]) -> None:
    """Lay a few rectangles, bars or gradients over each picture, in place."""
    for picture in pictures:
        for _ in range(rng.integers(0, 5)):
            x, y, wide, high = (
                rng.integers(0, 56),
                rng.integers(0, 56),
                rng.integers(2, 50),
                rng.integers(2, 50),
            )
            picture[y : y + high, x : x + wide] += rng.uniform(-120, 120)
        if rng.random() < 0.2:
            picture[:] += np.sin(np.arange(_SIDE) / rng.uniform(0.5, 8.0))[None, :] * rng.uniform(5, 60)
        if rng.random() < 0.3:
            picture[:] += np.linspace(0, rng.uniform(-150, 150), _SIDE)[:, None]
    np.clip(pictures, 0, 255, out=pictures)


def _views(rng: np.random.Generator, names: tuple[str, ...], count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield views of photographs: cut, turned, brightened."""
    for number in range(count):
        still = cv2.cvtColor(
            footage.photograph(names[number % len(names)].partition(" ")[2]), cv2.COLOR_RGB2GRAY
        )
        height, width = still.shape
        side = int(min(height, width) * rng.uniform(0.3, 1.0))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        cut = cv2.resize(
            still[top : top + side, left : left + side], (128, 128), interpolation=cv2.INTER_AREA
        )
        turned = np.rot90(cut, int(rng.integers(4)))
        yield np.clip(turned * rng.uniform(0.6, 1.3), 0, 255).astype(np.uint8)


def hashes(seed: int, count: int, names: tuple[str, ...]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return hashes ``(N, 4) uint64`` and qualities of benign pictures, those of quality below 50 left out."""
    rng = np.random.default_rng(seed)
    found: list[NDArray[np.uint64]] = []
    qualities: list[NDArray[np.int64]] = []
    kept = 0

    def keep(words: NDArray[np.uint64], quality: NDArray[np.int64]) -> int:
        good = quality >= QUALITIES[0]
        found.append(words[good])
        qualities.append(quality[good])
        return int(good.sum())

    for picture in _views(rng, names, VIEWS):
        hash_, quality = pdq(picture)
        kept += keep(hash_[None], np.array([quality]))
    while kept < count:
        pictures = _noise(rng, _BATCH)
        _shapes(rng, pictures)
        kept += keep(*hash_stages(pictures))
        print(f"\r{kept} of {count} pictures", end="", flush=True)
    return np.concatenate(found), np.concatenate(qualities)


def main() -> None:
    """Measure, and write the table."""
    listed, _ = hashes(1, LIST, _STILLS[::2])
    seen, qualities = hashes(2, PICTURES, _STILLS[1::2])
    pairs = MultiIndex(listed).pairs(seen)
    nearest = np.full(len(seen), 256)
    np.minimum.at(nearest, pairs[:, 0], pairs[:, 2])
    ends = (*QUALITIES[1:], 101)
    classes = [(qualities >= low) & (qualities < end) for low, end in zip(QUALITIES, ends, strict=True)]
    value = {
        "format": "lightship.chance/1",
        "recipe": "python -m bench.chance",
        "sources": "made noise with shapes; views of scikit-image's photographs, halved between the two sides",
        "entries": len(listed),
        "bits": list(BITS),
        "qualities": list(QUALITIES),
        "pictures": [int(one.sum()) for one in classes],
        "matched": [[int((nearest[one] <= bits).sum()) for bits in BITS] for one in classes],
    }
    Path("packs/calibrations/pdq-chance.json").write_text(
        json.dumps(value, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(value, indent=1))


if __name__ == "__main__":
    main()
