"""Each case of the watch that a person confirmed, or that is live danger, makes one detection; whoever is killed when."""

import json
import multiprocessing
import random
import signal
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.unit.duties.making import T0, UK, gb, store_in
from tests.unit.infra.crashes import Crash, Steps, die

from lightship.console.desk import WatchDesk
from lightship.core.cases import Case, Stream
from lightship.core.duties import Clock, Detection, Duty, Filing
from lightship.core.errors import AccessDenied, InputError
from lightship.duties import desk, filing
from lightship.duties.filing import Desk
from lightship.duties.follow import Follower
from lightship.infra.bus import LocalBus

CHILDREN = multiprocessing.get_context("forkserver")


class Journal:
    """The journal of a store, read as the ledger that a sealer would make of it."""

    def __init__(self, store):
        self.store = store

    @property
    def size(self):
        with self.store.look() as work:
            return work.connection.execute(
                sa.select(sa.func.count(self.store.schema.journal.c.key))
            ).scalar_one()

    def entries(self, start=0, stop=None):
        columns = self.store.schema.journal.c
        query = sa.select(columns.entry).order_by(columns.number).offset(start).limit((stop or 10**9) - start)
        with self.store.look() as work:
            return iter([json.loads(one) for one in work.connection.execute(query).scalars()])


def case_of(number, **fields):
    stream = Stream(f"s{number}", "rtmp://x", f"h{number}", "public", "terms", "p", T0)
    case = Case(
        f"c{number}", stream.id, "machine", T0, T0, "words", 60.0, "end", 0.5, 1.0, 0.5, **fields
    )  # fmt: skip
    return stream, case


@pytest.fixture
def made(tmp_path, database):
    with store_in(tmp_path) as store:
        with store.begin() as work:
            work.save(*case_of(1), *case_of(2))
        yield store, WatchDesk(store, LocalBus()), Follower(store, Journal(store), gb(), UK)


def judged(people, case, verdict="abuse", clause="abuse-live", at=T0):
    people.claim(case, "mo", at)
    return people.judge(case, "mo", at, verdict=verdict, clause=clause, reason="seen")


def duties(store):
    with store.look() as work:
        return {one.case_id: one for one in work.find(Duty)}


def test_a_case_that_a_person_confirmed_is_owed_to_one_authority(made):
    store, people, follower = made
    judged(people, "c1")
    judged(people, "c2", "not-abuse", "none")
    follower.follow(T0)
    assert {case: (one.state, one.authority, one.priority) for case, one in duties(store).items()} == {
        "c1": ("owed", "nca", "P2")
    }
    with store.look() as work:
        (found,) = work.find(Detection)
    assert (found.label, found.found_by, found.basis, found.aware_at) == (
        "csea-livestream",
        "machine",
        "terms",
        T0,
    )


def test_live_danger_is_owed_before_anybody_has_decided(made):
    store, people, follower = made
    people.report("r1", "s1", T0 - timedelta(minutes=1), kind="child-at-risk-now", words="help")
    people.report("r2", "s2", T0, kind="other", words="odd")
    follower.follow(T0)
    duty = duties(store)["c1"]
    assert (duty.state, duty.priority, duty.aware_at) == ("owed", "P1", T0 - timedelta(minutes=1))
    assert duty.due_at == duty.aware_at + timedelta(minutes=15)
    assert "c2" not in duties(store)
    judged(people, "c1", clause="abuse-other")
    follower.follow(T0)
    with store.look() as work:
        assert [one.label for one in work.find(Detection)] == ["csea-other"]


def test_a_verdict_against_it_makes_it_not_owed_and_its_reversal_owed_again(made):
    store, people, follower = made
    people.report("r1", "s1", T0, kind="child-at-risk-now", words="help")
    follower.follow(T0)
    judged(people, "c1", "not-abuse", "none")
    follower.follow(T0)
    duty = duties(store)["c1"]
    assert (duty.state, duty.authority, duty.decided_by) == ("not-owed", "", "mo")
    assert duty.reason.startswith("A person decided that it is no abuse")
    people.undo("c1", "mo", T0)
    follower.follow(T0)
    assert duties(store)["c1"].state == "owed"


def test_a_filed_report_whose_decision_was_reversed_is_to_be_corrected(made):
    store, people, follower = made
    judged(people, "c1")
    follower.follow(T0)
    with store.begin() as work:
        desk.file(work, duties(store)["c1"].id, reference="NCA-1", by="ann", now=T0)
    people.appeal("c1", "host", T0, words="it was a play")
    people.reverse("c1", "lee", T0, reason="a play")
    follower.follow(T0)
    assert duties(store)["c1"].state == "filed"
    with store.look() as work:
        (clock,) = work.find(Clock)
    assert (clock.kind, clock.reference) == ("correction", "NCA-1")
    Follower(store, Journal(store), gb(), UK).follow(T0 + timedelta(days=1))
    with store.look() as work:
        assert work.find(Clock) == [clock], "followed anew, nothing happens twice"


