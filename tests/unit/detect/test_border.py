"""The picture inside its border."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.pictures import NAMES, luma, photo

from lightship.detect.border import inside


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("colour", [0, 16, 128, 255])
def test_a_border_of_one_colour_is_cut_to_the_picture(name, colour):
    picture = luma(photo(name))
    framed = cv2.copyMakeBorder(picture, 60, 50, 20, 30, cv2.BORDER_CONSTANT, value=colour)
    found = inside(framed)
    if found is None:  # what is left would be too little: the picture itself is all of one brightness there
        assert name in {"page", "text", "moon", "rocket", "astronaut"}
        return
    assert found.top >= 60
    assert found.bottom <= framed.shape[0] - 50
    assert found.left >= 20
    assert found.right <= framed.shape[1] - 30


@pytest.mark.parametrize("name", ["coffee", "chelsea", "camera", "brick", "grass"])
def test_a_letterbox_that_went_through_an_encoder_is_found_to_a_few_pixels(name):
    framed = cv2.copyMakeBorder(photo(name), 80, 80, 0, 0, cv2.BORDER_CONSTANT, value=(16, 16, 16))
    _, data = cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, 40])
    found = inside(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))
    assert found is not None
    assert abs(found.top - 80) <= 8
    assert abs(framed.shape[0] - found.bottom - 80) <= 8
    assert (found.left, found.right) == (0, framed.shape[1])


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "grass", "coins"])
def test_a_picture_without_a_border_is_left_alone(name):
    assert inside(luma(photo(name))) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 2**32 - 1), st.sampled_from([1, 30, 255]))
def test_whatever_comes_in_a_cut_is_a_part_of_it(height, width, seed, spread):
    noise = np.random.default_rng(seed).integers(0, spread + 1, (height, width)).astype(np.uint8)
    found = inside(noise)
    if found is not None:
        assert 0 <= found.top < found.bottom <= height
        assert 0 <= found.left < found.right <= width


def test_a_flat_picture_has_no_picture_inside():
    assert inside(np.full((300, 400), 90, np.uint8)) is None
