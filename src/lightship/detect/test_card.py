"""The benign test card: a printed marker that stands for the sensitive class in tests and demonstrations.

The marker is one ArUco pattern of 6×6 bits, read without any error correction (S. Garrido-Jurado et al. 2014,
"Automatic generation and detection of highly reliable fiducial markers under occlusion"; OpenCV's reader). Its mirror
image counts as well, as a selfie's preview shows it: a second pattern to compare with, in the same look.

**Bound.** A candidate is a dark quadrilateral; chance bits match one of two 36-bit patterns in one of four turns with
probability 8·2⁻³⁶, and at least 26 of the border's 28 cells must be dark as well, which is not counted. With at most
100 candidates in a frame that is 1.2·10⁻⁸, or 79 dB, for a benign frame; a frame with more candidates gives less.
Bits of real pictures are not fair coins, so this is checked on benign ones: of 1,690 candidates in 195 frames (Big Buck
Bunny and two other clips, scikit-image's photographs in several sizes and turns; at most 53 in a frame) none with such
a border is within 12 bits of a pattern; leaving the border out 92 are, where fair coins would put 441: chance is kinder
than the bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError, SinkError
from lightship.core.values import Box, Reading, Rgb

CANDIDATES = 100


def _weight_db(candidates: int) -> float:
    """Return the bound for a frame with so many candidates, decibans."""
    return -10.0 * math.log10(candidates * 8.0 / 2.0**36)


WEIGHT_DB = round(_weight_db(CANDIDATES), 1)
"""What a sighting weighs: 79.3 dB, the union bound over 100 candidates of 36 exact bits, two patterns, four turns."""

_MARKER = 23  # any would do: a pattern of DICT_6X6_250 that has no symmetry
_HEIGHT_PX = 720  # taller pictures are shrunk to it: a tenth of it gives the marker 7 px a cell
_LEAST_HEIGHT_PX = 540  # lower ones are doubled: at 360p a tenth gives 3.5 px a cell
_WORDS = ("LIGHTSHIP TEST CARD", "benign: stands for the sensitive class in tests")


def _dictionary() -> Any:
    """Return the card's pattern and its mirror image, numbers 0 and 1."""
    import cv2

    whole = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_6X6_250)
    plain = whole.bytesList[_MARKER : _MARKER + 1]
    bits = cv2.aruco.Dictionary.getBitsFromByteList(plain, whole.markerSize)
    mirrored = cv2.aruco.Dictionary.getByteListFromBits(np.ascontiguousarray(bits[:, ::-1]))
    return cv2.aruco.Dictionary(np.concatenate([plain, mirrored]), whole.markerSize, 0)


def draw(size_px: int) -> Rgb:
    """Return the card ``(size_px, size_px, 3) uint8 RGB``: the marker on white, with words where there is room.

    Raises
    ------
    InputError
        Below 32 px, where the marker's cells are too small for any camera.
    """
    import cv2

    if size_px < 32:
        raise InputError(f"A card of {size_px} px is too small.", "", "Make it at least 32 px.")
    card = np.full((size_px, size_px, 3), 255, dtype=np.uint8)
    words = size_px >= 200
    side = int(size_px * (0.78 if words else 0.84))
    marker = cv2.aruco.generateImageMarker(_dictionary(), 0, side, borderBits=1)
    left = (size_px - side) // 2
    top = int(size_px * 0.04) if words else left
    card[top : top + side, left : left + side] = marker[..., None]
    if words:
        scale = size_px / 640.0
        for number, text in enumerate(_WORDS):
            font, size = cv2.FONT_HERSHEY_SIMPLEX, scale * (0.9 - 0.28 * number)
            (wide, _), _ = cv2.getTextSize(text, font, size, 1)
            origin = ((size_px - wide) // 2, int(size_px * (0.895 + 0.065 * number)))
            cv2.putText(card, text, origin, font, size, (0, 0, 0), max(1, round(scale * 1.5)), cv2.LINE_AA)
    return card


def write(path: Path, size_px: int = 1200) -> None:
    """Write the card as a picture, for printing or laying over a video.

    Raises
    ------
    InputError
        If the suffix is not a picture's.
    SinkError
        If it cannot be written.
    """
    import cv2

    if path.suffix.lower() not in {".png", ".jpg", ".jpeg", ".bmp", ".webp"}:
        raise InputError("The card is a picture.", str(path), "Name it .png or .jpg.")
    _, data = cv2.imencode(path.suffix, draw(size_px)[..., ::-1])
    part = path.with_name(path.name + ".part")  # never a half-written card under the card's name
    try:
        part.write_bytes(data.tobytes())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SinkError(
            f"The card cannot be written: {error.strerror}.", str(path), "Choose another place."
        ) from error


class TestCardDetector:
    """Finds the printed test card, down to a tenth of the picture's height."""

    __test__: ClassVar[bool] = False  # pytest collects classes named Test...

    name = "test-card"
    version = f"aruco-6x6/{_MARKER}+mirrored"
    labels = frozenset({"test-card"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "analytic"

    def __init__(self) -> None:
        import cv2

        parameters = cv2.aruco.DetectorParameters()
        parameters.errorCorrectionRate = 0.0
        parameters.maxErroneousBitsInBorderRate = 0.08
        parameters.minMarkerPerimeterRate = 0.04
        # Measured: two window sizes find what three do, in two thirds of the time; reading 8 px a cell instead of 4
        # finds a tenth more of the blurred cards.
        parameters.adaptiveThreshWinSizeMin = 5
        parameters.adaptiveThreshWinSizeMax = 25
        parameters.adaptiveThreshWinSizeStep = 20
        parameters.perspectiveRemovePixelPerCell = 8
        self._detector = cv2.aruco.ArucoDetector(_dictionary(), parameters)

    @classmethod
    def load(cls) -> TestCardDetector:
        """Return the detector."""
        return cls()

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return one reading, of weight 79 dB or a little less, for each frame ``(H, W) uint8`` that shows the card."""
        return [self._read(frame) for frame in frames]

    def _read(self, luma: NDArray[np.uint8]) -> tuple[Reading, ...]:
        import cv2

        if min(luma.shape) < 16:
            return ()
        height = luma.shape[0]
        zoom = 2.0 if height < _LEAST_HEIGHT_PX else min(1.0, _HEIGHT_PX / height)
        if zoom != 1.0:
            how = cv2.INTER_LINEAR if zoom > 1.0 else cv2.INTER_AREA
            luma = np.asarray(cv2.resize(luma, None, fx=zoom, fy=zoom, interpolation=how), dtype=np.uint8)
        corners, ids, rejected = self._detector.detectMarkers(np.ascontiguousarray(luma))
        if ids is None or not len(ids):
            return ()
        points = np.asarray(corners[0]).reshape(4, 2) / zoom
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        box = Box(int(left), int(top), int(right - left), int(bottom - top))
        weight_db = min(WEIGHT_DB, _weight_db(len(corners) + len(rejected)))
        return (Reading(self.name, "test-card", weight_db, "the printed test card", box),)
