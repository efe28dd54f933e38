"""The back-test's arithmetic: queues, the line, groups, drift, suppression, the lane."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import InputError
from lightship.payments.backtest import (
    Standing,
    at,
    carried,
    compared,
    group_rates,
    line_samples,
    pooled_rates,
)
from lightship.payments.backtest_lane import Moments, episodes, figures, quietest
from lightship.payments.drift import psi
from lightship.payments.suppression import expired, in_force, parse

DAY = date(2026, 6, 30)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def standing(*subjects):
    weights = np.arange(len(subjects), 0, -1) * 1000
    return Standing("livestream-payer", DAY, 100, subjects, weights, np.ones(len(subjects), dtype=int))


def test_a_queue_counts_its_hits_against_its_cases_and_against_all_that_are_known():
    found = at(standing("a", "b", "c", "d"), 2, {"a", "d", "x"})
    assert (found.cases, found.hits, found.precision, found.recall) == (2, 1, 0.5, 1 / 3)
    assert found.threshold_mdb == 3000
    assert at(standing("a"), 5, None).precision is None


def test_what_is_set_aside_leaves_the_queue_and_the_next_one_moves_up():
    found = standing("a", "b", "c").without({"a"})
    assert found.subjects == ("b", "c")
    assert found.total_mdb.tolist() == [2000, 1000]


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_a_rarer_pattern_lowers_the_precision_and_the_same_share_keeps_it(precision, recall):
    same = carried(precision, recall, 1 / 5000, 1 / 5000)
    assert same == pytest.approx(precision, rel=1e-6)
    assert carried(precision, recall, 1 / 5000, 1 / 50_000) <= same + 1e-9


def test_a_group_is_compared_with_all_and_chance_is_taken_off():
    groups = {"a": "traveller", "b": "traveller", "c": "gamer", "d": "gamer"}
    found = group_rates(["a", "b", "c", "x"], {"x"}, groups, {"traveller": 100, "gamer": 900})
    worst = found[0]
    assert (worst.group, worst.false_alerts, worst.rate) == ("traveller", 2, 2000.0)
    assert worst.ratio == pytest.approx(0.02 / 0.003)
    assert worst.ratio_at_least < worst.ratio
    assert pooled_rates({"traveller": 0}, {"traveller": 10})[0].ratio is None


def test_samples_lie_on_both_sides_of_the_line_and_are_the_same_again():
    found = standing(*(f"s{n:02}" for n in range(40)))
    drawn = line_samples(found, 10, 4, seed=1)
    assert [one.rank <= 10 for one in drawn] == [True] * 4 + [False] * 4
    assert all(one.rank <= 20 for one in drawn)
    assert drawn == line_samples(found, 10, 4, seed=1)


def test_a_challenger_is_told_from_the_champion_by_whom_only_one_of_them_names():
    found = compared(standing("a", "b"), standing("b", "c"), "mine.toml", 2, {"c"})
    assert (found.both, found.only_champion, found.only_challenger) == (1, 1, 1)
    assert (found.champion_hits, found.challenger_hits) == (0, 1)


@given(
    st.lists(st.integers(1, 50), min_size=2, max_size=6), st.lists(st.integers(1, 50), min_size=6, max_size=6)
)
def test_drift_is_never_negative_and_is_nothing_where_nothing_changed(then, now):
    a = np.array(then) / sum(then)
    b = np.array(now[: len(then)]) / sum(now[: len(then)])
    assert psi(a, a) == 0.0
    assert psi(a, b) >= 0.0
    assert psi(a, b) == pytest.approx(psi(b, a))


SUPPRESSED = """
[[suppress]]
subject = "a"
typology = "livestream-payer"
reason = "pays two tutors; contracts seen"
by = "analyst 7"
until = 2026-12-31
"""


def test_a_suppression_holds_until_its_day_and_is_named_afterwards():
    rows = parse(SUPPRESSED, "aside.toml")
    assert set(in_force(rows, "livestream-payer", DAY)) == {"a"}
    assert not in_force(rows, "livestream-receiver", DAY)
    assert not in_force(rows, "livestream-payer", date(2026, 12, 31))
    assert expired(rows, "livestream-payer", date(2026, 12, 31)) == rows


@pytest.mark.parametrize(
    "broken",
    [
        SUPPRESSED.replace('reason = "pays two tutors; contracts seen"', 'reason = ""'),
        SUPPRESSED.replace("until = 2026-12-31\n", ""),
        SUPPRESSED + "forever = true\n",
        SUPPRESSED.replace("2026-12-31", '"later"'),
        "[[suppress]",
    ],
)
def test_a_suppression_without_a_reason_or_an_end_is_refused(broken):
    with pytest.raises(InputError, match=r"aside\.toml"):
        parse(broken, "aside.toml")


def lane(*rows):
    subject, at_us, total = zip(*sorted(rows), strict=True)
    return Moments(np.array(subject), np.array(at_us), np.array(total))


def test_an_episode_is_said_once():
    found = lane(("a", 0, 30), ("a", DAY_US, 40), ("a", 40 * DAY_US, 30), ("b", 0, 10))
    assert episodes(found, 20).at_us.tolist() == [0, 40 * DAY_US]


def test_in_time_is_by_the_third_payment_and_false_is_about_another_child():
    found = lane(("v", 2 * HOUR_US, 25), ("w", 9 * HOUR_US, 25), ("child", 0, 25), ("other", 0, 22))
    bursts = {
        "v": [0, HOUR_US, 2 * HOUR_US, 9 * HOUR_US],
        "w": [0, HOUR_US, 2 * HOUR_US, 9 * HOUR_US],
        "u": [0, HOUR_US],
    }
    got = figures(found, 24, bursts, children=100_000, days=365)
    assert (got.victims, got.in_time, got.ever, got.false_alerts) == (3, 1, 2, 1)
    assert got.false_rate == pytest.approx(1 / 12)


def test_the_quietest_threshold_allows_no_more_false_alerts_than_it_may():
    found = lane(*((f"c{n}", 0, 10 + n) for n in range(10)), ("v", 0, 50))
    assert quietest(found, {"v": [0]}, 3) == 17
    assert len(episodes(found, quietest(found, {"v": [0]}, 0)).subject) == 1
