"""The ledger's file: durable, shared, and every tampering found."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lightship.core.errors import LedgerError
from lightship.core.merkle import leaf_hash, verify_consistency, verify_inclusion
from lightship.core.notes import SigningKey, open_checkpoint
from lightship.core.ports import Ledger
from lightship.infra import ledger_file
from lightship.infra.ledger_file import KEEP_EVERY, LedgerFile, read_entries, verify_file

KEY = SigningKey.from_seed("example.org/guard", bytes(range(32)))
OTHER = SigningKey.from_seed("example.org/guard", bytes(32))
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def opened(path, **options):
    return LedgerFile(path, KEY, clock=lambda: NOON, **options)


def grown(path, entries):
    """Append one by one, so that checkpoints are kept."""
    with opened(path) as ledger:
        for n in range(entries):
            ledger.append({"n": n})
    return path


def sql(path, *statements):
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def says(report):
    return [problem.what for problem in report.problems]


def test_what_is_appended_is_there_and_verifies(tmp_path):
    path = tmp_path / "deep" / "guard.ledger"
    with opened(path) as ledger:
        port: Ledger = ledger
        assert ledger.size == 0
        assert port.append({"kind": "start"}) == 0
        assert port.append_all({"n": n} for n in range(5)) == 6
        assert port.append_all([]) == 6
        assert port.append({"kind": "end"}) == 6
        assert ledger.size == 7
        assert list(ledger.entries(5)) == [
            {"at": "2026-11-01T12:00:00.000000Z", "n": 4},
            {"at": "2026-11-01T12:00:00.000000Z", "kind": "end"},
        ]
        assert list(ledger.entries(2, 3)) == [{"at": "2026-11-01T12:00:00.000000Z", "n": 1}]
        assert verify_file(path, str(KEY.verifier)).ok  # while it is open
    report = verify_file(path, KEY.verifier)
    assert report.ok
    assert (report.size, report.signed, report.origin) == (7, 7, "example.org/guard")
    assert next(read_entries(path)) == {"at": "2026-11-01T12:00:00.000000Z", "kind": "start"}
    assert [p.name for p in path.parent.iterdir()] == ["guard.ledger"]  # verifying left nothing behind
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_bytes_are_canonical_json_as_written(tmp_path):
    path = tmp_path / "l"
    with opened(path) as ledger:
        ledger.append({"z": 1.0, "a": "é"})
    with closing(sqlite3.connect(path)) as db:
        (row,) = db.execute("SELECT entry FROM entries").fetchone()
    assert row == '{"a":"é","at":"2026-11-01T12:00:00.000000Z","z":1}'.encode()


def test_times_are_the_callers_or_the_clocks_in_utc(tmp_path):
    with opened(tmp_path / "l") as ledger:
        ledger.append({"at": "2026-11-01T13:30:00.5+01:00"})
        ledger.append({"at": datetime(2026, 11, 1, 8, tzinfo=timezone(timedelta(hours=-4))).isoformat()})
        assert [entry["at"] for entry in ledger.entries()] == [
            "2026-11-01T12:30:00.500000Z",
            "2026-11-01T12:00:00.000000Z",
        ]
        for at in ("2026-11-01T12:00:00", "yesterday", 5):
            with pytest.raises(LedgerError, match="time"):
                ledger.append({"at": at})
    with LedgerFile(tmp_path / "m", KEY) as ledger:  # the real clock
        ledger.append({})
        (entry,) = ledger.entries()
        assert abs(datetime.fromisoformat(entry["at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_entry_that_cannot_be_written_is_refused_and_the_rest_goes_on(tmp_path):
    with opened(tmp_path / "l") as ledger:
        for bad in ({"x": object()}, {"x": float("nan")}, {1: 2}, {"x": 2**60}):
            with pytest.raises(LedgerError, match="canonical JSON"):
                ledger.append(bad)
            with pytest.raises(LedgerError):
                ledger.append_all([{"n": 1}, bad])
        assert ledger.append({}) == 0


def test_proofs_hold_against_checkpoints(tmp_path):
    with opened(tmp_path / "l") as ledger:
        ledger.append_all({"n": n} for n in range(11))
        old = open_checkpoint(ledger.checkpoint(), KEY.verifier)
        ledger.append_all({"n": n} for n in range(11, 3000))
        new = open_checkpoint(ledger.checkpoint(), KEY.verifier)
        leaf = leaf_hash(b'{"at":"2026-11-01T12:00:00.000000Z","n":7}')
        assert verify_inclusion(leaf, 7, new.size, ledger.inclusion_proof(7), new.root)
        assert verify_inclusion(leaf, 7, old.size, ledger.inclusion_proof(7, old.size), old.root)
        proof = ledger.consistency_proof(old.size)
        assert verify_consistency(old.size, old.root, new.size, new.root, proof)
        assert ledger.consistency_proof(5, 9) == ledger.consistency_proof(5, 9)
        for ask in (
            lambda: ledger.inclusion_proof(3000),
            lambda: ledger.inclusion_proof(7, 7),
            lambda: ledger.inclusion_proof(7, 3001),
            lambda: ledger.consistency_proof(9, 5),
        ):
            with pytest.raises(LedgerError):
                ask()


def test_reopening_goes_on_where_it_ended(tmp_path):
    path = tmp_path / "l"
    for n in range(40):
        with opened(path) as ledger:
            assert ledger.append_all([{"n": n}] * 23) == 23 * (n + 1)
    report = verify_file(path, KEY.verifier)
    assert report.ok
    assert report.size == 920
    assert report.checkpoints == 920 // KEEP_EVERY + 1


def test_a_closed_ledger_says_so(tmp_path):
    ledger = opened(tmp_path / "l")
    ledger.close()
    ledger.close()
    for act in (lambda: ledger.append({}), lambda: ledger.size, ledger.checkpoint):
        with pytest.raises(LedgerError, match="closed"):
            act()


def test_many_threads_get_different_indices_and_close_waits_for_them(tmp_path):
    path, got = tmp_path / "l", []

    def work(worker):
        got.extend([(ledger.append({"worker": worker, "n": n}), worker, n) for n in range(60)])

    with opened(path) as ledger:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(index for index, *_ in got) == list(range(480))
    stored = list(read_entries(path))
    assert all((stored[i]["worker"], stored[i]["n"]) == (worker, n) for i, worker, n in got)
    assert verify_file(path, KEY.verifier).ok


# Other processes, and sudden death

CHILD = textwrap.dedent("""
    import sys, threading
    from lightship.core.notes import SigningKey
    from lightship.infra.ledger_file import LedgerFile
    path, threads, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ledger = LedgerFile(path, SigningKey.from_seed("example.org/guard", bytes(range(32))))
    lock = threading.Lock()
    def work(worker):
        for n in range(count):
            index = ledger.append({"worker": worker, "n": n})
            with lock:
                sys.stdout.write(f"{index} {worker} {n}\\n")
                sys.stdout.flush()
    workers = [threading.Thread(target=work, args=(w,), daemon=True) for w in range(threads)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    ledger.close()
""")


def child(path, threads, count):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(threads), str(count)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_kill_9_loses_no_acknowledged_entry(tmp_path):
    path, acknowledged = tmp_path / "l", {}
    rng = random.Random(9)
    for round_ in range(10):
        with child(path, 6, 100_000) as process:
            line = process.stdout.readline()  # it runs
            time.sleep(rng.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            lines = [line, *process.stdout.read().split("\n")[:-1]]
        for line in lines:
            index, worker, n = map(int, line.split())
            assert index not in acknowledged
            acknowledged[index] = (worker, n)
        if round_ % 2:  # verified as it lies there, or after it was opened again
            opened(path).close()
        report = verify_file(path, KEY.verifier)
        assert report.ok, report
        stored = list(read_entries(path))
        assert all((stored[i]["worker"], stored[i]["n"]) == value for i, value in acknowledged.items())
    assert len(acknowledged) > 100


def test_processes_share_a_ledger(tmp_path):
    path = tmp_path / "l"
    processes = [child(path, 2, 50) for _ in range(3)]
    with opened(path) as ledger:
        mine = [ledger.append({"mine": n}) for n in range(50)]
        theirs = [int(line.split()[0]) for p in processes for line in p.communicate()[0].splitlines()]
        assert all(process.returncode == 0 for process in processes)
        assert sorted(mine + theirs) == list(range(350))
        assert ledger.size == 350
    assert verify_file(path, KEY.verifier).ok


def test_a_fork_must_open_its_own(tmp_path, monkeypatch):
    with opened(tmp_path / "l") as ledger:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(LedgerError, match="forked"):
            ledger.append({})
        monkeypatch.undo()


# Failing disks


def test_a_full_disk_is_said_and_survived(tmp_path):
    path = tmp_path / "l"
    with opened(path) as ledger:
        ledger.append({"n": 0})
        pages = ledger._writer.execute("PRAGMA page_count").fetchone()[0]
        ledger._writer.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(LedgerError, match="disk is full") as caught:
            ledger.append({"text": "x" * 100_000})
        assert "Free some space" in caught.value.todo
        assert caught.value.exit_code == 7
        ledger._writer.execute("PRAGMA max_page_count = 100000")
        assert ledger.append({"text": "x" * 100_000}) == 1
    assert verify_file(path, KEY.verifier).ok


def test_an_unforeseen_failure_reaches_the_caller(tmp_path, monkeypatch):
    with opened(tmp_path / "l") as ledger:
        monkeypatch.setattr(ledger, "_write", lambda *_: 1 / 0)
        with pytest.raises(LedgerError, match="ZeroDivisionError"):
            ledger.append({})
        monkeypatch.undo()
        assert ledger.append({}) == 0


def test_a_locked_file_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_file, "BUSY_S", 0.05)
    path = tmp_path / "l"
    with opened(path) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked"):
            ledger.append({})
        other.execute("ROLLBACK")
        assert ledger.append({}) == 0


def test_places_and_files_that_cannot_be_ledgers_say_so(tmp_path):
    (tmp_path / "text").write_text("not a database, but long enough to be looked at closely" * 20)
    sql(tmp_path / "other", "CREATE TABLE t (x)")
    (tmp_path / "empty").write_bytes(b"")
    for name, what in (("text", "not a ledger"), ("other", "not a ledger"), ("empty", "not a ledger")):
        with pytest.raises(LedgerError, match=what):
            verify_file(tmp_path / name, KEY.verifier)
        with pytest.raises(LedgerError, match=what):
            list(read_entries(tmp_path / name))
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(LedgerError, match="no ledger here"):
            verify_file(missing, KEY.verifier)
    with pytest.raises(LedgerError, match="not a ledger"):
        opened(tmp_path / "text")
    for place in (tmp_path, tmp_path / "text" / "l"):
        with pytest.raises(LedgerError, match="cannot be opened"):
            opened(place)
    with pytest.raises(LedgerError, match="public key"):
        verify_file(grown(tmp_path / "l", 1), "nonsense")


# Tampering


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return grown(tmp_path_factory.mktemp("good") / "l", 600)


@pytest.fixture
def copy(good, tmp_path):
    return shutil.copy(good, tmp_path / "copy")


def test_checkpoints_are_kept_along_the_way(good):
    with closing(sqlite3.connect(good)) as db:
        assert [size for (size,) in db.execute("SELECT size FROM checkpoints")] == [255, 511, 600]


# What is done to the file, what verification says of it, and whether it can still be appended to: that needs
# only the end of the file to be whole.
TAMPERINGS = [
    ("UPDATE entries SET entry = '{}' WHERE idx = 300", "entries 255..510 do not match checkpoint 511", True),
    (
        "UPDATE entries SET entry = '{}' WHERE idx = 599",
        "entries 511..599 do not match checkpoint 600",
        False,
    ),
    ("DELETE FROM entries WHERE idx = 300", "entry 300 is missing", True),
    (
        "DELETE FROM entries WHERE idx >= 500",
        "entries 500..599 are missing: the log was cut or rolled",
        False,
    ),
    ("DELETE FROM entries", "entries 0..599 are missing: the log was cut or rolled back", False),
    ("DELETE FROM checkpoints", "there is no checkpoint signed by example.org/guard+", False),
    (
        "DELETE FROM checkpoints WHERE size = 600",
        "entries 511..599 are after the last checkpoint and not covered by a signature",
        False,
    ),
    (
        "INSERT INTO entries VALUES (600, '{}')",
        "entry 600 is after the last checkpoint and not covered",
        False,
    ),
    ("INSERT INTO entries VALUES (-1, '{}')", "an entry is numbered -1, which none should be", True),
    ("UPDATE checkpoints SET size = 599 WHERE size = 600", "the checkpoint kept as 599 is of another", False),
    (
        "UPDATE checkpoints SET frontier = x'00' WHERE size = 511",
        "the tree state kept with checkpoint",
        False,
    ),
    (
        "UPDATE checkpoints SET note = replace(note, '600', '599')",
        "checkpoint number 2: The signature",
        False,
    ),
    (
        "UPDATE checkpoints SET note = x'ff' WHERE size = 255",
        "checkpoint number 0: This is not a signed",
        True,
    ),
]


@pytest.mark.parametrize(("statement", "what", "goes_on"), TAMPERINGS)
def test_tampering_is_named_and_a_broken_end_takes_nothing_more(copy, statement, what, goes_on):
    sql(copy, statement)
    report = verify_file(copy, KEY.verifier)
    assert not report.ok
    assert any(said.startswith(what) for said in says(report)), says(report)
    if goes_on:
        opened(copy).close()
    else:
        with pytest.raises(LedgerError, match="Nothing can be appended"):
            opened(copy)


def test_a_flipped_byte_in_any_row_is_flagged(good, tmp_path):
    data = good.read_bytes()
    with closing(sqlite3.connect(good)) as db:
        rows = [row for (row,) in db.execute("SELECT entry FROM entries")]
        rows += [note.encode() for (note,) in db.execute("SELECT note FROM checkpoints")]
        rows += [frontier for (frontier,) in db.execute("SELECT frontier FROM checkpoints")]
    target, rng = tmp_path / "flipped", random.Random(1)
    for row in rows:
        start = data.find(row)
        assert start >= 0, "the row is in one piece"
        at = start + rng.randrange(len(row))
        target.write_bytes(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
        assert not verify_file(target, KEY.verifier).ok


def test_any_damage_to_the_file_is_flagged_or_changes_nothing(good, tmp_path):
    """Bytes between rows may be free space; otherwise the report or the error says it."""
    data, rng, target = good.read_bytes(), random.Random(2), tmp_path / "damaged"
    want = list(read_entries(good))
    for _ in range(300):
        at = rng.randrange(len(data))
        target.write_bytes(data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :])
        try:
            report = verify_file(target, KEY.verifier)
        except LedgerError:
            continue
        if report.ok:
            assert list(read_entries(target)) == want


def test_a_truncated_file_is_flagged(good, tmp_path):
    data, target = good.read_bytes(), tmp_path / "cut"
    for size in range(0, len(data), 4096 * 3 + 100):
        target.write_bytes(data[:size])
        with suppress(LedgerError):
            assert not verify_file(target, KEY.verifier).ok
        with pytest.raises(LedgerError):
            list(read_entries(target))
        if size:
            with pytest.raises(LedgerError):
                opened(target)


def test_the_wrong_key_does_not_verify_and_cannot_append(copy):
    assert not verify_file(copy, OTHER.verifier).ok
    with pytest.raises(LedgerError, match="not signed by"):
        LedgerFile(copy, OTHER)
    with pytest.raises(LedgerError, match="it is the log"):
        LedgerFile(copy, KEY, "example.org/other")


def test_a_rolled_back_file_is_only_shown_by_a_checkpoint_kept_elsewhere(copy, tmp_path):
    earlier = shutil.copy(copy, tmp_path / "earlier")
    with opened(copy) as ledger:
        ledger.append({"kind": "end"})
        kept = ledger.checkpoint()
    assert verify_file(earlier, KEY.verifier).ok
    assert says(verify_file(earlier, KEY.verifier, witnessed=[kept])) == [
        "entry 600 is missing: the log was cut or rolled back"
    ]
    with opened(earlier) as ledger:  # and then history takes another course
        ledger.append_all([{"kind": "nothing happened"}] * 5)
    assert verify_file(earlier, KEY.verifier).ok
    report = verify_file(earlier, KEY.verifier, witnessed=[kept])
    assert says(report) == ["entries 511..600 do not match checkpoint 601"]
    assert report.signed == 605


def test_a_file_put_back_under_an_open_ledger_is_noticed(copy):
    with opened(copy) as ledger:
        ledger.append({"n": 600})
        sql(copy, "DELETE FROM entries WHERE idx >= 511", "DELETE FROM checkpoints WHERE size > 511")
        with pytest.raises(LedgerError, match="became fewer"):
            ledger.append({})


def test_a_copy_of_the_file_and_its_wal_verifies(tmp_path):
    with opened(tmp_path / "l") as ledger:
        ledger.append_all([{"n": n} for n in range(50)])
        (tmp_path / "copy").mkdir()
        for name in ("l", "l-wal"):
            shutil.copy(tmp_path / name, tmp_path / "copy" / name)
    report = verify_file(tmp_path / "copy" / "l", KEY.verifier)
    assert report.ok
    assert report.size == 50


class LedgerMachine(RuleBasedStateMachine):
    """Whatever the order of appends, reopenings and readers: the file is the list of what was appended."""

    @initialize()
    def make(self):

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "l")
        self.ledger, self.other = opened(self.path), None
        self.want, self.kept = [], []

    @rule(n=st.integers(0, 9))
    def append(self, n):
        assert self.ledger.append({"n": n}) == len(self.want)
        self.want.append(n)

    @rule(ns=st.lists(st.integers(0, 9), max_size=300))
    def append_all(self, ns):
        assert self.ledger.append_all({"n": n} for n in ns) == len(self.want) + len(ns)
        self.want += ns

    @rule(n=st.integers(0, 9))
    def append_elsewhere(self, n):
        if self.other is None:
            self.other = opened(self.path)
        assert self.other.append({"n": n}) == len(self.want)
        self.want.append(n)

    @rule()
    def refuse(self):
        with pytest.raises(LedgerError):
            self.ledger.append({"n": object()})

    @rule()
    def reopen(self):
        self.ledger.close()
        self.ledger = opened(self.path)

    @rule()
    def keep(self):
        self.kept.append(self.ledger.checkpoint())

    @invariant()
    def verifies(self):
        report = verify_file(self.path, KEY.verifier, witnessed=self.kept)
        assert report.ok, report
        assert report.size == self.ledger.size == len(self.want)
        assert [entry["n"] for entry in self.ledger.entries()] == self.want

    def teardown(self):
        if hasattr(self, "ledger"):
            self.ledger.close()
            if self.other is not None:
                self.other.close()
            self.folder.cleanup()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
