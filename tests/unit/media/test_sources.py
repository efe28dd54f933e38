"""Sources: every kind of file, good and bad."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.making import ManualClock, make, number_in

from lightship.core.errors import InputError
from lightship.media.frames import Gap, Sound, VideoPicture
from lightship.media.sources import Reconnect, open_source


def sorted_out(source):
    """Return the pictures, sounds and gaps of a source."""
    items = list(source)
    return tuple([item for item in items if isinstance(item, kind)] for kind in (VideoPicture, Sound, Gap))


def test_a_file_gives_its_pictures_and_sound_in_step(tmp_path):
    with open_source(str(make(tmp_path / "clip.mp4", seconds=2.0))) as source:
        assert (source.info.width, source.info.height, source.info.fps) == (160, 96, 25.0)
        assert (source.info.sample_rate, source.info.channels, source.info.live) == (48_000, 1, False)
        assert source.info.name == "clip.mp4"
        pictures, sounds, gaps = sorted_out(source)
    assert [round(picture.at_s * 25, 3) for picture in pictures] == list(range(50))
    assert [round(number_in(picture.rgb())) for picture in pictures] == pytest.approx(list(range(50)), abs=3)
    assert sounds[0].at_s == pytest.approx(0.0, abs=0.03)
    assert sum(sound.duration_s for sound in sounds) == pytest.approx(2.0, abs=0.1)
    assert gaps == []


@pytest.mark.parametrize("suffix", ["mkv", "mov", "ts", "flv", "avi"])
def test_other_containers(tmp_path, suffix):
    codec = "mpeg4" if suffix == "avi" else "libx264"
    with open_source(str(make(tmp_path / f"clip.{suffix}", codec=codec))) as source:
        pictures, sounds, gaps = sorted_out(source)
    assert len(pictures) == 25
    assert sounds
    assert gaps == []
    assert 0.0 <= pictures[0].at_s < 0.2
    assert pictures[-1].at_s - pictures[0].at_s == pytest.approx(0.96, abs=0.05)


@pytest.mark.parametrize(("fps", "seconds"), [(1, 4.0), (240, 0.25)])
def test_one_and_240_pictures_a_second(tmp_path, fps, seconds):
    with open_source(str(make(tmp_path / "clip.mp4", fps=fps, seconds=seconds, sound=False))) as source:
        assert source.info.fps == pytest.approx(fps, rel=0.01)
        assert source.info.sample_rate is None
        times = [item.at_s for item in source]
    assert times == pytest.approx([number / fps for number in range(round(fps * seconds))], abs=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (7680, 4320)])
def test_the_smallest_and_the_largest_picture(tmp_path, size):
    width, height = size
    clip = make(tmp_path / "clip.mp4", width=width, height=height, fps=10, seconds=0.2, sound=False)
    with open_source(str(clip)) as source:
        pictures, _, _ = sorted_out(source)
    assert [picture.luma().shape for picture in pictures] == [(height, width)] * 2


def test_variable_frame_rate_keeps_its_times(tmp_path):
    times = [0.0, 0.04, 0.5, 0.52, 1.7, 3.0]
    with open_source(str(make(tmp_path / "clip.mp4", times=times, sound=False))) as source:
        assert [item.at_s for item in source] == pytest.approx(times, abs=1e-3)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotated_video_comes_out_upright(tmp_path, rotation):
    with open_source(str(make(tmp_path / "clip.mp4", rotation=rotation, sound=False))) as source:
        size = (source.info.width, source.info.height)
        picture = next(iter(source))
    flat = (160, 96) if rotation == 180 else (96, 160)
    assert size == flat == (picture.width, picture.height)
    plain = av.VideoFrame.from_ndarray(np.zeros((96, 160, 3), np.uint8))
    assert plain.rotation == 0
    corners = {  # where the bright quarter of picture 0 lies: rotation turns against the clock
        90: (slice(-20, None), slice(0, 20)),
        180: (slice(-20, None), slice(-20, None)),
        -90: (slice(0, 20), slice(-20, None)),
    }
    assert picture.rgb()[corners[rotation]].mean() == pytest.approx(30, abs=4)


def test_a_change_of_size_in_mid_stream_survives(tmp_path):
    small, large = (
        make(tmp_path / "a.ts", sound=False),
        make(tmp_path / "b.ts", width=320, height=192, sound=False),
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(Path(small).read_bytes() + Path(large).read_bytes())
    with open_source(str(joined)) as source:
        pictures, _, _ = sorted_out(source)
    assert {(picture.width, picture.height) for picture in pictures} == {(160, 96), (320, 192)}
    times = [picture.at_s for picture in pictures]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[-1] == pytest.approx(1.96, abs=0.2)


def test_a_still_picture_is_a_source_too(tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "still.png"), np.full((40, 60, 3), 99, np.uint8))
    with open_source(str(tmp_path / "still.png")) as source:
        pictures, _, _ = sorted_out(source)
    assert len(pictures) == 1
    assert int(pictures[0].rgb()[5, 5, 0]) == 99


# Bad input.


def refusal(spec) -> str:
    with pytest.raises(InputError) as caught:
        open_source(str(spec))
    assert caught.value.what
    assert caught.value.todo
    assert str(caught.value).count("\n") == 0
    return caught.value.what


def test_what_cannot_be_played_is_refused_in_one_sentence(tmp_path):
    clip = make(tmp_path / "clip.mp4", seconds=1.0)
    whole = Path(clip).read_bytes()
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is not a video\n" * 50)
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert "no such file" in refusal(tmp_path / "none.mp4")
    assert "empty" in refusal(tmp_path / "empty.mp4")
    assert "no video" in refusal(tmp_path / "text.mp4")
    assert "cut short" in refusal(tmp_path / "cut.mp4")
    assert "folder" in refusal(tmp_path)
    assert "not known" in refusal("gopher://host/x")
    assert "No source" in refusal(" ")
    assert "no such camera" in refusal("camera:/dev/no-camera-here")
    assert "rtmp and srt" in refusal("rtsp+listen://127.0.0.1/x")


def test_sound_without_a_picture_is_refused(tmp_path):
    with av.open(str(tmp_path / "only.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "no picture" in refusal(tmp_path / "only.m4a")


def test_a_file_cut_short_plays_as_far_as_it_goes_and_says_so(tmp_path):
    clip = Path(make(tmp_path / "clip.mp4", seconds=8.0, options={"movflags": "faststart"}))
    whole = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with open_source(str(tmp_path / "cut.mp4")) as source:
        pictures, _, gaps = sorted_out(source)
    assert 20 < len(pictures) < 180
    assert gaps[-1].to_s == pytest.approx(8.0, abs=0.1)
    assert gaps[-1].from_s == pytest.approx(pictures[-1].at_s, abs=0.2)
    assert "cut short" in gaps[-1].reason


def test_damage_in_the_middle_is_a_gap_and_the_rest_is_played(tmp_path):
    clip = Path(make(tmp_path / "clip.mp4", seconds=4.0, sound=False, options={"movflags": "faststart"}))
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 4
    third = (len(data) - start) // 3
    rng = np.random.default_rng(7)
    data[start + third : start + 2 * third] = rng.integers(0, 256, third, np.uint8).tobytes()
    (tmp_path / "bad.mp4").write_bytes(data)
    with open_source(str(tmp_path / "bad.mp4")) as source:
        pictures, _, gaps = sorted_out(source)
    assert len(pictures) < 100
    assert pictures[-1].at_s == pytest.approx(3.96, abs=0.1)
    assert any("damaged picture packet" in gap.reason for gap in gaps)
    assert all(gap.from_s <= gap.to_s for gap in gaps)


def test_a_codec_that_never_decodes_is_refused(tmp_path):
    clip = Path(make(tmp_path / "clip.mp4", seconds=2.0, sound=False, options={"movflags": "faststart"}))
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = b"\xff" * (len(data) - start)
    (tmp_path / "bad.mp4").write_bytes(data)
    assert "Not one picture" in refusal(tmp_path / "bad.mp4")


# Pace, and standard input.


def test_realtime_plays_a_file_at_its_own_speed(tmp_path):
    clock = ManualClock()
    clip = make(tmp_path / "clip.mp4", seconds=2.0, sound=False)
    with open_source(str(clip), realtime=True, clock=clock, sleep=clock.sleep) as source:
        assert source.info.live
        began_s = clock.now_s
        for item in source:
            assert clock.now_s - began_s == pytest.approx(item.at_s, abs=1e-6)
    assert clock.now_s - began_s == pytest.approx(1.96)


def test_stop_ends_the_iteration(tmp_path):
    with open_source(str(make(tmp_path / "clip.mp4", seconds=2.0))) as source:
        seen = []
        for item in source:
            seen.append(item)
            if len(seen) == 5:
                source.stop()
    assert len(seen) == 5


def test_an_mp4_file_that_is_piped_needs_its_index_first(tmp_path):
    data = Path(make(tmp_path / "clip.mp4")).read_bytes()
    index = data.index(b"moov") - 4
    data = data[:index] + (2_000_000).to_bytes(4, "big") + b"free" + bytes(1_999_992) + data[index:]
    command = [sys.executable, "-c", READ_STDIN.replace("error.what", "error.todo")]
    done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=30)
    assert "index lies at its beginning" in done.stdout.decode()


READ_STDIN = """
from lightship.media.sources import open_source
from lightship.core.errors import LightshipError
try:
    with open_source("-") as source:
        print(source.info.width, sum(1 for item in source if hasattr(item, "luma")))
