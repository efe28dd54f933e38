"""Chance matches: how often benign pictures lie near a list of other benign pictures.

`python -m bench.chance` writes `packs/calibrations/pdq-chance.json`. The list holds pictures of made sources (noise of
every colour from white to very smooth, with edges, gradients, stripes, blocks and letters' shapes laid over it) and
views of half of scikit-image's photographs; the scenes that are compared with it are of other seeds and of the other
half, so that nothing on one side shows what the other shows. A scene is a picture and what a slowly moving camera makes
of it: views a few pixels off, brighter and darker, as long as they differ from it in at most 31 bits. It matches where
any of them does.
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
from lightship.detect.pdq import MATCH_BITS, hash_stages

LIST, SCENES = 2_500_000, 2_000_000
VIEWS = 20_000
BITS, QUALITIES = (0, 2, 4, 6, 8, 10, 15, 20, 25, 31), (50, 70, 90)
LOOKS, REACH_PX = 6, 3
_SIDE, _BATCH = 64, 2_000
_MARGIN = 2 * REACH_PX
_STILLS = tuple(name for name in footage.SOURCES if name.startswith("photograph"))


def _noise(rng: np.random.Generator, count: int, side: int) -> NDArray[np.float32]:
    """Return ``(count, side, side)`` pictures of noise whose power falls with frequency, as that of scenes does."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1.0 / side
    slopes = np.linspace(0.0, 2.5, 26)
    falling = (frequency[None] ** -slopes[:, None, None]).astype(np.float32)
    shape = (count, *frequency.shape)
    phase = rng.standard_normal(shape, np.float32) + 1j * rng.standard_normal(shape, np.float32)
    made = np.fft.irfft2(phase * falling[rng.integers(0, len(slopes), count)], s=(side, side))
    made = (made - made.mean((1, 2), keepdims=True)) / made.std((1, 2), keepdims=True)
    return np.asarray(
        128.0 + made * np.exp(rng.uniform(np.log(3.0), np.log(60.0), (count, 1, 1))), dtype=np.float32
    )


def _shapes(rng: np.random.Generator, pictures: NDArray[np.float32]) -> None:
    """Lay a few rectangles, bars or gradients over each picture, in place."""
    side = pictures.shape[1]
    for picture in pictures:
        for _ in range(rng.integers(0, 5)):
            x, y, wide, high = rng.integers((0, 0, 2, 2), (side - 8, side - 8, 50, 50))
            picture[y : y + high, x : x + wide] += rng.uniform(-120, 120)
        if rng.random() < 0.2:
            picture[:] += np.sin(np.arange(side) / rng.uniform(0.5, 8.0))[None, :] * rng.uniform(5, 60)
        if rng.random() < 0.3:
            picture[:] += np.linspace(0, rng.uniform(-150, 150), side)[:, None]
    np.clip(pictures, 0, 255, out=pictures)


def _cuts(rng: np.random.Generator, names: tuple[str, ...], count: int) -> Iterator[NDArray[np.float32]]:
    """Yield views of photographs: cut, turned, brightened."""
    side = _SIDE + _MARGIN
    stills = [cv2.cvtColor(footage.photograph(name.partition(" ")[2]), cv2.COLOR_RGB2GRAY) for name in names]
    for number in range(count):
        still = stills[number % len(stills)]
        height, width = still.shape
        wide = int(min(height, width) * rng.uniform(0.3, 1.0))
        top, left = rng.integers(0, height - wide + 1), rng.integers(0, width - wide + 1)
        cut = cv2.resize(
            still[top : top + wide, left : left + wide], (side, side), interpolation=cv2.INTER_AREA
        )
        yield np.clip(np.rot90(cut, int(rng.integers(4))) * rng.uniform(0.6, 1.3), 0, 255).astype(np.float32)


def _pictures(rng: np.random.Generator, names: tuple[str, ...], count: int) -> Iterator[NDArray[np.float32]]:
    """Yield batches of pictures with a margin, ``(B, 70, 70)``, the photographs first."""
    cuts = list(_cuts(rng, names, VIEWS))
    for start in range(0, VIEWS, _BATCH):
        yield np.stack(cuts[start : start + _BATCH])
    for _ in range(0, count - VIEWS, _BATCH):
        pictures = _noise(rng, _BATCH, _SIDE + _MARGIN)
        _shapes(rng, pictures)
        yield pictures


