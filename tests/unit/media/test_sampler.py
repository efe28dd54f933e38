"""The sampler never makes anyone wait; the cadence decides by stream time alone."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lightship.core.errors import PolicyError
from lightship.media.frames import ArrayPicture
from lightship.media.sampler import Cadence, Sampler

PIXELS = np.zeros((4, 4, 3), np.uint8)


class SamplerMachine(RuleBasedStateMachine):
    """Offers and takes in any order: what is taken is the latest, each at most once, all accounted for."""

    def __init__(self):
        super().__init__()
        self.sampler = Sampler()
        self.offered = 0
        self.taken: list[float] = []
        self.waiting: float | None = None

    @rule()
    def offer(self):
        self.offered += 1
        free = self.sampler.offer(ArrayPicture(float(self.offered), PIXELS))
        assert free == (self.waiting is None)
        self.waiting = float(self.offered)

    @rule()
    def take(self):
        picture = self.sampler.take(timeout_s=0.0)
        assert (picture.at_s if picture else None) == self.waiting
        if picture:
            self.taken.append(picture.at_s)
        self.waiting = None

    @invariant()
    def accounted_for(self):
        assert self.offered == len(self.taken) + self.sampler.superseded + (self.waiting is not None)
        assert self.taken == sorted(set(self.taken))


TestSampler = SamplerMachine.TestCase


def test_take_wakes_when_a_picture_is_offered_and_when_closed():
    sampler = Sampler()
    got: list[float | None] = []

    def look():
        for _ in range(2):
            picture = sampler.take(timeout_s=5.0)
            got.append(picture.at_s if picture else None)

    thread = threading.Thread(target=look)
    began = time.monotonic()
    thread.start()
    sampler.offer(ArrayPicture(1.0, PIXELS))
    while not got:
        time.sleep(0.001)
    sampler.close()
    thread.join(timeout=2.0)
    assert got == [1.0, None]
    assert time.monotonic() - began < 2.0
    assert not sampler.offer(ArrayPicture(2.0, PIXELS))


@given(
    fps=st.sampled_from([1.0, 7.5, 24.0, 25.0, 29.97, 30.0, 60.0, 240.0]),
    slow=st.floats(1.0, 4.0),
    seconds=st.integers(2, 20),
)
def test_looks_a_second_are_as_asked_or_every_picture(fps, slow, seconds):
    cadence = Cadence(slow_fps=slow, fast_fps=8.0)
    times = [number / fps for number in range(int(fps * seconds))]
    due = sum(cadence.due(at_s) for at_s in times)
    assert due == pytest.approx(min(fps, slow) * seconds, abs=2 + 0.02 * seconds * slow)


def test_hastening_takes_effect_at_once():
    cadence = Cadence(slow_fps=1.0, fast_fps=10.0)
    assert cadence.due(0.0)
    assert not cadence.due(0.2)
    cadence.hasten(True)
    assert cadence.due(0.3)
    assert cadence.due(0.4)
    cadence.hasten(False)
    assert [at_s / 10 for at_s in range(5, 30) if cadence.due(at_s / 10)] == [0.5, 1.5, 2.5]


def test_after_a_gap_or_a_jump_back_the_next_picture_is_due():
    cadence = Cadence(slow_fps=2.0, fast_fps=4.0)
    assert cadence.due(0.0)
    assert cadence.due(60.1)
    assert not cadence.due(60.2)
    assert cadence.due(60.6)
    assert cadence.due(3.0)


@pytest.mark.parametrize(("slow", "fast"), [(0.0, 1.0), (4.0, 2.0), (-1.0, 1.0)])
def test_an_impossible_cadence_is_refused(slow, fast):
    with pytest.raises(PolicyError):
        Cadence(slow, fast)
