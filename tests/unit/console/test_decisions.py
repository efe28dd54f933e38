"""Verdict and clause must not contradict each other, whoever sends them and however."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.console.making import console, full
from tests.unit.console.visiting import working

from lightship.console.settings import CLAUSES
from lightship.core.cases import Case, Judgement, Verdict
from lightship.watch.desk import NO_CLAUSE, contradiction

VERDICTS = get_args(Verdict)
AGAINST = [code for code, _ in CLAUSES if code != NO_CLAUSE]


def fits(verdict, clause):
    """Return what the rule is, said once more: abuse has a clause, not abuse has none."""
    return {"abuse": clause != "none", "not-abuse": clause == "none", "unsure": True}[verdict]


@given(st.sampled_from(VERDICTS), st.sampled_from([*AGAINST, NO_CLAUSE]) | st.text(min_size=1))
def test_a_verdict_and_a_clause_either_fit_or_it_is_said_why_not(verdict, clause):
    said = contradiction(verdict, clause)
    assert bool(said) is not fits(verdict, clause)
    assert not said or said.endswith(".")


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("clause", [*AGAINST, NO_CLAUSE])
def test_the_desk_refuses_a_contradiction_and_the_case_stays_open(tmp_path, verdict, clause):
    made = full(console(tmp_path))
    who = working(made, "mo")
    who.post("/items/c0/claim")
    done = who.post("/items/c0/judge", verdict=verdict, clause=clause, reason="words")
    if fits(verdict, clause):
        assert done.status_code == 303
        assert [one.verdict for one in made.all(Judgement)] == [verdict]
    else:
        assert done.status_code == 403
        assert "clause" in done.text
        assert made.one(Case, "c0").state == "open"
        assert made.all(Judgement) == []


def test_a_reversal_names_no_clause(tmp_path):
    made = full(console(tmp_path))
    mo, lee = working(made, "mo"), working(made, "lee")
    mo.post("/items/c0/claim")
    mo.post("/items/c0/judge", verdict="abuse", clause="abuse-known", reason="seen")
    mo.post("/items/c0/appeal", words="It was a film.")
    assert "clause" not in lee.get("/items/c0").text.split("Answer the appeal")[1].lower()
    assert lee.post("/items/c0/reverse", outcome="reverse", reason="false-match").status_code == 303
    last = max(made.all(Judgement), key=lambda one: one.at)
    assert (last.verdict, last.clause) == ("not-abuse", NO_CLAUSE)
    assert made.one(Case, "c0").state == "reversed"
