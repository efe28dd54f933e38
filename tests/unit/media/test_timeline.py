"""One rising timeline, whatever the timestamps do."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.media.timeline import Timeline

STEP = 1 / 25


def test_it_begins_at_zero_whatever_the_medium_says():
    timeline = Timeline()
    timeline.begin(1000.0, 0.0)
    assert timeline.place("picture", 1000.0, STEP) == pytest.approx(0.0)
    assert timeline.place("sound", 1000.02, 0.02) == pytest.approx(0.02)


def test_a_jump_is_followed_by_picture_and_sound_alike():
    timeline = Timeline()
    timeline.begin(0.0, 0.0)
    for number in range(50):
        timeline.place("picture", number * STEP, STEP)
        timeline.place("sound", number * STEP + 0.01, STEP)
    # Both clocks restart at 500 s, as at an HLS discontinuity; sound from before still comes.
    assert timeline.place("picture", 500.0, STEP) == pytest.approx(2.0, abs=0.06)
    timeline.place("sound", 50 * STEP + 0.01, STEP)
    moved = timeline.place("sound", 500.01, STEP)
    assert moved == pytest.approx(timeline.place("picture", 500.0 + STEP, STEP) - STEP + 0.01, abs=0.07)


def test_a_reconnect_goes_on_where_the_clock_is():
    timeline = Timeline()
    timeline.begin(None, 0.0)
    timeline.place("picture", 7.0, STEP)
    timeline.begin(None, 12.5)
    assert timeline.place("picture", 0.0, STEP) == pytest.approx(12.5)
    assert timeline.place("sound", 0.1, STEP) == pytest.approx(12.6)


def test_items_without_a_timestamp_follow_each_other():
    timeline = Timeline()
    timeline.begin(None, 0.0)
    assert [timeline.place("picture", None, 0.5) for _ in range(3)] == pytest.approx([0.0, 0.5, 1.0])


@given(
    times=st.lists(
        st.tuples(
            st.sampled_from(["picture", "sound"]),
            st.one_of(st.none(), st.floats(-1e5, 1e9, allow_nan=False)),
        ),
        max_size=80,
    )
)
def test_each_kind_always_rises_and_never_leaps(times):
    timeline = Timeline()
    timeline.begin(None, 0.0)
    placed: dict[str, list[float]] = {"picture": [], "sound": []}
    for kind, time_s in times:
        before_s = timeline.now_s
        at_s = timeline.place(kind, time_s, STEP)
        assert at_s >= 0.0
        assert at_s <= before_s + 11.0
        placed[kind].append(at_s)
    for row in placed.values():
        assert all(later > earlier for earlier, later in itertools.pairwise(row))
