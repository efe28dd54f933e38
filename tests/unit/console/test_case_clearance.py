"""Nothing above a reader's clearance leaves by any of their pages, and no more is held back than must be."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.casework.test_release import MARKINGS
from tests.unit.console.casework import OWN, PARTNERS, body, linked
from tests.unit.console.visiting import Visitor

from lightship.casework import disseminate, links
from lightship.casework.desk import Offices
from lightship.casework.intake import Received, take_in
from lightship.casework.urgency import shipped
from lightship.core.casework import (
    Dissemination,
    Identifier,
    Inquiry,
    Marking,
    Merger,
    Named,
    Parsed,
    Referral,
    Task,
    Use,
)
from lightship.core.markings import marking_json, rank, read_marking
from lightship.core.release import Partner

RED = Marking(tlp="red", originator="A sender")
GREEN = Marking(tlp="green", pap="green", originator="A sender")


def words(number, what):
    """Return a word that stands in one field of one referral and nowhere else."""
    return f"canary{what}{number}"


def came(made, number, key=""):
    """Take a referral in whose every field has a word of its own; of one sender and reference they join one inquiry."""
    at = made.clock()
    named = tuple(
        Named(f"{role}-1", role, "handle", words(number, role), "chat.example", at, at)
        for role in ("suspect", "child")
    )
    parsed = Parsed("partner", key or words(number, "reference"), words(number, "kind"), ("live=day",), named,
                    words(number, "narrative"), held=1)  # fmt: skip
    sender = key or words(number, "sender")
    data = json.dumps([number, key]).encode()
    return next(
        iter(take_in(made.store, shipped(), [Received("x", sender, data, parsed)], now=at, offices=Offices()))
    )


def fitting(marking, reader):
    grade, agreed = reader.grade, set(reader.agreed)
    asked = {part.strip() for part in marking.conditions.split(";") if part.strip()}
    return all(has <= may for has, may in zip(rank(marking), rank(grade), strict=True)) and asked <= agreed


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    readers = {}
    made = body(tmp_path_factory.mktemp("cleared"), readers=readers)
    made.readers = readers
    first = came(made, 0, key="canary-case")
    second = came(made, 1, key="canary-case")
    assert first.inquiry_id == second.inquiry_id
    third = came(made, 2)
    made.cases = {0: first.inquiry_id, 1: second.inquiry_id, 2: third.inquiry_id}
    made.ids = {0: first.referral_id, 1: second.referral_id, 2: third.referral_id}
    made.link = linked(made, f"{second.referral_id}/suspect-1", f"{third.referral_id}/suspect-1")
    with made.store.begin() as work:
        for number in (0, 2):
            task = work.find(Task, {"inquiry_id": made.cases[number], "kind": "triage"})[0]
            work.change(Task, task.id, {}, words=words(number, "task"))
            work.change(
                Inquiry,
                made.cases[number],
                {},
                title=words(number, "title"),
                child_first=words(number, "first"),
            )
    made.ann = Visitor(made)
    assert made.ann.sign_in("ann").status_code == 303
    return made


def pages(made):
    """Return everything that one reader can have of the console's answers, refusals included, by what was asked."""
    ann = made.ann
    asked = ["/cases", "/cases?mine=1", "/links", f"/links/{made.link}"]
    for number, case in made.cases.items():
        asked += [f"/cases/{case}", f"/cases/{case}/referrals/{made.ids[number]}"]
        asked += [f"/cases/{case}/{page}?to={name}" for name in PARTNERS for page in ("preview", "send")]
        asked.append(f"/cases/{case}/sent")
    found = {path: ann.get(path).text for path in asked}
    ann.get("/keys")
    for number, case in made.cases.items():
        for what in ("suspect", "child", "reference"):
            sought = words(number, what)
            answer = ann.post("/cases/search", words=sought).text
            found[f"search {sought}"] = answer.replace(f'value="{sought}"', "")
        found[f"search case {number}"] = ann.post("/cases/search", words=case).text
        found[f"file away {number}"] = ann.post(f"/cases/{case}/file-away", why="x").text
        task = made.all(Task, inquiry_id=case, state="open")[0]
        found[f"hand {number}"] = ann.post(f"/cases/{case}/hand", to="ben").text
        found[f"end {number}"] = ann.post(f"/cases/{case}/tasks/{task.id}/end", outcome="x", how="maybe").text
    return found


