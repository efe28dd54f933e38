"""What a livestream may do follows from dated rules, the host and who is on shift."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.watch.making import stream
from tests.unit.watch.memory import NOW, MemoryStore

from lightship.core.cases import Surge
from lightship.core.errors import AccessDenied, PolicyError
from lightship.core.people import Account, Session, Shift
from lightship.watch import staffing
from lightship.watch.controls import FEATURES, load, now_for, parse, rules_for
from lightship.watch.staffing import IDLE, Staffing

GB = load("gb")
DAY = date(2026, 11, 24)
LATER = NOW + timedelta(days=300)
ON = Staffing(NOW, (("m1", LATER),))
EMPTY = Staffing(NOW)


def minutes(count):
    return timedelta(minutes=count)


def account(name, role="moderator", trained_until=LATER, **more):
    return Account(name, name, role, "", "", NOW, trained_until, **more)


@pytest.fixture
def store():
    """Somebody trained who is on shift and at work, since an hour."""
    found = MemoryStore()
    with found.begin() as work:
        work.save(account("m1"), Shift("sh", "m1", NOW - minutes(60)))
        work.save(Session("se", "m1", "moderator", "", NOW - minutes(60), NOW))
    return found


def now_of(store, now=NOW):
    with store.begin() as work:
        return staffing.now_of(work, now)


def test_a_child_hosts_without_comments_reactions_gifts_or_recording():
    found = rules_for(stream("s", child_host=True), DAY, ON, GB)
    assert (found.live, found.off) == ("on", frozenset(FEATURES))
    assert [id_ for id_, _ in found.reasons] == ["child-host"]
    grown = rules_for(stream("s", child_host=False), DAY, ON, GB)
    assert (grown.live, grown.off, grown.reasons) == ("on", frozenset(), ())
    assert rules_for(stream("s", child_host=False, host_age=15), DAY, ON, GB).off == frozenset(FEATURES)


def test_under_16_nobody_goes_live_from_the_day_on_which_the_rule_is_in_effect():
    for day, live in ((date(2027, 2, 28), "on"), (date(2027, 3, 1), "off")):
        assert rules_for(stream("s", child_host=True, host_age=15), day, ON, GB).live == live


def test_a_hole_in_the_shifts_limits_live_and_ends_it_for_children():
    assert rules_for(stream("s", child_host=False), DAY, EMPTY, GB).live == "limited"
    found = rules_for(stream("s", child_host=True), DAY, EMPTY, GB)
    assert found.live == "off"
    assert not any(found.allows(one) for one in FEATURES)


def test_what_began_before_the_hole_goes_on_and_what_begins_in_it_may_not_be_live(store):
    old = stream("old", child_host=False, began_at=NOW - minutes(5))
    with store.begin() as work:
        assert now_for(work, old, GB, NOW).live == "on"
        work.change(Shift, "sh", {}, ended_at=NOW)
        new = stream("new", child_host=False, began_at=NOW + minutes(1))
        assert now_for(work, old, GB, NOW + minutes(2)).live == "limited"
        found = now_for(work, new, GB, NOW + minutes(2))
        assert (found.live, found.off) == ("off", frozenset(FEATURES))
        work.save(Shift("again", "m1", NOW + minutes(3)))
        work.change(Session, "se", {}, seen_at=NOW + minutes(3))
        assert now_for(work, new, GB, NOW + minutes(4)).live == "on", "somebody is there again"


@pytest.mark.parametrize(
    "more",
    [
        {"trained_until": NOW - minutes(1)},
        {"role": "auditor"},
        {"role": "administrator"},
        {"active": False},
    ],
)
def test_who_may_not_review_is_not_somebody_who_is_there(store, more):
    assert now_of(store).covered
    with store.begin() as work:
        work.change(Account, "m1", {}, **more)
    assert not now_of(store).covered


def test_who_shows_no_sign_of_life_or_wants_to_see_no_more_is_not_there(store):
    assert now_of(store, NOW + IDLE - minutes(1)).covered
    assert not now_of(store, NOW + IDLE).covered
    with store.begin() as work:
        stretches = staffing.lately(work, NOW + 2 * IDLE)
    assert (stretches[-1].begins, stretches[-1].covered) == (NOW + IDLE, False)
    with store.begin() as work:
        work.change(Session, "se", {}, ended_at=NOW - minutes(2))
        assert not staffing.now_of(work, NOW).covered, "who signed out is gone at once"
        assert staffing.lately(work, NOW)[-1].begins == NOW - minutes(2), "and was there till then"
        work.change(Session, "se", {}, ended_at=None)
        work.change(Shift, "sh", {}, opted_out=True)
    assert not now_of(store).covered


def test_crisis_mode_is_on_record_from_start_to_stop(store):
    with store.begin() as work:
        began = staffing.begin_surge(work, by="lee", reason="attack", now=NOW)
        assert staffing.begin_surge(work, by="lee", reason="again", now=NOW) == began
        on = staffing.now_of(work, NOW + minutes(1))
        assert rules_for(stream("s", child_host=False), DAY, on, GB).live == "limited"
        ended = staffing.end_surge(work, by="lee", reason="over", now=NOW + minutes(2))
        assert (ended.ended_by, ended.ended_why) == ("lee", "over")
        assert staffing.end_surge(work, by="lee", reason="over", now=NOW) is None
        assert not staffing.now_of(work, NOW + minutes(3)).surge
        assert [one.surge for one in staffing.lately(work, NOW + minutes(4))][-3:] == [False, True, False]
    kinds = [(one["kind"], one["reason"]) for one in store.ledger]
    assert kinds == [("surge-began", "attack"), ("surge-ended", "over")]
    for act in (staffing.begin_surge, staffing.end_surge):
        with pytest.raises(AccessDenied), store.begin() as work:
            act(work, by="lee", reason=" ", now=NOW)


SPANS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 900), st.integers(1, 400)), max_size=10)


@given(SPANS, st.integers(1, 900), st.integers(1, 900), SPANS)
def test_the_timeline_has_no_gap_and_no_overlap(shifts, trained_a, trained_b, surges):
    worked = [
        Shift(str(n), who, NOW + minutes(at), ended_at=NOW + minutes(at + long))
        for n, (who, at, long) in enumerate(shifts)
    ]
    trained = {"a": NOW + minutes(trained_a), "b": NOW + minutes(trained_b)}
    crises = [
        Surge(str(n), NOW + minutes(at), "l", "", NOW + minutes(at + long))
        for n, (_, at, long) in enumerate(surges)
    ]
    until = NOW + minutes(1000)
    found = staffing.timeline(worked, trained, crises, NOW, until)
    assert (found[0].begins, found[-1].ends) == (NOW, until)
    for one, after in pairwise(found):
        assert one.ends == after.begins
        assert (one.covered, one.surge) != (after.covered, after.surge)
    for one in found:
        for when in (one.begins, one.begins + (one.ends - one.begins) / 2):
            there = [s for s in worked if s.began_at <= when < s.ended_at and when < trained[s.account]]
            assert one.covered == bool(there)
            assert one.surge == any(s.began_at <= when < s.ended_at for s in crises)


def test_switching_a_rule_is_data_and_unknown_rules_are_refused():
    unknown = stream("s")
    assert rules_for(unknown, DAY, ON, GB.with_switches(["unknown-host=on"])).off == {"gifts"}
    assert (
        rules_for(replace(unknown, child_host=True), DAY, ON, GB.with_switches(["child-host=off"])).off
        == frozenset()
    )
    for bad in ("nothing=on", "child-host", "child-host=maybe"):
        with pytest.raises(PolicyError):
            GB.with_switches([bad])
    head = 'name="a"\ntitle="b"\nversion="1"\nsource="c"\n'
    rule = '[[rules]]\nid="x"\nsays="y"\nwhen="child-host"\nfrom=2026-01-01\ngrade="P"\n'
    assert parse(head + rule, "t").rules[0].begins == date(2026, 1, 1)
    for bad in (rule.replace("child-host", "moon"), rule + 'of=["gifts"]\n', rule + 'off=["x"]\n', rule * 2):
        with pytest.raises(PolicyError):
            parse(head + bad, "t")
    for bad in ("x", "", head, rule.replace("2026-01-01", '"2026"')):
        with pytest.raises(PolicyError):
            parse(bad, "t")
