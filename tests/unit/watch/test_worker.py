"""Workers take streams by lease; one that dies is replaced in time; nothing that did not match survives."""

import threading
import time

import pytest
from tests.unit.watch.making import picture, stream
from tests.unit.watch.memory import NOW, MemoryBus, MemoryLeases, MemoryStore, MemoryVault
from tests.unit.watch.test_watcher import BOUND, Quick

from lightship.core.cases import Case, Effect, Exhibit, Round, Stream
from lightship.core.errors import InputError, StoreError, VaultError
from lightship.detect.loop import Sensors
from lightship.detect.matcher import Flood
from lightship.media.frames import Gap
from lightship.watch import desk, reports
from lightship.watch.basis import Bases
from lightship.watch.worker import FILED, Setup, Worker

TTL_S = 0.4


class Feed:
    """A source of pictures without decoding."""

    def __init__(self, count=10_000, every_s=0.01, fail=None):
        self.count, self.every_s, self.fail, self.stopped = count, every_s, fail, threading.Event()

    def __enter__(self):
        if self.fail is not None:
            raise self.fail
        return self

    def __exit__(self, *_):
        pass

    def stop(self):
        self.stopped.set()

    def __iter__(self):
        for number in range(self.count):
            if self.stopped.wait(self.every_s):
                return
            yield picture(float(number), number)
        yield Gap(float(self.count), float(self.count), "it was lost (x) and came back")


def until(what, seconds=5.0):
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if what():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def house():
    """A store with six streams, and a way to make workers on it."""

    class House:
        store, leases, bus, vault, feeds, workers = (
            MemoryStore(),
            MemoryLeases(),
            MemoryBus(),
            MemoryVault(),
            {},
            [],
        )
        detector, streams, failing = Quick, 6, {}

        def worker(self, name, **more):
            detector = self.detector()
            sensors = Sensors((detector,), (), BOUND)
            setup = Setup(
                self.store,
                self.leases,
                lambda _policy: sensors,
                self.open,
                Bases(public="terms"),
                vault=self.vault,
                bus=self.bus,
                **more,
            )
            found = Worker(name, setup, TTL_S)
            self.workers.append(found)
            return found

        def open(self, one):
            return Feed(fail=self.failing.get(one.id), count=self.feeds.get(one.id, 10_000))

        def find(self, kind, **where):
            with self.store.begin() as work:
                return work.find(kind, where)

    found = House()
    with found.store.begin() as work:
        for number in range(found.streams):
            work.save(stream(f"s{number}"))
    yield found
    for one in found.workers:
        one.stop()


def test_streams_are_shared_out_and_each_is_watched_once(house):
    one, two = house.worker("one", most=4), house.worker("two", most=4)
    one.start()
    two.start()
    assert until(lambda: len(one.running) + len(two.running) == 6)
    assert not set(one.running) & set(two.running)
    assert max(len(one.running), len(two.running)) <= 4
    assert until(lambda: all(len(it.ring) for it in one.watchers() + two.watchers()))


def test_workers_that_start_together_take_an_even_share(house):
    workers = [house.worker(name) for name in ("one", "two", "three")]
    for one in workers:
        house.leases.take([f"worker/{one.name}"], one.name, TTL_S)
    for one in workers:
        one.tick()
    assert [len(one.running) for one in workers] == [2, 2, 2]


def test_what_a_full_worker_leaves_is_taken_by_another(house):
    one, two = house.worker("one", most=1), house.worker("two")
    house.leases.take(["worker/two"], "two", TTL_S)
    for _ in range(2):
        one.tick()
        two.tick()
    assert (len(one.running), len(two.running)) == (1, 5)


def test_a_worker_that_dies_is_replaced_within_its_lease(house):
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.running) == 6)
    runs = {id_: it.run for id_, it in one.running.items()}
    one.chores._stop.set()  # it renews nothing any more: as good as killed
    died_s = time.monotonic()
    two = house.worker("two")
    two.start()
    assert until(lambda: len(two.running) == 6)
    assert time.monotonic() - died_s <= TTL_S * 4 / 3 + 0.5
    assert all(it.run > runs[id_] for id_, it in two.running.items())
    one.tick()
    assert one.running == {}
    held = house.leases.held()
    assert {who for name, who in held.items() if name.startswith("stream/")} == {"two"}


def test_a_private_stream_is_refused_on_record_and_never_opened(house):
    opened = []
    with house.store.begin() as work:
        work.save(stream("private", visibility="private", basis=""))
    one = house.worker("one")
    real = house.open
    house.open = lambda it: opened.append(it.id) or real(it)
    one = house.worker("two")
    one.start()
    assert until(lambda: len(one.running) == 6)
    time.sleep(TTL_S)
    assert "private" not in opened
    assert "private" not in one.running
    (entry,) = house.store.kinds("refused")
    assert entry["stream"] == "private"
    assert not [entry for entry in house.store.kinds("scans") if entry["visibility"] == "private"]