MARKED = MARKINGS.map(marking_json) | st.just("") | st.just("{broken")


@settings(max_examples=8, deadline=None)
@given(
    marks=st.tuples(MARKED, MARKED, MARKED),
    own=st.tuples(st.just("") | MARKED, st.just("") | MARKED, st.just("") | MARKED),
    grade=MARKINGS,
    agreed=st.lists(st.sampled_from(["ask first", "no onward sharing"])).map(tuple),
)
def test_nothing_above_the_readers_grade_leaves_and_no_more_stays_than_must(
    served, marks, own, grade, agreed
):
    made = served
    reader = Partner("ann", "Ann", grade, agreed)
    made.readers["ann"] = reader
    with made.store.begin() as work:
        for number, id_ in made.ids.items():
            work.change(Referral, id_, {}, marking=marks[number])
            for one in work.find(Identifier, {"referral_id": id_, "role": "suspect"}):
                work.change(Identifier, one.id, {}, marking=own[number])
    said = "\n".join(pages(made).values())

    def may(*texts):
        if "{broken" in texts:
            return False
        return all(fitting(read_marking(one) if one else OWN, reader) for one in texts)

    for number in made.ids:
        named = [one for one in (own[number], marks[number]) if one] or [""]
        readable = {
            "narrative": may(marks[number]),
            "sender": number == 2 and may(marks[number]),
            "kind": may(marks[number]),
            "child": may(marks[number]),
            "suspect": may(*named),
        }
        together = [marks[0], marks[1]] if number < 2 else [marks[2]]
        if number != 1:
            readable |= {what: may("", *together) for what in ("title", "task", "first")}
        for what, allowed in readable.items():
            assert (words(number, what) in said) is allowed, (what, number, marks, own, reader)


def test_a_case_above_ones_clearance_is_in_the_queue_with_its_clock_and_without_its_words(served):
    made = served
    made.readers.clear()
    mark(made, RED, RED, GREEN)
    ann, case = made.ann, made.cases[0]
    page = ann.get("/cases").text
    assert f"Case {case[:8]}" in page
    assert "Above your clearance" in page
    assert words(2, "title") in page
    whole = ann.get(f"/cases/{case}").text
    assert "What this case says is above your clearance" in whole
    assert "intake desk" in whole
    assert "File it away" not in whole
    ann.get("/keys")
    for act in ("take", "hand", "acknowledge", "file-away"):
        done = ann.post(f"/cases/{case}/{act}", to="ben", why="x")
        assert done.status_code == 403, act
        assert "clearance" in done.text, act
    made.readers["ann"] = Partner("ann", "Ann", Marking(tlp="red", pap="amber"))
    assert words(0, "title") in ann.get(f"/cases/{case}").text
    ann.post(f"/cases/{case}/take")
    assert "above ben’s clearance" in ann.post(f"/cases/{case}/hand", to="ben").text
    assert made.one(Inquiry, case).owner == "ann"


def test_a_part_above_ones_clearance_is_gone_and_the_page_says_that_it_is_not_whole(served):
    made = served
    made.readers.clear()
    mark(made, GREEN, GREEN, GREEN)
    page = made.ann.get(f"/cases/{made.cases[0]}").text
    assert "above your clearance" not in page
    with made.store.begin() as work:
        one = work.find(Identifier, {"referral_id": made.ids[1], "role": "suspect"})[0]
        work.change(Identifier, one.id, {}, marking=marking_json(RED))
    page = made.ann.get(f"/cases/{made.cases[0]}").text
    assert "Part of this case is above your clearance" in page
    assert words(1, "suspect") not in page
    assert words(1, "child") in page
    assert made.link not in page, "who one of its people is, is above it"
    assert "There is no such link." in made.ann.get(f"/links/{made.link}").text
    with made.store.begin() as work:
        work.change(Identifier, one.id, {}, marking="")
    assert f"/links/{made.link}" in made.ann.get(f"/cases/{made.cases[0]}").text


