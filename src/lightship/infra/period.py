"""Rows of a store and entries of ledgers in a stretch of time, a page at a time: what figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lightship.core.entry_time import at_of, place_at
from lightship.core.errors import StoreError
from lightship.core.ports import Identified, ReadableLedger
from lightship.infra.store import SqlStore

_PAGE = 5_000
_SLACK = timedelta(minutes=5)
"""Entries stand in the order in which they were written; the times that they tell may be so far out of it."""


class StoredPeriod:
    """What a platform's store and ledgers tell of a stretch of time.

    Parameters
    ----------
    ledger
        The platform's.
    lists
        The ledger of the hash lists; None where there is none.
    """

    def __init__(self, store: SqlStore, ledger: ReadableLedger, lists: ReadableLedger | None = None) -> None:
        self._store, self._ledger, self._lists = store, ledger, lists

    def rows(
        self,
        kind: type[Identified],
        fields: Sequence[str],
        since: str,
        begins: datetime,
        ends: datetime,
        *,
        of: tuple[type[Identified], str, Sequence[str]] | None = None,
        unless: Iterable[str] = (),
        where: Mapping[str, Iterable[str]] | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        """Yield fields of the values whose time ``since`` lies in ``[begins, ends)``.

        Raises
        ------
        StoreError
            If the store cannot be read, or there is no such field.
        """
        table = self._store.schema.of[kind]
        columns = [_column(table, name) for name in fields]
        tables: sa.FromClause = table
        if of is not None:
            other = self._store.schema.of[of[0]].alias("other")
            tables = table.outerjoin(other, other.c.id == _column(table, of[1]))
            columns += [_column(other, name) for name in of[2]]
        time = _column(table, since)
        query = sa.select(*columns).select_from(tables).where(time >= begins, time < ends)
        for name in unless:
            past = _column(table, name)
            query = query.where(sa.or_(past.is_(None), past >= ends))
        for name, those in (where or {}).items():
            query = query.where(_column(table, name).in_(tuple(those)))
        with self._store.scan() as work:
            found = work.connection.execution_options(yield_per=_PAGE).execute(query)
            for page in found.partitions():
                yield from map(tuple, page)

    def entries(self, kinds: Iterable[str], begins: datetime, ends: datetime) -> Iterator[Mapping[str, Any]]:
        """Yield the ledger's entries of some kinds whose time lies in ``[begins, ends)``, in their order."""
        wanted = frozenset(kinds)
        first = place_at(self._ledger, begins - _SLACK)
        last = place_at(self._ledger, ends + _SLACK)
        only = getattr(self._ledger, "entries_of", None)
        read = only(wanted, first, last) if only is not None else self._ledger.entries(first, last)
        for entry in read:
            if entry.get("kind") in wanted and begins <= at_of(entry) < ends:
                yield entry

    def list_entries(self, ends: datetime) -> Iterator[Mapping[str, Any]]:
        """Yield all entries of the ledger of the hash lists before a moment."""
        if self._lists is not None:
            for entry in self._lists.entries():
                if at_of(entry) < ends:
                    yield entry

    def written(self, ends: datetime) -> int:
        """Return how many entries the ledger has from before a moment."""
        return place_at(self._ledger, ends)


def _column(table: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    try:
        return table.c[name]
    except KeyError:
        raise StoreError(f"There is no field {name!r}.", str(table), "Name a field of the value.") from None
