"""Payments as they happen: on disk before they are answered, each once, whatever dies when."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.payments.counting import COUNTING, pay

from lightship.core.errors import StoreError
from lightship.core.payments import Payment
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.payments import acceptance as module
from lightship.payments.acceptance import Busy, Intake
from lightship.payments.account_json import account_bytes, account_of, payment_bytes, payment_of
from lightship.payments.world import Account


def told(outcomes):
    return [(one.payment, one.status, [json.loads(body)["alert"] for body in one.alerts]) for one in outcomes]


@pytest.fixture
def opened(tmp_path):
    """Open the intake of a folder, as often as is asked; whoever asks closes it first."""
    held = []

    def opening(**more):
        for one in reversed(held):
            one.close()
        journal = SqlitePaymentJournal(tmp_path / "live")
        held[:] = [journal, Intake(journal, COUNTING, **more)]
        return held[1]

    yield opening
    for one in reversed(held):
        one.close()


def test_a_payment_is_answered_once_and_an_alert_with_the_payment_that_began_it(opened):
    intake = opened()
    assert told(intake.put([pay("p1"), pay("p2")]).result(5)) == [
        ("p1", "accepted", []),
        ("p2", "accepted", []),
    ]
    assert told(intake.put([pay("p3")]).result(5)) == [("p3", "accepted", ["ann-3"])]
    again = intake.put([pay("p3"), pay("p1"), pay("p1", payer="eve")]).result(5)
    assert told(again) == [("p3", "known", ["ann-3"]), ("p1", "known", []), ("p1", "conflict", [])]
    assert intake.accounts == {"ann": 3}


def test_a_payment_of_the_history_is_known_and_counts_once(tmp_path):
    with SqlitePaymentJournal(tmp_path / "live") as journal:

        def begin():
            journal.begin_with(["old", "older"])
            return {"ann": 2}

        intake = Intake(journal, COUNTING, begin=begin)
        assert told(intake.put([pay("old"), pay("new")]).result(5)) == [
            ("old", "known", []),
            ("new", "accepted", ["ann-3"]),
        ]
        assert intake.accounts == {"ann": 3}
        assert intake.state()["told_again"] == 1
        assert intake.state()["payments"] == 1
        intake.close()


def test_one_request_may_tell_a_payment_twice(opened):
    found = opened().put([pay("p1"), pay("p1"), pay("p1", payer="eve")]).result(5)
    assert told(found) == [("p1", "accepted", []), ("p1", "known", []), ("p1", "conflict", [])]


@pytest.mark.parametrize("save_every", [1, 2, 1000])
def test_a_start_stands_where_the_last_one_ended(opened, save_every):
    intake = opened(save_every=save_every)
    for number in range(7):
        intake.put([pay(f"p{number}", payer=f"c{number % 2}")]).result(5)
    before = dict(intake.accounts)
    again = opened(save_every=save_every)
    assert again.accounts == before == {"c0": 4, "c1": 3}
    assert told(again.put([pay("p7", payer="c1"), pay("p8", payer="c1"), pay("p9", payer="c1")]).result(5))[
        2
    ][2] == ["c1-6"]


def test_what_cannot_be_scored_hurts_only_its_sender(opened, monkeypatch):
    intake = opened()
    held = threading.Event()
    real = SqlitePaymentJournal.append
    monkeypatch.setattr(SqlitePaymentJournal, "append", lambda *words: held.wait(5) and real(*words))
    first = intake.put([pay("p0")])
    time.sleep(0.05)  # the next two wait together
    bad, good = intake.put([pay("p1", text="poison")]), intake.put([pay("p2")])
    held.set()
    assert told(first.result(5)) == [("p0", "accepted", [])]
    with pytest.raises(RuntimeError):
        bad.result(5)
    assert told(good.result(5)) == [("p2", "accepted", [])]
    assert intake.accounts == {"ann": 2}


def test_a_journal_that_cannot_be_written_answers_nobody_and_changes_nothing(opened, monkeypatch):
    intake = opened()
    real = SqlitePaymentJournal.append

    def full(*_):
        raise StoreError("no space")

    monkeypatch.setattr(SqlitePaymentJournal, "append", full)
    with pytest.raises(StoreError):
        intake.put([pay("p1")]).result(5)
    assert intake.accounts == {}
    assert intake.state()["trouble"]
    monkeypatch.setattr(SqlitePaymentJournal, "append", real)
    assert told(intake.put([pay("p1")]).result(5)) == [("p1", "accepted", [])]
    assert not intake.state()["trouble"]


def test_too_many_are_told_to_come_again_and_none_after_the_end(opened, monkeypatch):
    monkeypatch.setattr(module, "WAITING", 3)
    intake = opened()
    with pytest.raises(Busy):
        intake.put([pay(f"p{n}") for n in range(4)])
    intake.close()
    with pytest.raises(StoreError):
        intake.put([pay("p")])


def test_a_second_service_is_refused_and_a_file_that_is_none_is_told(tmp_path):
    with SqlitePaymentJournal(tmp_path / "live"), pytest.raises(StoreError, match="Another service"):
        SqlitePaymentJournal(tmp_path / "live")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "journal.db").write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        SqlitePaymentJournal(tmp_path / "bad")


def test_the_journal_is_written_through_to_the_disk(tmp_path):
    with SqlitePaymentJournal(tmp_path / "live") as journal:
        assert journal._journal.execute("PRAGMA synchronous").fetchone() == (2,)
        assert journal._journal.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (tmp_path / "live" / "journal.db").stat().st_mode & 0o077 == 0


CHILD = """
import sys
from pathlib import Path
from tests.unit.payments.counting import COUNTING, pay
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.payments.acceptance import Intake
journal = SqlitePaymentJournal(Path(sys.argv[1]))
intake = Intake(journal, COUNTING, save_every=20)
print("ready", flush=True)
for line in sys.stdin:
    names = line.split()
    found = intake.put([pay(one, payer=f"c{int(one) % 3}") for one in names]).result()
    print(*(f"{one.payment}:{one.status}" for one in found), flush=True)
