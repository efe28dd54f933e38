"""The gate covers what must be covered, reaches back over what is held, and lets the rest leave as it is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.values import Decision
from lightship.guard.gate import Gate
from lightship.media.frames import ArrayPicture


def decision(at_s, rung, before=None, by="evidence"):
    return Decision(at_s, rung, before, by, 40.0, "sha256:0")


def gate(hold_back_s=0.0):
    return Gate(hold_back_s, "Paused", ("A line.",))


def test_nothing_is_covered_before_a_decision():
    assert gate().rung_at(5.0) is None


def test_a_cover_reaches_back_over_what_is_held():
    one = gate(hold_back_s=2.0)
    one.apply(decision(10.0, "blur"))
    assert one.rung_at(7.9) is None
    assert one.rung_at(8.0) == "blur"
    assert one.rung_at(50.0) == "blur"


def test_frames_from_before_a_release_stay_covered():
    one = gate(hold_back_s=2.0)
    one.apply(decision(10.0, "blur"))
    one.apply(decision(20.0, None, "blur", "benign"))
    assert one.rung_at(19.99) == "blur"
    assert one.rung_at(20.0) is None


def test_a_graver_response_takes_over_from_its_own_time_on():
    one = gate(hold_back_s=2.0)
    one.apply(decision(10.0, "blur"))
    one.apply(decision(12.0, "pause", "blur"))
    assert one.rung_at(11.9) == "blur"
    assert one.rung_at(12.0) == "pause"


def test_looking_more_often_covers_nothing():
    one = gate()
    one.apply(decision(1.0, "observe"))
    assert one.rung_at(2.0) is None


def test_nothing_leaves_before_the_first_look_where_the_policy_covers_what_is_unseen():
    one = gate()
    one.shut_until_first_look(0.0)
    assert one.rung_at(0.0) == "blur"
    one.open()
    assert one.rung_at(0.1) is None


@pytest.mark.parametrize("rung", ["blur", "pause", "end"])
def test_a_covered_picture_shows_nothing_of_the_one_it_replaces(rung):
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 255, (72, 128, 3), np.uint8)
    one = gate()
    one.apply(decision(0.0, rung))
    shown, covered_by = one.picture(ArrayPicture(1.0, frame))
    assert covered_by == rung
    assert shown.at_s == 1.0
    assert shown.rgb().shape == frame.shape
    similar = np.corrcoef(shown.rgb().ravel().astype(float), frame.ravel().astype(float))[0, 1]
    assert similar < 0.3


@given(
    st.lists(st.tuples(st.floats(0.05, 5.0), st.sampled_from(["blur", "pause", None])), max_size=12),
    st.floats(0.0, 3.0),
)
def test_whatever_happens_what_is_in_force_now_covers_what_leaves_now(steps, hold_back_s):
    one = gate(hold_back_s)
    at_s, rung = 0.0, None
    for pause_s, wanted in steps:
        at_s += pause_s
        if wanted != rung:
            one.apply(decision(at_s, wanted, rung))
            rung = wanted
        assert one.rung_at(at_s) == rung
        assert one.rung_at(at_s + 0.01) == rung
        assert not math.isnan(at_s)
