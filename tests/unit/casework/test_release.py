"""Nothing above the recipient's grade leaves; the strictest marking wins; only the originator lowers one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.casework.release import release
from lightship.core.casework import Marking
from lightship.core.errors import AccessDenied, InputError
from lightship.core.markings import SCALES, lowered, marking_json, rank, read_marking, refusal, strictest
from lightship.core.release import Field, Partner

WORDS = st.sampled_from(["", "no onward sharing", "ask first", "ask first; no onward sharing"])
MARKINGS = st.builds(
    Marking,
    **{name: st.sampled_from(steps) for name, steps in SCALES.items()},
    conditions=WORDS,
    originator=st.sampled_from(["", "met", "nca"]),
)
FIELDS = st.lists(
    st.builds(
        Field,
        thing=st.sampled_from(["a", "b", "c"]),
        kind=st.just("identifier"),
        name=st.sampled_from(["one", "two", "three"]),
        value=st.sampled_from(["a", "b", "c", "d"]),
        markings=st.lists(MARKINGS.map(marking_json) | st.just("{broken"), max_size=3).map(tuple),
        needed=st.booleans(),
        refers=st.booleans(),
    ),
    max_size=9,
    unique_by=lambda one: (one.thing, one.name),
)
PARTNERS = st.builds(
    Partner,
    st.just("p"),
    st.just("P"),
    MARKINGS,
    st.lists(st.sampled_from(["ask first", "no onward sharing"])).map(tuple),
)


@given(FIELDS, PARTNERS)
def test_nothing_above_the_recipients_grade_leaves(fields, partner):
    released, withheld = release(fields, partner)
    source = {(one.thing, one.name): one for one in fields}
    left = {(thing.id, name) for thing in released.things for name in thing.values}
    for key in left:
        one = source[key]
        assert one.markings
        for text in one.markings:
            marking = read_marking(text)
            assert all(has <= may for has, may in zip(rank(marking), rank(partner.grade), strict=True))
            assert {part.strip() for part in marking.conditions.split(";") if part} <= set(partner.agreed)
        if one.refers:
            assert one.value in {thing.id for thing in released.things}
    for thing in released.things:
        assert all((thing.id, one.name) in left for one in fields if one.thing == thing.id and one.needed)
        assert refusal(thing.marking, partner.grade, partner.agreed) == ""
    assert left | {(one.thing, one.name) for one in withheld} == set(source), (
        "each either leaves or is accounted for"
    )
    assert len(left) + len(withheld) == len(source)


@given(FIELDS, PARTNERS)
def test_the_gate_holds_back_no_more_than_it_must(fields, partner):
    plain = [replace(one, needed=False, refers=False) for one in fields]
    released, _ = release(plain, partner)
    left = {(thing.id, name) for thing in released.things for name in thing.values}
    for one in plain:
        if one.markings and all(text != "{broken" for text in one.markings):
            fits = all(
                not refusal(read_marking(text), partner.grade, partner.agreed) for text in one.markings
            )
            assert ((one.thing, one.name) in left) == fits


@given(st.lists(MARKINGS, min_size=1, max_size=4))
def test_the_strictest_is_as_strict_as_each_whatever_the_order(markings):
    all_of = strictest(markings)
    assert rank(all_of) == tuple(max(step) for step in zip(*map(rank, markings), strict=True))
    assert strictest(reversed(markings)) == all_of == strictest([all_of, *markings])
    assert read_marking(marking_json(all_of)) == all_of


@given(MARKINGS, MARKINGS, st.lists(st.sampled_from(["met", "nca"])))
def test_only_the_originator_lowers(before, after, by):
    try:
        assert lowered(before, after, by) == after
    except AccessDenied:
        assert before.originator not in by or not before.originator
    else:
        assert (before.originator and before.originator in by) or all(
            new >= old for new, old in zip(rank(after), rank(before), strict=True)
        )


def test_what_nobody_marked_stays():
    partner = Partner("p", "P", Marking("TOP SECRET", "red", "red", "C"))
    released, withheld = release([Field("a", "report", "text", "x", ())], partner)
    assert released.things == ()
    assert str(withheld[0]) == "a text: Nobody marked this."


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"tlp": "pink"}', '{"tlp": 1}', '{"colour": "red"}', "null"]
)
def test_what_is_no_marking_is_refused(text):
    with pytest.raises(InputError, match="no marking"):
        read_marking(text)
