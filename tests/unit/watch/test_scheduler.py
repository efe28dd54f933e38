"""One budget: never exceeded, nobody starved whatever the evidence, and evidence finds what is planted sooner."""

import pytest
from bench.watch_scheduling import Case, found_s
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.core.errors import PolicyError
from lightship.watch.scheduler import ODDS, Budget, Interest, Turns, coverage, next_turn

known = st.frozensets(st.sampled_from(sorted(ODDS)))
interests = st.builds(
    Interest,
    st.just("x"),
    st.just(0.0),
    st.floats(-1e9, 1e9) | st.just(float("-inf")) | st.just(float("inf")),
    known,
    st.integers(0, 1000),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(interests, min_size=1, max_size=25), st.integers(1, 5), st.floats(0.5, 50.0))
def test_every_stream_is_seen_within_the_bound_whatever_the_evidence(found, every, per_s):
    budget, turns = Budget(per_s, every), Turns()
    streams = {
        str(n): Interest(str(n), 0.0, one.weight_db, one.known, one.reports) for n, one in enumerate(found)
    }
    bound_s, now_s, longest_s = budget.bound_s(len(streams)), 0.0, 0.0
    for _ in range(6 * every * len(streams)):
        turns, chosen = next_turn(budget, turns, streams.values(), now_s)
        if chosen is not None:
            longest_s = max(longest_s, now_s - chosen.seen_s)
            old = streams[chosen.id]
            streams[chosen.id] = Interest(old.id, now_s, old.weight_db, old.known, old.reports)
        now_s += 1.0 / per_s
    longest_s = max(longest_s, *(now_s - one.seen_s for one in streams.values()))
    assert longest_s <= bound_s + 2.0 / per_s
    assert coverage(streams.values(), now_s, bound_s + 2.0 / per_s) == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 2.0), min_size=1, max_size=80), st.floats(0.5, 20.0))
def test_the_budget_is_never_exceeded_and_nothing_is_saved_up(steps, per_s):
    budget, turns, now_s = Budget(per_s), Turns(), 0.0
    taken = []
    for step_s in steps:
        now_s += step_s
        for _ in range(5):
            turns, chosen = next_turn(budget, turns, [Interest("a", 0.0)], now_s)
            taken += [now_s] if chosen is not None else []
    for first, begin_s in enumerate(taken):
        for last, end_s in enumerate(taken[first:], first):
            assert last - first + 1 <= (end_s - begin_s) * per_s + 2.0 + 1e-6


def test_what_is_known_raises_a_stream_and_says_why():
    plain, told = Interest("a", 0.0), Interest("b", 9.0, 12.0, frozenset({"child host"}), 2)
    assert next_turn(Budget(1.0), Turns(), [plain, told], 10.0)[1] is told
    assert told.why == "child host, 2 reports, weight 12 dB"
    assert next_turn(Budget(1.0, 1), Turns(), [plain, told], 10.0)[1] is plain
    assert next_turn(Budget(1.0), Turns(), [], 10.0)[1] is None
    assert coverage([], 0.0, 1.0) == 1.0


def test_a_budget_that_makes_no_sense_is_refused():
    for per_s, every in ((0.0, 3), (float("nan"), 3), (1.0, 0)):
        with pytest.raises(PolicyError):
            Budget(per_s, every)


def test_planted_streams_are_found_three_times_sooner_where_they_give_weak_signs():
    signs = Case("weak signs", share_with_signs=0.9)
    ours, round_robin = found_s(signs, Budget(10.0)), found_s(signs, Budget(10.0, 1))
    assert 3.0 * ours <= round_robin
    none = Case("no signs", share_with_signs=0.0)
    ours, round_robin = found_s(none, Budget(10.0)), found_s(none, Budget(10.0, 1))
    assert (
        ours <= 2.5 * round_robin
    )  # honest: where nothing tells them apart, chasing other signs costs something


def test_a_sign_calls_for_a_look_at_once_and_is_used_up_by_looks_that_find_nothing():
    fresh, waiting = Interest("a", 9.9, known=frozenset({"camera evidence"})), Interest("b", 0.0)
    assert next_turn(Budget(1.0), Turns(), [fresh, waiting], 10.0)[1] is fresh
    gains = [Interest("a", 9.9, reports=1, spent=spent).gain(10.0) for spent in range(8)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] < waiting.gain(10.0)
    child = Interest("c", 0.0, known=frozenset({"child host"}), spent=50)
    assert child.gain(10.0) == 3.0 * waiting.gain(
        10.0
    )  # what is known of a host is no sign and is never used up


def test_a_picture_that_models_have_seen_gives_way_to_another():
    seen, other = Interest("a", 0.0, known=frozenset({"same picture"})), Interest("b", 7.0)
    assert next_turn(Budget(1.0), Turns(), [seen, other], 10.0)[1] is other
