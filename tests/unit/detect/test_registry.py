"""One registry: duplicates and failed loads are errors, never silence."""

from importlib.metadata import EntryPoint

import numpy as np
import pytest

from lightship.core.errors import DetectorError
from lightship.detect import registry
from lightship.detect.camera import FROZEN_LOOKS, CameraEvidence


def registered(monkeypatch, *points):
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint(n, v, group) for n, v in points])


class Stranger:
    name = "stranger"
    version = "1"
    labels = frozenset({"something-else"})
    takes = "rgb"
    evidence = "analytic"

    def read(self, frames):
        return [() for _ in frames]


def test_the_shipped_detectors_are_registered():
    assert {"test-card", "exposure", "known-media", "camera"} <= set(registry.available())


def test_a_name_registered_twice_is_an_error(monkeypatch):
    registered(monkeypatch, ("test-card", "a:load"), ("test-card", "b:load"))
    with pytest.raises(DetectorError, match=r"a:load of .* and b:load of"):
        registry.available()


def test_one_entry_seen_twice_on_the_path_counts_once(monkeypatch):
    registered(monkeypatch, ("test-card", "a:load"), ("test-card", "a:load"))
    assert list(registry.available()) == ["test-card"]


def test_the_distributions_are_named():
    with pytest.raises(DetectorError, match=r"lightship \d"):
        registry.load("test-card", colour="red")


def test_an_unknown_detector_is_an_error_that_lists_the_known():
    with pytest.raises(DetectorError, match="test-card"):
        registry.load("none-such")


def test_a_detector_that_fails_to_load_is_an_error(monkeypatch):
    registered(monkeypatch, ("broken", "no_such_module:load"))
    with pytest.raises(DetectorError, match="failed to load"):
        registry.load("broken")


def test_options_that_a_detector_does_not_know_are_an_error():
    with pytest.raises(DetectorError, match="failed to load"):
        registry.load("test-card", colour="red")


def test_a_label_outside_the_closed_set_is_refused(monkeypatch):
    registered(monkeypatch, ("stranger", f"{__name__}:Stranger"))
    monkeypatch.setattr(EntryPoint, "load", lambda _self: Stranger)
    with pytest.raises(DetectorError, match="something-else"):
        registry.load("stranger")


def test_something_that_is_no_detector_is_refused(monkeypatch):
    registered(monkeypatch, ("thing", "builtins:dict"))
    with pytest.raises(DetectorError, match="not a detector"):
        registry.load("thing")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("takes", "sound", "luma"),
        ("evidence", "rumour", "analytic"),
        ("labels", frozenset(), "no labels"),
        ("labels", ["exposed"], "no labels"),
        ("name", "somebody", "not a detector named 'stranger'"),
    ],
)
def test_a_detector_that_does_not_fit_the_port_is_refused(monkeypatch, field, value, said):
    registered(monkeypatch, ("stranger", f"{__name__}:Stranger"))
    made = type("Made", (Stranger,), {"labels": frozenset({"exposed"}), field: value})
    monkeypatch.setattr(EntryPoint, "load", lambda _self: made)
    with pytest.raises(DetectorError, match=said):
        registry.load("stranger")


def test_a_detectors_own_error_comes_through(monkeypatch):
    def load():
        raise DetectorError("The model is missing.", "card", "Install it.")

    registered(monkeypatch, ("stranger", "a:load"))
    monkeypatch.setattr(EntryPoint, "load", lambda _self: load)
    with pytest.raises(DetectorError, match=r"^The model is missing\. \[card\] Install it\.$"):
        registry.load("stranger")


class TestCamera:
    def test_a_moving_noisy_picture_says_nothing(self):
        rng = np.random.default_rng(1)
        camera = CameraEvidence.load()
        for _ in range(20):
            assert camera.read([rng.integers(90, 120, (90, 160), np.uint8)]) == [()]

    def test_a_frozen_picture_is_said_after_two_seconds_of_looks(self):
        camera = CameraEvidence.load()
        frame = np.random.default_rng(1).integers(0, 255, (90, 160), np.uint8)
        said = [bool(camera.read([frame])[0]) for _ in range(FROZEN_LOOKS + 2)]
        assert said == [False] * FROZEN_LOOKS + [True, True]

    def test_a_black_picture_is_said_at_once(self):
        ((reading,),) = CameraEvidence.load().read([np.full((90, 160), 16, np.uint8)])
        assert reading.label == "camera-black"

    def test_a_change_of_size_starts_anew(self):
        camera = CameraEvidence.load()
        for height in (90, 120, 90):
            assert camera.read([np.full((height, 160), 128, np.uint8)]) == [()]
