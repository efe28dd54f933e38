"""Writes that wait for the store: what the watch has to say while the store is away is said when it is back, in order.

They wait in memory: a process that dies meanwhile loses them, and whoever takes its streams over sees them anew.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import StoreError
from lightship.core.ports import Store, Work

MOST = 20_000
"""Entries that wait at most; beyond it the oldest are dropped and counted. Decisions are never dropped."""

_PAGE = 500

Then = Callable[[], None]
Act = Callable[[Work], Then | None]
"""Done in a transaction; what it returns is called once the transaction is kept."""


class Backlog:
    """Writes to the store, or waits to.

    Parameters
    ----------
    most
        Entries that wait at most.
    """

    def __init__(
        self, store: Store, most: int = MOST, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store, self._most, self._clock = store, most, clock
        self._waiting: deque[dict[str, Any] | Act] = deque()
        self._turn = threading.Lock()
        self._away, self._entries, self._dropped = False, 0, 0

    def __len__(self) -> int:
        return len(self._waiting)

    def record(self, entry: Mapping[str, Any]) -> None:
        """Put an entry on the ledger, with the time that it is now.

        Raises
        ------
        InputError
            If it has no canonical JSON.
        """
        whole = {"at": self._clock().isoformat(), **entry}
        canonical(whole)
        self._take(whole)

    def do(self, act: Act) -> None:
        """Do something in a transaction of its own.

        Raises
        ------
        StoreError
            If it cannot be done although the store can be used.
        """
        self._take(act)

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        StoreError
            If the store cannot be used; what is not written waits on.
        """
        after: list[Then | None] = []
        try:
            with self._turn:
                while self._waiting:
                    self._write_first(after)
                if self._dropped:
                    self._commit([{"kind": "entries-dropped", "count": self._dropped}])
                    self._dropped = 0
                self._away = False
        finally:
            _call(after)

    def _take(self, one: dict[str, Any] | Act) -> None:
        with self._turn:
            try:
                after = [] if self._away else self._commit([one])
            except StoreError:
                if self._usable():
                    raise  # it is its own fault, and would never be done
                self._away = True
            if self._away:
                self._wait(one)
                return
        _call(after)

    def _wait(self, one: dict[str, Any] | Act) -> None:
        self._waiting.append(one)
        self._entries += isinstance(one, dict)
        if self._entries > self._most:
            self._waiting.remove(next(it for it in self._waiting if isinstance(it, dict)))
            self._entries -= 1
            self._dropped += 1

    def _write_first(self, after: list[Then | None]) -> None:
        """Write the entries that come first, or else the act that does."""
        page: list[dict[str, Any] | Act] = []
        for one in self._waiting:
            if len(page) == _PAGE or (page and not (isinstance(one, dict) and isinstance(page[0], dict))):
                break
            page.append(one)
        try:
            after += self._commit(page)
        except StoreError as error:
            if isinstance(page[0], dict) or not self._usable():
                raise
            self._commit([{"kind": "trouble", "trouble": "not-filed", "reason": str(error)}])
        for one in page:
            self._entries -= isinstance(one, dict)
            self._waiting.popleft()

    def _commit(self, those: list[dict[str, Any] | Act]) -> list[Then | None]:
        after: list[Then | None] = []
        with self._store.begin() as work:
            for one in those:
                if isinstance(one, dict):
                    work.record(one)
                else:
                    after.append(one(work))
        return after

    def _usable(self) -> bool:
        try:
            with self._store.begin():
                return True
        except StoreError:
            return False


def _call(after: list[Then | None]) -> None:
    for then in after:
        if then is not None:
            then()
