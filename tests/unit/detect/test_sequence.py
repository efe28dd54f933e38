"""Which stretch of a stream shows which stretch of a listed video, and what may not gain by being long."""

import math
from datetime import date
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.entries import collect
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.chance import ChanceTable
from lightship.detect.matcher import Matcher
from lightship.detect.sequence import FURTHER_DB, Look, Stream, finish, segments, step

# A chance of 1 in 10,000 for every distance and quality class: 30 dB at a list ten times as long.
TABLE = ChanceTable(1000, (31,), (50, 70), (9_999, 9_999), ((0,), (0,)), ((0,), (0,)))
SECONDS = 60


@cache
def frames(seed=7, count=SECONDS):
    """Return a video's frames, one a second, as numbers of 256 bits: each another picture."""
    rng = np.random.default_rng(seed)
    return tuple(int.from_bytes(rng.bytes(32), "big") for _ in range(count))


def near(picture, seed, bits=8):
    """Return the picture as another encoder would leave it, some bits away."""
    for bit in np.random.default_rng(seed).choice(256, bits, replace=False):
        picture ^= 1 << int(bit)
    return picture


def bank(name="bank", videos=None, quality=100, **terms):
    videos = {"clip": frames()} if videos is None else videos
    entries = [
        Entry("pdq", one.to_bytes(32, "big"), quality, f"{video} at {at_s} s", video, float(at_s))
        for video, listed in videos.items()
        for at_s, one in enumerate(listed)
    ]
    return build(Terms(name, **terms), collect(entries, name), date(2026, 11, 1))


@cache
def matcher():
    return Matcher((bank(),), TABLE)


def look(at_s, picture, quality=100, by=None):
    words = np.frombuffer(picture.to_bytes(32, "big"), dtype=">u8").astype(np.uint64)[None]
    (finding,) = (by or matcher()).match(words, [quality])
    return Look(float(at_s), picture, finding)


def play(times, listed_s, by=None, quality=100):
    return [
        look(at_s, near(frames()[round(one)], number), quality, by)
        for number, (at_s, one) in enumerate(zip(times, listed_s, strict=True))
    ]


def test_the_stretch_that_matches_is_found_in_the_stream_and_in_the_video():
    unlisted = [look(at_s, one) for at_s, one in enumerate(frames(99, 10))]
    (found,) = segments(unlisted + play(range(10, 30), range(20, 40)))
    assert (found.from_s, found.to_s) == (10.0, 29.0)
    assert (found.listed_from_s, found.listed_to_s) == (20.0, 39.0)
    assert (found.looks, found.frames, found.astray) == (20, 20, 0)
    assert found.speed == pytest.approx(1.0)
    assert "10.0 to 29.0 s: list bank, video clip from 20.0 to 39.0 s at 1.0 times its speed" in str(found)


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.25, 2.0])
@pytest.mark.parametrize("period_s", [0.5, 1.0, 2.3])
def test_other_speeds_and_cadences_are_one_segment(speed, period_s):
    times = np.arange(0.0, 24.0, period_s)
    (found,) = segments(play(times, times * speed))
    assert found.speed == pytest.approx(speed, rel=0.15)
    assert found.frames >= 0.8 * min(len(times), round(24.0 * speed))


def test_lost_looks_do_not_break_a_segment_and_a_long_silence_does():
    times = [0, 1, 2, 20, 21, 60, 61]
    first, second = segments(play(times, [0, 1, 2, 20, 21, 50, 51]))
    assert (first.to_s, first.frames) == (21.0, 5)
    assert (second.from_s, second.frames) == (60.0, 2)


def test_a_loop_and_a_seek_are_segments_of_their_own():
    loop = list(segments(play(range(20), [*range(10, 20), *range(10, 20)])))
    assert [(one.listed_from_s, one.listed_to_s) for one in loop] == [(10.0, 19.0)] * 2
    seek = list(segments(play(range(20), [*range(10), *range(40, 50)])))
    assert [(one.listed_from_s, one.listed_to_s) for one in seek] == [(0.0, 9.0), (40.0, 49.0)]
    assert all(one.astray == 0 for one in loop + seek)


def test_a_listed_still_is_one_reference_from_when_to_when():
    still = build(
        Terms("stills"),
        collect([Entry("pdq", frames()[0].to_bytes(32, "big"), 100, "case-7")], "stills"),
        date(2026, 11, 1),
    )
    one = Matcher((still,), TABLE)
    (found,) = segments([look(at_s, near(frames()[0], at_s), by=one) for at_s in range(30)])
    assert (found.from_s, found.to_s, found.looks, found.frames) == (0.0, 29.0, 30, 1)
    assert math.isnan(found.listed_from_s)
    assert found.to_json()["video"] == ""
    assert "entry case-7, shown throughout" in str(found)


def best_alone(looks):
    return max((one.finding.weight_db for one in looks), default=0.0)


def heaviest(looks):
    return max((one.weight_db for one in segments(looks)), default=0.0)


