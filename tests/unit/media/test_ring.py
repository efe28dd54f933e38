"""Hold-back: nothing is lost, reordered or let out before its time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import PolicyError
from lightship.media.frames import ArrayPicture
from lightship.media.ring import HoldBack

PIXELS = np.zeros((4, 4, 3), np.uint8)

steps = st.lists(st.floats(0.0, 0.5), min_size=1, max_size=60)


@given(steps=steps, delay_s=st.floats(0.0, 3.0))
def test_everything_leaves_once_in_order_and_not_before_its_time(steps, delay_s):
    ring = HoldBack(delay_s)
    pictures = [ArrayPicture(float(at_s), PIXELS) for at_s in np.cumsum(steps)]
    left = []
    for picture in pictures:
        for held in ring.put(picture):
            assert picture.at_s - held.at_s >= delay_s - 1e-6
            left.append(held)
        assert all(
            picture.at_s - held.at_s < delay_s + 1e-6
            for held in pictures[len(left) : pictures.index(picture)]
        )
    left += ring.flush()
    assert left == pictures
    assert len(ring) == 0
    assert ring.held_bytes == 0


@given(times=st.lists(st.floats(0.0, 10.0), max_size=60), lateness=st.floats(0.0, 1.0))
def test_kinds_that_arrive_out_of_step_by_less_than_the_delay_leave_in_step(times, lateness):
    times = sorted(times)
    arrivals = sorted(times, key=lambda at_s: at_s + lateness * (hash(at_s) % 7) / 7)
    ring = HoldBack(1.0 + 1e-6)
    left = [held.at_s for at_s in arrivals for held in ring.put(ArrayPicture(at_s, PIXELS))]
    left += [held.at_s for held in ring.flush()]
    assert left == times


def test_short_memory_lets_the_oldest_go_early_and_counts_them():
    ring = HoldBack(100.0, most_bytes=PIXELS.nbytes * 3)
    left = [held.at_s for at_s in range(6) for held in ring.put(ArrayPicture(float(at_s), PIXELS))]
    assert left == [0.0, 1.0, 2.0]
    assert ring.early == 3
    assert ring.held_bytes <= PIXELS.nbytes * 3


def test_no_delay_lets_everything_through_at_once():
    ring = HoldBack(0.0)
    assert [held.at_s for held in ring.put(ArrayPicture(1.0, PIXELS))] == [1.0]
    assert [held.at_s for held in ring.put(ArrayPicture(0.9, PIXELS))] == [0.9]


def test_a_negative_delay_is_refused():
    with pytest.raises(PolicyError):
        HoldBack(-0.1)
