"""A link is reviewed with its reasons and its rival side by side, decided for a reason, contested by three, undone."""

import pytest
from tests.unit.console.casework import body, linked, referred, suspects
from tests.unit.console.visiting import Visitor

from lightship.console import ties
from lightship.console.pages_links import beside
from lightship.console.waterfall import drawn, steps
from lightship.core.casework import Identifier, Inquiry, Link, Marking, Merger, Referral, Use


@pytest.fixture
def made(tmp_path):
    made = referred(body(tmp_path), marking=Marking(tlp="amber", pap="amber", originator="A sender"))
    made.persons = suspects(made)
    made.link = linked(made, *made.persons)
    return made


def at(made, name):
    who = Visitor(made)
    assert who.sign_in(name).status_code == 303
    who.get("/keys")
    return who


def test_the_queue_has_the_most_urgent_first_and_says_what_else_would_explain_each(made):
    ann = at(made, "ann")
    persons = suspects(made, 9)
    urgency = {one.id: made.one(Inquiry, one.inquiry_id).urgency for one in made.all(Referral)}
    heavier = {}
    for other in persons[2:]:
        heavier[linked(made, persons[1], other, weight_db=60.0)] = min(
            urgency[one.partition("/")[0]] for one in (persons[1], other)
        )
    page = ann.get("/links").text
    both = {**heavier, made.link: min(urgency[one.partition("/")[0]] for one in made.persons)}
    rows = sorted(both, key=lambda one: page.index(f'href="/links/{one}"'))
    assert [both[one] for one in rows] == sorted(both.values())
    assert len(set(both.values())) > 1
    assert f"{len(both)} wait for review" in page
    assert page.count("A family that shares one address.") == len(both)
    assert [one.by for one in made.all(Use, about="links")] == ["ann"]


def test_a_link_shows_its_waterfall_its_rival_and_both_people(made):
    ann = at(made, "ann")
    page = ann.get(f"/links/{made.link}").text
    assert '<svg class="waterfall"' in page
    for said in ("the same address", "+30.0", "-4.0", "+26.0", "the rest", "-7.0", "+21.5 dB together"):
        assert said in page, said
    assert (
        page.count('class="govuk-heading-m" id="for"')
        == page.count('class="govuk-heading-m" id="rival"')
        == 1
    )
    assert "A family that shares one address." in page
    for person in made.persons:
        for one in made.all(Identifier, person=person):
            assert one.value in page
    assert [one.by for one in made.all(Use, about=made.link, verb="consultation")] == ["ann"]
    assert f"link {made.link}" in {one["what"] for one in made.ledger.of("look")}
    ada = at(made, "ada").get(f"/links/{made.link}").text
    assert "What do you say?" not in ada
    assert ann.get("/links/none").status_code == ann.get(f"/links/{'x' * 80}").status_code == 404


def test_one_yes_makes_the_cases_one_and_undoing_parts_them_again(made):
    ann, ben = at(made, "ann"), at(made, "ben")
    path = f"/links/{made.link}"
    before = {one.id: one.inquiry_id for one in made.all(Referral)}
    assert "Something is missing" in ann.post(f"{path}/vote", said="yes").text
    assert "Choose one of those" in ann.post(f"{path}/vote", said="maybe", why="x").text
    assert ann.post(f"{path}/vote", said="yes", why="Same bank card.").status_code == 303
    assert made.one(Link, made.link).state == "accepted"
    merger = made.all(Merger)[0]
    page = ann.get(path).text
    assert "Their cases are one by it" in page
    assert "ann said yes to link" in page
    assert "because: Same bank card." in page
    assert ann.get(f"/cases/{merger.gone}").headers["location"] == f"/cases/{merger.kept}"
    case = ann.get(f"/cases/{merger.kept}").text
    assert 'class="tie-accepted"' in case
    assert f'href="/links/{made.link}"' in case
    assert "became part of" in case
    for one in (merger.kept, merger.gone):
        assert f"Inquiry {one[:8]} was opened at urgency" in case, "what was done of either"

    undone = ben.post(f"{path}/undo", why="Two brothers.")
    assert undone.status_code == 303
    assert {one.id: one.inquiry_id for one in made.all(Referral)} == before
    assert made.one(Link, made.link).state == "contested"
    page = ann.get(path).text
    assert "because: Two brothers." in page
    assert "Undo the link" not in page
    assert "2 more independent reviewers must agree" in page
    assert "ann is not independent" in page
    contested = ann.get("/links").text
    assert "contested" in contested
    assert "0 yes, 1 no; 2 more must agree" in contested


