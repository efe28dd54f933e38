"""The journal of the live path in PostgreSQL: the same promises as in SQLite, beside the platform's other tables.

Ids are kept as bytes: PostgreSQL's texts take no zero character, and one odd id must not hold up everybody. One service
at a time has the journal, by an advisory lock of the connection that writes. Where that connection breaks, nobody knows
whether the last commit was kept; so nothing more is taken in, and a new start goes on from what the journal holds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import groupby, islice
from typing import Any, Self, TypeVar

import psycopg

from lightship.core.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS live_payments (seq bigint PRIMARY KEY, payment bytea NOT NULL UNIQUE, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS live_alerts (
  seq bigint PRIMARY KEY, alert bytea NOT NULL UNIQUE, payment bytea NOT NULL, body bytea NOT NULL);
CREATE INDEX IF NOT EXISTS live_alerts_of ON live_alerts (payment);
CREATE TABLE IF NOT EXISTS live_accounts (party bytea PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE IF NOT EXISTS live_through (one int PRIMARY KEY CHECK (one = 1), seq bigint NOT NULL);
CREATE TABLE IF NOT EXISTS live_begun (payment bytea PRIMARY KEY);
"""
_LOCK = 0x6C69_7665_7061_7973
"""The number of the advisory lock; any, if it is always the same."""
_PAGE = 5000
_SOON = {"connect_timeout": 5, "tcp_user_timeout": 8_000, "keepalives_idle": 5, "keepalives_interval": 2}
T = TypeVar("T")