def test_a_decision_is_filed_pinned_and_told_and_nothing_else_survives(house):
    house.detector = lambda: Quick(at=20)
    one = house.worker("one")
    with house.bus.subscribe(FILED) as messages:
        one.start()
        assert until(lambda: house.find(Exhibit))
        told = next(message for message in messages if message is not None)
    (case,) = house.find(Case)
    assert told["case"] == case.id
    assert house.find(Effect)[0].kind == "cover"
    one.stop()
    kept = {exhibit.stream_id for _, exhibit in house.vault.sealed.values()}
    assert kept == {case.stream_id}
    assert {it.case_id for it in house.find(Exhibit)} == {case.id}
    assert {it.id for it in house.find(Exhibit)} == set(house.vault.sealed)
    assert all(it.watcher is None or len(it.watcher.ring) == 0 for it in one.running.values())
    text = repr(house.store.ledger)
    assert "ffd8" not in text
    assert "\\xff\\xd8" not in text


class Always(Quick):
    def read(self, frames):
        self.at = self.looks + 1
        return super().read(frames)


def test_a_stream_whose_stop_was_reversed_is_judged_anew(house):
    house.detector = Always
    one = house.worker("one")
    one.start()
    assert until(lambda: house.find(Case, stream_id="s3"))
    (case,) = house.find(Case, stream_id="s3")
    time.sleep(TTL_S)
    assert one.running["s3"].watcher.standing.covered
    assert len(house.find(Case, stream_id="s3")) == 1
    with house.store.begin() as work:
        desk.decide(
            work,
            case.id,
            by="ann",
            verdict="not-abuse",
            clause="none",
            reason="a film",
            now=one.setup.clock(),
        )
    assert until(lambda: len(house.find(Case, stream_id="s3")) == 2)
    assert {entry["stream"] for entry in house.store.kinds("judged-anew")} == {"s3"}


def test_a_report_pins_the_stream_and_raises_it(house):
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.watchers()) == 6 and all(len(it.ring) > 3 for it in one.watchers()))
    with house.store.begin() as work:
        _, report = reports.receive(
            work, "s3", kind="child-at-risk-now", text="x", report_id="k", now=one.setup.clock()
        )
    house.bus.publish(reports.PIN, {"stream": "s3", "case": report.case_id})
    assert until(lambda: len(house.find(Exhibit)) > 3)
    assert {it.stream_id for it in house.find(Exhibit)} == {"s3"}
    assert one.running["s3"].watcher.reports == 1


def test_one_stream_that_fails_hurts_no_other_and_one_that_ends_is_over(house):
    house.failing = {"s0": InputError("The stream could not be opened."), "s1": RuntimeError("odd")}
    house.feeds = {"s2": 5}
    one = house.worker("one")
    one.start()
    assert until(lambda: house.find(Stream, id="s2")[0].ended_at is not None)
    assert until(lambda: "s2" not in one.running)
    assert until(
        lambda: one.running["s0"].watcher is not None and one.running["s0"].watcher.troubles["not-open"]
    )
    assert until(
        lambda: one.running["s1"].watcher is not None and one.running["s1"].watcher.troubles["not-open"]
    )
    assert house.find(Stream, id="s0")[0].ended_at is None
    assert until(lambda: len(one.running["s5"].watcher.ring) > 0)


def test_a_loaded_worker_hands_over_to_one_that_joins(house):
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.watchers()) == 6 and all(len(it.ring) for it in one.watchers()))
    runs = {id_: it.run for id_, it in one.running.items()}
    two = house.worker("two")
    two.start()
    assert until(lambda: len(one.running) == len(two.running) == 3, 8 * TTL_S)
    assert until(lambda: len(two.watchers()) == 3 and all(len(it.ring) for it in two.watchers()))
    handed = {entry["stream"]: entry["run"] for entry in house.store.kinds("handed-over")}
    assert handed == {id_: runs[id_] for id_ in two.running}
    assert all(it.run > runs[id_] for id_, it in two.running.items())
    time.sleep(3 * TTL_S)
    assert len(house.store.kinds("handed-over")) == 3, "and then it rests"
    for id_ in handed:  # the first had ended before the second began
        kinds = [entry["kind"] for entry in house.store.ledger if entry.get("stream") == id_]
        began = [place for place, kind in enumerate(kinds) if kind == "watch-began"]
        assert len(began) == 2
        assert kinds.index("watch-ended") < kinds.index("handed-over") < began[1]


def test_nothing_is_handed_to_a_worker_that_is_full_or_has_not_said_how_much_it_takes(house):
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.running) == 6)
    with house.store.begin() as work:
        work.save(stream("s6"))
    two = house.worker("two", most=1)
    assert until(lambda: len(one.running) == 7)
    house.leases.take(["worker/mute"], "mute", 60.0)
    two.start()
    assert until(lambda: len(two.running) == 1, 8 * TTL_S)
    time.sleep(3 * TTL_S)
    assert len(one.running) == 6
    assert len(house.store.kinds("handed-over")) == 1


def test_a_stream_with_something_in_force_stays_where_it_is(house):
    house.detector = Always
    one = house.worker("one")
    one.start()
    assert until(lambda: len(house.find(Case)) == 6)
    two = house.worker("two")
    two.start()
    time.sleep(4 * TTL_S)
    assert len(one.running) == 6
    assert house.store.kinds("handed-over") == []


