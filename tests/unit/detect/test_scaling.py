"""PDQ's scaling rule: the full-resolution picture is hashed. Who shrinks first has moved a good part of the budget."""

import cv2
import numpy as np
import pdqhash
import pytest
from skimage import data
from tests.unit.detect.pictures import photo

from lightship.app_match import hash_media
from lightship.detect.pdq import distance


def large(name):
    """Return a photograph of more than 512 pixels a side."""
    picture = (
        data.retina() if name == "retina" else data.hubble_deep_field() if name == "hubble" else photo(name)
    )
    return (
        cv2.resize(picture, (1280, 960), interpolation=cv2.INTER_CUBIC)
        if min(picture.shape[:2]) <= 512
        else picture
    )


def reference(picture):
    bits, _ = pdqhash.compute(np.ascontiguousarray(picture))
    return np.packbits(bits).view(">u8").astype(np.uint64)


NAMES = ("retina", "hubble", "astronaut", "chelsea", "coffee", "rocket", "camera", "coins", "grass")


def test_a_file_is_hashed_at_full_resolution_and_shrinking_first_would_move_bits(tmp_path):
    moved = []
    for name in NAMES:
        picture = large(name)
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture[..., ::-1])
        (entry,) = hash_media(str(path), "pdq", 1.0, pytest.fail)
        ours = np.frombuffer(entry.value, dtype=">u8").astype(np.uint64)
        assert distance(ours, reference(picture)) <= 2  # 8-bit luma
        nearest = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_NEAREST)
        moved.append(distance(ours, reference(nearest)))
    assert np.median(moved) >= 4
    assert max(moved) >= 10
