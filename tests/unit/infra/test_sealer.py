"""The journal reaches the ledger in order, each entry once, whenever the process dies."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import pytest
from tests.servers import postgres, postgres_model, postgres_tables, tables_url  # noqa: F401 - fixtures
from tests.tables import tables
from tests.unit.infra.crashes import Crash, Steps, die

from lightship.core.errors import LedgerError
from lightship.core.notes import SigningKey
from lightship.infra import sealer as sealer_module
from lightship.infra.ledger_file import LedgerFile, read_entries, verify_file
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore

KEY = SigningKey.from_seed("example.org/platform", bytes(32))
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.unit.infra.test_sealer"])


def put(store: SqlStore, *numbers: int) -> None:
    with store.begin() as work:
        for n in numbers:
            work.record({"kind": "act", "n": n})


def sealed(path: Path) -> list[int]:
    return [entry["n"] for entry in read_entries(path) if entry["kind"] == "act"]


def test_entries_reach_the_ledger_in_order_with_the_time_of_the_act(tables_url, tmp_path):  # noqa: F811
    with (
        SqlStore(tables_url) as store,
        LedgerFile(tmp_path / "l", KEY) as ledger,
        Sealer(store, ledger) as sealer,
    ):
        assert sealer.seal() == 0
        put(store, 1, 2)
        with store.begin() as work:
            work.record({"kind": "act", "n": 3, "at": "2026-11-01T13:00:00+01:00"})
        assert sealer.waiting() == 3
        assert sealer.seal() == 3
        assert sealer.waiting() == 0
        assert sealed(ledger.path) == [1, 2, 3]
        assert [*ledger.entries()][-1]["at"] == "2026-11-01T12:00:00.000000Z"
        stop = threading.Event()
        running = threading.Thread(target=sealer.run, args=(stop, 0.01))
        running.start()
        put(store, 4)
        put(store, 5)
        stop.set()
        running.join()
        assert sealed(ledger.path) == [1, 2, 3, 4, 5], "what is left when it is told to stop is sealed too"
        assert verify_file(ledger.path, KEY.verifier).ok


def test_writers_at_once_keep_the_order_of_their_commits(tables_url, tmp_path):  # noqa: F811
    with (
        SqlStore(tables_url) as store,
        LedgerFile(tmp_path / "l", KEY) as ledger,
        Sealer(store, ledger) as sealer,
    ):
        stop = threading.Event()
        running = threading.Thread(target=sealer.run, args=(stop, 0.001))
        running.start()
        each = [
            threading.Thread(target=lambda w=w: [put(store, w * 100 + n) for n in range(15)])
            for w in range(4)
        ]
        for one in each:
            one.start()
        for one in each:
            one.join()
        stop.set()
        running.join()
        found = sealed(ledger.path)
    assert sorted(found) == [w * 100 + n for w in range(4) for n in range(15)]
    for w in range(4):
        assert [n for n in found if n // 100 == w] == [w * 100 + n for n in range(15)]


def test_one_sealer_a_ledger_and_one_ledger_a_store(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as store:
        with LedgerFile(tmp_path / "l", KEY) as ledger:
            with Sealer(store, ledger), pytest.raises(LedgerError, match="Another sealer"):
                Sealer(store, ledger)
            put(store, 1)
            with Sealer(store, ledger) as sealer:
                sealer.seal()
        other = SigningKey.from_seed("example.org/other", bytes(32))
        with LedgerFile(tmp_path / "m", other) as ledger, pytest.raises(LedgerError, match="belongs to"):
            Sealer(store, ledger)
        (tmp_path / "l").rename(tmp_path / "gone")
        with LedgerFile(tmp_path / "l", KEY) as ledger, pytest.raises(LedgerError, match="earlier copy"):
            Sealer(store, ledger)


def test_a_store_that_was_put_back_seals_nothing_twice(tmp_path):
    url = tables(tmp_path / "s")
    with SqlStore(url) as store:
        put(store, 1, 2)
    copy = (tmp_path / "s").read_bytes()
    with SqlStore(url) as store, LedgerFile(tmp_path / "l", KEY) as ledger, Sealer(store, ledger) as sealer:
        sealer.seal()
        ledger.append({"kind": "act", "n": 7})  # somebody else's
    (tmp_path / "s").write_bytes(copy)
    with SqlStore(url) as store, LedgerFile(tmp_path / "l", KEY) as ledger, Sealer(store, ledger) as sealer:
        assert sealer.waiting() == 0
        put(store, 3)
        sealer.seal()
    assert sealed(tmp_path / "l") == [1, 2, 7, 3]


def test_a_crash_between_any_two_steps_loses_and_doubles_nothing(tables_url, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(sealer_module, "BATCH", 2)
    at, crashed, n = 0, True, 0
    while crashed:
        at, crashed, steps = at + 1, False, Steps(at + 1)
        with SqlStore(tables_url) as store, LedgerFile(tmp_path / "l", KEY) as ledger:
            put(store, n, n + 1, n + 2)
            n += 3
            ledger.append_all = steps.around(ledger.append_all)
            steps.within(store)
            try:
                with Sealer(store, ledger) as sealer:
                    while sealer.seal():
                        pass
            except Crash:
                crashed = True
    assert at > 15, "there are that many steps"
    assert sealed(tmp_path / "l") == list(range(n))


def live_until_killed(folder: str, at: int) -> None:
    """Act and seal, and die at a step."""
    here = Path(folder)
    sealer_module.BATCH = 2
    steps = Steps(at, die)
    store = steps.within(SqlStore(f"sqlite:///{here / 's'}"))
    with store, LedgerFile(here / "l", KEY) as ledger, (here / "acts").open("a") as acts:
        ledger.append_all = steps.around(ledger.append_all)
        with Sealer(store, ledger) as sealer:
            for k in range(4):
                n = at * 10 + k
                put(store, n)
                acts.write(f"{n}\n")
                acts.flush()
                if k % 2:
                    sealer.seal()


def test_killed_between_any_two_steps_nothing_is_lost_or_doubled(tmp_path):
    tables(tmp_path / "s")
    at, code = 0, -9
    while code == -9:
        at += 1
        child = CHILDREN.Process(target=live_until_killed, args=(str(tmp_path), at))
        child.start()
        child.join(30)
        code = child.exitcode
    assert code == 0
    assert at > 15, "it was killed at that many steps"
    with (
        SqlStore(f"sqlite:///{tmp_path / 's'}") as store,
        LedgerFile(tmp_path / "l", KEY) as ledger,
        Sealer(store, ledger) as sealer,
    ):
        while sealer.seal():
            pass
    found = sealed(tmp_path / "l")
    acted = {int(line) for line in (tmp_path / "acts").read_text().split()}
    assert acted <= set(found), "what was acknowledged is on the ledger"
    assert len(found) == len(set(found)), "nothing is there twice"
    assert found == sorted(found), "in order"
    assert verify_file(tmp_path / "l", KEY.verifier).ok
