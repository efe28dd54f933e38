"""Effects: at least once to the receiver, exactly once on our books, whenever a worker dies."""

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
from tests.servers import postgres, postgres_url, store_url  # noqa: F401 - fixtures
from tests.unit.infra.crashes import Crash, Steps, die

from lightship.core.cases import Effect
from lightship.core.errors import DeliveryError
from lightship.infra.migrate import upgrade
from lightship.infra.outbox import Outbox, Patience, undo
from lightship.infra.store import SqlStore

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
PATIENCE = Patience(sending_s=8, first_s=1, longest_s=20, attempts=6)
ENDLESS = Patience(sending_s=8, attempts=10**6)
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.infra.test_outbox"])


def effect(n: int, **fields) -> Effect:
    values = {"due_at": T0, **fields}
    return Effect(f"e{n:03}", "case", "stream", "stop-stream", "machine", T0, **values)


def booked(store: SqlStore) -> list[tuple[str, str]]:
    """What the journal says happened to effects."""
    with store.look() as work:
        rows = work.connection.execute(
            sa.select(store.schema.journal.c.entry).order_by(store.schema.journal.c.number)
        )
        entries = [json.loads(row.entry) for row in rows]
    return [(entry["effect"], entry["kind"]) for entry in entries]


def states(store: SqlStore) -> dict[str, str]:
    with store.look() as work:
        return {one.id: one.state for one in work.find(Effect)}


@pytest.fixture
def store(store_url):  # noqa: F811
    upgrade(store_url)
    with SqlStore(store_url) as opened:
        yield opened


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_an_effect_leaves_when_its_undo_window_is_over(store):
    clock, got = Clock(), []
    outbox = Outbox(store, got.append, PATIENCE, clock)
    with store.begin() as work:
        work.save(effect(1, due_at=T0 + timedelta(seconds=10)), effect(2, due_at=T0 + timedelta(seconds=10)))
    assert outbox.step() == 0
    undone = undo(store, "e002", by="moderator", now=T0)
    assert undone is not None
    assert undone.state == "undone"
    assert undo(store, "e002", by="moderator", now=T0) is None, "once"
    clock.pass_s(10)
    assert outbox.step() == 1
    assert [one.id for one in got] == ["e001"]
    assert undo(store, "e001", by="moderator", now=clock()) is None, "it has left: order one that undoes it"
    assert states(store) == {"e001": "done", "e002": "undone"}
    assert booked(store) == [("e002", "effect-undone"), ("e001", "effect-sending"), ("e001", "effect-done")]


def test_failures_are_tried_again_later_and_later_and_then_booked(store):
    clock, tries = Clock(), []

    def away(one: Effect) -> None:
        tries.append((clock() - T0).total_seconds())
        raise DeliveryError("The media server does not answer.", "media", retryable=True)

    with store.begin() as work:
        work.save(effect(1))
    outbox = Outbox(store, away, PATIENCE, clock)
    while states(store)["e001"] != "failed":
        outbox.step()
        assert undo(store, "e001", by="x", now=clock()) is None, "it may have arrived"
        clock.pass_s(1)
    assert tries == [0, 1, 3, 7, 15, 31]
    with store.look() as work:
        last = work.get(Effect, "e001")
    assert last is not None
    assert "does not answer" in last.detail
    assert Counter(booked(store)) == {
        ("e001", "effect-sending"): 6,
        ("e001", "effect-delayed"): 5,
        ("e001", "effect-failed"): 1,
    }


def test_a_refusal_is_final_and_a_defect_in_an_adapter_stops_nobody_else(store):
    def refuse(one: Effect) -> None:
        if one.id == "e001":
            raise DeliveryError("The receiver refuses the signature.", retryable=False)
        if one.id == "e002":
            raise ZeroDivisionError

    with store.begin() as work:
        work.save(effect(1), effect(2), effect(3))
    assert Outbox(store, refuse, PATIENCE, Clock()).step() == 3
    assert states(store) == {"e001": "failed", "e002": "waiting", "e003": "done"}


def test_what_undoes_an_effect_never_overtakes_it(store):
    clock, got, broken = Clock(), [], [True]

    def deliver(one: Effect) -> None:
        if broken[0]:
            raise DeliveryError("away")
        got.append(one.id)

    with store.begin() as work:
        work.save(effect(2), effect(1, undoes="e002"))
    outbox = Outbox(store, deliver, PATIENCE, clock)
    assert outbox.step() == 1, "the one that undoes waits"
    broken[0] = False
    clock.pass_s(5)
    outbox.step()
    outbox.step()
    assert got == ["e002", "e001"]