def test_a_search_that_may_show_nothing_answers_like_one_that_found_nothing(served):
    made = served
    made.readers.clear()
    mark(made, RED, RED, RED)
    ann = made.ann
    ann.get("/keys")

    def answer(sought):
        page = ann.post("/cases/search", words=sought).text.replace(sought, "")
        return re.sub(r'(nonce|content|value)="[^"]*"', "", page)

    assert answer(words(0, "suspect")) == answer("nobodyatall")
    assert answer(made.cases[0]) == answer("f" * 24)


def test_a_search_finds_by_any_spelling_and_is_logged_with_what_was_sought(served):
    made = served
    made.readers.clear()
    mark(made, GREEN, GREEN, GREEN)
    ann = made.ann
    ann.get("/keys")
    for sought in (
        f"@{words(2, 'suspect').upper()}",
        words(2, "reference"),
        made.cases[2],
        f" {words(2, 'child')} ",
    ):
        made.clock.on(seconds=1)
        page = ann.post("/cases/search", words=sought).text
        assert f'href="/cases/{made.cases[2]}"' in page, sought
        assert f'href="/cases/{made.cases[0]}"' not in page
        assert [one.reason for one in made.all(Use, about="search", at=made.clock())] == [sought.strip()]
        assert [one.by for one in made.all(Use, about=made.cases[2], at=made.clock(), reason="search")] == [
            "ann"
        ]
    looks = [one["what"] for one in made.ledger.of("look")]
    assert "search of cases" in looks
    assert "canary" not in json.dumps(list(made.ledger.of("look"))), (
        "what was sought stays in casework's own store"
    )
    assert "canary" not in json.dumps(made.room.settings.log.lines, default=str)


def test_the_record_and_a_copy_of_it_say_what_came_only_to_who_is_cleared_for_all_of_it(served):
    made = served
    made.readers.clear()
    mark(made, GREEN, GREEN, RED)
    ada = Visitor(made)
    assert ada.sign_in("ada").status_code == 303

    def told():
        pages = [ada.get("/audit?kind=Cases").text, ada.get(f"/audit?about={made.ids[2]}").text]
        ada.get("/keys")
        return "\n".join([*pages, ada.post("/audit/verify").text, ada.post("/audit/export").text])

    said = told()
    assert words(2, "sender") not in said
    assert "above your clearance" in said
    assert "was opened at urgency" in said
    assert "signed-in" in said
    made.readers["ada"] = Partner("ada", "Ada", Marking(tlp="red", pap="amber"))
    said = told()
    assert words(2, "sender") in said
    assert "above your clearance" not in said


def mark(made, *markings):
    with made.store.begin() as work:
        for number, one in enumerate(markings):
            work.change(Referral, made.ids[number], {}, marking=marking_json(one))
            for each in work.find(Identifier, {"referral_id": made.ids[number]}):
                work.change(Identifier, each.id, {}, marking="")


@pytest.fixture
def merged(tmp_path):
    """A closed case that was sent once and then became part of an open one; ann is cleared for the open one alone."""
    strict = Marking(tlp="red", pap="red", originator="A sender")
    partner = Partner("sister", "A sister unit", strict)
    made = body(tmp_path, readers={"ben": Partner("ben", "Ben", strict)}, partners={"sister": partner})
    made.partner, made.strict = partner, strict
    closed, other = came(made, 0), came(made, 1)
    with made.store.begin() as work:
        work.change(Referral, closed.referral_id, {}, marking=marking_json(strict))
        work.change(Referral, other.referral_id, {}, facts=("live=now",))
        work.change(Inquiry, other.inquiry_id, {}, urgency=1)
        sent = disseminate.disseminate(
            work, closed.inquiry_id, partner, "misp",
            lambda released: disseminate.Made(b"x", json.dumps([dict(one.values) for one in released.things])),
            own=OWN, by="ben", now=made.clock(), why="canarywhy",
        )  # fmt: skip
    made.sent, made.closed, made.other = sent.dissemination.id, closed, other
    made.link = linked(made, f"{closed.referral_id}/suspect-1", f"{other.referral_id}/suspect-1")
    with made.store.begin() as work:
        links.vote(work, shipped(), made.link, yes=True, by="ben", why="One.", now=made.clock())
    assert made.one(Inquiry, closed.inquiry_id).merged_into == other.inquiry_id
    made.ann = Visitor(made)
    assert made.ann.sign_in("ann").status_code == 303
    return made


