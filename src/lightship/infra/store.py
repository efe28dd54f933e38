"""A platform's store on SQLite or PostgreSQL: frozen values in tables, whole transactions, one journal.

On SQLite every transaction begins IMMEDIATE and is on disk when it ends; reading needs no lock. What is decided must
rest on :meth:`SqlWork.change`, whose expectation is compared where it is written, and not on a value read before.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from lightship.core.canonical import canonical
from lightship.core.errors import InputError, StoreError
from lightship.core.ports import Identified
from lightship.infra.engine import engine_of, store_error
from lightship.infra.tables import SCHEMA, Schema, row_of, value_of

K = TypeVar("K", bound=Identified)

_JOURNAL_LOCK = 0x6C73_6A72  # PostgreSQL's advisory lock of the journal; any number that nobody else uses


class SqlStore:
    """Values under their ids, each kind in a table of its own.

    Parameters
    ----------
    url
        ``sqlite:///PATH`` or ``postgresql://...``; the tables must be there (:func:`lightship.infra.migrate.upgrade`).
    schema
        The tables; more than the platform's own where further kinds are kept.

    Raises
    ------
    StoreError
        If the address cannot be read, or is of another database.
    """

    def __init__(self, url: str, schema: Schema = SCHEMA) -> None:
        self.schema = schema
        self._engine, self._reading = engine_of(url), engine_of(url, read_only=True)
        self.embedded = self._engine.dialect.name == "sqlite"
        self.where = self._engine.url.render_as_string(hide_password=True)
        self._turn, self._writer = threading.Lock(), 0

    @contextlib.contextmanager
    def begin(self) -> Iterator[SqlWork]:
        """Begin a transaction; it ends with the block, and an exception undoes it.

        Raises
        ------
        StoreError
            If the database cannot be used, or this thread is inside a transaction already.
        """
        if self._writer == threading.get_ident():
            raise StoreError("A transaction began inside another.", self.where, "End the first one before.")
        with contextlib.ExitStack() as stack:
            if self.embedded:  # threads of one process take turns here: SQLite itself would let them poll
                stack.enter_context(self._turn)
                self._writer = threading.get_ident()
                stack.callback(setattr, self, "_writer", 0)
            stack.enter_context(self._named())
            connection = stack.enter_context(self._engine.connect())
            transaction = stack.enter_context(connection.begin())
            work = SqlWork(connection, self.schema, self.where)
            yield work
            work.flush()
            transaction.commit()

    @contextlib.contextmanager
    def look(self) -> Iterator[SqlWork]:
        """Read what stands now, without keeping anybody from writing.

        Raises
        ------
        StoreError
            If the database cannot be read, or the block tries to write.
        """
        with self._named(), self._reading.connect() as connection:
            yield SqlWork(connection, self.schema, self.where, read_only=True)

    @contextlib.contextmanager
    def scan(self) -> Iterator[SqlWork]:
        """Read rows of many pages: as :meth:`look`, and on PostgreSQL in a transaction, which its cursors ask for.

        Raises
        ------
        StoreError
            If the database cannot be read.
        """
        with self.look() if self._engine.dialect.name == "sqlite" else self.begin() as work:
            yield work

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say what an error of the database means."""
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None)
            raise cause if isinstance(cause, StoreError) else store_error(error, self.where) from error

    def close(self) -> None:
        """Close all connections. Closing twice does nothing."""
        self._engine.dispose()
        self._reading.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SqlWork:
    """One transaction; made by :meth:`SqlStore.begin`.

    Parameters
    ----------
    connection
        Of the database, within a transaction.
    """

    def __init__(
        self, connection: Connection, schema: Schema, where: str, *, read_only: bool = False
    ) -> None:
        self.connection = connection
        self._schema, self._where, self._read_only = schema, where, read_only
        self._entries: list[dict[str, str]] = []

    def save(self, *values: Identified) -> None:
        """Keep new values, each under its id.

        Raises
        ------
        StoreError
            If one of that id is there already.
        """
        self._writable()
        kinds: dict[type[Identified], list[dict[str, Any]]] = {}
        for value in values:
            kinds.setdefault(type(value), []).append(row_of(value))
        for kind, rows in kinds.items():
            try:
                with self.connection.begin_nested():
                    self._write(sa.insert(self._table(kind)), rows)
            except IntegrityError as error:
                raise StoreError(
                    f"A {kind.__name__.lower()} of this id is there already.",
                    self._where,
                    "Give a new id, or change the one that is there.",
                ) from error

    def get(self, kind: type[K], id_: str) -> K | None:
        """Return the value of an id."""
        found = self.find(kind, {"id": id_}, limit=1)
        return found[0] if found else None

    def find(
        self,
        kind: type[K],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: str = "",
    ) -> list[K]:
        """Return values whose fields equal those of ``where`` (a tuple: any of these), ``-field`` orders downwards.

        Values without a field's value come last, and equal ones by id. ``after`` is the id of the last value of the
        page before; if it is gone, or no longer where it was, the page begins where it would now stand.

        Raises
        ------
        StoreError
            If there is no such field, or ``after`` is no value's id.
        """
        table = self._table(kind)
        keys = [(_field(table, one.removeprefix("-")), one.startswith("-")) for one in order]
        keys.append((table.c.id, False))
        query = sa.select(table).where(*where_equal(table, where or {}))
        if after:
            row = self.connection.execute(sa.select(table).where(table.c.id == after)).mappings().first()
            if row is None:
                raise StoreError("The page before ended with a value that is gone.", after, "Begin again.")
            query = query.where(_beyond(keys, [row[column.name] for column, _ in keys]))
        for column, down in keys:
            if column.nullable:
                query = query.order_by(column.is_(None))
            query = query.order_by(column.desc() if down else column.asc())
        rows = self.connection.execute(query if limit is None else query.limit(limit)).mappings()
        return [value_of(kind, row) for row in rows]

    def count(self, kind: type[Identified], where: Mapping[str, object] | None = None) -> int:
        """Return how many values have these fields."""
        table = self._table(kind)
        query = sa.select(sa.func.count()).select_from(table).where(*where_equal(table, where or {}))
        return int(self.connection.execute(query).scalar_one())

    def tally(
        self, kind: type[Identified], fields: Sequence[str], where: Mapping[str, object] | None = None
    ) -> dict[tuple[Any, ...], int]:
        """Return how many values have each combination of some fields, without reading the values.

        Raises
        ------
        StoreError
            If there is no such field.
        """
        table = self._table(kind)
        columns = [_field(table, one) for one in fields]
        query = (
            sa.select(*columns, sa.func.count()).where(*where_equal(table, where or {})).group_by(*columns)
        )
        return {tuple(row[:-1]): int(row[-1]) for row in self.connection.execute(query)}

    def change(self, kind: type[K], id_: str, expect: Mapping[str, object], **fields: object) -> K | None:
        """Change fields of a value where those of ``expect`` are as expected; returns the new value, None where not.

        It is one conditional UPDATE: of several that expect the same, one succeeds.

        Raises
        ------
        StoreError
            If there is no such field.
        """
        table = self._table(kind)
        for name in fields:
            _field(table, name)
        conditions = [table.c.id == id_, *where_equal(table, expect)]
        if not fields:
            found = self.find(kind, {**expect, "id": id_}, limit=1)
            return found[0] if found else None
        row = (
            self._write(sa.update(table).where(*conditions).values(**fields).returning(table))
            .mappings()
            .first()
        )
        return None if row is None else value_of(kind, row)

    def record(self, entry: Mapping[str, Any]) -> None:
        """Put an entry on the ledger, with everything else of this transaction or not at all.

        It gets the time, unless it brings one as ``at``, and ``journal``, which the ledger holds once.

        Raises
        ------
        StoreError
            If it has no canonical JSON, or ``at`` is no aware ISO 8601 text: the ledger would refuse it later.
        """
        self._writable()
        key = secrets.token_hex(16)
        whole = {"at": datetime.now(UTC).isoformat(), **entry, "journal": key}
        if not _aware(whole["at"]):
            raise StoreError(
                "An entry's time is no aware ISO 8601 text.", "journal entry", "Give UTC, or none."
            )
        try:
            self._entries.append({"key": key, "entry": canonical(whole).decode()})
        except InputError as error:
            raise StoreError(error.what, "journal entry", error.todo) from error

    def flush(self) -> None:
        """Write the entries, last of all: those who write them take turns, so that their order is that of commits."""
        if not self._entries:
            return
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_JOURNAL_LOCK)))
        self._write(sa.insert(self._schema.journal), self._entries)
        self._entries = []

    def _write(
        self, statement: sa.sql.base.Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> sa.CursorResult[Any]:
        self._writable()
        result = self.connection.execute(statement, rows)
        assert isinstance(result, sa.CursorResult)
        return result

    def _writable(self) -> None:
        if self._read_only:
            raise StoreError("What is only looked at cannot be changed.", self._where, "Begin a transaction.")

    def _table(self, kind: type[Identified]) -> sa.Table:
        try:
            return self._schema.of[kind]
        except KeyError:
            raise StoreError(
                f"This store keeps no {kind.__name__}.", self._where, "Give its kind to tables_of."
            ) from None


def where_equal(table: sa.Table, where: Mapping[str, object]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that fields equal these values; a tuple is any of its values.

    Raises
    ------
    StoreError
        If there is no such field.
    """
    return [_same(_field(table, name), wanted) for name, wanted in where.items()]


def _field(table: sa.Table, name: str) -> sa.Column[Any]:
    try:
        return table.c[name]
    except KeyError:
        raise StoreError(f"There is no field {name!r}.", table.name, "Name a field of the value.") from None


def _aware(at: object) -> bool:
    try:
        return isinstance(at, str) and datetime.fromisoformat(at).tzinfo is not None
    except ValueError:
        return False


def _same(column: sa.Column[Any], wanted: object) -> sa.ColumnElement[bool]:
    if isinstance(wanted, tuple) and not isinstance(column.type, sa.JSON):
        any_of = column.in_([one for one in wanted if one is not None])
        return sa.or_(any_of, column.is_(None)) if None in wanted else any_of
    if isinstance(column.type, sa.JSON):  # PostgreSQL compares no JSON; both sides are text that we wrote
        return sa.cast(column, sa.Text) == sa.cast(sa.literal(wanted, column.type), sa.Text)
    return column.is_(None) if wanted is None else column == wanted


def _beyond(keys: list[tuple[sa.Column[Any], bool]], last: list[Any]) -> sa.ColumnElement[bool]:
    """Return the condition "ordered after these values", with None after every value."""
    (column, down), value = keys[0], last[0]
    if value is None:
        further: sa.ColumnElement[bool] = sa.false()
    else:
        last_value = sa.literal(value, column.type)
        further = column < last_value if down else column > last_value
        if column.nullable:
            further = sa.or_(further, column.is_(None))
    if len(keys) == 1:
        return further
    return sa.or_(further, sa.and_(_same(column, value), _beyond(keys[1:], last[1:])))