def test_a_worker_that_comes_back_too_late_changes_nothing(store):
    clock, got = Clock(), []
    outbox = Outbox(store, lambda one: got.append(one.id), PATIENCE, clock)
    with store.begin() as work:
        work.save(effect(1), effect(2))
    late = outbox.take(2)
    clock.pass_s(9)
    assert outbox.step() == 2, "taken over within 10 s"
    before = booked(store)
    for one in late:
        outbox.send(one)
    assert got == ["e001", "e002"] * 2, "the receiver tells them by their ids"
    assert booked(store) == before
    assert states(store) == {"e001": "done", "e002": "done"}


def test_an_effect_that_kills_its_workers_is_given_up(store):
    clock = Clock()

    def kill(one: Effect) -> None:
        raise Crash

    with store.begin() as work:
        work.save(effect(1))
    outbox = Outbox(store, kill, PATIENCE, clock)
    for _ in range(PATIENCE.attempts):
        with pytest.raises(Crash):
            outbox.step()
        clock.pass_s(9)
    assert outbox.step() == 0
    assert states(store) == {"e001": "failed"}


def test_workers_at_once_send_each_effect_once_and_a_slow_receiver_holds_up_nobody(store):
    got: list[str] = []
    slow = threading.Event()

    def deliver(one: Effect) -> None:
        if one.id == "e000":
            slow.wait(20)
        got.append(one.id)

    now = datetime.now(UTC)
    with store.begin() as work:
        work.save(*(effect(n, due_at=now) for n in range(20)))
    stop = threading.Event()
    outboxes = [Outbox(store, deliver) for _ in range(2)]
    threads = [threading.Thread(target=one.run, args=(stop, 3, 0.01)) for one in outboxes]
    for one in threads:
        one.start()
    until = time.monotonic() + 20
    while len(got) < 19 and time.monotonic() < until:
        time.sleep(0.01)
    slow.set()
    while states(store)["e000"] != "done" and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    for one in threads:
        one.join()
    assert sorted(got) == [f"e{n:03}" for n in range(20)]
    assert set(states(store).values()) == {"done"}


def test_a_crash_between_any_two_steps_is_taken_over(store):
    clock, got, n, crashed = Clock(), [], 0, True
    while crashed:
        n, crashed, steps = n + 1, False, Steps(n + 1)
        with store.begin() as work:
            work.save(effect(n, due_at=clock()))
        with SqlStore(store._engine.url.render_as_string(hide_password=False)) as mine:
            outbox = Outbox(steps.within(mine), steps.around(lambda one: got.append(one.id)), ENDLESS, clock)
            try:
                outbox.step()
            except Crash:
                crashed = True
        clock.pass_s(9)  # so a dead worker's effects are taken over within 10 s
    assert n > 15, "there are that many steps"
    Outbox(store, lambda one: got.append(one.id), ENDLESS, clock).step()
    assert set(states(store).values()) == {"done"}
    done = Counter(id_ for id_, kind in booked(store) if kind == "effect-done")
    assert done == dict.fromkeys(states(store), 1), "each is done once on our books"
    assert set(got) == set(states(store)), "each arrived"


def send_until_killed(folder: str, at: int) -> None:
    steps = Steps(at, die)
    with SqlStore(f"sqlite:///{folder}/s") as store, (Path(folder) / "got").open("a") as got:

        def deliver(one: Effect) -> None:
            got.write(one.id + "\n")
            got.flush()

        clock = Clock()
        clock.pass_s(9 * at)
        with store.begin() as work:
            work.save(effect(at, due_at=clock()))
        Outbox(steps.within(store), steps.around(deliver), ENDLESS, clock).step(2)


