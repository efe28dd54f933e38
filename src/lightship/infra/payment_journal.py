"""The journal of the live path in SQLite: payments and their alerts in one file, snapshots of accounts in another.

The first is written with ``synchronous=FULL``: what was appended survives a kill or a loss of power. The second can
always be made anew from the first, so that saving it holds up nobody. One process at a time has the folder.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

from lightship.core.errors import StoreError
from lightship.infra.durable import BUSY_S, make_durable

_JOURNAL = """
CREATE TABLE IF NOT EXISTS payments (seq INTEGER PRIMARY KEY, payment TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
  seq INTEGER PRIMARY KEY, alert TEXT NOT NULL UNIQUE, payment TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS alerts_of ON alerts (payment);
"""
_ACCOUNTS = """
CREATE TABLE IF NOT EXISTS accounts (party TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (payment TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS through (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
"""
_PAGE = 5000
_ASKED = 500  # values of one query


class SqlitePaymentJournal:
    """A journal in a folder, made if there is none.

    Parameters
    ----------
    folder
        Readable by its owner alone.

    Raises
    ------
    StoreError
        If it cannot be opened, or another process has it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._keeping = threading.Lock()  # accounts are saved by a thread of their own, also while we close
        with ExitStack() as undo:
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._held = undo.enter_context((folder / "lock").open("w"))
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._journal = undo.enter_context(closing(_open(folder / "journal.db", _JOURNAL)))
                self._reader = undo.enter_context(closing(_open(folder / "journal.db", "")))
                self._accounts = undo.enter_context(closing(_open(folder / "accounts.db", _ACCOUNTS)))
                self._accounts.execute("PRAGMA synchronous=NORMAL")
                self._begun = undo.enter_context(closing(_open(folder / "accounts.db", "")))
            except BlockingIOError as error:
                what = "Another service has this folder of live payments."
                raise StoreError(what, str(folder), "End it, or name another with --state.") from error
            except (OSError, sqlite3.Error) as error:
                raise self._failure(error) from error
            self._undo = undo.pop_all()

    def known(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what was accepted under these ids."""
        found: dict[str, bytes] = {}
        for part in _parts(ids):
            marks = ", ".join("?" * len(part))
            query = f"SELECT payment, body FROM payments WHERE payment IN ({marks})"  # noqa: S608 - marks
            # By the connection that writes: another one's pages would be stale after every commit.
            found |= self._read(query, part, self._journal)
        return found

    def begin_with(self, ids: Iterable[str]) -> None:
        """Keep the ids of the payments that accounts begin with, in rising order, in place of any kept before."""
        try:
            with self._keeping, self._accounts as db:
                db.execute("BEGIN IMMEDIATE")
                db.execute("DELETE FROM begun")
                db.executemany("INSERT OR IGNORE INTO begun VALUES (?)", ((one,) for one in ids))
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def begun(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those ids that accounts began with."""
        found: set[str] = set()
        for part in _parts(ids):
            marks = ", ".join("?" * len(part))
            query = f"SELECT payment FROM begun WHERE payment IN ({marks})"  # noqa: S608 - marks
            try:
                found.update(one for (one,) in self._begun.execute(query, part))
            except sqlite3.Error as error:
                raise self._failure(error) from error
        return frozenset(found)

    def alerts_of(self, ids: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
        """Return the alerts that payments began."""
        found: dict[str, tuple[bytes, ...]] = {}
        for part in _parts(ids):
            marks = ", ".join("?" * len(part))
            query = f"SELECT payment, body FROM alerts WHERE payment IN ({marks}) ORDER BY seq"  # noqa: S608 - marks
            for payment, body in self._read(query, part):
                found[payment] = (*found.get(payment, ()), body)
        return found

    def append(
        self, payments: Sequence[tuple[str, bytes]], alerts: Sequence[tuple[str, str, bytes]]
    ) -> tuple[int, int]:
        """Keep payments and the alerts they began, in one transaction; on disk when this returns.

        Raises
        ------
        StoreError
            If it cannot be written; then nothing of it is kept.
        """
        try:
            with self._lock, self._journal as db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO payments (payment, body) VALUES (?, ?)", payments)
                db.executemany("INSERT INTO alerts (alert, payment, body) VALUES (?, ?, ?)", alerts)
                last = db.execute(
                    "SELECT (SELECT max(seq) FROM payments), (SELECT max(seq) FROM alerts)"
                ).fetchone()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return last[0] or 0, last[1] or 0

    def payments(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Yield payments with their numbers, from after one on."""
        while rows := self._read(
            "SELECT seq, body FROM payments WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE)
        ):
            yield from rows
            after = rows[-1][0]

    def alerts(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return alerts with their numbers, from after one on."""
        return self._read("SELECT seq, body FROM alerts WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))

    def save(self, through: int, accounts: Iterable[tuple[str, bytes]]) -> None:
        """Keep what accounts hold after payment number `through`; all of it or nothing."""
        try:
            with self._keeping, self._accounts as db:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?)", accounts)
                db.execute("INSERT OR REPLACE INTO through VALUES (1, ?)", (through,))
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def saved(self) -> tuple[int, Iterator[tuple[str, bytes]]]:
        """Return the number up to which accounts are kept, and the accounts."""
        try:
            found = self._accounts.execute("SELECT seq FROM through").fetchone()
            return (found[0] if found else 0), self._accounts.execute("SELECT party, body FROM accounts")
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _read(self, query: str, values: Sequence[object], by: sqlite3.Connection | None = None) -> list[Any]:
        try:
            with self._lock:
                return (by or self._reader).execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> StoreError:
        return StoreError(
            f"The journal of live payments cannot be used: {error}.",
            str(self._folder),
            "Make room, or restore it from a copy.",
        )

    def close(self) -> None:
        """Close the files. Closing twice does nothing."""
        with self._lock, self._keeping:
            self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path, schema: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    make_durable(db)
    db.executescript(schema)
    return db


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _ASKED):
        yield ids[start : start + _ASKED]
