"""Effects on a real store: none lost, none done twice, each end booked once, whenever and wherever a sender dies."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.servers import postgres, postgres_model, postgres_tables, tables_url  # noqa: F401 - fixtures
from tests.tables import tables
from tests.unit.infra.crashes import Crash, Steps, die

from lightship.core.cases import Case, Effect
from lightship.core.errors import SinkError, StoreError
from lightship.infra import store as stores
from lightship.infra.store import SqlStore
from lightship.watch import effects
from lightship.watch.chores import Chores
from lightship.watch.outbox import Retry, due, keep_sending, send, send_due

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
RETRY = Retry(lease_s=8, first_s=1, most_s=20, attempts=6)
ENDLESS = Retry(lease_s=8, attempts=10**6)
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.watch.test_outbox_crashes"])


def effect(n: int, **fields) -> Effect:
    values = {"due_at": T0, **fields}
    return Effect(f"e{n:03}", f"c{n:03}", f"s{n:03}", "stop-stream", "machine", T0, **values)


def case(n: int) -> Case:
    return Case(f"c{n:03}", f"s{n:03}", "machine", T0, T0, "words", 60.0, "end", 0.5, 1.0, 0.5)


def keep(store: SqlStore, *values: Effect | Case) -> None:
    with store.begin() as work:
        work.save(*values)


def booked(store: SqlStore) -> list[dict[str, object]]:
    """What the journal says."""
    with store.look() as work:
        rows = work.connection.execute(
            sa.select(store.schema.journal.c.entry).order_by(store.schema.journal.c.number)
        )
        return [json.loads(row.entry) for row in rows]


def ends(store: SqlStore) -> Counter[object]:
    """How often each effect ended, by the journal."""
    return Counter(one["effect"] for one in booked(store) if one["kind"] in {"effect-done", "effect-failed"})


def stops(store: SqlStore) -> Counter[object]:
    """How often each case was stopped, by the journal."""
    return Counter(one["case"] for one in booked(store) if "aware_to_stopped_s" in one)


def states(store: SqlStore) -> dict[str, str]:
    with store.look() as work:
        return {one.id: one.state for one in work.find(Effect)}


@pytest.fixture
def store(tables_url):  # noqa: F811
    with SqlStore(tables_url) as opened:
        yield opened


class Clock:
    def __init__(self, seconds: float = 0.0) -> None:
        self.now = T0 + timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Receiver:
    """Acts once per key, and keeps its memory in a file if it is to outlive a process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.acts = path.read_text().split() if path and path.exists() else []
        self.calls: Counter[str] = Counter()

    def __call__(self, one: Effect) -> None:
        self.calls[one.id] += 1
        if one.id not in self.acts:
            self.acts.append(one.id)
            if self.path:
                with self.path.open("a") as file:
                    file.write(one.id + "\n")


def test_failures_are_tried_again_later_and_later_and_then_booked(store):
    clock, tries = Clock(), []

    def away(one: Effect) -> None:
        tries.append((clock() - T0).total_seconds())
        raise SinkError("The media server does not answer.", "media")

    keep(store, effect(1))
    for _ in range(40):
        send_due(store, away, clock, RETRY)
        clock.pass_s(1)
    assert tries == [0, 1, 3, 7, 15, 31]
    with store.look() as work:
        assert "does not answer" in work.get(Effect, "e001").detail
    assert [(one["kind"], one["attempts"]) for one in booked(store)] == [
        *(("effect-not-confirmed", n) for n in range(1, 6)),
        ("effect-failed", 6),
    ]


def test_a_defect_in_an_adapter_stops_nobody_else(store):
    def broken(one: Effect) -> None:
        if one.id == "e001":
            raise ZeroDivisionError

    keep(store, effect(1), effect(2))
    assert send_due(store, broken, Clock(), RETRY) == 1
    assert states(store) == {"e001": "sending", "e002": "done"}
    with store.look() as work:
        assert work.get(Effect, "e001").detail == "The adapter failed: ZeroDivisionError."


@pytest.mark.parametrize("late_fails", [False, True])
def test_a_sender_that_comes_back_too_late_changes_nothing(store, late_fails):
    clock, got = Clock(), Receiver()

    def late(one: Effect) -> None:
        clock.pass_s(9)
        assert send_due(store, got, clock, RETRY) == 1, "taken over within 10 s"
        if late_fails:
            raise SinkError("no answer")
        got(one)

    keep(store, case(1), effect(1))
    send_due(store, late, clock, RETRY)
    assert got.acts == ["e001"]
    assert states(store) == {"e001": "done"}
    assert [one["kind"] for one in booked(store)] == ["effect-done"]
    assert stops(store) == {"c001": 1}


def test_an_effect_that_kills_its_senders_is_given_up(store):
    clock, calls = Clock(), []

    def kill(one: Effect) -> None:
        calls.append(one.id)
        raise Crash

    keep(store, effect(1))
    for _ in range(RETRY.attempts):
        with pytest.raises(Crash):
            send_due(store, kill, clock, RETRY)
        clock.pass_s(9)
    assert send_due(store, kill, clock, RETRY) == 0
    assert len(calls) == RETRY.attempts
    assert states(store) == {"e001": "failed"}
    assert [one["kind"] for one in booked(store)] == ["effect-failed"]


