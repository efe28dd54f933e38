"""PDQ against the reference implementation, bit by bit."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pdqhash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.pictures import NAMES, float_luma, luma, photo

from lightship.core.entries import QUALITY_FLOOR
from lightship.core.errors import InputError
from lightship.detect.pdq import DIHEDRAL, dihedral, distance, from_hex, pdq, to_hex

TURNS = (
    lambda y: y,
    np.flipud,
    np.fliplr,
    lambda y: np.rot90(y, 2),
    np.transpose,
    lambda y: np.rot90(y, -1),
    lambda y: np.rot90(y, 1),
    lambda y: np.rot90(y, 2).T,
)
sides = st.integers(32, 400) | st.integers(401, 1300)


def reference(rgb):
    bits, quality = pdqhash.compute(rgb)
    return np.packbits(bits).tobytes().hex(), quality


def noise(seed, height, width, grain):
    """Return noise with detail at two scales, `(height, width, 3) uint8`."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((max(2, height // grain), max(2, width // grain), 3))
    rows = np.arange(height) * len(coarse) // height
    columns = np.arange(width) * coarse.shape[1] // width
    picture = 0.6 * coarse[rows][:, columns] + 0.4 * rng.random((height, width, 3))
    return np.ascontiguousarray(picture * 255, dtype=np.uint8)  # pdqhash ignores strides


@pytest.mark.parametrize("name", NAMES)
def test_photographs_hash_as_the_reference_does(name):
    rgb = photo(name)
    hash_, quality = pdq(float_luma(rgb))
    assert (to_hex(hash_), quality) == reference(rgb)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=sides, width=sides, grain=st.integers(1, 40))
def test_noise_of_any_size_hashes_as_the_reference_does(seed, height, width, grain):
    rgb = noise(seed, height, width, grain)
    agrees(rgb)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(NAMES), height=sides, width=sides)
def test_resized_photographs_hash_as_the_reference_does(name, height, width):
    agrees(photo(name, width, height))


def agrees(rgb):
    """The same bits; the quality to within one, as rounding decides where a gradient lies on a whole number."""
    hash_, quality = pdq(float_luma(rgb))
    bits, its = reference(rgb)
    assert to_hex(hash_) == bits
    assert abs(quality - its) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_rounded_and_limited_range_brightness_moves_few_bits(name):
    full, _ = pdq(float_luma(photo(name)))
    y = luma(photo(name))
    limited = (16 + y.astype(np.float32) * (219 / 255)).round().astype(np.uint8)
    assert distance(full, pdq(y)[0]) <= 2
    assert distance(full, pdq(limited)[0]) <= 6


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    height=st.sampled_from([256, 333, 512, 720]),
    width=st.sampled_from([256, 640, 1000]),
)
def test_each_form_is_exact(name, height, width):
    y = float_luma(photo(name, width, height))
    hashes, quality = dihedral(y)
    assert quality == pdq(y)[1]
    for what, hash_, turn in zip(DIHEDRAL, hashes, TURNS, strict=True):
        assert distance(hash_, pdq(np.ascontiguousarray(turn(y)))[0]) == 0, what


def test_views_hash_like_their_copies():
    y = luma(photo("coffee"))
    for view in (y[::-1], y[:, ::-1], y.T, y[::2, 1::3]):
        assert np.array_equal(pdq(view)[0], pdq(view.copy())[0])


def test_shrinking_first_would_cost_a_good_part_of_the_match_budget():
    lost = [distance(pdq(luma(photo(n)))[0], pdq(luma(photo(n, 128, 128)))[0]) for n in NAMES]
    assert max(lost) >= 8


def test_an_8k_picture_is_hashed_in_bounded_memory():
    y = np.tile(luma(photo("coffee")), (11, 13))[:4320, :7680].copy()
    tracemalloc.start()
    hash_, quality = pdq(y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert hash_.any()
    assert quality > QUALITY_FLOOR
    assert peak < 16e6  # the picture itself has 33 MB, as float32 133 MB


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (4, 900), (900, 4)])
def test_pictures_too_small_to_hash_have_no_quality(shape):
    hash_, quality = pdq(np.full(shape, 7, np.uint8))
    assert not hash_.any()
    assert quality == 0
    hashes, quality = dihedral(np.full(shape, 7, np.uint8))
    assert len(hashes) == 8
    assert quality == 0


@settings(max_examples=30, deadline=None)
@given(height=st.integers(5, 40), width=st.integers(5, 40), value=st.integers(0, 255))
def test_flat_pictures_have_no_quality(height, width, value):
    assert pdq(np.full((height, width), value, np.uint8))[1] == 0


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.zeros(64, np.uint8),
        np.zeros((8, 8), bool),
        np.zeros((8, 8), complex),
        np.full((8, 8), np.nan),
        np.full((8, 8), np.inf),
    ],
)
def test_what_is_not_brightness_is_refused(picture):
    for act in (pdq, dihedral):
        with pytest.raises(InputError, match="brightness"):
            act(picture)


@given(st.binary(min_size=32, max_size=32))
def test_hex_both_ways(data):
    hash_ = from_hex(data.hex().upper())
    assert to_hex(hash_) == data.hex()
    assert distance(hash_, from_hex("0" * 64)) == int.from_bytes(data, "big").bit_count()


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, " " * 64, "00 " * 21 + "0", "é" * 64])
def test_other_text_is_no_hash(text):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        from_hex(text)


OTHER_THREADS = """
import time
import numpy as np
from lightship.detect.pdq import dihedral, pdq
from lightship.detect.pdq_compiled import weigh_rows
luma = np.random.default_rng(1).integers(0, 256, (1080, 1920), np.uint8)
def work():
    for act in (pdq, dihedral):
        act(luma)
        act(luma, weigh_rows)
work()
process_s, thread_s = time.process_time(), time.thread_time()
for _ in range(10):
    work()
print((time.process_time() - process_s) / (time.thread_time() - thread_s))
"""


def test_hashing_leaves_the_other_cores_to_the_decoders():
    env = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    command = [sys.executable, "-c", OTHER_THREADS]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=env)
    assert float(done.stdout) < 1.1
