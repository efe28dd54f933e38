"""From the journal to the ledger: in order, and each entry exactly once, whenever the process dies.

An act and its entry are one transaction of the store: the entry waits in the journal. The sealer appends what waits to
the ledger in one durable write, and removes it from the journal in a second one, in which it also notes the ledger's
size. If it dies between the two, the next sealer finds the entries by their keys behind that size, and only removes
them. Why not one transaction: ``docs/adr/0006-journal.md``.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from lightship.core.errors import LedgerError
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.store import SqlStore, SqlWork

BATCH = 1000
"""Entries in one durable write at most."""


class Sealer:
    """Moves a store's journal to its ledger. There is one at a time: the kernel gives its lock back when it dies.

    Parameters
    ----------
    store
        Whose journal.
    ledger
        Where to. A store's journal belongs to one ledger for good.

    Raises
    ------
    LedgerError
        If another sealer is at work on this ledger, the journal belongs to another ledger, or the ledger was put back
        to an earlier state.
    StoreError
        If the store cannot be used.
    """

    def __init__(self, store: SqlStore, ledger: LedgerFile) -> None:
        self._store, self._ledger = store, ledger
        self._journal, self._sealed = store.schema.journal, store.schema.sealed
        self._lock = _locked(ledger.path.with_name(ledger.path.name + ".sealer"))
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def waiting(self) -> int:
        """Return how many entries wait for the ledger."""
        with self._store.look() as work:
            return int(
                work.connection.execute(sa.select(sa.func.count()).select_from(self._journal)).scalar_one()
            )

    def seal(self) -> int:
        """Move what waits, up to a batch; returns how many entries it was.

        Raises
        ------
        LedgerError
            If the ledger cannot be written to; all entries wait on.
        StoreError
            If the store cannot be used.
        """
        columns = self._journal.c
        with self._store.look() as work:
            query = sa.select(columns.key, columns.entry).order_by(columns.number).limit(BATCH)
            rows = work.connection.execute(query).all()
        if rows:
            size = self._ledger.append_all(json.loads(row.entry) for row in rows)
            self._note([row.key for row in rows], size)
        return len(rows)

    def check(self) -> None:
        """Find out whether entries could be moved now.

        Raises
        ------
        LedgerError
            If the ledger cannot be written to; that its disk is full shows with the next entry.
        StoreError
            If the store cannot be written to.
        """
        self._ledger.append_all(())
        with self._store.begin() as work:
            work.connection.execute(sa.update(self._sealed).values(size=self._sealed.c.size))

    def run(self, stop: threading.Event, every_s: float = 0.2) -> None:
        """Move what comes until told to stop, and then what is left.

        Raises
        ------
        LedgerError, StoreError
            As :meth:`seal`.
        """
        while not stop.is_set():
            if not self.seal():
                stop.wait(every_s)
        while self.seal():
            pass

    def close(self) -> None:
        """Let another sealer begin. Closing twice does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recover(self) -> None:
        """Remove from the journal what the ledger has already."""
        start = self._start()
        size = self._ledger.size
        if size < start:
            raise LedgerError(
                f"This ledger has {size} entries, and had {start} when it was last sealed.",
                str(self._ledger.path),
                "It is an earlier copy. Bring back the later one, or verify both and ask who put it back.",
            )
        keys = [str(entry["journal"]) for entry in self._ledger.entries(start, size) if "journal" in entry]
        self._note(keys, size)

    def _start(self) -> int:
        """Return up to which size the ledger holds nothing that is in the journal; binds the two the first time."""
        with self._store.begin() as work:
            row = work.connection.execute(sa.select(self._sealed)).first()
            if row is None:
                first = sa.insert(self._sealed).values(id=1, ledger=self._ledger.origin, size=0)
                work.connection.execute(first)
                return 0
            if row.ledger != self._ledger.origin:
                raise LedgerError(
                    f"This store's journal belongs to the ledger {row.ledger!r}, not {self._ledger.origin!r}.",
                    str(self._ledger.path),
                    "Give that ledger, or start with a new store.",
                )
            return int(row.size)

    def _note(self, keys: list[str], size: int) -> None:
        with self._store.begin() as work:
            for start in range(0, len(keys), BATCH):
                self._remove(work, keys[start : start + BATCH])
            work.connection.execute(sa.update(self._sealed).values(size=size))

    def _remove(self, work: SqlWork, keys: list[str]) -> None:
        work.connection.execute(sa.delete(self._journal).where(self._journal.c.key.in_(keys)))


def _locked(path: Path) -> int:
    """Return an open file that nobody else has locked."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise LedgerError(
            "Another sealer is at work on this ledger, such as a second `lightship serve`.",
            str(path),
            "Run one a folder; beside it run `lightship worker`.",
        ) from error
    return lock