def test_who_proposed_a_link_does_not_accept_it_and_says_so(made):
    with made.store.begin() as work:
        work.change(Link, made.link, {}, votes=("ann:proposed",))
    ann = at(made, "ann")
    assert "Proposed by" in ann.get(f"/links/{made.link}").text
    done = ann.post(f"/links/{made.link}/vote", said="yes", why="Mine.")
    assert done.status_code == 403
    assert "somebody else decides" in done.text
    assert made.one(Link, made.link).state == "proposed"


def test_no_yes_is_offered_for_a_child_and_an_adult(made):
    with made.store.begin() as work:
        for one in work.find(Identifier, {"person": made.persons[0]}):
            work.change(Identifier, one.id, {}, role="child")
        for one in work.find(Identifier, {"person": made.persons[1]}):
            work.change(Identifier, one.id, {}, role="suspect")
    ann = at(made, "ann")
    page = ann.get(f"/links/{made.link}").text
    assert "they are never one person" in page
    assert 'value="yes"' not in page
    assert ann.post(f"/links/{made.link}/vote", said="yes", why="x").status_code == 403


def test_steps_follow_one_upon_the_other_and_end_at_the_whole():
    found = steps(("email: +30.0 dB, the same, as far as is known", "odd words", "name: −4.0 dB"), 26.0)
    assert [(one.name, one.from_db, one.to_db) for one in found] == [
        ("email", 0.0, 30.0), ("odd words", 30.0, 30.0), ("name", 30.0, 26.0)
    ]  # fmt: skip
    assert found[0].words == "the same, as far as is known"
    assert len(steps(("a: +1.0 dB, x", "b: +1.0 dB, y"), 2.1)) == 2, "what rounding leaves is no reason"
    picture = str(drawn(steps(("<script>: +1.0 dB, x",), 1.0), 1.0))
    assert "<script>" not in picture
    assert "&lt;script&gt;" in picture
    assert str(drawn((), 0.0)) == ""


def test_two_peoples_identifiers_stand_side_by_side_the_same_first():
    def of(person, *values):
        return [
            Identifier(f"{person}{number}", person, kind, value, "suspect", person, platform)
            for number, (kind, value, platform) in enumerate(values)
        ]

    one = of("a", ("phone", "+441", ""), ("handle", "x", "Chat.App"), ("email", "a@b", ""))
    other = of("b", ("handle", "x", "chatapp"), ("phone", "+442", ""), ("phone", "+443", ""))
    found = [
        (line.kind, line.one and line.one.value, line.other and line.other.value, line.same)
        for line in beside(one, other)
    ]
    assert found == [
        ("handle", "x", "x", True), ("phone", "+441", "+442", False), ("phone", None, "+443", False),
        ("email", "a@b", None, False),
    ]  # fmt: skip


def test_who_is_named_is_drawn_what_ties_people_together_first_and_nothing_of_it_is_markup():
    evil = "<script>alert(1)</script>"
    named = [
        Identifier(f"i{number}", f"r{number}", "handle", "shared" if number < 3 else f"own{number}", "suspect",
                   f"r{number}/{evil}", "Chat.App" if number else "chatapp")
        for number in range(80)
    ]  # fmt: skip
    picture = str(ties.drawn(named, [ties.Tie(named[78].person, named[79].person, "proposed")]))
    assert "<script>" not in picture
    assert f"handle shared on chatapp ({3})" in picture, "one handle of one platform, however it is written"
    assert picture.count('class="tie-line tie-shared"') == 3
    assert picture.count('class="tie-suspect"') == ties.SHOWN >= picture.count('class="tie-value"')
    assert "handle own78" in picture, "what names those who may be one"
    assert picture.count('class="tie-proposed"') == 1
    assert str(ties.drawn([])) == ""
