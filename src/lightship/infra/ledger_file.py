"""The ledger in one SQLite file: durable group commit, a signature over everything, proofs, verification.

Standard library ``sqlite3`` only. Format and what it proves: ``docs/reference/ledger.md``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, Self

from lightship.core.canonical import canonical
from lightship.core.errors import InputError, LedgerError
from lightship.core.ledger import Problem, VerifyReport, verify_rows
from lightship.core.merkle import Frontier, consistency_proof, inclusion_proof, leaf_hash
from lightship.core.notes import Checkpoint, SigningKey, VerifierKey, open_checkpoint, sign_checkpoint
from lightship.infra.durable import BUSY_S, make_durable

KEEP_EVERY = 256
"""Entries between checkpoints that are kept. Fewer would say more exactly where damage is, but each one takes
some 60 µs to verify."""

_ENTRY = "ifnull(CAST(entry AS BLOB), x'')"  # bytes, whatever a stranger has stored there
_LINGER_S = 0.0005  # about one commit on a fast disk: waiting longer would cost more than it saves
_PAGE = 1024  # entries read at a time, so that no reader holds up SQLite's own checkpointing
_FROM = f"SELECT idx, {_ENTRY} FROM entries WHERE idx >= ? ORDER BY idx"  # noqa: S608 - a constant
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL, frontier BLOB NOT NULL);
"""


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


class _Ticket:
    """Entries of one caller, waiting to be on disk."""

    __slots__ = ("done", "error", "first", "rows")

    def __init__(self, rows: list[bytes]) -> None:
        self.rows = rows
        self.first = -1
        self.error: LedgerError | None = None
        self.done = threading.Lock()
        self.done.acquire()