def test_what_is_not_due_is_not_read_however_much_it_is(store, monkeypatch):
    later = T0 + timedelta(seconds=10)
    keep(
        store,
        *(effect(n, due_at=effects.HELD if n % 2 else later) for n in range(1000, 4000)),
        *(effect(n, state="sending", attempts=1, next_at=later) for n in range(4000, 6000)),
        effect(1),
        effect(2, state="sending", attempts=1, next_at=T0),
    )
    read = []
    build = stores.value_of
    monkeypatch.setattr(stores, "value_of", lambda kind, row: read.append(1) or build(kind, row))
    assert [one.id for one in due(store, T0)] == ["e001", "e002"]
    assert len(read) <= 200, "a page of each state"
    assert len(due(store, later)) == 100


def test_reversals_that_must_wait_hide_nothing_behind_them(store):
    keep(
        store,
        effect(1, state="sending", attempts=1, next_at=T0 + timedelta(seconds=8)),
        *(effect(n, undoes="e001") for n in range(2, 260)),
        effect(900, due_at=T0 + timedelta(seconds=1)),
    )
    assert [one.id for one in due(store, T0 + timedelta(seconds=1))] == ["e900"]


def test_senders_at_once_and_a_slow_receiver_hold_up_nobody(store):
    got, slow, lock = Receiver(), threading.Event(), threading.Lock()

    def deliver(one: Effect) -> None:
        if one.id == "e000":
            slow.wait(7)
        with lock:
            got(one)

    keep(store, *(effect(n, due_at=datetime.now(UTC)) for n in range(20)))
    stop, wake = threading.Event(), threading.Event()
    threads = [
        threading.Thread(
            target=keep_sending,
            args=(store, deliver, lambda: datetime.now(UTC), lambda: not stop.is_set(), wake),
            kwargs={"every_s": 0.01},
        )
        for _ in range(2)
    ]
    for one in threads:
        one.start()
    until = time.monotonic() + 6
    while len(got.acts) < 19 and time.monotonic() < until:
        time.sleep(0.01)
    assert "e000" not in got.acts
    slow.set()
    while set(states(store).values()) != {"done"} and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    for one in threads:
        one.join()
    assert got.calls == {f"e{n:03}": 1 for n in range(20)}
    assert set(states(store).values()) == {"done"}


@pytest.mark.parametrize("way", ["look", "begin"])
def test_a_store_that_fails_for_a_while_is_a_trouble_and_ends_no_sending(store, monkeypatch, way):
    wake, left, works = threading.Event(), [2], getattr(store, way)

    def fails_twice() -> object:
        if left[0]:
            left[0] -= 1
            raise StoreError("The disk is full.")
        return works()

    got, told = Receiver(), []
    keep(store, effect(1))
    monkeypatch.setattr(store, way, fails_twice)
    chores = Chores(lambda trouble, _at: told.append(trouble), first_s=0.01)
    chores.begin("the senders", lambda go_on: keep_sending(store, got, Clock(), go_on, wake, every_s=0.01))
    until = time.monotonic() + 10
    while not told and time.monotonic() < until:
        time.sleep(0.01)
    while states(store) != {"e001": "done"} and time.monotonic() < until:
        time.sleep(0.01)
    chores.end()
    assert got.calls == {"e001": 1}
    assert states(store) == {"e001": "done"}
    assert told[0].reason == "The disk is full."
    assert sum(one.tries for one in told) == 2


def test_a_crash_between_any_two_steps_is_taken_over(store):
    clock, got, n, crashed = Clock(), Receiver(), 0, True
    while crashed:
        n, crashed, steps = n + 1, False, Steps(n + 1)
        keep(store, case(n), effect(n, due_at=clock()))
        with SqlStore(store._engine.url.render_as_string(hide_password=False)) as mine:
            try:
                send_due(steps.within(mine), steps.around(got), clock, ENDLESS)
            except Crash:
                crashed = True
        clock.pass_s(9)  # so a dead sender's effects are taken over within 10 s
    assert n > 12, "there are that many steps"
    send_due(store, got, clock, ENDLESS)
    whole = {f"e{one:03}" for one in range(1, n + 1)}
    assert states(store) == dict.fromkeys(whole, "done")
    assert ends(store) == dict.fromkeys(whole, 1)
    assert stops(store) == {f"c{one:03}": 1 for one in range(1, n + 1)}
    assert sorted(got.acts) == sorted(whole)
    assert max(got.calls.values()) > 1, "some were sent again, under the same key"


def send_until_killed(folder: str, at: int) -> None:
    steps = Steps(at, die)
    with SqlStore(f"sqlite:///{folder}/s") as store:
        clock = Clock(9 * at)
        keep(store, case(at), effect(at, due_at=clock()))
        send_due(steps.within(store), steps.around(Receiver(Path(folder) / "acts")), clock, ENDLESS)