def test_a_case_that_became_part_of_another_is_as_closed_as_it_was(merged):
    ann, gone = merged.ann, merged.closed.inquiry_id
    listed = ann.get(f"/cases/{gone}/sent")
    assert (listed.status_code, "canarywhy" in listed.text) == (200, False)
    assert ann.get(f"/cases/{gone}/sent/{merged.sent}").status_code == 403
    for path in (f"/cases/{gone}", f"/cases/{gone}/preview?to=sister", f"/cases/{gone}/send?to=sister"):
        answer = ann.get(path)
        assert merged.other.inquiry_id not in (answer.headers.get("location", "") + answer.text)
        assert not re.search(r"canary\w+0", answer.text)
    ann.get("/keys")
    refused = ann.post(f"/cases/{gone}/take")
    assert (refused.status_code, merged.other.inquiry_id in refused.text) == (403, False)


def test_who_may_see_it_is_led_to_the_whole_case_and_that_is_logged(merged):
    ben = Visitor(merged)
    assert ben.sign_in("ben").status_code == 303
    answer = ben.get(f"/cases/{merged.closed.inquiry_id}")
    assert answer.headers["location"] == f"/cases/{merged.other.inquiry_id}"
    looked = merged.all(Use, about=merged.closed.inquiry_id, verb="consultation", by="ben")
    assert looked


def test_a_partner_is_sent_of_a_merged_case_what_the_whole_may_send(merged):
    low = Partner("low", "A low unit", Marking(tlp="amber", pap="amber"))
    with merged.store.begin() as work:
        made, _ = disseminate.preview(work, merged.closed.inquiry_id, low, OWN)
        assert "canary" not in str([dict(one.values) for one in made.things])
        sent = disseminate.disseminate(
            work, merged.closed.inquiry_id, merged.partner, "misp",
            lambda released: disseminate.Made(b"y", str([dict(one.values) for one in released.things])),
            own=OWN, by="ben", now=merged.clock(),
        )  # fmt: skip
    assert merged.one(Dissemination, sent.dissemination.id).inquiry_id == merged.other.inquiry_id
    assert words(0, "suspect") in sent.dissemination.content


def test_nobody_decides_a_link_of_a_case_above_their_clearance(merged):
    """They see both people, and not all of one of the cases."""
    inside, open_ = came(merged, 5, key="canary-case"), came(merged, 6)
    strict = came(merged, 7, key="canary-case")
    assert inside.inquiry_id == strict.inquiry_id
    with merged.store.begin() as work:
        work.change(Referral, strict.referral_id, {}, marking=marking_json(merged.strict))
    link = linked(merged, f"{inside.referral_id}/suspect-1", f"{open_.referral_id}/suspect-1")
    page = merged.ann.get(f"/links/{link}")
    assert (page.status_code, "What do you say?" in page.text) == (200, False)
    merged.ann.get("/keys")
    assert merged.ann.post(f"/links/{link}/vote", said="yes", why="One.").status_code == 403
    assert not merged.all(Merger, link_id=link)
    with merged.store.begin() as work:
        links.vote(work, shipped(), link, yes=True, by="ben", why="One.", now=merged.clock())
    assert merged.ann.post(f"/links/{link}/undo", why="Two.").status_code == 403
    assert merged.all(Merger, link_id=link)[0].undone_at is None
