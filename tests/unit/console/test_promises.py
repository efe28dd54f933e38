"""Promised against happened, from the record alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.console.making import console, full
from tests.unit.console.visiting import working

from lightship import packs
from lightship.console.promises import Tally, kept_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POLICY = packs.policy("public-live")


def entry(minutes, kind, **more):
    return {"kind": kind, "at": (NOW + timedelta(minutes=minutes)).isoformat(), "run": 1, **more}


def began(stream="s", at=0):
    return entry(
        at, "watch-began", stream=stream, policy_digest=POLICY.digest, policy="public-live", absent={}
    )


def coverage(at, gap_s=0.0, stream="s"):
    return entry(at, "coverage", stream=stream, gap_s=gap_s)


def responded(rung="end", stream="s", at=1, by="evidence"):
    return entry(at, "decision", stream=stream, rung=rung, by=by, policy_digest=POLICY.digest)


def opened(case="c", stream="s", by="machine"):
    return entry(1, "case-opened", case=case, stream=stream, opened_by=by)


def verdict(said, case="c"):
    return entry(2, "verdict", case=case, verdict=said, seen=case == "seen")


def tally_of(*entries):
    tally = Tally()
    for one in entries:
        tally.take(one)
    return tally


def row(tally, rung="end"):
    return next(one for one in kept_of(tally, POLICY) if one.rung == rung)


def test_hours_are_those_that_were_looked_at():
    found = tally_of(began(), *(coverage(minute, gap_s=6.0) for minute in range(1, 61)), coverage(60.25))
    assert found.watched_s[POLICY.digest] == pytest.approx(60 * 54 + 15)
    assert row(found).hours == pytest.approx((60 * 54 + 15) / 3600)


def test_an_overturned_response_is_false_and_an_upheld_one_is_not():
    assert (row(tally_of(responded(), opened())).false, row(tally_of(responded(), opened())).unreviewed) == (
        0,
        1,
    )
    upheld = row(tally_of(responded(), opened(), verdict("abuse")))
    assert (upheld.responses, upheld.false, upheld.unreviewed) == (1, 0, 0)
    wrong = row(tally_of(responded(), opened(), verdict("not-abuse")))
    assert (wrong.responses, wrong.false, wrong.unreviewed) == (1, 1, 0)


def test_an_appeal_makes_it_false_and_an_undone_decision_leaves_it_open():
    appealed = tally_of(
        responded(), opened(), verdict("abuse"), entry(3, "appeal-answered", case="c", overturned=True)
    )
    assert row(appealed).false == 1
    stands = tally_of(
        responded(), opened(), verdict("abuse"), entry(3, "appeal-answered", case="c", overturned=False)
    )
    assert row(stands).false == 0
    for kind in ("decision-undone", "second-person-declined"):
        undone = row(tally_of(responded(), opened(), verdict("not-abuse"), entry(3, kind, case="c")))
        assert (undone.false, undone.unreviewed) == (0, 1)


def test_what_joins_a_reported_case_is_judged_with_it():
    found = tally_of(opened(by="report"), responded("blur"), responded("end"), verdict("not-abuse"))
    assert found.false((POLICY.digest, "end")) == found.false((POLICY.digest, "blur")) == 1


def test_a_release_or_a_blind_detector_is_no_false_response():
    found = tally_of(responded(None, by="benign"), responded("end", by="blind"))
    assert row(found).responses == 0


def test_the_promise_is_called_kept_or_broken_only_when_enough_was_seen():
    assert row(tally_of(began(), coverage(1))).kept is None
    quiet = [coverage(minute) for minute in range(1, 600)]
    assert row(tally_of(began(), *quiet), "observe").kept is True
    assert row(tally_of(began(), *quiet), "end").kept is None
    wrong = [one for n in range(5) for one in (responded(), opened(f"c{n}"), verdict("not-abuse", f"c{n}"))]
    broken = row(tally_of(began(), *quiet, *wrong))
    assert broken.kept is False
    assert broken.lower > broken.allowed == 1.0
    assert broken.per_hours == 1000.0


@given(
    st.lists(
        st.sampled_from(["response", "open", "abuse", "not-abuse", "unsure", "undone", "overturned"]),
        max_size=40,
    )
)
@example(["response", "open", "not-abuse", "open", "not-abuse"])
def test_no_response_is_counted_twice_or_lost(acts):
    tally, cases = Tally(), 0
    for act in acts:
        if act == "response":
            tally.take(responded())
        elif act == "open":
            cases += 1
            tally.take(opened(f"c{cases}"))
        elif act == "undone":
            tally.take(entry(1, "decision-undone", case=f"c{cases}"))
        elif act == "overturned":
            tally.take(entry(1, "appeal-answered", case=f"c{cases}", overturned=True))
        else:
            tally.take(verdict(act, f"c{cases}"))
    found = row(tally)
    assert found.responses == acts.count("response")
    assert 0 <= found.false <= found.responses
    assert found.unreviewed >= 0
    assert found.lower <= found.upper


def test_the_page_tells_every_rung_of_the_policy_in_force(tmp_path):
    made = full(console(tmp_path))
    with made.store.begin() as work:
        for number, one in enumerate([began("s0"), *(coverage(n, stream="s0") for n in range(1, 61))]):
            work.record({**one, "number": number})
        work.record(responded("observe", "s0"))
    text = working(made, "ada").get("/health").text
    assert "20 per 1 h" in text
    assert "1 per 1000 h" in text
    assert "1 in 1.0 h: 0 false, 1 not reviewed" in text


def test_the_share_closed_unseen_is_of_verdicts_that_close():
    found = tally_of(
        *(verdict(said, case) for said in ("abuse", "not-abuse", "unsure") for case in ("c", "seen"))
    )
    assert list(found.looked) == [False, True, False, True]
