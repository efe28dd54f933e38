"""Weight of evidence: e-values with mean at most one, p-values that are valid, calibrations that survive a file."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import PolicyError
from lightship.core.weight import (
    ANALYTIC_MISS,
    BenignStream,
    Calibration,
    Calibrator,
    analytic_evalue,
    decibans,
    scene_share_db,
    smooth_evalue,
)


def made(*streams, fps=4.0):
    benign = tuple(
        BenignStream(f"s{i}", "sha256:0", tuple(map(float, s)), (2.0,) * len(s))
        for i, s in enumerate(streams)
    )
    return Calibration("toy", "1", "exposed", fps, benign, "2026-11-24", "a test")


@given(st.floats(2.0, 1e6), st.integers(1, 20_000))
def test_the_calibrator_has_mean_at_most_one_over_the_p_values_a_calibration_can_give(threshold, n):
    calibrator = Calibrator.for_rung(threshold, n)
    ranks = np.unique(np.geomspace(1, n + 1, 200).astype(int))
    widths = np.diff(np.concatenate([[0], ranks]))
    # e falls with p, so each stretch's largest value is at its first rank: an upper sum would overstate; take all of few.
    if n <= 2000:
        mean = math.fsum(calibrator.evalue(rank / (n + 1)) for rank in range(1, n + 2)) / (n + 1)
        assert mean <= 1.0 + 1e-9
    else:
        lower = sum(
            calibrator.evalue(rank / (n + 1)) * width for rank, width in zip(ranks, widths, strict=True)
        ) / (n + 1)
        assert lower <= 1.0 + 1e-9


@given(st.floats(1e-9, 1.0), st.floats(1e-9, 1.0), st.integers(1, 10_000))
def test_a_rarer_block_never_weighs_less(one, other, n):
    calibrator = Calibrator.for_rung(1800.0, n)
    low, high = sorted((one, other))
    assert calibrator.evalue(low) >= calibrator.evalue(high) - 1e-12


def test_a_block_rarer_than_all_but_the_alarm_level_fires_the_rung_by_itself():
    calibrator = Calibrator.for_rung(1800.0, 100_000)
    assert calibrator.evalue(1 / (4 * 1800)) >= 1800


def test_the_smooth_part_is_continuous_at_one():
    assert smooth_evalue(1.0) == pytest.approx(smooth_evalue(1 - 1.0001e-4), abs=1e-4)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60))
def test_the_p_value_of_a_block_like_the_others_is_valid(scores):
    """Whichever of exchangeable blocks is the new one, P(p ≤ a) ≤ a: shown over all of them, ties included."""
    n = len(scores) - 1
    p_values = [made(scores[:i] + scores[i + 1 :]).p_value(score, 2.0) for i, score in enumerate(scores)]
    for rank in range(1, n + 2):
        alpha = rank / (n + 1)
        assert sum(p <= alpha + 1e-12 for p in p_values) <= alpha * (n + 1) + 1e-9


@given(st.floats(0.0, 200.0), st.integers(1, 100_000))
def test_the_analytic_e_value_has_mean_at_most_one(weight_db, scenes):
    p = min(1.0, scenes * 10 ** (-weight_db / 10))
    mean = (1 - p) * analytic_evalue(0.0, scenes) + p * analytic_evalue(weight_db, scenes)
    assert mean <= 1.0 + 1e-9


@given(st.floats(20.0, 200.0), st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_a_block_of_many_pictures_has_mean_at_most_one_too(weight_db, pictures):
    """By the union bound: each picture of each scene matches with its bound's chance and then counts its share."""
    gained = sum(
        10 ** (-weight_db / 10)
        * max(0.0, analytic_evalue(weight_db + scene_share_db(j), len(pictures)) - ANALYTIC_MISS)
        for count in pictures
        for j in range(1, count + 1)
    )
    assert ANALYTIC_MISS + gained <= 1.0 + 1e-9


def test_longer_blocks_take_the_largest_and_leave_out_the_unfinished():
    stream = BenignStream("s", "d", (1.0, 5.0, 2.0, 3.0, 9.0), (2.0,) * 5)
    assert stream.merged(2.0) == (1.0, 5.0, 2.0, 3.0, 9.0)
    assert stream.merged(4.0) == (5.0, 3.0)
    assert stream.merged(600.0) == (9.0,)


def test_a_calibration_survives_its_file_with_its_digest():
    calibration = made([0.1, 0.5], [0.2])
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert again.digest == calibration.digest
    assert again.p_value(0.3, 2.0) == calibration.p_value(0.3, 2.0) == 2 / 4
    assert again.hours == pytest.approx(6 / 3600)


@pytest.mark.parametrize("change", [
    {"format": "other/1"}, {"streams": []}, {"streams": [{"name": "x"}]}, {"sample_fps": "fast"},
    {"streams": [{"name": "x", "digest": "d", "maxima": [1.0, 2.0], "lengths_s": [2.0]}]},
    {"streams": [{"name": "x", "digest": "d", "maxima": [float("nan")], "lengths_s": [2.0]}]},
    {"streams": [{"name": "x", "digest": "d", "maxima": [1.0], "lengths_s": [0.0]}]},
])  # fmt: skip
def test_a_calibration_that_is_none_is_refused(change):
    with pytest.raises(PolicyError):
        Calibration.from_json({**made([0.1]).to_json(), **change})


@pytest.mark.parametrize(
    "missing",
    ["format", "detector", "detector_version", "label", "sample_fps", "streams", "created", "recipe"],
)
def test_a_missing_field_is_named(missing):
    value = made([0.1]).to_json()
    del value[missing]
    with pytest.raises(PolicyError, match=missing):
        Calibration.from_json(value)


def test_decibans():
    assert decibans(1.0) == 0.0
    assert decibans(0.0) == -math.inf
