"""Evidence files say what is measured, with intervals, and what is not; list owners are told what people found."""

import json
from types import SimpleNamespace

import pytest
from tests.unit.duties.book_making import LONDON, configuration, filled

from lightship import app_regulator, packs
from lightship.core.cases import Case
from lightship.core.errors import InputError
from lightship.duties.evidence_file import evidence_of, evidence_page
from lightship.duties.feedback import remarks, told_of
from lightship.duties.measures_period import period_of

OCTOBER = period_of("2026-10", LONDON)
RUNG = {
    "rung": "end", "promised_per_hour": 0.001, "false": 0, "seen_per_hour": 0.0, "lower_95_per_hour": 0.0,
    "upper_95_per_hour": float("inf"), "consistent": True, "could_fire": True, "shown": False, "alarm_db": 42.0,
    "earliest_s": 0.0, "extrapolated": True, "onsets": 12, "reached": 11, "delay_s": {"p50": 0.2, "p95": None},
}  # fmt: skip
CARD = {
    "format": "lightship.evaluation/1", "policy": "public-live", "policy_digest": packs.policy("public-live").digest,
    "detectors": {"known-media": "1.0"}, "calibrations": {}, "footage": "made-up scenes", "hold_back_s": 0.0, "absent": {},
    "benign_hours": 2.5, "benign_streams": 3, "longest_benign_s": 3600.0, "marked_streams": 12, "sensitive_s": 60.0,
    "sensitive_left_s": 1.0, "looks": 10, "look_ms": 0.4, "cpu_s_per_stream_s": 0.1, "rungs": [RUNG],
    "fairness": {"skin tone": "not measured: a partner with lawful footage fills this"},
}  # fmt: skip


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    made = filled(tmp_path_factory.mktemp("evidence") / "kept")
    with app_regulator.open_desk(made.deployment) as desk:
        made.figures = desk.figures(OCTOBER)
    yield made
    made.store.close()


def evidence(month, card=CARD, *, robustness=None, owner="Lee"):
    return evidence_of(
        card,
        configuration(),
        month.figures,
        OCTOBER,
        robustness=robustness,
        owner=owner,
        code=app_regulator.code(),
    )


def test_recall_and_precision_have_exact_bounds_and_what_is_not_measured_is_said(month):
    found = evidence(month)
    assert found["parts"]["recall"] == [
        {
            "rung": "end",
            "count": 11,
            "of": 12,
            "share": 0.916667,
            "lower_95": 0.6152,
            "upper_95": 0.9979,
            "unknown": "",
        }
    ]
    assert found["parts"]["precision"]["of"] == 96
    assert found["parts"]["false positives"][0]["upper_95_per_hour"] is None
    assert found["parts"]["intended use"].startswith("The service's published terms")
    assert any(one.startswith("by group: skin tone") for one in found["missing"])
    assert any("no robustness card" in one for one in found["missing"])
    json.dumps(found, allow_nan=False)
    page = evidence_page(found).decode()
    assert "61.5 % and 99.8 %" in page
    assert "any number" in page


def test_a_card_of_another_policy_has_no_intended_use_here_and_an_old_one_no_recall(month):
    found = evidence(month, {**CARD, "policy_digest": "sha256:0"}, owner="")
    assert {"intended use", "owner"} <= {one.partition(":")[0] for one in found["missing"]}
    old = {name: value for name, value in RUNG.items() if name != "reached"}
    found = evidence(month, {**CARD, "rungs": [old]})
    assert found["parts"]["recall"][0]["share"] is None
    assert "recall of end: the card is of an earlier release" in found["missing"]


def test_the_robustness_card_of_the_repository_is_shown_whole(month):
    with (packs.root().parent / "docs" / "robustness.json").open(encoding="utf-8") as file:
        card = json.load(file)
    page = evidence_page(evidence(month, robustness=card)).decode()
    assert page.count("<tr>") > len(card["rows"])
    assert "JPEG" in page


@pytest.mark.parametrize("card", [{}, {"format": "lightship.evaluation/9"}])
def test_what_is_no_card_is_refused(month, card):
    with pytest.raises(InputError, match="no evaluation card"):
        evidence(month, card)


def test_owners_are_told_once_of_what_people_confirmed_and_first_of_what_was_false(month):
    with month.store.look() as work:
        found = remarks(work, {})
    false = {one.reference for one in found if one.said == "false-positive"}
    assert [one.said for one in found] == sorted((one.said for one in found), reverse=True)
    assert {one.list_name for one in found} == {"iwf"}
    assert false
    told = told_of({"iwf": [SimpleNamespace(reference=one.reference, what=one.said) for one in found]})
    with month.store.look() as work:
        assert remarks(work, told) == []


def test_a_verdict_that_an_appeal_overturned_says_the_contrary(tmp_path):
    made = filled(tmp_path / "kept", count=3)
    with made.store.begin() as work:
        before = {one.reference: one.said for one in remarks(work, {})}
        work.change(Case, "c1", {}, state="reversed")
        after = {one.reference: one.said for one in remarks(work, {})}
    made.store.close()
    assert (before["A-1"], after["A-1"]) == ("confirmed", "false-positive")


def test_what_matched_is_a_fact_and_no_words_of_a_case_are_read(tmp_path):
    """An owner's reference may hold anything; a viewer who writes like the detector remarks on nothing."""
    made = filled(tmp_path / "kept", count=1)
    with made.store.begin() as work:
        words = "A viewer says: List iwf, entry X, distance 0, quality 99."
        work.change(Case, "c0", {}, words=words, matched=("a/r, 1/2", "c.d/é"))
        found = {(one.list_name, one.reference) for one in remarks(work, {})}
    made.store.close()
    assert found == {("a", "r, 1/2"), ("c.d", "é")}
