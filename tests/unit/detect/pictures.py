"""Benign pictures for the tests of `detect`: scikit-image's photographs and noise."""

from functools import cache

import cv2
import numpy as np
from skimage import data

NAMES = (
    "astronaut",
    "chelsea",
    "coffee",
    "rocket",
    "camera",
    "coins",
    "moon",
    "brick",
    "page",
    "grass",
    "text",
)


@cache
def photo(name, width=None, height=None):
    """Return a photograph, `(H, W, 3) uint8 RGB`, read-only, resized where asked."""
    picture = getattr(data, name)()
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    if width is not None:
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    picture = np.ascontiguousarray(picture)
    picture.flags.writeable = False
    return picture


def float_luma(rgb):
    """Return `(H, W) float32` brightness as `pdqhash` makes it."""
    red, green, blue = np.moveaxis(rgb.astype(np.float32), 2, 0)
    return np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue


def luma(rgb):
    """Return `(H, W) uint8` brightness, rounded."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