def test_killed_between_any_two_steps_every_effect_arrives_and_is_booked_once(tmp_path):
    upgrade(f"sqlite:///{tmp_path / 's'}")
    at, code = 0, -9
    while code == -9:
        at += 1
        child = CHILDREN.Process(target=send_until_killed, args=(str(tmp_path), at))
        child.start()
        child.join(30)
        code = child.exitcode
    assert code == 0
    assert at > 15, "it was killed at that many steps"
    with SqlStore(f"sqlite:///{tmp_path / 's'}") as store:
        late = Clock()
        late.pass_s(9 * (at + 1))
        with (tmp_path / "got").open("a") as got:
            Outbox(store, lambda one: print(one.id, file=got), ENDLESS, late).step(at)
        found = states(store)
        assert found == {f"e{n:03}": "done" for n in range(1, at + 1)}
        done = Counter(id_ for id_, kind in booked(store) if kind == "effect-done")
        assert done == dict.fromkeys(found, 1)
    assert set((tmp_path / "got").read_text().split()) == set(found)


MOODS = st.sampled_from(["well", "away", "answer lost", "refuses"])
SECONDS = st.sampled_from([0, 0.5, 4, 9, 40])


class Platform(RuleBasedStateMachine):
    """Orders, undoings, workers that crash anywhere, and a receiver that fails in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.url = f"sqlite:///{folder}/s"
        upgrade(self.url)
        self.store = self.stack.enter_context(SqlStore(self.url))
        self.clock, self.ordered, self.undone = Clock(), 0, set()
        self.arrived: Counter[str] = Counter()
        self.mood = "well"
        self.held: list[Effect] = []

    def deliver(self, one: Effect) -> None:
        if self.mood == "away":
            raise DeliveryError("away", retryable=True)
        if self.mood == "refuses":
            raise DeliveryError("refused", retryable=False)
        self.arrived[one.id] += 1
        if self.mood == "answer lost":
            raise DeliveryError("no answer", retryable=True)

    @rule(window_s=st.sampled_from([0, 0, 5, 30]), which=st.integers(0, 5))
    def order_and_take_back(self, window_s, which):
        """Order an effect, and take back an earlier one if it has not left."""
        self.ordered += 1
        with self.store.begin() as work:
            work.save(effect(self.ordered, due_at=self.clock() + timedelta(seconds=window_s)))
        id_ = f"e{max(1, self.ordered - which):03}"
        if which and undo(self.store, id_, by="m", now=self.clock()) is not None:
            assert not self.arrived[id_], "what was undone had not left"
            self.undone.add(id_)

    @rule(mood=MOODS, crash_at=st.just(0) | st.integers(1, 40), seconds=SECONDS)
    def work(self, mood, crash_at, seconds):
        """A worker sends what is due, and may die over it."""
        self.mood = mood
        steps = Steps(crash_at)
        with SqlStore(self.url) as mine, suppress(Crash):
            Outbox(steps.within(mine), steps.around(self.deliver), PATIENCE, self.clock).step(2)
        self.clock.pass_s(seconds)

    @rule(mood=MOODS, seconds=SECONDS, late=st.booleans())
    def take_and_linger(self, mood, seconds, late):
        """A worker takes what is due and comes to a stop; one that was taken for dead sends after all."""
        outbox = Outbox(self.store, self.deliver, PATIENCE, self.clock)
        self.held += outbox.take()
        self.clock.pass_s(seconds)
        self.mood = mood
        if late and self.held:
            outbox.send(self.held.pop(0))

    @invariant()
    def the_books_are_true(self):
        now = states(self.store)
        assert {id_ for id_, state in now.items() if state == "undone"} == self.undone
        assert not any(self.arrived[id_] for id_ in self.undone), "what was undone never arrives"
        assert all(self.arrived[id_] for id_, state in now.items() if state == "done"), (
            "what is done has arrived"
        )
        ends = Counter(id_ for id_, kind in booked(self.store) if kind in {"effect-done", "effect-failed"})
        starts = Counter(id_ for id_, kind in booked(self.store) if kind == "effect-sending")
        with self.store.look() as work:
            assert starts == {one.id: one.attempts for one in work.find(Effect) if one.attempts}, (
                "each try is booked"
            )
        assert ends == {id_: 1 for id_, state in now.items() if state in {"done", "failed"}}, "each ends once"

    def teardown(self):
        try:
            self.mood = "well"
            for _ in range(4):
                self.clock.pass_s(60)
                while Outbox(self.store, self.deliver, PATIENCE, self.clock).step():
                    pass
            self.the_books_are_true()
            assert set(states(self.store).values()) <= {"done", "undone", "failed"}, "nothing is stuck"
            assert len(states(self.store)) == self.ordered, "nothing is lost"
        finally:
            self.stack.close()


TestPlatform = Platform.TestCase
TestPlatform.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