def _middle(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(pictures[:, REACH_PX : REACH_PX + _SIDE, REACH_PX : REACH_PX + _SIDE])


def _looks(rng: np.random.Generator, pictures: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield the batch as a slowly moving camera sees it from now on: a walk of a pixel a look, brighter or darker."""
    x = y = REACH_PX
    for _ in range(LOOKS):
        x, y = (int(np.clip(at + rng.integers(-1, 2), 0, _MARGIN)) for at in (x, y))
        yield np.ascontiguousarray(pictures[:, y : y + _SIDE, x : x + _SIDE]) * np.float32(
            rng.uniform(0.8, 1.0)
        )


def listed(seed: int, count: int, names: tuple[str, ...]) -> NDArray[np.uint64]:
    """Return the hashes ``(N, 4) uint64`` of a benign list, pictures of quality below 50 left out."""
    found = []
    for number, pictures in enumerate(_pictures(np.random.default_rng(seed), names, count)):
        words, quality = hash_stages(_middle(pictures))
        found.append(words[quality >= QUALITIES[0]])
        print(f"\r{number * _BATCH} of {count} entries", end="", flush=True)
    return np.concatenate(found)


def matches(
    seed: int, count: int, names: tuple[str, ...], index: MultiIndex
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the qualities of benign scenes ``(N,)``, and the ``(scene, entry, distance)`` rows of what they match."""
    rows, qualities = [], []
    rng = np.random.default_rng(seed)
    done = 0
    for number, pictures in enumerate(_pictures(rng, names, count)):
        first, best = hash_stages(_middle(pictures))
        found = []
        for words, its in [(first, best), *(hash_stages(look) for look in _looks(rng, pictures))]:
            same = (np.bitwise_count(words ^ first).sum(axis=1) <= MATCH_BITS) & (its >= QUALITIES[0])
            pairs = index.pairs(words[same])
            pairs[:, 0] = np.flatnonzero(same)[pairs[:, 0]] + done
            found.append(pairs)
            best = np.where(same, np.maximum(best, its), best)
        met = np.concatenate(found)
        met = met[
            np.lexsort((met[:, 2], met[:, 1], met[:, 0]))
        ]  # each entry that a scene matches once, at its nearest
        rows.append(met[np.unique(met[:, :2], axis=0, return_index=True)[1]])
        qualities.append(best)
        done += len(first)
        print(f"\r{number * _BATCH} of {count} scenes", end="", flush=True)
    return np.concatenate(qualities), np.concatenate(rows)


def main() -> None:
    """Measure, and write the table."""
    index = MultiIndex(listed(1, LIST, _STILLS[::2]))
    qualities, rows = matches(2, SCENES, _STILLS[1::2], index)
    kinds = np.digitize(qualities, QUALITIES)  # 0: below all
    near = [rows[rows[:, 2] <= bits] for bits in BITS]
    value = {
        "format": "lightship.chance/2",
        "recipe": "python -m bench.chance",
        "sources": "made noise with shapes; views of scikit-image's photographs, halved between the two sides",
        "entries": len(index),
        "bits": list(BITS),
        "qualities": list(QUALITIES),
        "scenes": [int((kinds == kind).sum()) for kind in range(1, len(QUALITIES) + 1)],
        "matched": [
            [len(set(one[kinds[one[:, 0]] == kind, 0].tolist())) for one in near]
            for kind in range(1, len(QUALITIES) + 1)
        ],
        "pairs": [
            [int((kinds[one[:, 0]] == kind).sum()) for one in near] for kind in range(1, len(QUALITIES) + 1)
        ],
    }
    Path("packs/calibrations/pdq-chance.json").write_text(
        json.dumps(value, indent=1) + "\n", encoding="utf-8"
    )
    print(json.dumps(value, indent=1))


if __name__ == "__main__":
    main()
