"""Pictures and their PDQ hashes, where nothing lies so near its border that rounding decides."""

import base64

import numpy as np

from lightship.detect.pdq import SIDE, decimation, pdq, to_hex

MARGIN = 1e-3
SIZES = ((64, 64), (48, 36), (160, 90), (33, 47), (128, 72), (200, 31), (256, 144))


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """Made shapes with some noise, ``(H, W) uint8``."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = sum(
        amplitude * np.sin(x * across / width + y * down / height + turn)
        for amplitude, across, down, turn in rng.uniform((10, -20, -20, 0), (45, 20, 20, 6), (5, 4))
    )
    disc = (x - rng.uniform(0, width)) ** 2 + (y - rng.uniform(0, height)) ** 2 < (
        min(width, height) / 4
    ) ** 2
    return (128 + waves + 60 * disc + rng.normal(0, 6, (height, width))).clip(0, 255).astype(np.uint8)


def clear(luma: np.ndarray) -> bool:
    """Whether hash and quality are the same by any careful arithmetic."""
    small = decimation(luma.shape[0]) @ luma.astype(np.float64) @ decimation(luma.shape[1]).T
    steps = np.arange(1, 17)[:, None] * (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    dct = np.sqrt(2 / SIDE) * np.cos(steps)
    coarse = np.sort((dct @ small @ dct.T).ravel())
    gradients = np.concatenate([np.abs(np.diff(small, axis=axis)).ravel() for axis in (0, 1)]) * 100 / 255
    least, most = (np.floor(gradients + shift).sum() // 90 for shift in (-MARGIN, MARGIN))
    return bool(coarse[128] - coarse[127] > MARGIN and (least == most or least >= 100))


def made():
    pictures = []
    for width, height in SIZES:
        luma = next(one for one in (picture(width, height, seed) for seed in range(10_000)) if clear(one))
        pictures.append(luma)
    rows = [_row(luma) for luma in pictures]
    flat = np.full((32, 32), 90, np.uint8)
    tiny = picture(4, 12, 1)
    rows.append({**_row(flat), "hash": None})  # a flat picture has rounding noise for bits
    rows.append(_row(tiny))  # below 5 px a side the hash is zero
    return {"pictures": rows}


def _row(luma: np.ndarray) -> dict[str, object]:
    words, quality = pdq(luma)
    return {
        "width": luma.shape[1],
        "height": luma.shape[0],
        "luma": base64.b64encode(luma.tobytes()).decode(),
        "hash": to_hex(words),
        "quality": quality,
    }
