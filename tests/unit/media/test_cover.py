"""Covering: what is covered cannot be had back."""

import itertools

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.media.cover import block_sums, blur, card, grid, silence
from lightship.media.frames import ArrayPicture, Sound, VideoPicture, frame_from_planes, plane_view

SIZES = [(16, 16), (17, 33), (128, 72), (200, 90), (96, 160)]


def planes_of(picture) -> list[np.ndarray]:
    if isinstance(picture, VideoPicture):
        frame = picture.to_frame()
        return [plane_view(frame, number).copy() for number in range(len(frame.planes))]
    return [picture.rgb()[:, :, channel].copy() for channel in range(3)]


def rebuilt(picture, planes):
    if isinstance(picture, VideoPicture):
        frame = picture.to_frame()
        return VideoPicture(picture.at_s, frame_from_planes(planes, frame, frame.format.name))
    return ArrayPicture(picture.at_s, np.stack(planes, axis=2))


def picture_of(kind: str, width: int, height: int, seed: int):
    array = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    if kind == "array":
        return ArrayPicture(0.0, array)
    return VideoPicture(0.0, av.VideoFrame.from_ndarray(array).reformat(format=kind))


def shuffled_within_blocks(
    plane: np.ndarray, blocks: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Return a plane with the pixels of each block in another order: equal sums, another picture."""
    height, width = plane.shape
    columns = np.linspace(0, width, min(blocks[0], width) + 1).round().astype(int)
    rows = np.linspace(0, height, min(blocks[1], height) + 1).round().astype(int)
    other = plane.copy()
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            block = other[top:bottom, left:right]
            other[top:bottom, left:right] = rng.permutation(block.reshape(-1)).reshape(block.shape)
    return other


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["array", "yuv420p", "yuvj420p", "yuv444p"]),
    size=st.sampled_from(SIZES),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_blur_depends_on_nothing_but_the_sums_of_its_blocks(kind, size, seed):
    picture = picture_of(kind, *size, seed)
    rng = np.random.default_rng(seed)
    blocks = grid(*size)
    other = rebuilt(picture, [shuffled_within_blocks(plane, blocks, rng) for plane in planes_of(picture)])
    assert any(not np.array_equal(a, b) for a, b in zip(planes_of(picture), planes_of(other), strict=True))
    for mine, theirs in zip(planes_of(blur(picture)), planes_of(blur(other)), strict=True):
        assert np.array_equal(mine, theirs)


@settings(max_examples=60, deadline=None)
@given(size=st.sampled_from(SIZES), seed=st.integers(0, 2**32 - 1), amount=st.integers(1, 40))
def test_moving_brightness_within_a_block_changes_nothing(size, seed, amount):
    rng = np.random.default_rng(seed)
    array = rng.integers(60, 190, (size[1], size[0], 3), np.uint8)
    other = array.copy()
    other[1, 1] += np.uint8(amount)  # both pixels lie in the first block: blocks are 8 px or more
    other[2, 3] -= np.uint8(amount)
    assert np.array_equal(blur(ArrayPicture(0.0, array)).rgb(), blur(ArrayPicture(0.0, other)).rgb())


@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_never_more_than_sixteen_blocks_nor_blocks_under_eight_pixels(width, height):
    across, down = grid(width, height)
    assert 1 <= across <= 16
    assert 1 <= down <= 16
    assert across == 1 or width / across >= 7.5
    assert down == 1 or height / down >= 5


def test_block_sums_are_exact():
    plane = np.random.default_rng(5).integers(0, 256, (91, 123), np.uint8)
    sums, counts = block_sums(plane, (16, 12))
    assert sums.sum() == plane.sum(dtype=np.int64)
    assert counts.sum() == plane.size


def test_blur_keeps_time_size_and_average():
    picture = picture_of("yuv420p", 128, 72, 3)
    hidden = blur(VideoPicture(4.25, picture.to_frame()))
    assert (hidden.at_s, hidden.width, hidden.height) == (4.25, 128, 72)
    assert abs(float(hidden.luma().mean()) - float(picture.luma().mean())) < 4


def test_a_checkerboard_as_small_as_16x16_is_gone_after_the_blur():
    board = np.indices((16, 16)).sum(axis=0) % 2 * 255
    hidden = blur(ArrayPicture(0.0, np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)))
    assert np.ptp(hidden.rgb()) == 0


@pytest.mark.parametrize("form", ["nv12", "yuv420p10le", "rgb24", "gray", "yuv422p"])
def test_blur_takes_any_pixel_format(form):
    hidden = blur(picture_of(form, 96, 64, 9))
    assert np.ptp(hidden.luma().astype(int)) < 60


@pytest.mark.parametrize("size", [(16, 16), (64, 48), (320, 240), (1280, 720), (720, 1280), (7680, 4320)])
def test_a_card_has_its_size_and_where_there_is_room_its_words(size):
    lines = [
        "Childline 0800 1111 (free, day and night)",
        "What happened: the picture was covered – you can résumé.",
    ]
    still = card(*size, "The picture is paused", lines)
    assert (still.width, still.height) == size
    has_ink = int(still.rgb().max()) > 150
    assert has_ink == (size[0] >= 64)
    margin = max(1, min(size) // 14)
    edge = still.rgb()[:, size[0] - margin + 1 :]
    assert edge.size == 0 or np.ptp(edge.reshape(-1, 3), axis=0).max() == 0


def test_a_card_without_words_is_plain():
    assert np.ptp(card(64, 64, "", ()).rgb().reshape(-1, 3), axis=0).max() == 0


@pytest.mark.parametrize(("form", "rest"), [("fltp", 0), ("s16", 0), ("u8", 128)])
def test_silence_has_the_same_shape_and_no_sound(form, rest):
    frame = av.AudioFrame(format=form, layout="stereo", samples=480)
    for plane in frame.planes:
        plane.update(b"\x2a" * plane.buffer_size)
    frame.sample_rate, frame.pts = 48_000, 960
    still = silence(Sound(0.02, frame))
    assert still.at_s == 0.02
    assert (still.frame.samples, still.frame.sample_rate, still.frame.pts) == (480, 48_000, 960)
    assert still.frame.layout.name == "stereo"
    assert np.array_equal(np.unique(still.frame.to_ndarray()), [rest])
    assert still.duration_s == pytest.approx(0.01)