def test_killed_between_any_two_steps_every_effect_happens_and_is_booked_once(tmp_path):
    tables(tmp_path / "s")
    at, code = 0, -9
    while code == -9:
        at += 1
        child = CHILDREN.Process(target=send_until_killed, args=(str(tmp_path), at))
        child.start()
        child.join(30)
        code = child.exitcode
    assert code == 0
    assert at > 12, "it was killed at that many steps"
    whole = {f"e{n:03}" for n in range(1, at + 1)}
    with SqlStore(f"sqlite:///{tmp_path / 's'}") as store:
        send_due(store, Receiver(tmp_path / "acts"), Clock(9 * (at + 1)), ENDLESS)
        assert states(store) == dict.fromkeys(whole, "done")
        assert ends(store) == dict.fromkeys(whole, 1)
        assert stops(store) == {f"c{n:03}": 1 for n in range(1, at + 1)}
    assert sorted((tmp_path / "acts").read_text().split()) == sorted(whole)


MOODS = st.sampled_from(["well", "away", "answer lost", "broken"])
SECONDS = st.sampled_from([0, 0.5, 4, 9, 40])


class Platform(RuleBasedStateMachine):
    """Orders, undoings, senders that crash anywhere or come back too late, a receiver that fails in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.url = tables(Path(folder) / "s")
        self.store = self.stack.enter_context(SqlStore(self.url))
        self.clock, self.ordered, self.undone = Clock(), 0, set()
        self.receiver, self.mood = Receiver(), "well"

    def deliver(self, one: Effect) -> None:
        if self.mood == "away":
            raise SinkError("away")
        if self.mood == "broken":
            raise ZeroDivisionError
        if one.undoes:
            assert states(self.store)[one.undoes] in {"done", "failed"}, "what undoes never overtakes"
        self.receiver(one)
        if self.mood == "answer lost":
            raise SinkError("no answer")

    @rule(window_s=st.sampled_from([0, 0, 5, 30]), which=st.integers(0, 5))
    def order_and_take_back(self, window_s, which):
        """Order an effect, and take back an earlier one: before it left for good, afterwards by a reversal."""
        self.ordered += 1
        keep(
            self.store,
            case(self.ordered),
            effect(self.ordered, due_at=self.clock() + timedelta(seconds=window_s)),
        )
        if which:
            id_ = f"e{max(1, self.ordered - which):03}"
            waited = states(self.store)[id_] == "waiting"
            with self.store.begin() as work:
                effects.undo(work, id_, by="m", now=self.clock())
            if waited:
                assert not self.receiver.calls[id_], "what was undone had not left"
                self.undone.add(id_)

    @rule(mood=MOODS, crash_at=st.just(0) | st.integers(1, 40), seconds=SECONDS)
    def work(self, mood, crash_at, seconds):
        """A sender sends what is due, and may die over it."""
        self.mood, steps = mood, Steps(crash_at)
        with SqlStore(self.url) as mine, suppress(Crash):
            send_due(steps.within(mine), steps.around(self.deliver), self.clock, RETRY)
        self.clock.pass_s(seconds)

    @rule(mine=MOODS, other=MOODS, seconds=SECONDS)
    def linger(self, mine, other, seconds):
        """A sender comes to a stop, another one works meanwhile, and the first sends after all."""

        def late(one: Effect) -> None:
            self.clock.pass_s(seconds)
            self.mood = other
            send_due(self.store, self.deliver, self.clock, RETRY)
            self.mood = mine
            self.deliver(one)

        for one in due(self.store, self.clock(), limit=1):
            if not one.undoes:
                send(self.store, late, one, self.clock, RETRY)

    @invariant()
    def the_books_are_true(self):
        now = states(self.store)
        assert {id_ for id_, state in now.items() if state == "undone"} == self.undone
        assert not self.undone & set(self.receiver.acts), "what was undone never happens"
        assert {id_ for id_, state in now.items() if state == "done"} <= set(self.receiver.acts)
        assert ends(self.store) == {id_: 1 for id_, state in now.items() if state in {"done", "failed"}}
        tries = Counter(
            (one["effect"], one["attempts"])
            for one in booked(self.store)
            if one["kind"] == "effect-not-confirmed"
        )
        assert set(tries.values()) <= {1}, "each try that failed is booked once"
        with self.store.look() as work:
            stopped = {one.id: 1 for one in work.find(Case) if one.stopped_at is not None}
        assert stops(self.store) == stopped
        own = {f"e{n:03}" for n in range(1, self.ordered + 1)}
        assert stopped == {f"c{id_[1:]}": 1 for id_ in own if now[id_] == "done"}

    def teardown(self):
        try:
            self.mood = "well"
            for _ in range(4):
                self.clock.pass_s(60)
                send_due(self.store, self.deliver, self.clock, RETRY)
            self.the_books_are_true()
            now = states(self.store)
            assert set(now.values()) <= {"done", "undone", "failed"}, "nothing is stuck"
            assert {f"e{n:03}" for n in range(1, self.ordered + 1)} <= set(now), "nothing is lost"
        finally:
            self.stack.close()


TestPlatform = Platform.TestCase
TestPlatform.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