class PostgresPaymentJournal:
    """A journal in a database; its tables are made if there are none.

    Parameters
    ----------
    url
        Such as ``postgresql://USER@HOST/NAME``.

    Raises
    ------
    StoreError
        If it cannot be opened, or another service has it.
    """

    def __init__(self, url: str) -> None:
        url = url.replace("postgresql+psycopg:", "postgresql:", 1)  # as the platform's store is named
        self._locks = {name: threading.Lock() for name in ("writer", "reader", "keeper")}
        with ExitStack() as undo:
            try:
                self._of = {
                    name: undo.enter_context(closing(psycopg.connect(url, autocommit=True, **_SOON)))  # type: ignore[arg-type]
                    for name in self._locks
                }
                writer = self._of["writer"]
                held = writer.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
                if not (held and held[0]):
                    what = "Another service has the journal of live payments in this database."
                    raise StoreError(what, writer.info.host, "End it, or name another database.")
                writer.execute("SET synchronous_commit = on")
                writer.execute(_SCHEMA)
                found = writer.execute(
                    "SELECT coalesce((SELECT max(seq) FROM live_payments), 0), "
                    "coalesce((SELECT max(seq) FROM live_alerts), 0)"
                ).fetchone()
            except psycopg.Error as error:
                raise _failure(error) from error
            self._last, self._last_alert = found or (0, 0)
            undo.callback(self._let_go)
            self._undo = undo.pop_all()

    def _let_go(self) -> None:
        if not self._of["writer"].closed:
            self._of["writer"].execute("SELECT pg_advisory_unlock_all()")

    def known(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what was accepted under these ids."""
        query = "SELECT payment, body FROM live_payments WHERE payment = ANY(%s)"
        return {one.decode(): body for one, body in self._read(query, [_bytes(ids)])}

    def begin_with(self, ids: Iterable[str]) -> None:
        """Keep the ids of the payments that accounts begin with, in rising order, in place of any kept before."""

        def work(db: psycopg.Connection[Any]) -> None:
            with db.transaction():
                db.execute("TRUNCATE live_begun")
                with db.cursor().copy("COPY live_begun FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(["bytea"])
                    for one, _ in groupby(ids):
                        copy.write_row((one.encode(),))

        self._with("keeper", work)

    def begun(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those ids that accounts began with."""
        found = self._read("SELECT payment FROM live_begun WHERE payment = ANY(%s)", [_bytes(ids)])
        return frozenset(one.decode() for (one,) in found)

    def alerts_of(self, ids: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
        """Return the alerts that payments began."""
        query = "SELECT payment, body FROM live_alerts WHERE payment = ANY(%s) ORDER BY seq"
        found: dict[str, tuple[bytes, ...]] = {}
        for one, body in self._read(query, [_bytes(ids)]):
            found[one.decode()] = (*found.get(one.decode(), ()), body)
        return found

    def append(
        self, payments: Sequence[tuple[str, bytes]], alerts: Sequence[tuple[str, str, bytes]]
    ) -> tuple[int, int]:
        """Keep payments and the alerts they began, in one transaction; on disk when this returns.

        Raises
        ------
        StoreError
            If it cannot be written; then nothing of it is kept, or, where the connection broke, perhaps all.
        """
        ids, bodies = [one.encode() for one, _ in payments], [body for _, body in payments]
        numbers = list(range(self._last + 1, self._last + 1 + len(payments)))
        alert_numbers = list(range(self._last_alert + 1, self._last_alert + 1 + len(alerts)))

        def work(db: psycopg.Connection[Any]) -> None:
            with db.transaction():
                db.execute(
                    "INSERT INTO live_payments SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[])",
                    [numbers, ids, bodies],
                )
                if alerts:
                    db.execute(
                        "INSERT INTO live_alerts "
                        "SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[])",
                        [
                            alert_numbers,
                            [alert.encode() for alert, _, _ in alerts],
                            [payment.encode() for _, payment, _ in alerts],
                            [body for _, _, body in alerts],
                        ],
                    )

        self._with("writer", work)
        self._last += len(payments)
        self._last_alert += len(alerts)
        return self._last, self._last_alert

    def payments(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Yield payments with their numbers, from after one on."""
        query = "SELECT seq, body FROM live_payments WHERE seq > %s ORDER BY seq LIMIT %s"
        while rows := self._read(query, [after, _PAGE]):
            yield from rows
            after = rows[-1][0]

    def alerts(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return alerts with their numbers, from after one on."""
        query = "SELECT seq, body FROM live_alerts WHERE seq > %s ORDER BY seq LIMIT %s"
        return self._read(query, [after, limit])

    def save(self, through: int, accounts: Iterable[tuple[str, bytes]]) -> None:
        """Keep what accounts hold after payment number `through`; all of it or nothing."""

        def work(db: psycopg.Connection[Any]) -> None:
            rows = iter(accounts)
            with db.transaction():
                while part := list(islice(rows, _PAGE)):
                    db.execute(
                        "INSERT INTO live_accounts SELECT * FROM unnest(%s::bytea[], %s::bytea[]) "
                        "ON CONFLICT (party) DO UPDATE SET body = excluded.body",
                        [[party.encode() for party, _ in part], [body for _, body in part]],
                    )
                db.execute(
                    "INSERT INTO live_through VALUES (1, %s) ON CONFLICT (one) DO UPDATE SET seq = excluded.seq",
                    [through],
                )

        self._with("keeper", work)

    def saved(self) -> tuple[int, Iterator[tuple[str, bytes]]]:
        """Return the number up to which accounts are kept, and the accounts."""
        found = self._read("SELECT seq FROM live_through", [])
        return (found[0][0] if found else 0), self._saved()

    def _saved(self) -> Iterator[tuple[str, bytes]]:
        query, after = "SELECT party, body FROM live_accounts WHERE party > %s ORDER BY party LIMIT %s", b""
        while rows := self._read(query, [after, _PAGE]):
            yield from ((party.decode(), body) for party, body in rows)
            after = rows[-1][0]

    def _read(self, query: str, values: Sequence[object]) -> list[Any]:
        return self._with("reader", lambda db: db.execute(query.encode(), values).fetchall())

    def _with(self, name: str, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        if self._of["writer"].broken:
            what = "The connection to the journal of live payments broke."
            raise StoreError(what, "", "Start the service again: it goes on from what is kept.")
        try:
            with self._locks[name]:
                return work(self._of[name])
        except psycopg.Error as error:
            if self._of[name].broken:
                self._of["writer"].close()  # all end together: see above
            raise _failure(error) from error

    def close(self) -> None:
        """Close the connections, each when its work is done. Closing twice does nothing."""
        with self._locks["writer"], self._locks["reader"], self._locks["keeper"]:
            self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _bytes(ids: Sequence[str]) -> list[bytes]:
    return [one.encode() for one in ids]


def _failure(error: psycopg.Error) -> StoreError:
    cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return StoreError(
        f"The journal of live payments cannot be used: {cause}.",
        "PostgreSQL",
        "Check the database and its address; then start the service again.",
    )
