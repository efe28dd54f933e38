"""Made-up weeks are what their file says, share nothing with the ladder, and tell one order from another."""

import ast
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lightship import packs
from lightship.casework import made, simulation_page
from lightship.casework.made import Made, parse_priors, weeks_of
from lightship.casework.simulate import compare, likelihood, orders, top_share
from lightship.casework.urgency import facts_of, shipped
from lightship.core.errors import InputError, PolicyError

LADDER = shipped()
WHERE, TEXT = packs.read("casework", "simulation", ".toml", "priors")
PRIORS = parse_priors(TEXT, str(WHERE))


@pytest.fixture(scope="module")
def weeks():
    return weeks_of(PRIORS, 12, 3)


@pytest.fixture(scope="module")
def waits(weeks):
    return {one.order: one for one in compare(PRIORS, LADDER, weeks, 1.02)}


def test_the_generator_and_the_ladder_share_no_code():
    tree = ast.parse(Path(made.__file__).read_text())
    own = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "lightship" in node.module
    }
    assert own == {"lightship.core.errors"}


def test_the_weeks_are_what_the_file_says(weeks):
    arrived = [one for one in weeks if one.arrived_h >= 0]
    assert len(arrived) == 12 * 1700
    assert len(weeks) - len(arrived) == 900
    assert sum(one.empty for one in arrived) / len(arrived) == pytest.approx(0.12, abs=0.001)
    assert sum(not one.located for one in arrived) / len(arrived) == pytest.approx(0.08, abs=0.01)
    assert 20 < sum(one.live for one in arrived) < 70, "0.2 %"
    assert not any(one.live or one.facts for one in weeks if one.empty)
    assert not any(fact.startswith("access") for one in weeks if not one.located for fact in one.facts)
    assert [one.arrived_h for one in weeks] == sorted(one.arrived_h for one in weeks)
    assert weeks_of(PRIORS, 12, 3) == weeks != weeks_of(PRIORS, 12, 4)


def test_every_fact_drawn_is_on_the_ladders_list_and_none_is_a_record(weeks):
    facts_of(LADDER, {fact for one in weeks for fact in one.facts})
    with pytest.raises(InputError):
        facts_of(LADDER, ["record=yes"])


def test_live_cases_are_looked_at_far_sooner_than_first_come_with_the_same_staff(waits):
    assert waits["first come"].mean_h > 5 * waits["urgency"].mean_h
    assert waits["record first"].late_h > waits["urgency"].late_h
    assert waits["urgency"].top > waits["best possible"].top - 0.03 > 0.85
    assert waits["first come"].top < 0.2


def test_no_record_moves_the_ladder_and_the_record_is_all_that_record_first_sees(weeks):
    flipped = [replace(one, record=not one.record) for one in weeks]
    none = [replace(one, record=False) for one in weeks]
    by = orders(PRIORS, LADDER)
    assert (
        top_share(by["urgency"], flipped) == top_share(by["urgency"], none) == top_share(by["urgency"], weeks)
    )
    assert top_share(by["record first"], none) == top_share(by["first come"], none)
    assert top_share(by["record first"], flipped) != top_share(by["record first"], weeks)


def test_what_is_best_possible_goes_by_the_chances_of_the_file():
    assert likelihood(PRIORS, ["live=now"]) > likelihood(PRIORS, ["live=day"]) > likelihood(PRIORS, [])
    assert likelihood(PRIORS, ["live=now"]) - likelihood(PRIORS, []) > math.log(0.45 / 0.0005)


def one(at_h: float, *facts: str, live: bool = False, minutes: float = 60.0) -> Made:
    return Made(at_h, live, empty=False, located=True, record=False, bundle=0, minutes=minutes, facts=facts)


def test_whoever_is_free_takes_the_most_urgent_of_those_that_wait():
    week = {**PRIORS.week, "referrals": 168.0, "minutes": 60.0}
    small = replace(PRIORS, week=week)
    rows = [one(0.0), one(0.1), one(0.2), one(0.3, "live=now", live=True), one(40.0)]
    found = {each.order: each for each in compare(small, LADDER, rows, 1.0)}
    assert found["urgency"].live_h == pytest.approx((0.7,)), "after the one that was begun"
    assert found["first come"].live_h == pytest.approx((2.7,)), "after all that came before"


def test_a_number_without_its_source_is_refused():
    unsourced = re.sub(r'^(backlog = .*source = )".*"', r'\1""', TEXT, flags=re.MULTILINE)
    with pytest.raises(PolicyError, match="backlog"):
        parse_priors(unsourced, "x")
    with pytest.raises(PolicyError):
        parse_priors("[week]", "x")


def test_the_page_holds_the_table_and_the_picture_and_asks_for_nothing_else(waits):
    runs = {3: tuple(waits.values())}
    png = simulation_page.picture(runs)
    assert png.startswith(b"\x89PNG")
    page = simulation_page.page(runs, PRIORS, "said", png)
    assert "http" not in page
    assert all(f"<th scope=row>{name}</th>" in page for name in waits)
    assert simulation_page.as_text(runs).count("\n") == len(waits)
    assert len(simulation_page.as_json(runs)) == len(waits)
