"""A link is proposed by a machine, decided by people, contested where they differ, and undone without a trace."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.tables import tables
from tests.unit.casework.test_desk import Memory as DeskMemory
from tests.unit.console.making import Journal

from lightship.casework import desk, link_pass, links
from lightship.casework.bundling import put, take_apart
from lightship.casework.intake import Received, take_in
from lightship.casework.link_model import shipped as shipped_model
from lightship.casework.profiles import comparable
from lightship.casework.urgency import judge, shipped
from lightship.core.casework import (
    Bundle,
    Identifier,
    Inquiry,
    Link,
    Merger,
    Named,
    Parsed,
    Referral,
    Task,
    Use,
)
from lightship.core.errors import AccessDenied, InputError, LightshipError
from lightship.infra.store import SqlStore

LADDER = shipped()
NOW = datetime(2026, 11, 30, 7, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as opened:
        yield opened


def refer(work, name, *persons, facts=()):
    """Keep a referral with an inquiry of its own and its persons, ``(label, role)``."""
    inquiry = desk.opened(work, LADDER, facts, key=name, title=name, now=NOW, offices=desk.Offices())
    work.save(Referral(name, "platform", "p", name, "k", "k", NOW, "0" * 64, inquiry.id, facts=tuple(facts)))
    for label, role in persons:
        work.save(Identifier(f"{name}-{label}", name, "email", "a@b.example", role, f"{name}/{label}"))
    return inquiry


def linked(work, one, other, **named):
    (link,) = links.propose(
        work,
        [Link("", one, other, 20.0, ("email: +30.0 dB, the same",), "a shared device", NOW)],
        now=NOW,
        **named,
    )
    return link


def say(store, link, by, *, yes=True):
    with store.begin() as work:
        return links.vote(work, LADDER, link.id, yes=yes, by=by, why="seen", now=LATER)


def rows(work, inquiries):
    kinds = (Inquiry, Referral, Task)
    return {
        kind: sorted(work.find(kind), key=lambda one: one.id)
        for kind in kinds
        if inquiries or kind is Referral
    }


@pytest.fixture
def two(store):
    """Two referrals of one suspect, the second more urgent, with a link proposed."""
    with store.begin() as work:
        refer(work, "r1", ("s", "suspect"), ("c", "child"), facts=("material=known",))
        refer(work, "r2", ("s", "suspect"), facts=("live=now",))
        return linked(work, "r1/s", "r2/s")


def test_an_accepted_link_makes_one_inquiry_with_one_owner_and_the_nearer_clock(store, two):
    with store.begin() as work:
        desk.take(work, desk.identity("inquiry", "r1"), by="ann", now=NOW)
    assert say(store, two, "ben").state == "accepted"
    with store.look() as work:
        (one,) = work.find(Inquiry, {"state": desk.LIVE})
        gone = work.get(Inquiry, desk.identity("inquiry", "r1"))
        assert (gone.state, gone.merged_into) == ("merged", one.id)
        assert (one.urgency, one.owner) == (1, "intake desk")
        assert {each.inquiry_id for each in work.find(Referral)} == {one.id}
        tasks = work.find(Task, {"state": "open"}, order=("due_at",))
        assert {each.inquiry_id for each in tasks} == {one.id}
        assert one.due_at == tasks[0].due_at
        assert any(use.verb == "combination" for use in work.find(Use, {"about": one.id}))


def test_undone_it_is_as_it_was(store, two):
    with store.look() as work:
        before = rows(work, inquiries=True)
    say(store, two, "ben")
    with store.begin() as work:
        undone = links.undo(work, LADDER, two.id, by="ben", why="a mistake", now=LATER)
        assert undone.state == "refused"
        assert rows(work, inquiries=True) == before
        with pytest.raises(InputError, match="holds nothing together"):
            links.undo(work, LADDER, two.id, by="ben", why="again", now=LATER)


def test_what_was_done_meanwhile_stays_done(store, two):
    say(store, two, "ben")
    with store.begin() as work:
        task = next(one for one in work.find(Task, {"kind": "triage"}) if one.id)
        desk.finish(work, task.id, by="ben", outcome="read", now=LATER)
        links.undo(work, LADDER, two.id, by="cat", why="two people", now=LATER)
        assert work.get(Task, task.id).state == "done"
        for one in work.find(Inquiry):
            assert one.state in desk.LIVE
            assert one.due_at == min(
                each.due_at for each in work.find(Task, {"inquiry_id": one.id, "state": "open"})
            )
        desk.add_task(work, one.id, "enquire", "Ask.", LATER + timedelta(days=1), "r", by="ben", now=LATER)


def test_a_contested_link_needs_three_who_are_independent(store, two):
    assert say(store, two, "ann").state == "accepted"
    contested = say(store, two, "ben", yes=False)
    assert (contested.state, links.votes_of(contested).lacking) == ("contested", 2)
    with store.look() as work:
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 1, "it stays as it is until it is decided"
    for who in ("ann", "cat", "cat", "dan"):
        assert say(store, two, who).state == "contested", (
            "whoever accepted it counts for nothing, and cat once"
        )
    assert say(store, two, "eve").state == "accepted"


def test_three_who_refuse_it_part_the_inquiries(store, two):
    say(store, two, "ann")
    for who in ("ben", "cat"):
        assert say(store, two, who, yes=False).state == "contested"
    assert say(store, two, "dan", yes=False).state == "refused"
    with store.look() as work:
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 2
        assert work.find(Merger)[0].undone_by == "dan"


def test_an_undone_link_is_decided_anew_and_a_no_accepts_nothing(store):
    """Three yeses of before the undoing count no more: else a no would make a child and a suspect one person."""
    with store.begin() as work:
        refer(work, "r1", ("u", "unknown"))
        refer(work, "r2", ("s", "suspect"))
        refer(work, "r3", ("c", "child"))
        suspect, child = linked(work, "r1/u", "r2/s"), linked(work, "r1/u", "r3/c")
    say(store, suspect, "ann")
    say(store, suspect, "zed", yes=False)
    for who in ("ben", "cat", "dan"):
        made = say(store, suspect, who)
    assert made.state == "accepted"
    with store.begin() as work:
        undone = links.undo(work, LADDER, suspect.id, by="eve", why="a mistake", now=LATER)
    votes = links.votes_of(undone)
    assert (undone.state, votes.yes, votes.no, votes.lacking) == ("contested", (), ("zed", "eve"), 1)
    assert say(store, child, "kim").state == "accepted"
    assert say(store, suspect, "zed", yes=False).state == "contested"
    with pytest.raises(AccessDenied, match="never one person"):
        say(store, suspect, "ben")
    with store.look() as work:
        assert [one.id for one in work.find(Link, {"state": "accepted"})] == [child.id]


def test_an_undone_link_can_be_accepted_again_by_three_who_say_so_anew(store, two):
    say(store, two, "ann")
    with store.begin() as work:
        links.undo(work, LADDER, two.id, by="ben", why="a mistake", now=LATER)
    for who in ("ann", "cat", "dan"):
        assert say(store, two, who).state == "contested", "whose yes alone accepted it is a party still"
    assert say(store, two, "eve").state == "accepted"


def test_a_refused_link_that_somebody_accepts_is_contested_and_nothing_is_merged(store, two):
    assert say(store, two, "ann", yes=False).state == "refused"
    assert say(store, two, "ben").state == "contested"
    with store.look() as work:
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 2


def test_a_machine_never_decides_and_nobody_accepts_a_proposal_of_their_own(store):
    with store.begin() as work:
        refer(work, "r1", ("s", "suspect"))
        refer(work, "r2", ("s", "suspect"))
        link = linked(work, "r1/s", "r2/s", by="ann")
    with pytest.raises(AccessDenied, match="machine proposes"):
        say(store, link, desk.MACHINE)
    with pytest.raises(AccessDenied, match="You proposed it"):
        say(store, link, "ann")
    assert say(store, link, "ben").state == "accepted"


def test_nobody_accepts_a_proposal_of_their_own_by_saying_no_first(store):
    with store.begin() as work:
        refer(work, "r1", ("s", "suspect"))
        refer(work, "r2", ("s", "suspect"))
        link = linked(work, "r1/s", "r2/s", by="ann")
    assert say(store, link, "Ann", yes=False).state == "refused"
    with pytest.raises(AccessDenied, match="You proposed it"):
        say(store, link, "ann ")
    with store.look() as work:
        assert not work.find(Merger)


def test_a_lone_yes_after_a_no_of_ones_own_is_not_independent(store, two):
    say(store, two, "ann", yes=False)
    assert links.votes_of(say(store, two, "ann")).parties == {"ann"}
    say(store, two, "zed", yes=False)
    say(store, two, "ben")
    assert say(store, two, "cat").state == "contested", (
        "ann accepted it alone, and is one of the three in no way"
    )
    assert say(store, two, "dan").state == "accepted"


def test_one_reviewer_whose_name_is_written_in_three_ways_is_one(store, two):
    say(store, two, "zed", yes=False)
    for name in ("ann", "ann ", "Ann", "ANN"):
        contested = say(store, two, name)
    assert (contested.state, links.votes_of(contested).yes) == ("contested", ("ann",))
    with pytest.raises(AccessDenied, match="machine proposes"):
        say(store, two, f" {desk.MACHINE.title()}")


def test_a_child_and_a_suspect_are_never_one_person(store):
    with store.begin() as work:
        refer(work, "r1", ("c", "child"))
        refer(work, "r2", ("x", "unknown"))
        refer(work, "r3", ("s", "suspect"))
        with pytest.raises(AccessDenied, match="never one person"):
            linked(work, "r1/c", "r3/s")
        one, other = linked(work, "r1/c", "r2/x"), linked(work, "r2/x", "r3/s")
    assert say(store, one, "ann").state == "accepted"
    with pytest.raises(AccessDenied, match="never one person"):
        say(store, other, "ben")


def test_inquiries_stay_one_while_another_link_says_so(store, two):
    with store.begin() as work:
        work.save(Identifier("r2-c", "r2", "email", "c@d.example", "child", "r2/c"))
        second = linked(work, "r1/c", "r2/c")
    say(store, two, "ann")
    say(store, second, "ann")
    with store.begin() as work:
        links.undo(work, LADDER, two.id, by="ann", why="two people", now=LATER)
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 1
        links.undo(work, LADDER, second.id, by="ann", why="two children", now=LATER)
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 2


def test_what_rests_on_a_merger_is_undone_first(store, two):
    say(store, two, "ann")
    with store.begin() as work:
        refer(work, "r3", ("s", "suspect"), facts=("live=now", "danger=now"))
        third = linked(work, "r1/s", "r3/s")
    say(store, third, "ann")
    with store.begin() as work, pytest.raises(AccessDenied, match="later merger"):
        links.undo(work, LADDER, two.id, by="ann", why="no", now=LATER)
    with store.begin() as work:
        links.undo(work, LADDER, third.id, by="ann", why="no", now=LATER)
        links.undo(work, LADDER, two.id, by="ann", why="no", now=LATER)
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 3


def repeat(store, reference, data, now, *facts):
    """Take in what a sender sends again under its own reference, with a person; returns its referral."""
    parsed = Parsed("platform", reference, "k", facts, (Named("p", "suspect", "email", "a@b.example"),))
    batch = [Received("csv", "p", data, parsed)]
    (taken,) = take_in(store, LADDER, batch, now=now, offices=desk.Offices())
    with store.look() as work:
        return work.get(Referral, taken.referral_id)


def test_what_came_meanwhile_for_the_one_that_was_gone_goes_back_with_it(store, two):
    """r1 became part of r2; its sender writes again that a child is in danger; and then the two are parted."""
    gone, kept = desk.identity("inquiry", "r1"), desk.identity("inquiry", "r2")
    say(store, two, "ann")
    later = repeat(store, "r1", b"again", LATER + timedelta(hours=1), "danger=now")
    own = repeat(store, "r2", b"own", LATER + timedelta(hours=1))
    assert (later.inquiry_id, own.inquiry_id) == (kept, kept)
    with store.begin() as work:
        links.undo(work, LADDER, two.id, by="ben", why="two people", now=LATER + timedelta(hours=2))
    with store.look() as work:
        assert work.get(Referral, later.id).inquiry_id == gone
        assert work.get(Referral, own.id).inquiry_id == kept
        inquiry = work.get(Inquiry, gone)
        assert inquiry.state in desk.LIVE
        assert inquiry.urgency == judge(LADDER, ["material=known", "danger=now"]).level
        words = [one.words for one in work.find(Task, {"inquiry_id": gone, "state": "open"})]
        assert any("Read what came to it while it was part of another" in one for one in words)
    assert [one["referral"] for one in Journal(store).of("referral-went-back")] == [later.id]
    assert repeat(store, "r1", b"third", LATER + timedelta(hours=3)).inquiry_id == gone
    assert repeat(store, "r2", b"fourth", LATER + timedelta(hours=3)).inquiry_id == kept


def test_they_stay_one_where_what_came_meanwhile_says_so(store, two):
    say(store, two, "ann")
    later = repeat(store, "r1", b"again", LATER + timedelta(hours=1))
    with store.begin() as work:
        second = linked(work, f"{later.id}/p", "r2/s")
    say(store, second, "ann")
    with store.begin() as work:
        links.undo(work, LADDER, two.id, by="ben", why="two people", now=LATER + timedelta(hours=2))
        assert len(work.find(Inquiry, {"state": desk.LIVE})) == 1
        links.undo(work, LADDER, second.id, by="ben", why="two people", now=LATER + timedelta(hours=3))
        assert work.get(Referral, later.id).inquiry_id == desk.identity("inquiry", "r1")


def test_those_that_wait_come_contested_first_and_then_by_weight(store, two):
    with store.begin() as work:
        refer(work, "r3", ("s", "suspect"))
        (heavy,) = links.propose(work, [Link("", "r1/s", "r3/s", 40.0, (), "", NOW)], now=NOW)
        assert [one.id for one in links.waiting(work, by="ann", now=NOW)] == [heavy.id, two.id]
    say(store, two, "ann", yes=False)
    say(store, two, "ben")
    with store.begin() as work:
        assert [one.id for one in links.waiting(work, by="ann", now=NOW)] == [two.id, heavy.id]
        seen = links.look(work, two.id, by="ann", now=NOW)
        assert (seen.one.roles, seen.votes.yes, seen.votes.no) == ({"suspect"}, ("ben",), ("ann",))
        assert {one.id for one in links.of_inquiry(work, seen.one.inquiry.id, by="ann", now=NOW)} == {
            two.id,
            heavy.id,
        }


def test_proposed_again_it_weighs_anew_and_what_is_decided_stays(store, two):
    with store.begin() as work:
        again = Link("", "r2/s", "r1/s", 25.0, ("x",), "", NOW)
        assert [one.weight_db for one in links.propose(work, [again], now=NOW)] == [25.0]
        assert links.propose(work, [again], now=NOW) == ()
    say(store, two, "ann", yes=False)
    with store.begin() as work:
        assert links.propose(work, [Link("", "r1/s", "r2/s", 60.0, (), "", NOW)], now=NOW) == ()


def test_a_bundle_taken_apart_leaves_every_row_as_it_was(store, two):
    with store.begin() as work:
        before = rows(work, inquiries=True)
        made = put(work, "hash|00", ("r1", "r2"), by=desk.MACHINE, now=NOW)
        assert {one.bundle for one in work.find(Referral)} == {made.id}
        with pytest.raises(InputError, match="in a bundle already"):
            put(work, "hash|01", ("r1", "r2"), by="ann", now=NOW)
    with store.begin() as work:
        take_apart(work, made.id, by="ann", why="not the same", now=LATER)
        assert rows(work, inquiries=True) == before
        assert work.get(Bundle, made.id).undone_by == "ann"


class Memory(DeskMemory):
    """A store in memory that also counts, and orders downwards."""

    def count(self, kind, where=None):
        return len(self.find(kind, where))

    def find(self, kind, where=None, *, order=(), limit=None, after=""):
        found = super().find(kind, where)
        for name in reversed(order):
            found.sort(key=lambda one: getattr(one, name.removeprefix("-")), reverse=name.startswith("-"))
        return found[:limit]


PEOPLE = ("ann", "ben", "cat", "dan", "eve")
ROLES = ("suspect", "suspect", "unknown", "child", "suspect", "child")


class Linked(RuleBasedStateMachine):
    """Whatever is linked, contested, undone, taken and finished, in whatever order."""

    @initialize(facts=st.lists(st.sampled_from([(), ("live=day",), ("live=now",)]), min_size=6, max_size=6))
    def begin(self, facts):
        self.store, self.now = Memory(), NOW
        self.links = []
        for number, role in enumerate(ROLES):
            refer(self.store, f"r{number}", ("p", role), facts=facts[number])
        for one, other in combinations(range(6), 2):
            link = Link("", f"r{one}/p", f"r{other}/p", 20.0, (), "", NOW)
            self.links += [made.id for made in self.attempt(links.propose, [link], now=NOW) or ()]

    def attempt(self, act, *arguments, **named):
        before = self.store.copy()
        try:
            return act(self.store, *arguments, **named)
        except LightshipError:
            self.store.restore(before)

    @rule(number=st.integers(0, 10), by=st.sampled_from(PEOPLE), yes=st.sampled_from([True, True, False]))
    def vote(self, number, by, yes):
        id_ = self.links[number % len(self.links)]
        self.attempt(links.vote, LADDER, id_, yes=yes, by=by, why="seen", now=self.now)

    @rule(number=st.integers(0, 10), by=st.sampled_from(PEOPLE))
    def undo(self, number, by):
        id_ = self.links[number % len(self.links)]
        self.attempt(links.undo, LADDER, id_, by=by, why="a mistake", now=self.now)

    @rule(number=st.integers(0, 10), by=st.sampled_from(PEOPLE), no=st.sampled_from(PEOPLE))
    def undo_and_then_no(self, number, by, no):
        id_ = self.links[number % len(self.links)]
        for who in (one for one in PEOPLE if one != no):
            self.attempt(links.vote, LADDER, id_, yes=True, by=who, why="seen", now=self.now)
        self.attempt(links.undo, LADDER, id_, by=by, why="a mistake", now=self.now)
        was = self.store.get(Link, id_).state
        self.attempt(links.vote, LADDER, id_, yes=False, by=no, why="two", now=self.now)
        assert was == "accepted" or self.store.get(Link, id_).state != "accepted", "a no accepts nothing"

    @rule(number=st.integers(0, 5), by=st.sampled_from(PEOPLE))
    def take(self, number, by):
        self.attempt(desk.take, desk.identity("inquiry", f"r{number}"), by=by, now=self.now)

    @rule(number=st.integers(0, 5), by=st.sampled_from(PEOPLE), to=st.sampled_from(PEOPLE))
    def hand(self, number, by, to):
        self.attempt(desk.hand, desk.identity("inquiry", f"r{number}"), by=by, to=to, now=self.now)

    @rule(number=st.integers(0, 30), by=st.sampled_from(PEOPLE))
    def finish(self, number, by):
        tasks = self.store.find(Task, {"state": "open"})
        task = tasks[number % len(tasks)]
        self.attempt(desk.finish, task.id, by=by, outcome="done", now=self.now)

    @rule(number=st.integers(0, 5), by=st.sampled_from(PEOPLE))
    def file_away(self, number, by):
        self.attempt(desk.file_away, desk.identity("inquiry", f"r{number}"), by=by, why="done", now=self.now)

    @rule(hours=st.integers(1, 500))
    def wait(self, hours):
        self.now += timedelta(hours=hours)
        self.attempt(desk.escalate, self.now, desk.Offices())

    @invariant()
    def every_referral_has_one_owner_and_one_clock(self):
        if not hasattr(self, "store"):
            return
        for inquiry in self.store.find(Inquiry):
            tasks = self.store.find(Task, {"inquiry_id": inquiry.id, "state": "open"})
            assert (inquiry.state == "merged") == bool(inquiry.merged_into)
            assert bool(inquiry.handed_to) == (inquiry.state == "handed")
            if inquiry.state in desk.LIVE:
                assert inquiry.owner
                assert inquiry.due_at == min(task.due_at for task in tasks)
                facts = [
                    fact
                    for one in self.store.find(Referral, {"inquiry_id": inquiry.id})
                    for fact in one.facts
                ]
                assert inquiry.urgency == judge(LADDER, facts).level, "by all that its referrals say together"
            else:
                assert not tasks, "what is open is somebody's whose clock runs"
        for referral in self.store.find(Referral):
            assert self.store.get(Inquiry, referral.inquiry_id).state != "merged"

    @invariant()
    def no_child_is_an_adult(self):
        of = {f"r{number}/p": {f"r{number}/p"} for number in range(6)}
        for link in self.store.find(Link, {"state": "accepted"}) if hasattr(self, "store") else ():
            joined = of[link.one] | of[link.other]
            of |= dict.fromkeys(joined, joined)
        for group in of.values():
            assert not {"child", "suspect"} <= {ROLES[int(person[1])] for person in group}


TestLinked = Linked.TestCase
TestLinked.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_looking_who_is_near_compares_those_alone_who_share_something(store, monkeypatch):
    """The people of two long referrals, each of one with one of the other: as many comparisons, not their product."""
    compared, persons = [], 120
    monkeypatch.setattr(
        link_pass, "comparable", lambda one, other: compared.append(one) or comparable(one, other)
    )
    with store.begin() as work:
        for name in ("one", "two"):
            refer(work, name)
            work.save(
                *(
                    Identifier(f"{name}-{n}", name, "email", f"m{n}@x.example", "unknown", f"{name}/{n}")
                    for n in range(persons)
                )
            )
        found = link_pass.near(work, shipped_model(), "one", now=NOW)
    assert len(found) == persons
    assert all(len(those) == 1 for those in found.values())
    assert len(compared) <= 2 * persons
