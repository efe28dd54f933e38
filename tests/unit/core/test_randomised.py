"""Randomised response: the privacy ratio holds, the estimate is right, and asking twice gains nothing."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.errors import InputError
from lightship.core.randomised import (
    ANSWERS,
    LARGEST,
    estimate,
    in_words,
    p_true,
    randomised,
    standard_error,
)
from lightship.guard.statistics import QUESTIONS, per_day, shareable

epsilons = st.floats(0.01, LARGEST)
answers = st.integers(2, 6)


@given(epsilons, answers)
def test_no_answer_is_more_than_e_to_the_epsilon_times_as_likely_as_under_another_truth(epsilon, k):
    """By the very numbers that are drawn: 2^53 equally likely ones, of which those below the probability keep."""
    kept = math.ceil(p_true(epsilon, k) * 2**53)
    made_up = (2**53 - kept) / (k - 1)
    assert kept / made_up <= math.exp(epsilon) * (1 + 1e-9)


@given(epsilons, answers, st.binary(min_size=32, max_size=32), st.data())
def test_the_same_day_gives_the_same_answer_and_always_one_of_them(epsilon, k, secret, data):
    true = data.draw(st.integers(0, k - 1))
    first = randomised(true, k, epsilon, secret, "blur", "2026-11-24")
    assert 0 <= first < k
    assert all(randomised(true, k, epsilon, secret, "blur", "2026-11-24") == first for _ in range(3))


@settings(max_examples=12, deadline=None)
@given(st.floats(0.5, 4.0), st.integers(2, 4), st.integers(0, 10**6))
def test_what_is_drawn_has_the_stated_probabilities(epsilon, k, seed):
    people = 4000
    drawn = Counter(
        randomised(1, k, epsilon, f"{seed}-{person}".encode(), "blur", "a day") for person in range(people)
    )
    keep = p_true(epsilon, k)
    error = 6 * math.sqrt(people * keep * (1 - keep))
    assert abs(drawn[1] - people * keep) < error
    for other in set(range(k)) - {1}:
        p = (1 - keep) / (k - 1)
        assert abs(drawn[other] - people * p) < 6 * math.sqrt(people * p * (1 - p)) + 1


@given(epsilons, st.lists(st.integers(0, 10**6), min_size=2, max_size=6))
def test_the_estimate_is_exact_on_average_and_keeps_the_number_of_people(epsilon, truly):
    k, people = len(truly), sum(truly)
    keep = p_true(epsilon, k)
    expected = [count * keep + (people - count) * (1 - keep) / (k - 1) for count in truly]
    found = estimate(expected, epsilon)
    assert found == pytest.approx(truly, abs=1e-6 * max(people, 1) / epsilon + 1e-6)
    assert sum(found) == pytest.approx(people, abs=1e-6 * max(people, 1) / epsilon + 1e-6)


def test_the_estimate_of_people_is_within_its_stated_error():
    people, truth = 20_000, [0.9, 0.07, 0.02, 0.01]
    counts = [0] * 4
    true = [round(people * share) for share in truth]
    person = 0
    for answer, count in enumerate(true):
        for _ in range(count):
            counts[randomised(answer, 4, 1.0, f"{person}".encode(), "blur", "a day")] += 1
            person += 1
    error = standard_error(people, 1.0, 4)
    assert all(abs(found - was) < 5 * error for found, was in zip(estimate(counts, 1.0), true, strict=True))


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 8.1, math.nan, math.inf])
def test_an_epsilon_that_protects_nobody_is_refused(epsilon):
    with pytest.raises(InputError, match="outside 0 to 8"):
        in_words(epsilon, 4)
    with pytest.raises(InputError):
        randomised(4, 4, 1.0, b"", "blur", "a day")


ENTRIES = [
    {"at": "2026-11-23T10:00:00.000000Z", "kind": "started"},
    *({"at": "2026-11-23T10:00:01.000000Z", "kind": "decision", "by": "evidence", "rung": "blur"},) * 3,
    {"at": "2026-11-23T10:00:02.000000Z", "kind": "decision", "by": "person", "rung": None},
    {"at": "2026-11-23T10:00:02.000000Z", "kind": "decision", "by": "blind", "rung": "blur"},
    {"at": "2026-11-24T10:00:01.000000Z", "kind": "decision", "by": "evidence", "rung": "observe"},
    {"at": "2026-11-24T10:00:01.000000Z", "kind": "decision", "by": "evidence", "rung": "end"},
]


def test_days_are_counted_from_the_log_and_the_whole_day_has_the_stated_privacy():
    days = per_day(ENTRIES)
    assert days == {
        "2026-11-23": {"blur": 3, "pause": 0, "end": 0},
        "2026-11-24": {"blur": 0, "pause": 0, "end": 1},
    }
    shared = shareable(days, 8.0, b"x" * 32)
    assert shared == shareable(days, 8.0, b"x" * 32)
    assert all(
        set(answered) == set(QUESTIONS) and set(answered.values()) <= set(ANSWERS)
        for answered in shared.values()
    )
    changed = {"2026-11-23": {"blur": 0, "pause": 0, "end": 0}}
    ratio = 1.0
    for _ in QUESTIONS:  # whatever the day, all three answers together
        keep = p_true(8.0 / len(QUESTIONS), len(ANSWERS))
        ratio *= keep / ((1 - keep) / (len(ANSWERS) - 1))
    assert ratio == pytest.approx(math.exp(8.0))
    assert shareable(changed, 8.0, b"x" * 32).keys() == changed.keys()
