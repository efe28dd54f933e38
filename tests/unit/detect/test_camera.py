"""A frozen or black picture, as a pure step over pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.detect.pictures import luma, photo

from lightship.detect.camera import FROZEN_LOOKS, CameraEvidence, CameraState, step


def looks(pictures):
    state, labels = CameraState(), []
    for picture in pictures:
        state, readings = step(state, picture)
        labels.append({reading.label for reading in readings})
        assert all(0.0 < reading.score <= 1.0 for reading in readings)
    return labels


def test_a_still_with_a_sensors_noise_is_not_frozen():
    rng = np.random.default_rng(2)
    scene = luma(photo("coffee")).astype(np.int16)
    noisy = [
        np.clip(scene + rng.normal(0, 1, scene.shape).round(), 0, 255).astype(np.uint8) for _ in range(12)
    ]
    assert looks(noisy) == [set()] * 12


@pytest.mark.parametrize("change", [0.0, 0.01])
def test_a_still_without_is_frozen(change):
    rng = np.random.default_rng(2)
    scene = luma(photo("coffee"))
    stills = [scene + (rng.random(scene.shape) < change).astype(np.uint8) for _ in range(FROZEN_LOOKS + 3)]
    assert looks(stills)[-1] == {"camera-frozen"}
    assert looks(stills)[FROZEN_LOOKS - 1] == set()


def test_keyframes_do_not_thaw_a_still_and_movement_does():
    scene = luma(photo("coffee"))
    rng = np.random.default_rng(2)
    keyframe = np.clip(scene + rng.normal(0, 1.5, scene.shape), 0, 255).astype(np.uint8)
    assert looks([scene] * 5 + [keyframe] * 5)[-1] == {"camera-frozen"}
    moving = [np.roll(scene, shift, axis=1) for shift in range(12)]
    assert looks(moving) == [set()] * 12


def test_a_change_thaws_it():
    scene, other = luma(photo("coffee")), luma(photo("coffee"))[::-1]
    said = looks([scene] * (FROZEN_LOOKS + 1) + [other] + [other] * FROZEN_LOOKS)
    assert said[FROZEN_LOOKS] == {"camera-frozen"}
    assert said[FROZEN_LOOKS + 1] == set()
    assert said[-1] == {"camera-frozen"}


def test_a_dark_scene_is_not_black_and_a_covered_lens_is():
    dark = (luma(photo("coffee")) // 4 + 10).astype(np.uint8)
    assert looks([dark]) == [set()]
    lens = np.random.default_rng(1).integers(14, 22, (720, 1280)).astype(np.uint8)
    assert looks([lens]) == [{"camera-black"}]


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.sampled_from([(1, 1), (16, 16), (31, 64)])), min_size=1, max_size=30
    )
)
def test_the_detector_is_the_step_over_its_frames_however_they_are_batched(pictures):
    frames = [np.full(shape, value, np.uint8) for value, shape in pictures]
    whole = CameraEvidence.load().read(frames)
    one_by_one = CameraEvidence.load()
    assert whole == [one_by_one.read([frame])[0] for frame in frames]
    assert [{reading.label for reading in readings} for readings in whole] == looks(frames)
