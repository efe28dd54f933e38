"""The watcher says that it cannot see when looking falls behind, and not when there was nothing to look at."""

import threading
import time

import numpy as np
import pytest

from lightship import packs
from lightship.detect.loop import Sensors, load_sensors
from lightship.guard.watcher import Watcher
from lightship.media.frames import ArrayPicture

POLICY = packs.policy("test")
GREY = np.full((90, 160, 3), 99, np.uint8)


class Look:
    name, version, labels, takes, evidence = "test-card", "1", frozenset({"test-card"}), "luma", "analytic"

    def __init__(self):
        self.may = threading.Event()
        self.done = threading.Event()

    def read(self, frames):
        self.may.wait(timeout=10)
        self.done.set()
        return [() for _ in frames]


class Memory(list):
    def append_all(self, entries):
        self.extend(entries)


@pytest.fixture
def watched():
    look, log = Look(), Memory()
    bound = load_sensors(POLICY, packs.calibration).bound
    watcher = Watcher(Sensors((look,), (), bound), log, "Paused", (), beside=True)
    yield watcher, look, log
    look.may.set()
    watcher.stop()


def test_a_gap_in_the_source_is_no_blindness(watched):
    watcher, look, log = watched
    look.may.set()
    watcher.arrive(ArrayPicture(0.0, GREY))
    assert look.done.wait(timeout=10)
    while watcher.counts.pictures_looked_at < 1:
        time.sleep(0.01)
    watcher.arrive(ArrayPicture(60.0, GREY))
    assert log == []
    assert not watcher.covered


def test_looking_that_falls_behind_is_said_and_the_picture_is_covered(watched):
    watcher, look, log = watched
    for number in range(int((POLICY.blind_after_s + 1.0) * 4)):
        watcher.arrive(ArrayPicture(number / 4, GREY))
    blind, decision = log
    assert (blind["kind"], decision["kind"]) == ("blind", "decision")
    assert blind["reason"] == f"detection is {POLICY.blind_after_s + 0.25:.1f} s behind"
    assert watcher.covered
    look.may.set()
    while watcher.counts.pictures_looked_at < 1:
        time.sleep(0.01)
    watcher.arrive(ArrayPicture(POLICY.blind_after_s + 1.0, GREY))
    assert log[-1]["kind"] == "sees-again"