"""
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_at_any_moment_loses_no_answered_payment_and_doubles_no_alert(tmp_path, seed):
    """A sender that repeats what was not answered, and a service that is killed again and again."""
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    }
    names = [str(number) for number in range(900)]
    answered: set[str] = set()
    place, kills = 0, 0
    while place < len(names):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, tmp_path / "live"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        assert child.stdout.readline() == "ready\n"
        killer = None
        if kills < 3:
            killer = threading.Timer(
                0.003 * (1 + (seed * 7 + kills * 3) % 11), child.send_signal, [signal.SIGKILL]
            )
            killer.start()
            kills += 1
        try:
            while place < len(names):
                part = names[place : place + 5]
                child.stdin.write(" ".join(part) + "\n")
                child.stdin.flush()
                line = child.stdout.readline()
                if not line.endswith("\n"):
                    break
                assert all(word.split(":")[1] in {"accepted", "known"} for word in line.split())
                answered |= set(part)
                place += 5
        except BrokenPipeError:
            pass
        if killer is None:
            child.stdin.close()
        else:
            killer.join()
        child.wait(10)
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        with sqlite3.connect(tmp_path / "live" / "journal.db") as db:
            kept = {row[0] for row in db.execute("SELECT payment FROM payments")}
        db.close()
        assert answered <= kept
    with SqlitePaymentJournal(tmp_path / "live") as journal:
        alerts = [json.loads(body)["alert"] for _, body in journal.alerts(0, 1000)]
        intake = Intake(journal, COUNTING)
        assert intake.accounts == {"c0": 300, "c1": 300, "c2": 300}
        intake.close()
    assert len(alerts) == len(set(alerts)) == 300  # every third of each
    assert kills == 3


WORDS = st.text(max_size=8)
INTS = st.integers(-(2**60), 2**60)


@settings(max_examples=50, deadline=None)
@given(st.from_type(Account))  # whatever fields it has, or will have
def test_an_account_is_read_as_it_was_written(account):
    assert account_of(account_bytes(account)) == account


def test_an_account_of_another_version_is_told():
    with pytest.raises(StoreError, match=r"another version.*Remove that file"):
        account_of(b'{"sends": []}')


@settings(max_examples=50, deadline=None)
@given(WORDS, INTS, st.none() | WORDS, st.booleans())
def test_a_payment_is_read_as_it_was_written(word, number, maybe, known):
    one = Payment(word, number, word, word, number, "GBP", "bank", known, text=maybe, reverses=maybe)
    assert payment_of(payment_bytes(one)) == one


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=5), max_size=12), st.sets(st.integers(0, 12))
)
def test_however_payments_are_cut_and_repeated_the_accounts_are_the_same(
    tmp_path_factory, requests, restarts
):
    folder = tmp_path_factory.mktemp("live")
    journal = SqlitePaymentJournal(folder)
    intake = Intake(journal, COUNTING, save_every=3)
    for number, names in enumerate(requests):
        intake.put([pay(str(one), payer=f"c{one % 2}") for one in names]).result(5)
        if number in restarts:
            intake.close()
            journal.close()
            journal = SqlitePaymentJournal(folder)
            intake = Intake(journal, COUNTING, save_every=3)
    once = {one for names in requests for one in names}
    assert intake.accounts == {
        f"c{side}": count for side in (0, 1) if (count := sum(one % 2 == side for one in once))
    }
    alerts = [json.loads(body)["alert"] for _, body in journal.alerts(0, 100)]
    assert sorted(alerts) == sorted(
        f"c{side}-{n}" for side in (0, 1) for n in range(3, sum(one % 2 == side for one in once) + 1, 3)
    )
    intake.close()
    journal.close()
