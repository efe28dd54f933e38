"""Watchkeepers: blocks, e-detectors, budgets, what the calibration's own streams say, and exact Poisson bounds."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.errors import PolicyError
from lightship.core.poisson import poisson_lower, poisson_upper
from lightship.core.watchkeeper import BaseBlock, Budget, Watch, advance, session_level
from lightship.core.weight import BenignStream, Calibration


@given(st.floats(-100, 250), st.floats(-60, 60))
def test_the_e_detectors_are_their_formulas(level_db, weight_db):
    e, m = 10 ** (weight_db / 10), 10 ** (level_db / 10)
    assert advance(level_db, weight_db, "cusum") == pytest.approx(10 * math.log10(e * max(1.0, m)))
    assert advance(level_db, weight_db, "shiryaev-roberts") == pytest.approx(10 * math.log10(e * (1.0 + m)))


def test_from_nothing_both_start_at_the_first_weight():
    assert advance(-math.inf, 7.0, "cusum") == 7.0
    assert advance(-math.inf, 7.0, "shiryaev-roberts") == 7.0


SAME, OTHER = (0, 0, 0, 0), (2**64 - 1, 0, 0, 0)


@pytest.mark.parametrize(("at_s", "picture", "over"), [
    (11.9, OTHER, False), (12.0, SAME, False), (12.0, OTHER, True), (69.9, SAME, False), (70.0, SAME, True), (12.0, None, True),
])  # fmt: skip
def test_a_base_block_ends_when_its_time_is_over_and_the_picture_has_changed(at_s, picture, over):
    assert BaseBlock.begun(10.0, SAME).over(at_s, picture) is over


def test_31_bits_are_the_same_picture_and_32_another():
    assert not BaseBlock.begun(0.0, SAME).over(3.0, (2**31 - 1, 0, 0, 0))
    assert BaseBlock.begun(0.0, SAME).over(3.0, (2**32 - 1, 0, 0, 0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_block_is_worth_its_running_maximum_which_only_rises(scores):
    watch, highest = Watch(), -math.inf
    for number, score in enumerate(scores):
        watch = watch.seen(float(number), [("toy", "exposed", score)])
        assert watch.best[0][2] >= highest
        highest = watch.best[0][2]
    assert highest == max(scores)
    assert watch.began_s == 0.0


@pytest.mark.parametrize(("text", "seconds"), [
    ("1 per hour", 3600), ("20 per hour", 180), ("1 per 100 hours", 360_000), ("2 per 1 day", 43_200), ("50 per month", 51_840),
])  # fmt: skip
def test_budgets_in_natural_units(text, seconds):
    assert Budget.parse(text).mean_time_s == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "often", "1", "0 per hour", "-1 per hour", "1 per 0 hours", "1 an hour", "1 per fortnight",
                                  "inf per hour", "1 per nan hours", "1 per 2 3 hours"])  # fmt: skip
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(PolicyError, match="budget"):
        Budget.parse(text)


def test_the_threshold_is_the_budget_in_blocks():
    assert Budget.parse("1 per hour").threshold(2.0) == 1800
    assert Budget.parse("1 per hour").threshold(7200.0) == 2.0


def quiet(hours, highest):
    """Streams of an hour whose last block is the highest."""
    return Calibration("toy", "1", "exposed", 4.0, tuple(
        BenignStream(f"s{i}", "d", (*(0.1 + 0.001 * (j % 90) for j in range(1799)), highest), (2.0,) * 1800) for i in range(hours)
    ), "2026-11-24", "test")  # fmt: skip


def test_hours_too_few_for_a_budget_are_said_to_be_extrapolated():
    calibration = quiet(4, 0.2)
    assert not session_level(calibration, Budget.parse("1 per hour"), 2.0, "cusum").extrapolated
    assert session_level(calibration, Budget.parse("1 per 2 hours"), 2.0, "cusum").extrapolated


@settings(deadline=None, max_examples=25)
@given(st.one_of(st.integers(0, 60), st.sampled_from([745, 933, 3000])))
def test_poisson_bounds_are_scipys(events):
    from scipy.stats import chi2

    assert poisson_upper(events) == pytest.approx(chi2.ppf(0.95, 2 * events + 2) / 2, rel=1e-6)
    assert poisson_lower(events) == pytest.approx(chi2.ppf(0.05, 2 * events) / 2 if events else 0.0, rel=1e-6)


def test_a_block_counts_its_different_pictures_and_not_its_frames():
    block = BaseBlock.begun(0.0, SAME)
    for picture in (SAME, SAME, OTHER, OTHER, None, None, SAME):
        block = block.seen(picture)
    assert block.pictures == 4
