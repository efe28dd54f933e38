"""Whom it is owed to: one authority, for a reason, from stated facts."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.duties.making import ABROAD, T0, UK, detection, gb

from lightship.core.duties import Duty
from lightship.core.errors import InputError
from lightship.duties.chooser import choose, facts_for, facts_of, prompts, urgency

DAY = date(2026, 11, 28)

CASES = [
    # provider, link, arrangements, reported before, CSEA -> authority or nobody, rule
    ("uk", "yes", "none", "nobody", "yes", "nca", "uk-provider"),
    ("uk", "no", "none", "nobody", "yes", "nca", "uk-provider"),
    ("uk", "no", "ncmec", "nobody", "yes", "ncmec", "arrangements-ncmec"),
    ("uk", "yes", "other", "nobody", "yes", "abroad", "arrangements-other"),
    ("uk", "yes", "group", "nobody", "yes", "", "group"),
    ("uk", "yes", "none", "nca", "yes", "", "reported-nca"),
    ("uk", "yes", "none", "ncmec", "yes", "", "reported-abroad"),
    ("uk", "yes", "ncmec", "ncmec", "yes", "", "reported-abroad"),
    ("uk", "yes", "none", "other", "yes", "", "reported-abroad"),
    ("abroad", "yes", "none", "nobody", "yes", "nca", "uk-link"),
    ("abroad", "no", "none", "nobody", "yes", "", "no-uk-link"),
    ("abroad", "yes", "ncmec", "nobody", "yes", "ncmec", "arrangements-ncmec"),
    ("abroad", "yes", "group", "nobody", "yes", "", "group"),
    ("uk", "yes", "none", "nobody", "no", "", "not-csea"),
]


@pytest.mark.parametrize(("provider", "link", "arrangements", "before", "csea", "authority", "rule"), CASES)
def test_each_case_is_owed_to_one_authority_or_not_for_a_reason(
    provider, link, arrangements, before, csea, authority, rule
):
    facts = {
        "provider": provider,
        "uk-link": link,
        "arrangements": arrangements,
        "reported-to": before,
        "csea": csea,
    }
    choice = choose(facts, gb(), DAY)
    assert (choice.authority, choice.rule, choice.owed) == (authority, rule, bool(authority))
    assert choice.reason.endswith(".")
    assert choice.digest == gb().digest


def test_nothing_was_owed_before_the_duty_was_in_force():
    choice = choose(facts_of(UK, gb()), gb(), date(2026, 4, 6))
    assert (choice.owed, choice.rule) == (False, "before-commencement")
    assert choose(facts_of(UK, gb()), gb(), date(2026, 4, 7)).authority == "nca"


def test_a_fact_that_nobody_told_leaves_open_what_hangs_on_it_and_nothing_else():
    open_ = choose(facts_of(ABROAD, gb()), gb(), DAY)
    assert (open_.owed, open_.authority, open_.missing) == (None, "", ("uk-link",))
    assert "“uk-link” must be told" in open_.reason
    assert choose(facts_of(UK, gb()), gb(), DAY).owed, "a UK provider's duty hangs on no link"
    unsure = choose(facts_of(["provider=uk", "csea=yes", "arrangements=none"], gb()), gb(), DAY)
    assert unsure.missing == ("reported-to",), "whether it was reported before is not taken for granted"


@pytest.mark.parametrize(
    "told", [["provider=mars"], ["provider"], ["place=uk"], ["provider=uk", "provider=abroad"]]
)
def test_what_is_no_fact_is_refused(told):
    with pytest.raises(InputError):
        facts_of(told, gb())


def test_a_detection_overrules_its_provider_and_danger_is_as_it_was_found():
    facts = facts_for(detection(facts=("reported-to=ncmec", "reported-as=123"), live_danger=True), UK, gb())
    assert facts["reported-to"] == "ncmec"
    assert facts["reported-as"] == "123"
    assert facts["danger"] == "yes"
    assert facts_for(detection(facts=("danger=yes",)), UK, gb())["danger"] == "yes"
    assert facts_for(detection(), UK, gb())["danger"] == "no"


@pytest.mark.parametrize(
    ("facts", "priority", "criterion"),
    [
        ({"danger": "yes"}, "P1", "danger-now"),
        ({"danger": "no", "suspect-access": "yes"}, "P1", "suspect-access"),
        ({"danger": "no", "live": "yes"}, "P2", "live"),
        ({"danger": "no", "live": "no", "material": "new"}, "P2", "new-material"),
        ({"danger": "no"}, "P3", "all-else"),
    ],
)
def test_the_gravest_criterion_known_to_hold_sets_the_priority(facts, priority, criterion):
    found = urgency(facts, gb(), DAY)
    assert (found.priority, found.id) == (priority, criterion)
    assert found.file_first is (criterion == "danger-now")


def at(text):
    from datetime import datetime

    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "registered", "wanted"),
    [
        ("2026-11-30T09:00:00+00:00", True, ["call-999"]),  # a Monday morning
        ("2026-11-28T23:40:00+00:00", True, ["call-999", "out-of-hours"]),  # a Saturday night
        ("2026-12-28T09:00:00+00:00", True, ["call-999", "out-of-hours"]),  # the substitute for Boxing Day
        ("2026-11-30T09:00:00+00:00", False, ["call-999", "not-registered"]),
        ("2026-06-30T06:30:00+00:00", True, ["call-999"]),  # 07:30 in summer
        ("2026-11-30T06:30:00+00:00", True, ["call-999", "out-of-hours"]),  # 06:30 in winter
    ],
)
def test_in_live_danger_a_person_is_told_whom_to_call(now, registered, wanted):
    duty = Duty("d", "c", "owed", T0, authority="nca", priority="P1")
    found = prompts(duty, {"danger": "yes"}, gb(), at(now), registered=registered)
    assert [one.id for one in found] == wanted


def test_a_duty_that_is_filed_prompts_nothing_more_and_one_without_danger_no_999():
    filed = Duty("d", "c", "filed", T0, authority="nca", priority="P1")
    assert prompts(filed, {"danger": "yes"}, gb(), T0, registered=True) == ()
    calm = Duty("d", "c", "owed", T0, authority="nca", priority="P3")
    assert prompts(calm, {"danger": "no"}, gb(), T0, registered=True) == ()


FACTS = {name: values for name, values in gb().facts.items() if values}


@given(st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in FACTS.items()}))
def test_more_facts_never_change_an_answer_that_was_given(facts):
    choice = choose(facts, gb(), DAY)
    whole = {**{name: values[0] for name, values in FACTS.items()}, **facts}
    if choice.owed is not None:
        assert choose(whole, gb(), DAY).rule == choice.rule
        used = facts_of(choice.facts, gb())
        assert choose(used, gb(), DAY) == choice, (
            "the facts used are all that is needed to decide the same again"
        )
    else:
        assert choice.missing
        assert choose(whole, gb(), DAY).owed is not None
