"""Who may do what, and that no order of requests shows a person more than the budget."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.access import (
    ROLES,
    Act,
    Budget,
    Person,
    Purpose,
    allowed_purposes,
    begin_break,
    covered,
    grant,
    may_be_shown,
    next_shift,
    permit,
)
from lightship.core.cases import Case, Judgement
from lightship.core.people import Shift

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=100)
BUDGET = Budget(seconds=100.0, items=5, severity=3.0, stretch_s=40.0, break_s=60.0, grant_s=10.0)


def case(**own):
    usual = {"state": "open", "claimed_by": "mo", "claimed_until": NOW + timedelta(minutes=1)}
    return Case("c", "s", "machine", NOW, NOW, "words", 40.0, "cover", 0.1, 0.5, 0.9, **{**usual, **own})


def may(role, act, purpose, name="mo", **more):
    return permit(Person(name, role, trained_until=LATER), act, purpose=purpose, now=NOW, **more)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("act", get_args(Act))
def test_what_nothing_allows_is_denied_with_a_reason(role, act):
    for purpose in get_args(Purpose):
        answer = may(role, act, purpose, case=case())
        assert answer.reasons
        assert answer.why.endswith(".")
        if purpose not in allowed_purposes(role, act):
            assert not answer


def test_an_auditor_and_an_administrator_never_open_pictures():
    for role in ("auditor", "administrator", "platform", "reporter"):
        assert not allowed_purposes(role, "reveal")
        assert not allowed_purposes(role, "judge")


def test_unknown_roles_and_closed_accounts_may_nothing():
    assert not permit(Person("x", "captain"), "see-queue", purpose="review", now=NOW)
    assert not permit(
        Person("x", "moderator", active=False, trained_until=LATER), "see-queue", purpose="review", now=NOW
    )


@pytest.mark.parametrize("until", [None, NOW, NOW - timedelta(days=1)])
def test_without_training_nothing_is_opened_or_decided(until):
    for act in ("see-item", "reveal", "claim", "judge"):
        answer = permit(
            Person("mo", "moderator", trained_until=until), act, purpose="review", now=NOW, case=case()
        )
        assert "training" in answer.why


@pytest.mark.parametrize(
    ("own", "allowed"),
    [
        ({}, True),
        ({"claimed_by": "nia"}, False),
        ({"claimed_by": ""}, False),
        ({"claimed_until": NOW}, False),
        ({"claimed_until": None}, False),
        ({"state": "decided"}, False),
    ],
)
def test_only_who_holds_an_open_case_judges_it(own, allowed):
    assert bool(may("moderator", "judge", "review", case=case(**own))) is allowed


def test_a_case_must_be_named_to_be_judged():
    assert not may("moderator", "judge", "review")
    assert not may("moderator", "reveal", "review")
    assert not may("lead", "reverse", "appeal")
    assert not may("moderator", "second", "second-opinion")


def test_nobody_is_their_own_second_or_judges_their_own_appeal():
    made = Judgement("j", "c", "mo", NOW, "abuse", "abuse-live", "seen")
    assert not may("moderator", "second", "second-opinion", judgement=made)
    assert may("moderator", "second", "second-opinion", "nia", judgement=made)
    seconded = replace(made, second_by="lee")
    assert not may("moderator", "second", "second-opinion", "nia", judgement=seconded)
    assert not may("lead", "reverse", "appeal", "lee", judgement=seconded)
    assert may("lead", "reverse", "appeal", "lou", judgement=seconded)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 9), st.floats(0, 1)),
        st.tuples(st.just("cover"), st.floats(-5, 50), st.just(0)),
        st.tuples(st.just("wait"), st.floats(0, 100), st.just(0)),
        st.tuples(st.just("break"), st.just(0), st.just(0)),
        st.tuples(st.just("new-shift"), st.just(0), st.just(0)),
    ),
    max_size=80,
)


@given(STEPS)
def test_no_order_of_requests_shows_more_than_the_budget(steps):
    shift, now, seen, last, looked_s, severity = Shift("1", "mo", NOW), NOW, set(), 0.0, 0.0, 0.0
    for step, number, weight in steps:
        if step == "open":
            before = shift
            shift, last, answer = grant(shift, BUDGET, severity=weight, seen_before=number in seen, now=now)
            assert bool(answer) == (last > 0)
            if not last:
                assert shift == before
                continue
            assert before.break_until is None or before.break_until <= now
            assert last <= BUDGET.grant_s
            looked_s += last
            severity += 0 if number in seen else weight
            seen.add(number)
        elif step == "cover" and last:
            used_s = min(last, max(0.0, number))
            shift = covered(shift, granted_s=last, used_s=used_s)
            looked_s, last = looked_s - last + used_s, 0.0
        elif step == "wait":
            now += timedelta(seconds=number)
        elif step == "break":
            shift = begin_break(shift, BUDGET, now)
        elif step == "new-shift":
            shift = next_shift("2", "mo", replace(shift, ended_at=now), now)
        assert looked_s <= BUDGET.seconds + 1e-6
        assert shift.seconds == pytest.approx(looked_s, abs=1e-6)
        assert len(seen) <= BUDGET.items
        assert severity <= BUDGET.severity + 1e-6


@given(st.floats(0, 1), st.booleans())
def test_who_opted_out_or_ended_or_rests_sees_nothing(severity, seen):
    for own in ({"opted_out": True}, {"ended_at": NOW}, {"break_until": NOW + timedelta(seconds=1)}):
        shift = replace(Shift("1", "mo", NOW), **own)
        assert not may_be_shown(shift, BUDGET, NOW)
        assert grant(shift, BUDGET, severity=severity, seen_before=seen, now=NOW)[:2] == (shift, 0.0)


def test_a_break_comes_after_a_stretch():
    shift, now = Shift("1", "mo", NOW), NOW
    for number in range(4):
        shift, granted_s, _ = grant(shift, BUDGET, severity=0.1, seen_before=number > 0, now=now)
        now += timedelta(seconds=granted_s)
    assert not may_be_shown(shift, BUDGET, now)
    assert may_be_shown(shift, BUDGET, now + timedelta(seconds=BUDGET.break_s))


def test_a_new_shift_does_not_wash_the_budget_clean():
    worn = replace(Shift("1", "mo", NOW), seconds=100.0, opted_out=True, ended_at=NOW)
    soon = next_shift("2", "mo", worn, NOW + timedelta(hours=3))
    assert (soon.seconds, soon.opted_out, soon.ended_at) == (100.0, True, None)
    assert next_shift("3", "mo", worn, NOW + timedelta(hours=12)).seconds == 0.0
