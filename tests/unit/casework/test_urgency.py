"""Urgency: live abuse first, never lowered by what is missing, and a reason that really decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship import packs
from lightship.casework.urgency import enquiries, judge, parse, rank, shipped, without
from lightship.core.errors import InputError, PolicyError

TEXT = (packs.root() / "casework" / "urgency.toml").read_text(encoding="utf-8")
LADDER = shipped()
FACTS = st.lists(
    st.sampled_from(
        [f"{name}={value}" for name, values in sorted(LADDER.facts.items()) for value in sorted(values)]
    ),
    max_size=12,
)


@given(FACTS, FACTS)
def test_more_facts_never_make_an_inquiry_less_urgent(some, more):
    few, many = judge(LADDER, some), judge(LADDER, [*some, *more])
    assert many.level <= few.level
    assert many.weight_db >= few.weight_db


@given(FACTS)
def test_said_twice_it_counts_once(facts):
    assert judge(LADDER, facts) == judge(LADDER, facts * 2)


def test_no_fact_speaks_of_a_record_nationality_age_or_sex():
    banned = {"record", "conviction", "nationality", "age", "sex", "ethnicity", "religion"}
    assert not banned & set(LADDER.facts)


def test_a_stream_that_runs_now_is_first_whatever_else_is_unknown():
    assert judge(LADDER, ["live=now"]).level == 1
    assert judge(LADDER, []).level == len(LADDER.rungs)
    assert rank(LADDER, ["live=now"], {(2, 40.0): 1, (5, 0.0): 1}) == 1
    assert rank(LADDER, [], {(1, 40.0): 1, (5, 0.0): 1}) == 3


@given(FACTS, st.dictionaries(st.tuples(st.integers(1, 5), st.floats(0, 60)), st.integers(1, 9), max_size=8))
def test_a_counterfactual_is_the_place_it_would_really_have(facts, others):
    for name in {one.partition("=")[0] for one in facts}:
        rest = [one for one in facts if not one.startswith(f"{name}=")]
        assert without(LADDER, facts, name) == judge(LADDER, rest)
        assert rank(LADDER, rest, others) >= rank(LADDER, facts, others)


@given(FACTS)
def test_each_enquiry_would_really_raise_it(facts):
    here = judge(LADDER, facts)
    for one in enquiries(LADDER, facts):
        would = judge(LADDER, [*facts, f"{one.factor.fact}={one.factor.values[0]}"])
        assert would.weight_db == pytest.approx(here.weight_db + one.gain_db)
        assert would.level == one.to_level <= here.level


def test_the_first_enquiry_is_what_pays_most_for_a_minute():
    first = enquiries(LADDER, ["payments=repeated"])[0]
    assert first.factor.id == "live-now"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight_db = 30.0", "weight_db = -30.0", "Nothing may lower"),
        ("from_db = 20.0", "from_db = 40.0", "must fall"),
        ("says = ", "sayz = ", "missing or unknown"),
        ('id = "live-recent"', 'id = "live-now"', "one id"),
        ("name = ", "name ", "not TOML"),
    ],
)
def test_a_ladder_that_cannot_be_right_is_refused(old, new, words):
    with pytest.raises(PolicyError, match=words):
        parse(TEXT.replace(old, new), "urgency.toml")


def test_a_fact_that_is_not_on_the_list_is_named():
    with pytest.raises(InputError, match="'record=none' is not on the ladder's list"):
        judge(LADDER, ["record=none"])