def test_each_round_says_when_each_stream_was_looked_at_last(house):
    house.failing = {"s0": InputError("The stream could not be opened.")}
    one = house.worker("one")
    one.start()
    assert until(lambda: house.find(Round) and len(house.find(Round)[0].streams) == 6)
    assert until(lambda: sum(it >= 0.0 for it in house.find(Round)[0].unseen_s) == 5)
    (found,) = house.find(Round)
    unseen = dict(zip(found.streams, found.unseen_s, strict=True))
    assert unseen.pop("s0") == -1.0, "a lease is no look"
    assert max(unseen.values()) < 1.0
    one.stop()
    assert house.find(Round)[0].streams == ()


def test_what_happens_while_the_store_is_away_is_filed_when_it_is_back(house):
    house.detector = lambda: Quick(at=40)
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.watchers()) == 6)
    begin, house.store.begin = house.store.begin, away
    assert until(lambda: one.unwritten() and one.troubles())
    assert "The database does not answer" in one.troubles()[0]
    assert until(lambda: any(not isinstance(it, dict) for it in one._backlog._waiting))
    house.store.begin = begin
    assert until(lambda: not one.unwritten() and not one.troubles())
    (case,) = house.find(Case)
    assert house.find(Effect, case_id=case.id)[0].kind == "cover"
    (gap,) = house.store.kinds("gap")
    assert (gap["worker"], gap["part"]) == ("one", "the watch's leases")
    assert gap["since"] < gap["until"]


def away():
    raise StoreError("The database does not answer.", "here", "Start it.")


def test_a_vault_that_cannot_be_written_to_is_said_and_stops_no_stream(house):
    house.detector = lambda: Quick(at=20)

    def full(*_):
        raise VaultError("The disk is full.")

    house.vault.seal = full
    one = house.worker("one")
    one.start()
    assert until(lambda: [it for it in house.store.kinds("trouble") if it["trouble"] == "not-pinned"])
    assert house.find(Effect)[0].kind == "cover"
    assert not [it for it in house.store.kinds("trouble") if it["trouble"] == "not-open"]


def test_sensors_that_cannot_be_loaded_are_tried_again(house):
    one, failing = house.worker("one"), [True]
    good = one.setup.sensors

    def sensors(policy):
        if failing[0]:
            raise InputError("There is no such list.")
        return good(policy)

    object.__setattr__(one.setup, "sensors", sensors)
    one.start()
    assert until(lambda: len({it["stream"] for it in house.store.kinds("trouble")}) == 6)
    failing[0] = False
    assert until(lambda: len(one.watchers()) == 6)


def test_a_stream_whose_thread_ends_by_a_defect_is_begun_anew(house):
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.watchers()) == 6)
    before = one.running["s3"]

    def broken(*_):
        raise TypeError

    before.watcher.finish = broken
    before.stop()
    assert until(lambda: one.running.get("s3", before) is not before)
    (entry,) = [it for it in house.store.kinds("trouble") if it["trouble"] == "failed"]
    assert entry["stream"] == "s3"


def test_a_stream_that_is_taken_over_keeps_its_open_reports(house):
    with house.store.begin() as work:
        reports.receive(work, "s2", kind="other", text="x", report_id="k", now=NOW)
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.watchers()) == 6)
    assert {it.stream.id: it.reports for it in one.watchers() if it.reports} == {"s2": 1}


def test_what_a_dead_worker_held_is_said_to_be_gone_and_what_was_handed_over_is_not_called_so(house):
    house.streams = 6
    dead = Round("dead", NOW, 9, ("s0", "s1"), (1.5, -1.0))
    with house.store.begin() as work:
        work.save(dead)
    one = house.worker("one")
    one.start()
    assert until(lambda: len(one.running) == 6)
    two = house.worker("two")
    two.start()
    assert until(lambda: len(two.running) == 3)
    took = {e["stream"]: e for e in house.store.ledger if e["kind"] == "taken-over"}
    assert set(took) == {"s0", "s1"}, "the streams that were handed over in order are no orphans"
    assert took["s0"]["worker"] == "dead"
    assert took["s0"]["since"].startswith("2026-11-24T11:59:58.5")
    over = [e for e in house.store.ledger if e["kind"] == "handed-over"]
    assert len(over) >= 3
    assert all(e["forgot"] > 0 for e in over)


def test_the_brake_on_floods_counts_hosts_and_is_told_once(house):
    aside = []
    one = house.worker("one", floods=lambda: aside)
    one.start()
    assert until(lambda: len(one.running) == 6)
    aside.append(Flood("demo", "7", 50, 1.0, ("h1",)))
    aside.append(Flood("demo", "8", 50, 1.0))  # known from the record

    def told():
        return [e["entry"] for e in house.store.ledger if e["kind"] == "entry-set-aside"]

    assert until(told)
    time.sleep(3 * TTL_S / 3)
    assert told() == ["7"]
