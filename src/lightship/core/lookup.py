"""Looking many things up in a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lightship.core.ports import K, Work

_PART = 500  # a statement of SQLite takes only so many values


def any_of(
    work: Work, kind: type[K], field: str, values: Iterable[str], where: Mapping[str, object] | None = None
) -> list[K]:
    """Return what has any of these values in a field and fits ``where``, in parts that a database takes."""
    each = tuple(values)
    parts = (each[start : start + _PART] for start in range(0, len(each), _PART))
    return [one for part in parts for one in work.find(kind, {**(where or {}), field: part})]
