"""Rises are found, and quiet weeks say nothing."""

from datetime import timedelta

import numpy as np
import pytest
from tests.unit.duties.book_making import BEGAN, LONDON, filled

from lightship import app_regulator
from lightship.core.cases import Case
from lightship.core.duties import Detection
from lightship.duties.drift import LEAST_WEEKS, note_of, note_text, rises, tail
from lightship.duties.measures_period import period_of

WEEKS = [f"w{n:03}" for n in range(60)]


def poisson(rng, mean, weeks=60):
    return [int(one) for one in rng.poisson(mean, weeks)]


@pytest.mark.parametrize("times", [2.5, 4.0])
def test_a_rise_that_was_put_in_is_found_and_only_it(times):
    rng = np.random.default_rng(5)
    series = {f"kind {n}": poisson(rng, 12) for n in range(20)}
    series["kind 7"][50] = round(12 * times)
    found = rises(series, WEEKS, "w008")
    (put_in,) = [one for one in found if one.week == "w050"]
    assert put_in.series == "kind 7"
    assert put_in.high < put_in.count
    assert len(found) <= 3, "by chance one a year"


def test_quiet_years_show_about_the_rises_that_were_promised():
    """Thirty years of twenty series: one false rise a year is the budget; exact at 1, here with room for chance."""
    rng, years = np.random.default_rng(7), 30
    false = sum(
        len(rises({str(n): poisson(rng, mean) for n, mean in enumerate((0.3, 2, 9, 40) * 5)}, WEEKS, "w008"))
        for _ in range(years)
    )
    assert false <= years * 1.5


def test_an_uneven_past_takes_more_to_be_a_rise():
    even, uneven = [10] * 12, [1, 25, 3, 22, 2, 19, 4, 21, 1, 18, 2, 2]
    assert tail(24, even) < 0.001 < tail(24, uneven)
    assert tail(0, even) == 1.0


def test_too_short_a_past_says_nothing():
    series = {"a": [1] * (LEAST_WEEKS - 1) + [500]}
    assert rises(series, WEEKS[:LEAST_WEEKS], "w000") == []


def test_the_quarterly_note_finds_a_rise_a_new_pattern_and_a_group_from_metadata_alone(tmp_path):
    begins = BEGAN - timedelta(days=140)
    made = filled(tmp_path / "kept", count=300, days=230, begins=begins)
    monday = BEGAN + timedelta(days=32)
    with made.store.begin() as work:
        for n in range(60):
            at = monday + timedelta(hours=n)
            work.save(Detection(f"x{n}", f"y{n}", "s", "csea-image", "machine", "terms", at))
        for n in range(6):
            at = monday + timedelta(hours=n)
            work.save(Detection(f"n{n}", f"z{n}", "s", "csea-sextortion", "person", "terms", at))
            work.save(Case(f"g{n}", "s", "machine", at, at, "", 1.0, "end", 0, 0, 0, near_of="c5"))
    with app_regulator.open_desk(made.deployment) as desk:
        note = note_of(desk.source, period_of("2026-Q4", LONDON))
    made.store.close()
    weeks = {one["week"] for one in note["rises"] if one["series"] == "kind csea-image"}
    assert weeks == {"2026-11-02"}
    assert {"kind csea-sextortion", "kind csea-sextortion, found by person"} <= {
        one["series"] for one in note["new"]
    }
    assert note["groups"] == [{"week": "2026-11-02", "cases": 6}]
    text = note_text(note)
    assert "Week of 2026-11-02: kind csea-image" in text
    assert "c5" not in text


def test_the_first_weeks_of_a_platform_are_no_rise(tmp_path):
    made = filled(tmp_path / "kept", count=200)
    with app_regulator.open_desk(made.deployment) as desk:
        note = note_of(desk.source, period_of("2026-Q4", LONDON))
    made.store.close()
    assert (note["rises"], note["new"]) == ([], [])
