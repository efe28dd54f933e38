"""What is to be written while the store is away is written when it is back, in order, and nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.watch.memory import MemoryStore

from lightship.core.errors import StoreError
from lightship.watch.backlog import Backlog


class Store(MemoryStore):
    away = False

    def begin(self):
        if self.away:
            raise StoreError("It is away.")
        return super().begin()


@given(st.lists(st.sampled_from(["entry", "act", "away", "back", "flush"]), max_size=40))
def test_the_order_is_that_of_the_acts_whenever_the_store_is_away(steps):
    store, called = Store(), []
    backlog = Backlog(store)
    for number, step in enumerate(steps):
        if step == "entry":
            backlog.record({"kind": "x", "n": number})
        elif step == "act":

            def act(work, number=number):
                work.record({"kind": "x", "n": number})
                return lambda: called.append(number)

            backlog.do(act)
        elif step == "flush":
            if store.away:
                with pytest.raises(StoreError):
                    backlog.flush() if len(backlog) else away()
            else:
                backlog.flush()
        else:
            store.away = step == "away"
    store.away = False
    backlog.flush()
    assert [one["n"] for one in store.kinds("x")] == [
        n for n, one in enumerate(steps) if one in {"entry", "act"}
    ]
    assert called == [n for n, one in enumerate(steps) if one == "act"]
    assert len(backlog) == 0


def away():
    raise StoreError("Nothing waits, so nothing is asked.")


def test_beyond_its_bound_the_oldest_entries_give_way_and_are_counted_and_decisions_never():
    store = Store()
    backlog, store.away = Backlog(store, most=3), True
    backlog.do(lambda work: work.record({"kind": "decision"}))
    for number in range(5):
        backlog.record({"kind": "x", "n": number})
    store.away = False
    backlog.flush()
    assert [one["n"] for one in store.kinds("x")] == [2, 3, 4]
    assert store.kinds("decision")
    (dropped,) = store.kinds("entries-dropped")
    assert dropped["count"] == 2


def test_what_can_never_be_written_holds_up_nothing():
    store = Store()
    backlog = Backlog(store)

    def bad(_work):
        raise StoreError("There is one of this id.")

    with pytest.raises(StoreError):
        backlog.do(bad)
    store.away = True
    backlog.do(bad)
    backlog.record({"kind": "x"})
    store.away = False
    backlog.flush()
    assert store.kinds("x")
    (trouble,) = store.kinds("trouble")
    assert trouble["trouble"] == "not-filed"


def test_a_time_is_that_of_the_act_and_not_of_the_writing():
    store = Store()
    store.away = True
    times = iter(range(10))

    class At:
        def __init__(self, n):
            self.n = n

        def isoformat(self):
            return f"2026-11-24T12:00:0{self.n}+00:00"

    backlog = Backlog(store, clock=lambda: At(next(times)))
    backlog.record({"kind": "x"})
    store.away = False
    backlog.flush()
    assert store.kinds("x")[0]["at"] == "2026-11-24T12:00:00+00:00"
