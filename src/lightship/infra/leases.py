"""Leases in the store's own database: who works on what, with fencing numbers, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lightship.infra.store import SqlStore, SqlWork

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class SqlLeases:
    """Leases as rows; a lapsed one goes to whoever asks first.

    PostgreSQL's own clock says what has lapsed, so that machines need not agree on the time. On SQLite there is one
    machine, and its clock counts.

    Parameters
    ----------
    store
        Where the rows are.
    clock
        Another clock, for tests.
    """

    def __init__(self, store: SqlStore, clock: Callable[[], datetime] | None = None) -> None:
        self._store, self._table, self._clock = store, store.schema.leases, clock

    def take(self, names: Sequence[str], holder: str, ttl_s: float) -> dict[str, int]:
        """Take free or lapsed leases, and keep one's own; returns a fencing number, rising, of each that one holds.

        The number rises whenever a lease was free or lapsed before, also when its last holder takes it again.

        Raises
        ------
        StoreError
            If the database cannot be used.
        """
        if not names:
            return {}
        table, insert = self._table, sqlite.insert if self._store.embedded else postgresql.insert
        with self._store.begin() as work:
            now = self._now(work)
            # One order for all: two that take the same leases never wait for each other in a ring.
            rows = [
                {"name": name, "holder": holder, "until": now + timedelta(seconds=ttl_s), "fence": 1}
                for name in sorted(set(names))
            ]
            new = insert(table).values(rows)
            mine = sa.and_(table.c.holder == holder, table.c.until > now)
            statement = new.on_conflict_do_update(
                index_elements=[table.c.name],
                set_={
                    "holder": holder,
                    "until": new.excluded.until,
                    "fence": sa.case((mine, table.c.fence), else_=table.c.fence + 1),
                },
                where=sa.or_(mine, table.c.until <= now),
            ).returning(table.c.name, table.c.fence)
            return {name: int(fence) for name, fence in work.connection.execute(statement)}

    def free(self, name: str, holder: str) -> None:
        """Give a lease back; the row stays, so that its number goes on rising."""
        table = self._table
        with self._store.begin() as work:
            work.connection.execute(
                sa.update(table).where(table.c.name == name, table.c.holder == holder).values(until=_LONG_AGO)
            )

    def held(self) -> Mapping[str, str]:
        """Return who holds what now."""
        table = self._table
        with self._store.look() as work:
            rows = work.connection.execute(
                sa.select(table.c.name, table.c.holder).where(table.c.until > self._now(work))
            )
            return {str(row.name): str(row.holder) for row in rows}

    def _now(self, work: SqlWork) -> datetime:
        if self._clock is not None:
            return self._clock()
        if self._store.embedded:
            return datetime.now(UTC)
        moment: datetime = work.connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
