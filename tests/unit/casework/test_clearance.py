"""What one reader sees of an inquiry, of a queue and of a search: all that they may, and nothing above it."""

from datetime import UTC, datetime
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.casework.test_release import MARKINGS, PARTNERS

from lightship.casework.clearance import found_by, may_link, readable, seen, seen_queue
from lightship.casework.sight import Screen, Sight
from lightship.core.casework import Identifier, Inquiry, Link, Marking, Referral, Task
from lightship.core.errors import InputError
from lightship.core.markings import marking_json, read_marking, refusal, strictest
from lightship.core.release import Field

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
OWN = Marking(tlp="amber", pap="amber", originator="A force")
MARKED = MARKINGS.map(marking_json) | st.just("") | st.just("{broken")


def may(reader, *texts):
    try:
        return not refusal(
            strictest(read_marking(one) if one else OWN for one in texts), reader.grade, reader.agreed
        )
    except InputError:
        return False


def made(came, own):
    referrals = [
        Referral(f"r{n}", "partner", f"sender-{n}", f"ref-{n}", "k", "k", NOW, "0", "i", narrative=f"narrative-{n}",
                 marking=one)
        for n, one in enumerate(came)
    ]  # fmt: skip
    named = {
        f"r{n}": [
            Identifier(f"r{n}-1", f"r{n}", "handle", f"value-{n}", "child", f"r{n}/p", "chat", marking=one)
        ]
        for n, one in enumerate(own)
    }
    inquiry = Inquiry("i", NOW, "ann", NOW, "owned", "title-i", 1, 48.0, ("reason-i",), child_first="child-i", risk="risk-i",
                      closed_why="why-i")  # fmt: skip
    task = Task("t", "i", "safeguard", "words-i", "ann", NOW, "rule", NOW, outcome="outcome-i")
    link = Link("l", "r0/p", "r1/p", 20.0, (), "rival", NOW)
    persons = {f"r{n}/p": [*filter(None, [one]), came[n]] for n, one in enumerate(own)}
    return Sight(inquiry, referrals, named, [task], [], [], [link], persons, SimpleNamespace())


TWO = st.tuples(MARKED, MARKED)
WORDS = ("title-i", "reason-i", "child-i", "risk-i", "why-i", "words-i", "outcome-i", "48.0")


@given(TWO, TWO, PARTNERS)
def test_a_reader_sees_all_that_they_may_and_nothing_above_it(came, own, reader):
    found = seen(made(came, own), reader, OWN)
    said = repr((found.inquiry, found.referrals, found.named, found.tasks))
    together = may(reader, "", *came)
    assert {one: one in said for one in WORDS} == dict.fromkeys(WORDS, together)
    assert (found.why is not None) is together
    values = [may(reader, *([one for one in pair if one] or [""])) for pair in zip(came, own, strict=True)]
    for n in range(2):
        for word in (f"sender-{n}", f"narrative-{n}", f"ref-{n}"):
            assert (word in said) is may(reader, came[n])
        assert (f"value-{n}" in said) is values[n]
    assert bool(found.links) is may(reader, "", *came, *filter(None, own))
    assert found.whole is (together and all(may(reader, one) for one in came) and all(values))
    assert found.inquiry.owner == found.tasks[0].owner == "ann", "whose it is, and by when, everybody sees"
    assert found.tasks[0].due_at == NOW


@given(TWO, TWO, PARTNERS)
def test_so_does_a_page_of_the_queue_and_a_search(came, own, reader):
    whole = made(came, own)
    children = [one for each in whole.named.values() for one in each]
    marked = {one.id: one.marking for one in whole.referrals}
    screen = Screen(
        [whole.inquiry], {"i": whole.tasks[0]}, children, marked, {"i": list(came)}, 1, more=False
    )
    found, closed = seen_queue(screen, reader, OWN)
    together = may(reader, "", *came)
    said = repr(found.inquiries) + repr(found.tasks)
    assert {one: one in said for one in WORDS} == dict.fromkeys(WORDS, together)
    assert ("i" in closed) is not together
    hits = list(
        found_by({one.id: one for one in whole.referrals}, {"r0": "reference ref-0"}, children, reader, OWN)
    )
    assert ("reference ref-0" in [by for _, by in hits]) is may(reader, came[0])
    for n, pair in enumerate(zip(came, own, strict=True)):
        allowed = may(reader, *([one for one in pair if one] or [""]))
        assert (f"value-{n}" in repr(found.children)) is allowed
        assert ((whole.referrals[n], f"handle value-{n}") in hits) is allowed


@given(TWO, PARTNERS)
def test_what_a_partner_would_see_is_shown_as_far_as_the_reader_may_see_it(markings, reader):
    fields = [Field("a", "report", "text", "x", (one,) if one else (), needed=True) for one in markings]
    assert readable(fields, reader, OWN) == tuple(
        field for field, one in zip(fields, markings, strict=True) if may(reader, one)
    )


def test_the_record_tells_what_is_of_the_handling_alone_to_everybody_and_the_rest_to_who_may_read_it():
    red, green = marking_json(Marking(tlp="red")), marking_json(Marking(tlp="green"))
    nobody = SimpleNamespace(name="p", grade=Marking(tlp="green", pap="green"), agreed=())
    found = seen(made((red, green), ("", "")), nobody, OWN)
    taken = {"kind": "inquiry-taken", "inquiry": "i", "by": "ann", "at": "x", "owner": "ann", "journal": "j"}
    assert found.tells(taken)
    assert not found.tells({**taken, "why": "because of the child's name"}), (
        "free words are not of the handling"
    )
    assert not found.tells({**taken, "referral": "r0", "sender": "sender-0"})
    assert found.tells({**taken, "referral": "r1", "sender": "sender-1"})
    assert not found.tells({**taken, "link": "l"})
    assert not may_link(Link("l", "r0/p", "nobody", 1.0, (), "", NOW), {"r0/p": [green]}, nobody, OWN)