class LedgerFile:
    """An append-only log in one SQLite file. Any number of threads and processes may append.

    What is appended while the disk is busy is committed together, once (group commit). Each commit is one
    transaction: the entries, and a signed checkpoint over all entries so far. So nothing is ever without a
    signature, and an acknowledged entry survives a crash or a kill at any moment.

    Parameters
    ----------
    path
        The file; made if there is none, readable by its owner alone.
    key
        Signs the checkpoints. All processes that append need the same.
    origin
        The log's name in its checkpoints; the key's name if None.
    clock
        Gives the time of entries that bring none; aware.

    Raises
    ------
    LedgerError
        If the file cannot be opened, is of another log or key, or its end does not match its last checkpoint.
    """

    def __init__(
        self,
        path: Path | str,
        key: SigningKey,
        origin: str | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.path = Path(path)
        self.origin = key.name if origin is None else origin
        self._key, self._clock, self._pid = key, clock, os.getpid()
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._gate = threading.Lock()  # nothing enters the queue once it is closed
        self._reading = threading.Lock()
        self._closed = False
        with contextlib.ExitStack() as undo:
            try:
                self._make_file()
                self._writer = undo.enter_context(contextlib.closing(_connect(self.path)))
                self._reader = undo.enter_context(contextlib.closing(_connect(self.path)))
                self._frontier, self._note = self._open()
            except sqlite3.Error as error:
                raise self._failure(error) from error
            undo.pop_all()
        self._committer = threading.Thread(target=self._commit_forever, name="ledger", daemon=True)
        self._committer.start()

    # Appending ---------------------------------------------------------------------------------

    def append(self, entry: dict[str, Any]) -> int:
        """Store one entry; when this returns it is on disk. Returns its index.

        Parameters
        ----------
        entry
            Canonical JSON must exist for it. ``at`` is aware ISO 8601 text; the clock gives it if absent.

        Raises
        ------
        LedgerError
            If it cannot be stored.
        """
        return self._submit([self._encode(entry)])

    def append_all(self, entries: Iterable[dict[str, Any]]) -> int:
        """Store several entries, next to each other, in one durable write: all or none.

        Returns the number of entries in the ledger right after them.

        Raises
        ------
        LedgerError
            If they cannot be stored.
        """
        rows = [self._encode(entry) for entry in entries]
        return self._submit(rows) + len(rows)

    def _encode(self, entry: dict[str, Any]) -> bytes:
        at = entry.get("at")
        try:
            moment = self._clock() if at is None else datetime.fromisoformat(at)
        except (TypeError, ValueError):
            raise LedgerError(
                "An entry's time cannot be read.",
                f"at={at!r}",
                "Give ISO 8601 text with its offset, or none.",
            ) from None
        if moment.tzinfo is None:
            raise LedgerError(
                "An entry's time has no offset.", f"at={at!r}", "Give an aware time, such as UTC."
            )
        text = moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
        try:
            return canonical({**entry, "at": text})
        except InputError as error:
            raise LedgerError(error.what, "ledger entry", error.todo) from error

    def _submit(self, rows: list[bytes]) -> int:
        ticket = _Ticket(rows)
        if self._pid != os.getpid():
            raise LedgerError(
                "This ledger was opened before the process forked.",
                str(self.path),
                "Open it in this process.",
            )
        with self._gate:
            if self._closed:
                raise LedgerError("This ledger is closed.", str(self.path), "Open it again.")
            self._queue.put(ticket)
        ticket.done.acquire()
        if ticket.error is not None:
            raise ticket.error
        return ticket.first

    def _commit_forever(self) -> None:
        callers, closing = 0, False
        while not closing:
            group: list[_Ticket] = []
            patience = monotonic() + _LINGER_S
            item = self._queue.get()
            with contextlib.suppress(Empty):
                while item is not None:
                    group.append(item)
                    # Those just served come back at once if they are busy: one commit for all, not two.
                    wait = len(group) < callers
                    item = self._queue.get(block=wait, timeout=max(0.0, patience - monotonic()))
                closing = True
            if group:
                self._commit(group)
            callers = len(group) + self._queue.qsize()

    def _commit(self, group: list[_Ticket]) -> None:
        error: LedgerError | None = None
        try:
            self._write([row for ticket in group for row in ticket.rows], group)
        except sqlite3.Error as cause:
            error = self._failure(cause)
            error.__cause__ = cause
        except LedgerError as cause:
            error = cause
        except Exception as cause:  # noqa: BLE001 - a caller must never wait for ever
            error = LedgerError(f"The ledger failed: {cause!r}.", str(self.path), "Report this as a defect.")
            error.__cause__ = cause
        for ticket in group:
            ticket.error = error
            ticket.done.release()

    def _write(self, rows: list[bytes], group: list[_Ticket]) -> None:
        with _transaction(self._writer) as db:
            self._catch_up(db)
            before = self._frontier
            after = before.extended(map(leaf_hash, rows))
            db.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(rows, before.size))
            note = self._seal(db, before.size, after) if rows else self._note
        self._frontier, self._note = after, note
        first = before.size
        for ticket in group:
            ticket.first = first
            first += len(ticket.rows)

    def _seal(self, db: sqlite3.Connection, before: int, after: Frontier) -> str:
        """Sign the tree; the checkpoint before is kept if it is the last of its stretch of entries."""
        note = sign_checkpoint(Checkpoint(self.origin, after.size, after.root()), self._key)
        values = (after.size, note, after.to_bytes())
        if before // KEEP_EVERY == after.size // KEEP_EVERY:
            replaced = "UPDATE checkpoints SET size = ?, note = ?, frontier = ? WHERE size = ?"
            db.execute(replaced, (*values, before))
        else:
            db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", values)
        return note

    # Opening -----------------------------------------------------------------------------------

    def _make_file(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerError(
                f"The ledger cannot be opened for writing: {error.strerror}.",
                str(self.path),
                "Choose a place that can be written to.",
            ) from error

    def _open(self) -> tuple[Frontier, str]:
        """Return the state at the last checkpoint, once the entries up to it were found to match."""
        with _transaction(self._writer) as db:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            last = db.execute(
                "SELECT size, note, CAST(frontier AS BLOB) FROM checkpoints ORDER BY size DESC LIMIT 2"
            ).fetchall()
            if not last:
                if db.execute("SELECT count(*) FROM entries").fetchone()[0]:
                    raise self._mismatch("it has entries but no checkpoint")
                return Frontier(), self._seal(db, -1, Frontier())
            start = Frontier()
            if len(last) == 2:
                size, note, frontier = last[1]
                try:
                    start = Frontier.from_bytes(size, frontier or b"")
                except LedgerError as error:
                    raise self._mismatch(error.what) from error
                if self._opened(note) != Checkpoint(self.origin, size, start.root()):
                    raise self._mismatch(f"checkpoint {size} is not what was signed")
            self._frontier, self._note = start, ""
            self._catch_up(db)
            return self._frontier, self._note

    def _catch_up(self, db: sqlite3.Connection) -> None:
        """Take in what other processes have appended, if it extends what is known here and is signed."""
        known = self._frontier
        row = db.execute("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        if row is not None and row[1] == self._note:
            return
        if row is None or row[0] < known.size:
            raise self._mismatch(f"its {known.size} entries became fewer")
        checkpoint = self._opened(row[1])
        rows = db.execute(_FROM, (known.size,)).fetchall()
        tree = known.extended(leaf_hash(entry) for _, entry in rows)
        numbers = [index for index, _ in rows]
        if numbers != list(range(known.size, row[0])) or checkpoint != Checkpoint(
            self.origin, row[0], tree.root()
        ):
            raise self._mismatch(f"entries from {known.size} on do not match checkpoint {row[0]}")
        self._frontier, self._note = tree, row[1]

    def _opened(self, note: str) -> Checkpoint:
        try:
            checkpoint = open_checkpoint(note, self._key.verifier)
        except LedgerError as error:
            raise self._mismatch(error.what) from error
        if checkpoint.origin != self.origin:
            raise self._mismatch(f"it is the log {checkpoint.origin!r}, not {self.origin!r}")
        return checkpoint

    def _mismatch(self, why: str) -> LedgerError:
        return LedgerError(
            f"Nothing can be appended to this ledger: {why}.",
            str(self.path),
            "Keep the file as it is, verify it to see what is wrong, and start a new one under another name.",
        )

    def _failure(self, error: sqlite3.Error) -> LedgerError:
        return _failure(error, self.path)

    # Reading -----------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """The number of entries on disk."""
        return self._latest().size

    def checkpoint(self) -> str:
        """Return the newest signed checkpoint. Kept elsewhere, it shows later that nothing was changed."""
        return str(self._read("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1")[0][0])

    def _latest(self) -> Checkpoint:
        return open_checkpoint(self.checkpoint(), self._key.verifier)

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the entries from ``start`` up to, but not including, ``stop``."""
        for row in self._raw(start, self.size if stop is None else stop):
            yield json.loads(row)

    def entries_of(self, kinds: Iterable[str], start: int, stop: int) -> Iterator[dict[str, Any]]:
        """Yield those entries from ``start`` up to ``stop`` that are of some kinds; the others are not parsed."""
        wanted = frozenset(kinds)
        # canonical JSON has one spelling, and a quote inside a text is escaped: nothing of these kinds is passed over
        named = b"|".join(re.escape(canonical(kind)) for kind in sorted(wanted))
        told = re.compile(b'"kind":(?:' + named + b")").search
        for row in self._raw(start, stop):
            if told(row) is not None and (entry := json.loads(row)).get("kind") in wanted:
                yield entry

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that entry ``index`` is among the first ``size`` (None: all of them).

        It reads and hashes all those entries: about a second for a million. Check it with
        :func:`lightship.core.merkle.verify_inclusion`.

        Raises
        ------
        LedgerError
            If there is no such entry or size.
        """
        return inclusion_proof(self._leaves(size), index)

    def consistency_proof(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the first ``size`` entries (None: all) extend the first ``old_size``.

        Reads and hashes all those entries. Check it with :func:`lightship.core.merkle.verify_consistency`.

        Raises
        ------
        LedgerError
            If the sizes do not fit the ledger.
        """
        return consistency_proof(self._leaves(size), old_size)

    def _leaves(self, size: int | None) -> list[bytes]:
        here = self.size
        if size is not None and not 0 <= size <= here:
            raise LedgerError(
                f"This ledger has {here} entries, not {size}.", str(self.path), "Ask for fewer."
            )
        return [leaf_hash(row) for row in self._raw(0, here if size is None else size)]

    def _raw(self, start: int, stop: int) -> Iterator[bytes]:
        for page in range(start, stop, _PAGE):
            query = _FROM + " LIMIT ?"
            for _, row in self._read(query, page, min(_PAGE, stop - page)):
                yield row

    def _read(self, query: str, *values: int) -> list[Any]:
        with self._reading:
            if self._closed:
                raise LedgerError("This ledger is closed.", str(self.path), "Open it again.")
            try:
                return self._reader.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise self._failure(error) from error

    # Closing -----------------------------------------------------------------------------------

    def close(self) -> None:
        """Finish what was handed in, and close the file. Closing twice does nothing."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._committer.join()
        with self._reading:
            self._reader.close()
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_entries(path: Path | str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a ledger file, without a key and without verifying them.

    Raises
    ------
    LedgerError
        If the file cannot be read, or an entry is not JSON.
    """
    try:
        with _snapshot(Path(path)) as db:
            for index, row in db.execute("SELECT idx, entry FROM entries ORDER BY idx"):
                try:
                    yield json.loads(row)
                except (ValueError, TypeError):
                    raise LedgerError(
                        "This entry is not JSON.", f"{path}, entry {index}", "Verify the ledger."
                    ) from None
    except sqlite3.Error as error:
        raise _failure(error, Path(path)) from error


@contextlib.contextmanager
def opened_rows(path: Path | str) -> Iterator[tuple[list[str], Iterator[bytes]]]:
    """Open a ledger file as it is at one moment: its signed checkpoints by size, and the bytes of its entries in order.

    Neither a key is needed nor anything verified; what is appended meanwhile is not seen.

    Raises
    ------
    LedgerError
        If the file cannot be read.
    """
    path = Path(path)
    try:
        with _snapshot(path) as db:
            notes = [str(note) for (note,) in db.execute("SELECT note FROM checkpoints ORDER BY size")]
            rows = db.execute(f"SELECT {_ENTRY} FROM entries ORDER BY idx")  # noqa: S608 - a constant
            yield notes, (row for (row,) in rows)
    except sqlite3.Error as error:
        raise _failure(error, path) from error


def verify_file(
    path: Path | str,
    key: VerifierKey | str,
    *,
    origin: str | None = None,
    witnessed: Iterable[str] = (),
) -> VerifyReport:
    """Verify a ledger from the file and the public key alone. Nothing is written to it.

    Parameters
    ----------
    path
        The SQLite file; its ``-wal`` file must be beside it if there is one.
    key
        The public key, or the line of text that it is.
    origin
        The log that this must be; None accepts whichever the file names.
    witnessed
        Checkpoints that were kept elsewhere. Only these show that a file was put back to an earlier state, or
        rewritten by the holder of the key.

    Raises
    ------
    LedgerError
        If the file is missing or not a ledger, or the key is not one. What is wrong inside a ledger is in the
        report.
    """
    path = Path(path)
    key = VerifierKey.parse(key) if isinstance(key, str) else key
    witnessed = list(witnessed)
    alone = not _wal(path).exists()
    report = _verify(path, key, origin, witnessed)
    if (
        alone and not report.ok and _wal(path).exists()
    ):  # a writer came, and the file was read without its help
        report = _verify(path, key, origin, witnessed)
    return report


def _verify(path: Path, key: VerifierKey, origin: str | None, witnessed: list[str]) -> VerifyReport:
    problems: list[Problem] = []
    notes: list[str] = []
    frontiers: dict[int, bytes] = {}
    try:
        with _snapshot(path) as db:
            kept = db.execute(
                "SELECT size, CAST(note AS BLOB), ifnull(CAST(frontier AS BLOB), x'')"
                " FROM checkpoints ORDER BY size"
            )
            for size, blob, frontier in _until_damage(kept, problems):
                note = (blob or b"").decode(errors="replace")
                notes.append(note)
                frontiers[size] = frontier
                if note.split("\n", 2)[1:2] != [str(size)]:
                    problems.append(Problem(f"the checkpoint kept as {size} is of another size"))
            rows = db.execute(f"SELECT idx, {_ENTRY} FROM entries ORDER BY idx")  # noqa: S608 - a constant
            report = verify_rows(
                _until_damage(rows, problems), [*notes, *witnessed], key, origin=origin, frontiers=frontiers
            )
    except sqlite3.Error as error:
        raise _failure(error, path) from error
    return replace(report, problems=(*problems, *report.problems))


def _until_damage(cursor: sqlite3.Cursor, problems: list[Problem]) -> Iterator[Any]:
    """Yield rows until SQLite can read no further."""
    try:
        yield from cursor
    except sqlite3.Error as error:
        problems.append(Problem(f"the file is damaged and cannot be read to its end: {error}"))


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _connect(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are on disk when they return; autocommit until BEGIN."""
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        make_durable(db)
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
        db.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file read-only, as it is at one moment.

    Without a ``-wal`` file nobody is writing and the main file is all there is: then SQLite need not make
    files of its own beside it, and a read-only medium will do.
    """
    if not path.is_file():
        raise LedgerError("There is no ledger here.", str(path), "Give the path of a ledger file.")
    mode = "mode=ro" if _wal(path).exists() else "immutable=1"
    uri = f"{path.absolute().as_uri()}?{mode}"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None)) as db:
        db.execute("BEGIN")
        yield db


def _failure(error: sqlite3.Error, path: Path) -> LedgerError:
    """Return what an error of SQLite means and what to do. (https://sqlite.org/rescode.html)."""
    name = getattr(error, "sqlite_errorname", "")
    for prefix, what, todo in _FAILURES:
        if name.startswith(prefix) or prefix in str(error):
            return LedgerError(f"{what} ({error}).", str(path), todo)
    return LedgerError(
        f"The ledger's file cannot be used ({error}).", str(path), "Verify it, or give another."
    )


_FAILURES = (
    (
        "SQLITE_FULL",
        "The disk is full",
        "Free some space. The entry was not stored; all that was acknowledged is safe.",
    ),
    ("SQLITE_IOERR", "The disk fails, or is full", "Check the disk; the entry was not acknowledged."),
    ("SQLITE_BUSY", f"Another process has kept this ledger locked for {BUSY_S} s", "End it, and try again."),
    (
        "SQLITE_READONLY",
        "The ledger cannot be written to",
        "Check its permissions and those of its directory.",
    ),
    (
        "SQLITE_CANTOPEN",
        "The ledger cannot be opened",
        "Check permissions. To read it with its -wal file, copy both to a directory that can be written to.",
    ),
    ("SQLITE_NOTADB", "This file is not a ledger", "Give the path of a ledger file."),
    ("no such table", "This file is not a ledger", "Give the path of a ledger file."),
    ("SQLITE_CORRUPT", "The ledger's file is damaged", "Keep it as it is, verify it, and start a new one."),
)
