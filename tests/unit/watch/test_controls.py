"""What a livestream may do follows from dated rules, the host and who is on shift."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.watch.making import stream
from tests.unit.watch.memory import NOW

from lightship.core.errors import AccessDenied, PolicyError
from lightship.watch import staffing
from lightship.watch.controls import FEATURES, load, parse, rules_for
from lightship.watch.staffing import Staffing

GB = load("gb")
DAY = date(2026, 11, 24)
LATER = NOW + timedelta(days=300)
ON = Staffing(NOW, (("m1", LATER),))


def test_a_child_hosts_without_comments_reactions_gifts_or_recording():
    found = rules_for(stream("s", child_host=True), DAY, ON, GB)
    assert (found.live, found.off) == ("on", frozenset(FEATURES))
    assert [id_ for id_, _ in found.reasons] == ["child-host"]
    grown = rules_for(stream("s", child_host=False), DAY, ON, GB)
    assert (grown.live, grown.off, grown.reasons) == ("on", frozenset(), ())
    assert rules_for(stream("s", child_host=False), DAY, ON, GB, host_age=15).off == frozenset(FEATURES)


def test_under_16_nobody_goes_live_from_the_day_on_which_the_rule_is_in_effect():
    for day, live in ((date(2027, 2, 28), "on"), (date(2027, 3, 1), "off")):
        assert rules_for(stream("s", child_host=True), day, ON, GB, host_age=15).live == live


def test_a_hole_in_the_shifts_limits_live_and_ends_it_for_children():
    empty = staffing.left(ON, "m1", NOW)
    assert rules_for(stream("s", child_host=False), DAY, empty, GB).live == "limited"
    found = rules_for(stream("s", child_host=True), DAY, empty, GB)
    assert found.live == "off"
    assert not any(found.allows(one) for one in FEATURES)


def test_training_that_runs_out_is_a_hole_too():
    short = staffing.arrived(Staffing(NOW), "m1", NOW + timedelta(hours=1), NOW)
    assert short.covered
    assert not staffing.at(short, NOW + timedelta(hours=1)).covered
    with pytest.raises(AccessDenied, match="run out"):
        staffing.arrived(Staffing(NOW), "m1", NOW, NOW)


def test_crisis_mode_is_on_record_from_start_to_stop():
    on, began = staffing.surging(ON, on=True, by="lead", reason="attack", now=NOW)
    assert rules_for(stream("s", child_host=False), DAY, on, GB).live == "limited"
    again, nothing = staffing.surging(on, on=True, by="lead", reason="attack", now=NOW)
    off, ended = staffing.surging(again, on=False, by="lead", reason="over", now=NOW)
    assert [began["kind"], nothing, ended["kind"], off.surge] == ["surge-began", None, "surge-ended", False]
    with pytest.raises(AccessDenied):
        staffing.surging(ON, on=True, by="lead", reason=" ", now=NOW)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(1, 300), st.integers(1, 400)), max_size=12
    )
)
def test_the_timeline_has_no_gap_and_no_overlap(events):
    state, now, states = Staffing(NOW), NOW, [Staffing(NOW)]
    for who, comes, minutes, trained in events:
        now += timedelta(minutes=minutes)
        state = (
            staffing.arrived(state, who, now + timedelta(minutes=trained), now)
            if comes
            else staffing.left(state, who, now)
        )
        states.append(state)
    until = now + timedelta(minutes=500)
    found = staffing.timeline(states, until)
    assert (found[0].begins, found[-1].ends) == (NOW, until)
    for one, after in pairwise(found):
        assert one.ends == after.begins
        assert (one.covered, one.surge) != (after.covered, after.surge)
    for one in found:
        middle = one.begins + (one.ends - one.begins) / 2
        last = [state for state in states if state.at <= middle][-1]
        assert staffing.at(last, middle).covered == one.covered


def test_switching_a_rule_is_data_and_unknown_rules_are_refused():
    assert rules_for(stream("s"), DAY, ON, GB.switched("unknown-host", on=True)).off == {"gifts"}
    with pytest.raises(PolicyError):
        GB.switched("nothing", on=True)
    head = 'name="a"\ntitle="b"\nversion="1"\nsource="c"\n'
    rule = '[[rules]]\nid="x"\nsays="y"\nwhen="child-host"\nfrom=2026-01-01\ngrade="P"\n'
    assert parse(head + rule, "t").rules[0].begins == date(2026, 1, 1)
    for bad in (rule.replace("child-host", "moon"), rule + 'of=["gifts"]\n', rule + 'off=["x"]\n', rule * 2):
        with pytest.raises(PolicyError):
            parse(head + bad, "t")
    for bad in ("x", "", head, rule.replace("2026-01-01", '"2026"')):
        with pytest.raises(PolicyError):
            parse(bad, "t")
