"""The evaluation card tells what happened, and what its hours cannot show."""

import json
import math

import numpy as np
import pytest

from lightship import packs
from lightship.core.judge import bind
from lightship.core.ladder import parse_policy
from lightship.core.values import Reading
from lightship.core.weight import BenignStream, Calibration
from lightship.detect.loop import Sensors
from lightship.guard.evaluate import evaluate, watch
from lightship.guard.evaluation_card import Marked, StreamResult, new_card
from lightship.media.frames import ArrayPicture

POLICY = (packs.root() / "policies" / "test.toml").read_text(encoding="utf-8")
GRADED = POLICY.replace(
    '[[detectors]]\nname = "known-media"\nlabels = ["known-media"]\nrequired = false',
    '[[detectors]]\nname = "exposure"\nlabels = ["exposed"]\ncalibration = "toy"',
)


class White:
    """Takes a white picture for the test card."""

    name, version, labels, takes, evidence = "test-card", "1", frozenset({"test-card"}), "luma", "analytic"

    def read(self, frames):
        return [(Reading("test-card", "test-card", 79.3),) if frame.mean() > 250 else () for frame in frames]


class Quiet:
    name, version, labels, takes, evidence = "exposure", "1", frozenset({"exposed"}), "luma", "calibrated"

    def read(self, frames):
        return [(Reading("exposure", "exposed", 0.0),) for _ in frames]


def sensors(text=POLICY):
    if text is POLICY:
        return Sensors((White(),), (), bind(parse_policy(text), [White()], {}))
    streams = tuple(
        BenignStream(f"s{i}", "d", tuple(j / 3600 for j in range(1800)), (2.0,) * 1800) for i in range(20)
    )
    toy = Calibration("exposure", "1", "exposed", 6.0, streams, "2026-11-24", "a test")
    detectors = (White(), Quiet())
    return Sensors(detectors, (), bind(parse_policy(text), detectors, {"exposure": toy}))


def pictures(seconds, white=(), fps=12):
    rng = np.random.default_rng(5)
    for number in range(int(seconds * fps)):
        at_s = number / fps
        shown = any(from_s <= at_s < to_s for from_s, to_s in white)
        frame = np.full((48, 64, 3), 255, np.uint8) if shown else rng.integers(0, 200, (48, 64, 3), np.uint8)
        yield ArrayPicture(at_s, frame)


def test_a_result_survives_its_file():
    result = StreamResult(
        Marked(((1.0, 2.0),)), 60.0, {"blur": 1}, {"blur": (0.5, math.inf)}, 1.0, 0.5, 240, 1.2
    )
    assert StreamResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_every_entry_into_a_rung_on_benign_footage_counts():
    result = watch(sensors(), pictures(120.0, ((10.0, 11.0), (60.0, 61.0))), Marked())
    assert result.entered["blur"] == 2
    assert result.looks == pytest.approx(120 * 4, rel=0.2)


def test_delays_and_what_left_are_measured_from_the_onset(tmp_path):
    card = evaluate(sensors(), [(pictures(60.0, ((20.0, 40.0),)), Marked(((20.0, 40.0),)))])
    delays = {result.rung: result.delays_s[0] for result in card.rungs}
    assert delays["blur"] <= 0.3
    assert 2.0 <= delays["pause"] <= 3.0
    assert card.sensitive_left_s == 0.0
    assert card.benign_hours == 0.0
    assert "no: no benign hours" in card.to_markdown()
    card.draw(tmp_path / "card.png")


def test_what_was_never_covered_is_said():
    card = evaluate(sensors(), [(pictures(60.0), Marked(((20.0, 40.0),)))])
    assert card.sensitive_left_s == 20.0
    assert "not reached" in card.to_markdown()
    blur = next(rung for rung in card.to_json()["rungs"] if rung["rung"] == "blur")
    assert blur["delay_s"] == {"p50": None, "p95": None}


def test_streams_too_short_for_a_rung_show_nothing_about_it():
    card = evaluate(sensors(GRADED), [(pictures(30.0), Marked())])
    pause = next(result for result in card.rungs if result.rung == "pause")
    assert not card.reachable(pause)
    assert not card.shown(pause)
    assert "too short for it to fire" in card.to_markdown()


def test_benign_hours_enough_show_a_budget():
    card = new_card(sensors())
    for _ in range(400):
        card.add(StreamResult(Marked(), 3600.0, {}, {}, 0.0, 0.0, 1, 0.001))
    pause = next(result for result in card.rungs if result.rung == "pause")
    assert card.per_hour(pause)[2] == pytest.approx(3.0 / 400, rel=0.01)
    assert card.shown(pause) == (pause.mean_time_h <= 400 / 3.0)


def test_groups_are_compared_with_all_the_others():
    card = new_card(sensors())
    for group, covers in (("sport", 4), ("age", 1), ("sex", 1)):
        card.add(StreamResult(Marked(group=group), 36_000.0, {"blur": covers}, {}, 0.0, 0.0, 1, 0.001))
    found = card.fairness()
    assert found["sport"]["ratio_to_other_groups"] == pytest.approx(4.0)
    assert found["age"]["ratio_to_other_groups"] == pytest.approx(0.4)
    assert "not measured" in found["skin tone"]
    assert "| sport | 10.0 | 4 |" in card.to_markdown()