def test_a_report_that_is_under_way_is_not_decided_anew_and_a_reversal_asks_for_its_correction(made):
    """A worksheet that was handed out may be in the portal already: it is taken back, or its reference recorded."""
    store, people, follower = made
    judged(people, "c1")
    follower.follow(T0)
    duty = duties(store)["c1"]
    with store.begin() as work:
        begun = filing.begin(work, duty, "worksheet", T0)
        work.change(Filing, begun.id, {}, state="waiting")
    with store.begin() as work:
        with pytest.raises(AccessDenied, match="under way"):
            desk.decide(work, duty.id, gb(), provider=UK, by="ann", now=T0)
        with pytest.raises(AccessDenied, match="under way"):
            desk.tell(work, duty.id, ["csea=no"], gb(), by="ann", now=T0)
    people.appeal("c1", "host", T0, words="it was a play")
    people.reverse("c1", "lee", T0, reason="a play")
    follower.follow(T0)
    assert duties(store)["c1"].state == "owed"
    with store.look() as work:
        (clock,) = work.find(Clock)
    assert (clock.kind, "under way" in clock.words) == ("correction", True)
    Follower(store, Journal(store), gb(), UK).follow(T0)
    with store.look() as work:
        assert work.find(Clock) == [clock]
    taken_back = Desk(store, None, {}, lambda: T0, lambda at: at)
    filing.retract(taken_back, begun.id, by="ann", why="a play")
    follower.follow(T0)
    assert duties(store)["c1"].state == "not-owed"


def test_followed_from_the_beginning_by_two_nothing_happens_twice(made):
    store, people, follower = made
    judged(people, "c1")
    people.undo("c1", "mo", T0)
    judged(people, "c1", "not-abuse", "none")
    people.report("r2", "s2", T0, kind="child-at-risk-now", words="help")
    assert follower.follow(T0) == 2
    before, size = duties(store), Journal(store).size
    assert {one.state for one in before.values()} == {"owed"}, "c1 never became a detection"
    for _ in range(2):
        Follower(store, Journal(store), gb(), UK).follow(T0 + timedelta(hours=1))
    assert duties(store) == before
    assert Journal(store).size == size


def test_a_case_that_cannot_be_decided_holds_up_no_other_and_is_tried_again(made):
    store, people, follower = made
    people.report("r1", "s1", T0, kind="child-at-risk-now", words="help")
    follower.follow(T0)
    id_ = duties(store)["c1"].id
    with store.begin() as work:
        work.change(Detection, id_, {}, facts=("moon=full",))
    judged(people, "c1")
    judged(people, "c2")
    for _ in range(2):
        with pytest.raises(InputError, match="moon=full"):
            follower.follow(T0)
    assert duties(store)["c2"].state == "owed"
    with store.begin() as work:
        work.change(Detection, id_, {}, facts=("csea=no",))
    assert follower.follow(T0) == 1
    assert follower.follow(T0) == 0
    assert duties(store)["c1"].state == "not-owed"


def told(store):
    """What the journal says of duties: each once."""
    return [(one["kind"], one["case"]) for one in Journal(store).entries() if "value" in one]


@pytest.mark.parametrize("step", range(1, 16))
def test_a_follower_that_dies_at_any_step_leaves_nothing_half_and_loses_nothing(tmp_path, step):
    with store_in(tmp_path) as store:
        with store.begin() as work:
            work.save(*case_of(1), *case_of(2))
        people = WatchDesk(store, LocalBus())
        judged(people, "c1")
        judged(people, "c2")
        with store_in(tmp_path) as dying, suppress(Crash):
            Follower(Steps(step).within(dying), Journal(store), gb(), UK).follow(T0)
        assert all(one.state == "owed" for one in duties(store).values()), "a detection has its duty, decided"
        Follower(store, Journal(store), gb(), UK).follow(T0)
        assert sorted(told(store)) == sorted(
            [(kind, case) for case in ("c1", "c2") for kind in ("detection", "duty-decided")]
        )


def _follow_and_die(folder, step):
    store = store_in(folder)
    Follower(Steps(step, die).within(store), Journal(store), gb(), UK).follow(T0)


def test_a_follower_that_is_killed_leaves_nothing_half(tmp_path):
    chance = random.Random(7)
    with store_in(tmp_path) as store:
        with store.begin() as work:
            for number in range(12):
                work.save(*case_of(number))
        people = WatchDesk(store, LocalBus())
        for number in range(12):
            judged(people, f"c{number}")
        for _ in range(3):
            child = CHILDREN.Process(target=_follow_and_die, args=(tmp_path, chance.randrange(8, 60)))
            child.start()
            child.join(60)
            assert child.exitcode in {0, -signal.SIGKILL}
            assert all(one.state == "owed" for one in duties(store).values())
        Follower(store, Journal(store), gb(), UK).follow(T0)
        assert sorted(told(store)) == sorted(
            [(kind, f"c{number}") for number in range(12) for kind in ("detection", "duty-decided")]
        )
