"""How one version of a list differs from another: what came, what went, and what a delta makes of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import Collected, Entries, Table, collect, joined, value_of, without
from lightship.core.known import BadLine, Entry, Kind


@dataclass
class Changes:
    """A delta, as an exchange sends it: the later word on a reference or a value counts.

    Parameters
    ----------
    whole
        It is all of the list, and replaces what was there.
    added
        New entries, and changed ones, by reference: they replace all of the same reference.
    gone_references, gone_values
        What was taken off, by the owner's reference or by value.
    bad
        Records that are no entries.
    """

    whole: bool = False
    added: dict[str, list[Entry]] = field(default_factory=dict)
    gone_references: set[str] = field(default_factory=set)
    gone_values: dict[Kind, set[bytes]] = field(default_factory=dict)
    bad: list[BadLine] = field(default_factory=list)
    _held: dict[tuple[Kind, bytes], str] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take in one more entry of its reference."""
        value = value_of(entry)
        self.gone_values.get(entry.kind, set()).discard(value)
        self.added.setdefault(entry.reference, []).append(entry)
        self._held[entry.kind, value] = entry.reference

    def drop(self, reference: str) -> None:
        """Take in that the entries of a reference are gone."""
        self.gone_references.add(reference)
        self.added.pop(reference, None)

    def drop_value(self, kind: Kind, value: bytes) -> None:
        """Take in that a value, as it is kept, is gone."""
        self.gone_values.setdefault(kind, set()).add(value)
        held = self.added.get(self._held.pop((kind, value), ""), [])
        held[:] = [entry for entry in held if entry.kind != kind or value_of(entry) != value]


def applied(entries: Entries, changes: Changes, where: str) -> Collected:
    """Return a list's entries after a delta.

    Raises
    ------
    InputError
        If it brings entries and none of them can be matched.
    """
    if changes.whole:
        entries = {}
    replaced = changes.gone_references | set(changes.added)
    kept = {kind: _without_references(table, replaced) for kind, table in entries.items()}
    gone: dict[Kind, NDArray[np.void]] = {
        kind: np.array(sorted(values), dtype=f"V{len(next(iter(values)))}")
        for kind, values in changes.gone_values.items()
        if values
    }
    left = without({kind: table for kind, table in kept.items() if len(table)}, gone)
    added = [entry for one in changes.added.values() for entry in one]
    if not added:
        return Collected(left, None, len(changes.bad), 0, 0)
    new = collect([*added, *changes.bad], where, skip_bad=True)
    return Collected(joined(left, new.entries), None, new.skipped, new.quarantined, new.duplicates)


def _without_references(table: Table, references: set[str]) -> Table:
    if not references:
        return table
    lengths = np.diff(table.references.ends, prepend=0)
    likely = np.flatnonzero(np.isin(lengths, list({len(one.encode()) for one in references})))
    gone = [int(row) for row in likely if table.references[int(row)] in references]
    return table.take(np.setdiff1d(np.arange(len(table)), gone)) if gone else table


@dataclass(frozen=True, slots=True)
class Difference:
    """What came and went between two versions, by kind: references, never hashes."""

    added: Mapping[Kind, tuple[str, ...]]
    removed: Mapping[Kind, tuple[str, ...]]


def difference(old: Entries, new: Entries) -> Difference:
    """Return what differs between two versions."""
    kinds = sorted({*old, *new})
    added = {kind: _only(new.get(kind), old.get(kind)) for kind in kinds}
    removed = {kind: _only(old.get(kind), new.get(kind)) for kind in kinds}
    return Difference(
        {kind: rows for kind, rows in added.items() if rows},
        {kind: rows for kind, rows in removed.items() if rows},
    )


def _only(table: Table | None, other: Table | None) -> tuple[str, ...]:
    if table is None:
        return ()
    rows = np.arange(len(table)) if other is None else np.flatnonzero(~np.isin(table.keys(), other.keys()))
    return tuple(table.references[int(row)] for row in rows)
