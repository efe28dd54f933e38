"""vPDQ's rule for whole files, against the reference's own comparison."""

import importlib
import sys
import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detect.pictures import photo

from lightship.app_match import hash_media
from lightship.detect.pdq import to_hex
from lightship.detect.vpdq import Shares, shares
from lightship.exchange.hash_lists import vpdq_json
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink


@pytest.fixture(scope="module")
def extension():
    """Return threatexchange's own modules; only its hasher needs the compiled `vpdq`, for which a name stands in."""
    stand_in = "vpdq" not in sys.modules and importlib.util.find_spec("vpdq") is None
    if stand_in:
        sys.modules["vpdq"] = types.SimpleNamespace(VpdqFeature=object)
    try:
        names = ("vpdq_brute_matcher", "vpdq_util")
        return [importlib.import_module(f"threatexchange.extensions.vpdq.{name}") for name in names]
    finally:
        if stand_in:
            del sys.modules["vpdq"]


@pytest.fixture(scope="module")
def reference(extension):
    """Return threatexchange's comparison of two videos."""
    matcher, util = extension
    feature = util.VpdqCompactFeature

    def compare(query, query_quality, listed, listed_quality):
        videos = [
            [feature(to_hex(one), int(quality), 0.0) for one, quality in zip(video, qualities, strict=True)]
            for video, qualities in ((query, query_quality), (listed, listed_quality))
        ]
        try:
            found = matcher.match_VPDQ_hash_brute(*videos, 50, 31)
        except ZeroDivisionError:  # where no frame of one of them counts, the reference has no answer
            return Shares(0.0, 0.0)
        return Shares(found.query_match_percent, found.compared_match_percent)

    return compare


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sizes=st.tuples(st.integers(0, 12), st.integers(0, 12)))
def test_shares_are_those_of_the_reference(reference, seed, sizes):
    rng = np.random.default_rng(seed)
    scenes = rng.integers(0, 2**64, (3, 4), dtype=np.uint64)

    def video(size):
        frames = scenes[rng.integers(0, 3, size)].copy()
        for frame in frames:
            for bit in rng.choice(256, rng.integers(0, 26), replace=False):
                frame[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
        return frames, rng.integers(30, 101, size).astype(np.uint8)

    query, listed = video(sizes[0]), video(sizes[1])
    ours, theirs = shares(*query, *listed), reference(*query, *listed)
    assert ours.of_query == pytest.approx(theirs.of_query)
    assert ours.of_listed == pytest.approx(theirs.of_listed)


def test_a_frame_that_repeats_counts_once_and_a_flat_one_not_at_all():
    frames = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [2**64 - 1, 2**64 - 1, 0, 0]], dtype=np.uint64)
    found = shares(frames, np.array([90, 90, 40], np.uint8), frames[:1], np.array([90], np.uint8))
    assert found == Shares(100.0, 100.0)


def test_an_own_video_s_hashes_are_read_by_threatexchange(extension, tmp_path):
    clip = write_video_of(tmp_path / "clip.mp4")
    frames = list(hash_media(str(clip), "vpdq", 2.0, pytest.fail))
    read = extension[1].json_to_vpdq(vpdq_json(frames))
    assert [(one.pdq_hex, one.quality, one.timestamp) for one in read] == [
        (one.value.hex(), one.quality, round(one.at_s, 3)) for one in frames
    ]
    assert len(read) == 4


def write_video_of(path):
    sink = open_sink(str(path), MediaInfo(320, 240, 8.0, None, None, live=False, name="clip"))
    for number in range(16):
        sink.write(ArrayPicture(number / 8, photo("coffee", 320, 240)))
    sink.close()
    return path
