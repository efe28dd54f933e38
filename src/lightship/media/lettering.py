"""Words in a picture, for any size of picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from lightship.core.values import Rgb


def wrap(text: str, width_px: int, size_px: int, weight: int) -> list[str]:
    """Break a text into lines no wider than ``width_px``; a single word that is too wide stays whole."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure(longer, size_px, weight) > width_px:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def measure(text: str, size_px: int, weight: int) -> int:
    """Return how wide a text of this size and weight (400 plain, 700 bold) is, pixels."""
    import cv2

    if hasattr(cv2, "FontFace"):  # OpenCV 5 has an outline font built in; 4 has stroke fonts without accents
        area = cv2.getTextSize((0, 0), text, (0, 0), cv2.FontFace("sans"), size_px, weight)
        return int(area[0] + area[2])
    (width, _), _ = cv2.getTextSize(
        _plain(text), cv2.FONT_HERSHEY_SIMPLEX, size_px / 30.0, _stroke(size_px, weight)
    )
    return int(width)


def write(
    image: Rgb, text: str, left_px: int, baseline_px: int, size_px: int, colour: Sequence[int], weight: int
) -> None:
    """Draw one line of text into an image."""
    import cv2

    shade = tuple(int(part) for part in colour)
    if hasattr(cv2, "FontFace"):
        cv2.putText(image, text, (left_px, baseline_px), shade, cv2.FontFace("sans"), size_px, weight)
        return
    stroke = _stroke(size_px, weight)
    at = (left_px, baseline_px)
    cv2.putText(image, _plain(text), at, cv2.FONT_HERSHEY_SIMPLEX, size_px / 30.0, shade, stroke, cv2.LINE_AA)


def _stroke(size_px: int, weight: int) -> int:
    return max(1, size_px // 16) + (weight >= 600)


def _plain(text: str) -> str:
    dashes = str.maketrans(
        {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
    )
    return unicodedata.normalize("NFKD", text.translate(dashes)).encode("ascii", "ignore").decode("ascii")


def blank(width: int, height: int, colour: Sequence[int]) -> Rgb:
    """Return an image of one colour, ``(H, W, 3) uint8 RGB, 0-255``."""
    return np.full((height, width, 3), colour, np.uint8)
