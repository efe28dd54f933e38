"""What overrides a match, what sets an entry aside, and what a match weighs."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.entries import collect
from lightship.core.errors import PolicyError
from lightship.core.known import Entry, Terms
from lightship.detect.bank import build
from lightship.detect.chance import ChanceTable, measured
from lightship.detect.matcher import FloodBrake, Matcher

TABLE = ChanceTable(
    1000, (10, 31), (50, 70, 90), (99, 999, 9_999), ((0, 1), (0, 0), (0, 0)), ((0, 5), (0, 0), (0, 0))
)


def bank(name, *numbers, **terms):
    entries = [Entry("pdq", number.to_bytes(32, "big"), 100, f"{name}-{number}") for number in numbers]
    return build(Terms(name, **terms), collect(entries, name), date(2026, 11, 1))


def query(number):
    return np.array([[0, 0, 0, number]], dtype=np.uint64)


def one(matcher, number=0, quality=100, **more):
    (finding,) = matcher.match(query(number), [quality], **more)
    return finding


def test_the_nearest_entry_is_named_with_its_rule():
    finding = one(Matcher((bank("far", 0b11111), bank("near", 1)), TABLE))
    assert finding.nearest.reference == "near-1"
    assert finding.rule == "PDQ within 31 bits"
    assert [hit.distance for hit in finding.hits] == [1, 5]


def test_what_a_person_found_lawful_overrides_and_it_is_said():
    finding = one(Matcher((bank("known", 0), bank("lawful", 1, role="negative", distance=8)), TABLE))
    assert finding.nearest is None
    assert finding.weight_db == 0.0
    ((hit, why),) = finding.overridden
    assert hit.reference == "known-0"
    assert "lawful-1" in why


def test_lawful_material_alone_is_no_finding():
    assert one(Matcher((bank("lawful", 0, role="negative"),), TABLE)).hits == ()


def test_a_flat_picture_cannot_match_and_a_poor_one_never_suffices():
    matcher = Matcher((bank("known", 0),), TABLE)
    assert one(matcher, quality=49).hits == ()
    assert one(matcher, quality=60).weight_db <= 20.0
    assert one(matcher, quality=95).weight_db > one(matcher, quality=75).weight_db


def test_who_may_not_be_told_of_a_list_is_not_told():
    matcher = Matcher((bank("known", 0, tenants=("acme",)),), TABLE)
    assert one(matcher, may=lambda one: "other" in one.terms.tenants).hits == ()
    assert one(matcher, may=lambda one: "acme" in one.terms.tenants).hits


def test_an_entry_that_matches_everywhere_is_set_aside_until_a_person_has_looked():
    matcher = Matcher((bank("known", 0),), TABLE, FloodBrake(subjects=5, window_s=60.0))
    for number in range(5):
        assert one(matcher, subject=f"stream {number}", at_s=number).hits
    (flood,) = matcher.floods
    assert (flood.reference, flood.subjects) == ("known-0", 5)
    finding = one(matcher, subject="stream 9", at_s=9.0)
    assert finding.hits == ()
    assert "a person is asked" in finding.overridden[0][1]
    assert matcher.brake.waiting() == (flood,)
    assert matcher.brake.release("known", "known-0")
    assert one(matcher, subject="stream 9", at_s=10.0).hits


def test_one_stream_or_matches_far_apart_are_no_flood():
    matcher = Matcher((bank("known", 0),), TABLE, FloodBrake(subjects=5, window_s=60.0))
    for number in range(50):
        assert one(matcher, subject="one stream", at_s=number).hits
    for number in range(20):
        assert one(matcher, subject=f"stream {number}", at_s=1000.0 + 30.0 * number).hits
    assert not matcher.floods


def test_other_banks_are_searched_from_the_next_query_on():
    matcher = Matcher((bank("old", 0),), TABLE)
    matcher.swap([bank("new", 2**64 - 1)])
    assert one(matcher).hits == ()
    assert one(matcher, 2**64 - 1).nearest.reference == f"new-{2**64 - 1}"


@given(st.integers(0, 31), st.integers(0, 31), st.integers(50, 100), st.integers(1, 10**8))
def test_a_nearer_match_never_weighs_less(one_bits, other_bits, quality, entries):
    near_bits, far_bits = sorted((one_bits, other_bits))
    assert TABLE.weight_db(near_bits, quality, entries) >= TABLE.weight_db(far_bits, quality, entries)


@given(st.integers(0, 31), st.integers(50, 100), st.integers(1, 10**7), st.integers(1, 10**7))
def test_a_longer_list_never_gives_more_weight(bits, quality, one_length, other_length):
    short, long = sorted((one_length, other_length))
    table = measured()
    assert table.weight_db(bits, quality, short) >= table.weight_db(bits, quality, long)


def test_a_scene_that_is_near_many_entries_at_once_does_not_make_short_lists_look_good():
    table = ChanceTable(1_000_000, (31,), (50,), (999_999,), ((9,),), ((49_999,),))
    assert table.probability(31, 100, 2_000_000) == pytest.approx(2e-5)
    assert table.probability(31, 100, 500_000) == pytest.approx(1e-5), "no more than a longer list's"
    assert table.probability(31, 100, 100) == pytest.approx(0.05 * 1e-4), (
        "one of 20 pairs, not one of 100,000 scenes"
    )


@given(st.sampled_from(measured().qualities), st.integers(1, 10**8))
def test_a_benign_scene_gains_nothing_on_average_by_its_choice_of_a_distance(quality, entries):
    table = measured()
    bounds = [table.probability(bits, quality, entries) for bits in table.bits]
    chances = np.diff([0.0, *bounds])
    gains = [10.0 ** (table.weight_db(bits, quality, entries) / 10.0) for bits in table.bits]
    mean = sum(chance * gain for chance, gain in zip(chances, gains, strict=True) if gain > 1.0)
    assert mean <= 1.0 + 1e-9


def test_a_match_wins_what_was_bet_on_each_distance_that_it_is_within():
    table = ChanceTable(1000, (0, 31), (50,), (999,), ((0, 9),), ((0, 9),))
    assert table.shares() == pytest.approx([0.6, 0.4])
    assert table.weight_db(0, 100, 1000) == pytest.approx(10 * np.log10(0.6 / 1e-3 + 0.4 / 1e-2))
    assert table.weight_db(1, 100, 1000) == pytest.approx(10 * np.log10(0.4 / 1e-2))
    assert sum(measured().shares()) == pytest.approx(1.0)


def test_beyond_what_was_measured_a_match_weighs_nothing():
    assert TABLE.weight_db(32, 100, 10) == 0.0
    assert TABLE.weight_db(0, 49, 10) == 0.0


def test_the_shipped_table_speaks_for_long_lists():
    table = measured()
    assert table.entries >= 100_000
    assert min(table.scenes) >= 10_000
    assert table.weight_db(31, 100, 1_000_000) >= 25.0
    assert table.weight_db(6, 100, 1_000_000) >= 60.0


def test_a_table_that_does_not_fit_together_is_refused():
    value = {
        "entries": 10,
        "bits": [31],
        "qualities": [50],
        "scenes": [5, 6],
        "matched": [[0]],
        "pairs": [[0]],
    }
    with pytest.raises(PolicyError):
        ChanceTable.from_json(value, "here")
    with pytest.raises(PolicyError):
        ChanceTable.from_json({}, "here")