def test_distinct_frames_in_order_gain_up_to_the_cap_for_errors_of_the_list():
    looks = play(range(20), range(20))
    assert heaviest(looks[:2]) == best_alone(looks)
    assert heaviest(looks[:4]) == pytest.approx(best_alone(looks) + 2 * FURTHER_DB)
    assert heaviest(looks) == 80.0
    (found,) = segments(looks[:4])
    alone = best_alone(looks[:4])
    assert found.why.startswith(f"Its best frame weighs {alone:.1f} dB alone; 4 distinct frames are of good")
    assert found.why.endswith(f"one list holds it, so at most 80 dB count. It weighs {alone + 20.0:.1f} dB.")


def test_two_lists_that_agree_may_weigh_more_than_one_can():
    both = Matcher((bank("one"), bank("two")), TABLE)
    found = list(segments(play(range(20), range(20), by=both)))
    assert {one.bank for one in found} == {"one", "two"}
    assert {one.weight_db for one in found} == {90.0}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(2, SECONDS))
def test_shuffled_frames_hardly_ever_gain(seed, length):
    order = np.random.default_rng(seed).permutation(SECONDS)[:length]
    looks = play(range(length), order)
    # A few may lie in order by chance; a video in order would have gained up to the cap.
    assert heaviest(looks) <= best_alone(looks) + 3 * FURTHER_DB


@pytest.mark.parametrize("length", [10, 30, SECONDS])
def test_shuffled_frames_gain_nothing_but_in_a_few_of_a_hundred(length):
    gained = 0
    for seed in range(100):
        looks = play(range(length), np.random.default_rng(seed).permutation(SECONDS)[:length])
        gained += heaviest(looks) > best_alone(looks)
    assert gained <= 4


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_frames_are_no_segment(seed):
    assert list(segments([look(at_s, one) for at_s, one in enumerate(frames(seed + 1000, 20))])) == []


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 200), bits=st.integers(0, 7))
def test_a_picture_that_stands_is_one_piece_of_evidence_however_long(seed, length, bits):
    still = [look(at_s, near(frames()[5], seed + at_s, bits)) for at_s in range(length)]
    (found,) = segments(still)
    assert (found.frames, found.looks) == (1, length)
    assert found.weight_db == best_alone(still)


def test_a_listed_video_that_hardly_moves_is_one_piece_of_evidence_too():
    dull = tuple(near(frames()[0], number, 6) for number in range(SECONDS))
    one = Matcher((bank(videos={"dull": dull}),), TABLE)
    looks = [look(at_s, dull[at_s], by=one) for at_s in range(SECONDS)]
    assert heaviest(looks) == best_alone(looks)
    assert all(found.frames == 1 for found in segments(looks))


def test_poor_frames_never_suffice_however_many():
    looks = play(range(30), range(30), quality=60)
    assert heaviest(looks) <= 20.0
    poor = Matcher((bank(quality=60),), TABLE)
    assert heaviest(play(range(30), range(30), by=poor)) <= 20.0


def test_memory_is_bounded_however_long_the_stream_and_however_many_the_videos():
    many = Matcher(
        (bank(videos={f"v{number}": (one,) for number, one in enumerate(frames(3, 2000))}),), TABLE
    )
    stream, over = Stream(gap_s=1e9), 0
    for at_s, picture in enumerate(frames(3, 2000)):
        stream, gone = step(stream, look(at_s, picture, by=many))
        over += len(gone)
        assert len(stream.open) <= 256
    assert over + len(finish(stream)) == 2000  # handed out early, not lost


def test_time_that_runs_backwards_ends_what_was_open():
    stream, _ = step(Stream(), play([10], [3])[0])
    stream, over = step(stream, play([2], [4])[0])
    assert [one.from_s for one in over] == [10.0]
    assert [one.from_s for one in stream.open] == [2.0]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 40.0), st.integers(0, SECONDS - 1), st.sampled_from([40, 60, 100])),
        max_size=60,
    )
)
def test_whatever_is_played_every_look_that_matches_is_in_one_segment(steps):
    times = np.cumsum([passed_s for passed_s, _, _ in steps])
    looks = [
        look(at_s, frames()[number], quality) for at_s, (_, number, quality) in zip(times, steps, strict=True)
    ]
    found = list(segments(looks))
    assert sum(one.looks for one in found) == sum(bool(one.finding.hits) for one in looks)
    for one in found:
        assert one.from_s <= one.to_s
        assert one.listed_from_s <= one.listed_to_s
        assert 1 <= one.frames <= one.looks
        assert one.sure <= one.frames


def test_a_video_whose_seconds_are_not_told_is_one_reference_from_when_to_when():
    untold = [
        Entry("pdq", one.to_bytes(32, "big"), 100, f"frame {number}", "clip")
        for number, one in enumerate(frames())
    ]
    by = Matcher((build(Terms("bank"), collect(untold, "bank"), date(2026, 11, 1)),), TABLE)
    (found,) = segments([look(at_s, frames()[at_s], by=by) for at_s in range(10)])
    assert (found.looks, found.frames, found.to_json()["listed_from_s"]) == (10, 1, None)
