"""Sinks: what comes out is what went in, and nothing half-written keeps a good name."""

import io
import itertools
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.making import make, number_in, numbered, tone

from lightship.core.errors import SinkError
from lightship.media.cover import blur, silence
from lightship.media.encode import Muxer
from lightship.media.frames import ArrayPicture, MediaInfo, Sound, VideoPicture
from lightship.media.sinks import _Constant, _Y4m, open_sink
from lightship.media.sources import open_source


def info(width=160, height=96, fps=25.0, sample_rate=None, channels=None) -> MediaInfo:
    return MediaInfo(width, height, fps, sample_rate, channels, live=False, name="test")


def pictures(count=25, fps=25.0, width=160, height=96):
    return [ArrayPicture(number / fps, numbered(width, height, number)) for number in range(count)]


def sound_at(
    at_s: float, samples: int = 1024, rate: int = 48_000, channels: int = 1, start: int = 0
) -> Sound:
    layout = "mono" if channels == 1 else "stereo"
    data = np.repeat(tone(samples, rate, start), channels, axis=0)
    frame = av.AudioFrame.from_ndarray(data, format="fltp", layout=layout)
    frame.sample_rate = rate
    return Sound(at_s, frame)


def read_back(path: Path):
    with open_source(str(path)) as source:
        items = list(source)
    return [i for i in items if isinstance(i, VideoPicture)], [i for i in items if isinstance(i, Sound)]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "flv"])
def test_a_file_holds_the_pictures_at_their_times(tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    with open_sink(str(path), info()) as sink:
        for picture in pictures():
            sink.write(picture)
        assert not path.exists()
    seen, _ = read_back(path)
    assert len(seen) == 25
    assert [picture.at_s - seen[0].at_s for picture in seen] == pytest.approx(
        [n / 25 for n in range(25)], abs=2e-3
    )
    assert [number_in(picture.rgb()) for picture in seen] == pytest.approx(list(range(25)), abs=4)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_source_to_sink_keeps_picture_and_sound_in_step(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=3.0)
    with open_source(str(clip)) as source, open_sink(str(tmp_path / "out.mp4"), source.info) as sink:
        for item in source:
            sink.write(item)
    seen, heard = read_back(tmp_path / "out.mp4")
    assert len(seen) == 75
    length_s = sum(sound.duration_s for sound in heard)
    assert length_s == pytest.approx(3.0, abs=0.08)
    assert heard[0].at_s == pytest.approx(seen[0].at_s, abs=0.03)
    loud = np.concatenate([sound.frame.to_ndarray()[0] for sound in heard])
    assert float(np.sqrt((loud**2).mean())) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


def test_variable_frame_rate_survives_encoding(tmp_path):
    times = [0.0, 0.033, 0.5, 0.504, 2.0, 2.25]
    with open_sink(str(tmp_path / "out.mp4"), info()) as sink:
        for number, at_s in enumerate(times):
            sink.write(ArrayPicture(at_s, numbered(160, 96, number * 20)))
    seen, _ = read_back(tmp_path / "out.mp4")
    assert [picture.at_s for picture in seen] == pytest.approx(times, abs=1e-3)


def test_times_that_stand_still_or_go_back_are_made_to_rise(tmp_path):
    with open_sink(str(tmp_path / "out.mp4"), info()) as sink:
        for number, at_s in enumerate([0.0, 0.04, 0.04, 0.03, 0.2]):
            sink.write(ArrayPicture(at_s, numbered(160, 96, number * 20)))
    seen, _ = read_back(tmp_path / "out.mp4")
    assert len(seen) == 5
    assert all(later.at_s > earlier.at_s for earlier, later in itertools.pairwise(seen))


@pytest.mark.parametrize("size", [(33, 17), (16, 16), (161, 97), (7680, 4320)])
def test_odd_small_and_large_sizes(tmp_path, size):
    with open_sink(str(tmp_path / "out.mkv"), info(*size), preset="ultrafast") as sink:
        for picture in pictures(2, width=size[0], height=size[1]):
            sink.write(picture)
    seen, _ = read_back(tmp_path / "out.mkv")
    assert [(p.width, p.height) for p in seen] == [(size[0] // 2 * 2, size[1] // 2 * 2)] * 2


def test_another_size_in_mid_stream_is_letterboxed(tmp_path):
    bright = np.full((100, 50, 3), 220, np.uint8)
    with open_sink(str(tmp_path / "out.mp4"), info()) as sink:
        sink.write(ArrayPicture(0.0, np.full((96, 160, 3), 220, np.uint8)))
        sink.write(ArrayPicture(0.04, bright))
    seen, _ = read_back(tmp_path / "out.mp4")
    assert (seen[1].width, seen[1].height) == (160, 96)
    assert seen[1].rgb()[48, 80].mean() > 200
    assert seen[1].rgb()[48, 10].mean() < 30


def test_rotated_source_is_written_upright(tmp_path):
    clip = make(tmp_path / "clip.mp4", rotation=90, sound=False)
    with open_source(str(clip)) as source, open_sink(str(tmp_path / "out.mp4"), source.info) as sink:
        given = list(source)
        for item in given:
            sink.write(item)
    seen, _ = read_back(tmp_path / "out.mp4")
    assert (seen[0].width, seen[0].height) == (96, 160)
    assert np.abs(seen[0].rgb().astype(int) - given[0].rgb()).mean() < 4


@pytest.mark.parametrize("form", ["yuvj420p", "nv12", "yuv444p", "yuv420p10le"])
def test_brightness_is_the_same_in_any_pixel_format(tmp_path, form):
    frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 180, np.uint8)).reformat(format=form)
    if form == "yuvj420p":
        frame.color_range = 2
    with open_sink(str(tmp_path / "out.mp4"), info()) as sink:
        sink.write(VideoPicture(0.0, frame))
        sink.write(ArrayPicture(0.04, np.full((96, 160, 3), 180, np.uint8)))
        sink.write(blur(VideoPicture(0.08, frame)))
    seen, _ = read_back(tmp_path / "out.mp4")
    assert [float(picture.rgb().mean()) for picture in seen] == pytest.approx([180.0] * 3, abs=5)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (11_025, 1), (37_800, 2)])
