"""The claim itself: in a benign world with bursts, confusing scenes and stream effects, the budgets hold."""

import pytest
from bench.benign_world import World
from bench.budgets import measure


def held(cell):
    """Not inside only if the measured rate is above the promise and chance does not explain it."""
    return cell.ratio <= 1.0 or cell.bounds[0] <= 1.0


@pytest.mark.parametrize("burst_s", [0.5, 2.0])
def test_every_rung_is_inside_its_budget_with_both_e_detectors_calibrated_on_20_hours(burst_s):
    for cell in measure(World(burst_s), 20, calibrations=2, test_h=80, seed=3):
        assert held(cell), cell


def test_one_block_length_for_all_rungs_would_break_the_gravest():
    """The negative control, and the reason for blocks of a rung's own length (docs/adr/0002)."""
    single = (("end", "1 per 1000 hours", 2.0),)
    for cell in measure(World(2.0), 20, calibrations=3, test_h=100, seed=3, rungs=single):
        assert not held(cell), cell


@pytest.mark.slow
@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("hours", [20, 200])
def test_the_same_at_length(heavy, hours):
    for cell in measure(World(2.0, heavy), hours, calibrations=4, test_h=500, seed=4):
        assert held(cell), cell