except LightshipError as error:
    print(type(error).__name__, error.what)
"""


@pytest.mark.parametrize(("content", "said"), [("clip", "160 25"), ("", "InputError What came in is empty")])
def test_standard_input(tmp_path, content, said):
    data = Path(make(tmp_path / "clip.ts")).read_bytes() if content else b""
    done = subprocess.run(
        [sys.executable, "-c", READ_STDIN], input=data, capture_output=True, check=True, timeout=30
    )
    assert done.stdout.decode().startswith(said)


def test_waits_double_to_a_limit_and_jitter_only_shortens_them():
    plain = list(itertools.islice(Reconnect(first_s=1.0, most_s=5.0, jitter=0.0).waits(), 5))
    assert plain == [1.0, 2.0, 4.0, 5.0, 5.0]
    drawn = list(itertools.islice(Reconnect(first_s=1.0, most_s=5.0, jitter=0.5).waits(lambda: 0.999), 5))
    assert all(wait / 2 <= shorter <= wait for wait, shorter in zip(plain, drawn, strict=True))


def test_reading_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path):
    psutil = pytest.importorskip("psutil")
    clip = make(tmp_path / "clip.mp4", width=640, height=360, seconds=6.0, sound=False)
    process = psutil.Process(os.getpid())
    with open_source(str(clip)) as source:
        sizes = [process.memory_info().rss for _ in source]
    assert max(sizes[20:]) - sizes[20] < 30_000_000