def test_sound_at_any_rate(tmp_path, rate, channels):
    with open_sink(str(tmp_path / "out.mp4"), info(sample_rate=rate, channels=channels)) as sink:
        for picture in pictures(50):
            sink.write(picture)
        for number in range(2 * rate // 1000):
            sink.write(sound_at(number * 1000 / rate, 1000, rate, channels, start=number * 1000))
    _, heard = read_back(tmp_path / "out.mp4")
    assert sum(sound.duration_s for sound in heard) == pytest.approx(2.0, abs=0.15)


def test_sound_that_changes_its_form_and_leaves_holes_stays_in_step(tmp_path):
    rate = 48_000
    with open_sink(str(tmp_path / "out.mp4"), info(sample_rate=rate, channels=1)) as sink:
        for picture in pictures(50):
            sink.write(picture)
        for number in range(20):
            sink.write(sound_at(number * 1024 / rate, start=number * 1024))
        for number in range(20):  # comes back a second later, as 44.1 kHz stereo
            sink.write(sound_at(1.5 + number * 1024 / 44_100, 1024, 44_100, 2, start=number * 1024))
    _, heard = read_back(tmp_path / "out.mp4")
    wave = np.concatenate([sound.frame.to_ndarray()[0] for sound in heard])
    level = [
        float(np.abs(wave[int(a * rate) : int(b * rate)]).max())
        for a, b in ((0.1, 0.4), (0.6, 1.4), (1.6, 1.9))
    ]
    assert level[0] > 0.2
    assert level[1] < 0.02
    assert level[2] > 0.2


def test_overlapping_sound_does_not_push_the_rest_back(tmp_path):
    with open_sink(str(tmp_path / "out.mp4"), info(sample_rate=48_000, channels=1)) as sink:
        sink.write(pictures(1)[0])
        for _ in range(2):
            for number in range(47):
                sink.write(sound_at(number * 1024 / 48_000))
        for number in range(47, 94):
            sink.write(silence(sound_at(number * 1024 / 48_000)))
    _, heard = read_back(tmp_path / "out.mp4")
    assert sum(sound.duration_s for sound in heard) == pytest.approx(2.0, abs=0.1)


# What must not be left behind.


def test_an_error_inside_leaves_nothing(tmp_path):
    def go_wrong():
        with open_sink(str(tmp_path / "out.mp4"), info()) as sink:
            sink.write(pictures(1)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_wrong()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_that_name_stays_whole_until_it_is_replaced(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"before")
    sink = open_sink(str(path), info())
    sink.write(pictures(1)[0])
    sink.close(ok=False)
    assert path.read_bytes() == b"before"
    with open_sink(str(path), info()) as sink:
        sink.write(pictures(1)[0])
    assert path.read_bytes() != b"before"
    with pytest.raises(SinkError, match="closed"):
        sink.write(pictures(1)[0])


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path, monkeypatch):
    def full(self, picture):
        raise OSError(28, "No space left on device")

    sink = open_sink(str(tmp_path / "out.mp4"), info())
    monkeypatch.setattr(Muxer, "picture", full)
    with pytest.raises(SinkError, match=r"disk is full.*Make room"):
        sink.write(pictures(1)[0])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_device_that_is_full(tmp_path):
    (tmp_path / "out.mkv").symlink_to("/dev/full")

    def fill():
        with open_sink(str(tmp_path / "out.mkv"), info(), crf=1) as sink:
            rng = np.random.default_rng(1)
            for number in range(200):
                sink.write(ArrayPicture(number / 25, rng.integers(0, 256, (96, 160, 3), np.uint8)))

    with pytest.raises(SinkError, match="disk is full"):
        fill()


FILL = """
import resource, sys
import numpy as np
from lightship.core.errors import SinkError
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
rng = np.random.default_rng(1)
try:
    with open_sink(sys.argv[1], MediaInfo(160, 96, 25.0, None, None, False, "x"), crf=1) as sink:
        for number in range(200):
            sink.write(ArrayPicture(number / 25, rng.integers(0, 256, (96, 160, 3), np.uint8)))
except SinkError as error:
    print(error.what)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_real_write_that_fails_halfway_leaves_nothing(tmp_path, suffix):
    command = [sys.executable, "-c", FILL, str(tmp_path / f"out.{suffix}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "too large" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{tmp}/none/out.mp4", "folder does not exist"),
        ("{tmp}", "This is a folder"),
        ("{tmp}/out.zip", "No kind of video file"),
        ("{tmp}/out.webm", "cannot hold H.264"),
        ("gopher://host/x", "not known"),
        ("", "No sink"),
    ],
)
def test_sinks_that_cannot_be_opened(tmp_path, spec, said):
    with pytest.raises(SinkError, match=said) as caught:
        open_sink(spec.format(tmp=tmp_path), info())
    assert caught.value.todo
    assert list(tmp_path.iterdir()) == []


# Other kinds.


def test_null_takes_everything():
    with open_sink("null", info()) as sink:
        sink.write(pictures(1)[0])
        sink.write(sound_at(0.0))


def test_y4m_is_read_by_others_and_keeps_to_its_rate():
    out = io.BytesIO()
    sink = _Y4m(out, info(width=32, height=16, fps=10.0))
    for number, at_s in enumerate([0.0, 0.1, 0.15, 0.5, 0.6]):
        sink.write(ArrayPicture(at_s, numbered(32, 16, number * 10)))
    sink.write(sound_at(0.0))
    sink.close()
    out.seek(0)
    with av.open(out, format="yuv4mpegpipe") as container:
        seen = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 10
    assert len(seen) == 7
    assert seen[0].shape == (16, 32, 3)


@pytest.mark.parametrize(
    ("times", "counts"),
    [
        ([0.0, 0.04, 0.08], [1, 1, 1]),
        ([0.0, 0.01, 0.08], [1, 0, 2]),
        ([5.0, 5.04, 4.0, 5.2], [1, 1, 0, 4]),
        ([0.0, 1000.0], [1, 250]),
    ],
)
def test_constant_rate_repeats_and_leaves_out(times, counts):
    constant = _Constant(25.0)
    assert [constant.times(at_s) for at_s in times] == counts


WRITE_Y4M = """
import numpy as np
from lightship.core.errors import SinkError
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink
import sys
try:
    with open_sink("-", MediaInfo(320, 240, 25.0, None, None, False, "x")) as sink:
        for number in range(400):
            sink.write(ArrayPicture(number / 25, np.zeros((240, 320, 3), np.uint8)))
except SinkError as error:
    print(error.what, file=sys.stderr)
    sys.stderr.flush()
    import os
    os._exit(6)
"""


def test_a_reader_of_standard_output_that_leaves_is_said():
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_Y4M], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.read(9) == b"YUV4MPEG2"
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=30) == 6
    assert said.strip() == "The program that took the output has ended."


FAKE_CAMERA = textwrap.dedent(
    """
    class Camera:
        made = []
        def __init__(self, width, height, fps):
            if width > 1000:
                raise RuntimeError("no device")
            self.sent, self.size, self.open = [], (width, height, fps), True
            Camera.made.append(self)
        def send(self, rgb):
            self.sent.append(rgb)
        def close(self):
            self.open = False
    """
)


def test_the_virtual_camera_shows_rgb_pictures(tmp_path, monkeypatch):
    (tmp_path / "pyvirtualcam.py").write_text(FAKE_CAMERA)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pyvirtualcam", raising=False)
    with open_sink("virtual-camera", info()) as sink:
        for picture in pictures(3):
            sink.write(picture)
        sink.write(sound_at(0.0))
    import pyvirtualcam

    camera = pyvirtualcam.Camera.made[0]
    assert camera.size == (160, 96, 25.0)
    assert not camera.open
    assert [number_in(rgb) for rgb in camera.sent] == pytest.approx([0, 1, 2], abs=4)
    with pytest.raises(SinkError, match="no device"):
        open_sink("virtual-camera", info(width=1280, height=720))
    monkeypatch.delitem(sys.modules, "pyvirtualcam")


def test_without_its_package_the_virtual_camera_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"lightship\[camera\]"):
        open_sink("virtual-camera", info())
