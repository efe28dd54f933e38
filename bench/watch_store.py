"""A store and leases in memory, so that the benchmark measures the watch and not a database."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from lightship.core.errors import StoreError
from lightship.core.ports import Identified, K


class Store:
    """Everything in one dictionary under one lock; what goes wrong in a transaction is not undone."""

    def __init__(self) -> None:
        self._rows: dict[tuple[type[Any], str], Any] = {}
        self._lock = threading.RLock()
        self.entries = 0

    @contextmanager
    def begin(self) -> Iterator[Store]:
        """Begin a transaction."""
        with self._lock:
            yield self

    def look(self) -> AbstractContextManager[Store]:
        """Read what stands now."""
        return self.begin()

    def save(self, *values: Identified) -> None:
        """Keep new values."""
        for value in values:
            if (type(value), value.id) in self._rows:
                raise StoreError("It is there already.", value.id)
            self._rows[type(value), value.id] = value

    def get(self, kind: type[K], id_: str) -> K | None:
        """Return a value."""
        return self._rows.get((kind, id_))

    def find(
        self,
        kind: type[K],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: str = "",
    ) -> list[K]:
        """Return values."""
        rows = list(self._rows.items())
        found = [one for (of, _), one in rows if of is kind and _fits(one, where or {})]
        for name in reversed(order):
            found.sort(key=lambda one: getattr(one, name.lstrip("-")), reverse=name.startswith("-"))
        if after:
            found = found[[one.id for one in found].index(after) + 1 :]
        return found[:limit]

    def count(self, kind: type[Identified], where: Mapping[str, object] | None = None) -> int:
        """Return how many values have these fields."""
        return sum(_fits(one, where or {}) for (of, _), one in self._rows.items() if of is kind)

    def tally(
        self, kind: type[Identified], fields: Sequence[str], where: Mapping[str, object] | None = None
    ) -> dict[tuple[Any, ...], int]:
        """Return how many values have each combination of some fields."""
        fitting = [one for (of, _), one in self._rows.items() if of is kind and _fits(one, where or {})]
        return Counter(tuple(getattr(one, name) for name in fields) for one in fitting)

    def change(self, kind: type[K], id_: str, expect: Mapping[str, object], **fields: object) -> K | None:
        """Change a value."""
        value = self._rows.get((kind, id_))
        if value is None or not _fits(value, expect):
            return None
        changed: K = replace(value, **fields)
        self._rows[kind, id_] = changed
        return changed

    def record(self, entry: Mapping[str, Any]) -> None:
        """Count an entry."""
        self.entries += bool(entry)


def _fits(value: Identified, where: Mapping[str, object]) -> bool:
    return all(
        getattr(value, name) in want if isinstance(want, tuple) else getattr(value, name) == want
        for name, want in where.items()
    )


class Leases:
    """Everything belongs to the one who asks."""

    def take(self, names: Sequence[str], _holder: str, _ttl_s: float) -> dict[str, int]:
        """Take leases."""
        return dict.fromkeys(names, 1)

    def free(self, _name: str, _holder: str) -> None:
        """Give one back."""

    def held(self) -> Mapping[str, str]:
        """Return nothing: nobody else is here."""
        return {}
