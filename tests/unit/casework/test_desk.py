"""No inquiry without an owner and a clock, whatever is done to it, in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.tables import tables

from lightship.casework import desk
from lightship.casework.urgency import shipped
from lightship.core.casework import Inquiry, Referral, Task, Use
from lightship.core.errors import AccessDenied, InputError, LightshipError
from lightship.infra.store import SqlStore

LADDER = shipped()
NOW = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
OFFICES = desk.Offices()


@pytest.fixture
def store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as opened:
        yield opened


def _opened(store, facts=("live=day",), key="r"):
    with store.begin() as work:
        return desk.opened(work, LADDER, facts, key=key, title="t", now=NOW, offices=OFFICES)


def _sound(work, inquiry):
    tasks = work.find(Task, {"inquiry_id": inquiry.id, "state": "open"}, order=("due_at",))
    if inquiry.state == "filed-away":
        assert not tasks
        assert inquiry.closed_by not in {"", desk.MACHINE}
        assert inquiry.closed_why
        done = work.find(Task, {"inquiry_id": inquiry.id, "kind": "safeguard"})
        assert any(one.state in {"done", "missed"} for one in done)
    else:
        assert inquiry.owner
        assert tasks, "a clock runs"
        assert {one.owner for one in tasks} == {inquiry.owner}, "what is to be done goes with its owner"
        assert inquiry.due_at == tasks[0].due_at
        assert (inquiry.handed_to != "") == (inquiry.state == "handed")


def test_from_a_referral_to_its_end(store):
    inquiry = _opened(store)
    assert (inquiry.owner, inquiry.urgency) == ("intake desk", 2)
    with store.begin() as work:
        desk.take(work, inquiry.id, by="ann", now=NOW)
        desk.hand(work, inquiry.id, by="ann", to="ben", now=NOW)
        assert work.get(Inquiry, inquiry.id).owner == "ann", "until ben says that he has it"
        with pytest.raises(AccessDenied, match="handed to ben"):
            desk.take(work, inquiry.id, by="cat", now=NOW)
        assert desk.acknowledge(work, inquiry.id, by="ben", now=NOW).owner == "ben"
        with pytest.raises(AccessDenied, match="safety was not seen to"):
            desk.file_away(work, inquiry.id, by="ben", why="done", now=NOW)
        for task in work.find(Task, {"inquiry_id": inquiry.id, "state": "open"}):
            desk.finish(work, task.id, by="ben", outcome="the child is safe", now=NOW)
        _sound(work, work.get(Inquiry, inquiry.id))
        ended = desk.file_away(work, inquiry.id, by="ben", why="the child is safe", now=NOW)
        _sound(work, ended)
        assert {one.verb for one in work.find(Use, {"about": inquiry.id})} == {"collection", "alteration"}


def test_what_nobody_acknowledges_and_what_is_late_goes_to_the_supervisor(store):
    inquiry = _opened(store)
    with store.begin() as work:
        desk.take(work, inquiry.id, by="ann", now=NOW)
        desk.hand(work, inquiry.id, by="ann", to="ben", now=NOW)
        assert desk.escalate(work, NOW + timedelta(hours=3), OFFICES) == ()
        (late,) = desk.escalate(work, NOW + timedelta(hours=5), OFFICES)
        assert (late.owner, late.state, late.escalations) == ("duty supervisor", "owned", 1)
        _sound(work, late)


def test_it_rises_with_new_facts_and_its_clock_comes_nearer(store):
    inquiry = _opened(store, facts=())
    with store.begin() as work:
        work.save(
            Referral("r", "platform", "p", "1", "k", "k", NOW, "0" * 64, inquiry.id, facts=("live=now",))
        )
        risen = desk.reassess(work, LADDER, inquiry.id, now=NOW)
        assert risen.urgency == 1
        assert risen.due_at == NOW + timedelta(hours=1)
        _sound(work, risen)


def test_nothing_is_done_to_what_is_not_there_or_not_ones_own(store):
    inquiry = _opened(store)
    with store.begin() as work:
        with pytest.raises(InputError, match="no such open inquiry"):
            desk.take(work, "none", by="ann", now=NOW)
        with pytest.raises(AccessDenied, match="intake desk's"):
            desk.hand(work, inquiry.id, by="ann", to="ben", now=NOW)
        task = work.find(Task, {"inquiry_id": inquiry.id, "kind": "safeguard"})[0]
        with pytest.raises(AccessDenied, match="not withdrawn"):
            desk.finish(work, task.id, by="ann", outcome="no", now=NOW, withdrawn=True)
        with pytest.raises(InputError, match="what came of it"):
            desk.finish(work, task.id, by="ann", outcome=" ", now=NOW)


PEOPLE = st.sampled_from(["ann", "ben", desk.MACHINE, OFFICES.supervisor])


class Inquiries(RuleBasedStateMachine):
    """Whatever people do, in whatever order and at whatever time."""

    @initialize(
        facts=st.sampled_from([(), ("live=day",), ("live=now",), ("payments=repeated", "access=home")])
    )
    def begin(self, facts):
        self.store = Memory()
        self.now = NOW
        self.id = desk.opened(self.store, LADDER, facts, key="k", title="t", now=NOW, offices=OFFICES).id

    def attempt(self, act, *arguments, **named):
        before = self.store.copy()
        try:
            act(self.store, *arguments, **named)
        except LightshipError:
            self.store.restore(before)

    @rule(by=PEOPLE)
    def take(self, by):
        self.attempt(desk.take, self.id, by=by, now=self.now)

    @rule(by=PEOPLE, to=PEOPLE)
    def hand(self, by, to):
        self.attempt(desk.hand, self.id, by=by, to=to, now=self.now)

    @rule(by=PEOPLE)
    def acknowledge(self, by):
        self.attempt(desk.acknowledge, self.id, by=by, now=self.now)

    @rule(by=PEOPLE, number=st.integers(0, 9), withdrawn=st.booleans())
    def finish(self, by, number, withdrawn):
        tasks = self.store.find(Task, {"inquiry_id": self.id, "state": "open"})
        if tasks:
            task = tasks[number % len(tasks)]
            self.attempt(desk.finish, task.id, by=by, outcome="done", now=self.now, withdrawn=withdrawn)

    @rule(by=PEOPLE, hours=st.integers(-1, 50))
    def add(self, by, hours):
        due_at = self.now + timedelta(hours=hours)
        self.attempt(desk.add_task, self.id, "enquire", "ask", due_at, "rule", by=by, now=self.now)

    @rule(by=PEOPLE)
    def file_away(self, by):
        self.attempt(desk.file_away, self.id, by=by, why="reason", now=self.now)

    @rule(hours=st.integers(0, 800))
    def wait(self, hours):
        self.now += timedelta(hours=hours)
        self.attempt(desk.escalate, self.now, OFFICES)
        inquiry = self.store.get(Inquiry, self.id)
        assert inquiry.state == "filed-away" or inquiry.due_at > self.now, "what is late was escalated"

    @invariant()
    def it_has_an_owner_and_a_clock(self):
        if hasattr(self, "store"):
            _sound(self.store, self.store.get(Inquiry, self.id))


class Memory:
    """Values in a dictionary: what a store does, without a disk."""

    def __init__(self):
        self.kept = {}
        self.entries = []

    def copy(self):
        return dict(self.kept), list(self.entries)

    def restore(self, before):
        self.kept, self.entries = dict(before[0]), list(before[1])

    def save(self, *values):
        for one in values:
            assert (type(one), one.id) not in self.kept
            self.kept[type(one), one.id] = one

    def get(self, kind, id_):
        return self.kept.get((kind, id_))

    def find(self, kind, where=None, *, order=(), limit=None):
        def fits(one):
            return all(
                getattr(one, name) in want if isinstance(want, tuple) else getattr(one, name) == want
                for name, want in (where or {}).items()
            )

        found = [one for (its, _), one in self.kept.items() if its is kind and fits(one)]
        for name in reversed(order):
            found.sort(key=lambda one: getattr(one, name))
        return found[:limit]

    def change(self, kind, id_, expect, **fields):
        one = self.kept.get((kind, id_))
        if one is None or any(getattr(one, name) != want for name, want in expect.items()):
            return None
        self.kept[kind, id_] = replace(one, **fields)
        return self.kept[kind, id_]

    def record(self, entry):
        self.entries.append(dict(entry))


TestInquiries = Inquiries.TestCase
TestInquiries.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
