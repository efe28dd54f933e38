"""Pictures: conversions, rotation, and what is not loaded."""

import subprocess
import sys
import threading

import av
import numpy as np
import pytest

from lightship.core.errors import InputError
from lightship.core.ports import Picture
from lightship.media.frames import ArrayPicture, VideoPicture, quarter_turns


def noise(height: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_array_luma_is_bt601_rounded():
    picture = ArrayPicture(1.5, noise(37, 53))
    exact = picture.rgb().astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(picture.luma() - exact).max() <= 0.51
    assert picture.luma() is picture.luma()
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (53, 37)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), float), np.zeros((0, 4, 3), np.uint8)]
)
def test_an_array_that_is_no_picture_is_refused(array):
    with pytest.raises(InputError, match="uint8 RGB"):
        ArrayPicture(0.0, array)


@pytest.mark.parametrize("size", [(48, 50), (16, 16), (33, 17)])
def test_luma_of_a_video_picture_is_a_cropped_view(size):
    height, width = size
    frame = av.VideoFrame.from_ndarray(noise(height, width)).reformat(format="yuv420p")
    picture = VideoPicture(0.0, frame)
    rows = np.frombuffer(frame.planes[0], np.uint8).reshape(height, -1)
    assert np.array_equal(picture.luma(), rows[:, :width])
    assert np.shares_memory(picture.luma(), rows)
    assert picture.rgb().shape == (height, width, 3)
    assert picture.rgb() is picture.rgb()
    assert isinstance(picture, Picture)


@pytest.mark.parametrize("form", ["rgb24", "gray10le", "yuv420p10le", "nv12", "yuvj420p", "gray", "pal8"])
def test_any_pixel_format_gives_eight_bit_luma_and_rgb(form):
    grey = np.full((32, 64, 3), 200, np.uint8)
    source = av.VideoFrame.from_ndarray(grey)
    frame = av.VideoFrame(64, 32, "pal8") if form == "pal8" else source.reformat(format=form)
    picture = VideoPicture(0.0, frame)
    assert picture.luma().shape == (32, 64)
    assert picture.luma().dtype == np.uint8
    if form != "pal8":
        assert 180 <= int(picture.luma()[5, 5]) <= 205
        assert np.abs(picture.rgb().astype(int) - 200).max() <= 4


class Turned:
    """A frame that says it is rotated; PyAV frames cannot be told so in a test."""

    def __init__(self, frame, rotation):
        self._frame = frame
        self.rotation = rotation

    def __getattr__(self, name):
        return getattr(self._frame, name)


@pytest.mark.parametrize("rotation", [90, -90, 180, 0])
def test_rotated_planes_come_out_upright(rotation):
    frame = av.VideoFrame.from_ndarray(noise(32, 48)).reformat(format="yuv420p")
    flat = VideoPicture(0.0, frame)
    picture = VideoPicture(0.0, Turned(frame, rotation))
    assert np.array_equal(picture.luma(), np.rot90(flat.luma(), rotation // 90))
    assert (picture.height, picture.width) == picture.luma().shape
    if rotation:
        upright = VideoPicture(0.0, picture.to_frame())
        assert np.array_equal(upright.luma(), picture.luma())
        assert (upright.width, upright.height) == (picture.width, picture.height)


def test_quarter_turns_wrap():
    assert [quarter_turns(degrees) for degrees in (0, 90, 180, 270, -90, -180, 44)] == [0, 1, 2, 3, 3, 2, 0]


def test_two_threads_may_convert_one_picture():
    frame = av.VideoFrame.from_ndarray(noise(240, 320)).reformat(format="yuv420p")
    picture = VideoPicture(0.0, frame)
    seen: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: seen.append(picture.rgb())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(array is seen[0] for array in seen)


def test_at_keeps_the_picture_and_changes_the_time():
    picture = ArrayPicture(0.0, noise(16, 16))
    later = picture.at(3.0)
    frame = picture.to_frame()
    assert later.at_s == 3.0
    assert later.rgb() is picture.rgb()
    assert later.to_frame() is frame


def test_importing_the_light_modules_loads_no_media_library():
    code = (
        "import sys, lightship.media.frames, lightship.media.cover, lightship.media.ring, lightship.media.sampler,"
        " lightship.media.sources, lightship.media.sinks;"
        "print([m for m in ('av', 'cv2', 'socket', 'subprocess', 'pyvirtualcam') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
