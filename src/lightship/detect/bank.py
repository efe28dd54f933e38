"""A bank: one list under its terms, loaded and searchable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import Collected, Entries, Table, collect, digest
from lightship.core.known import Kind, Terms
from lightship.core.ports import HashIndex
from lightship.detect.index import SCAN_UP_TO, build_index
from lightship.exchange import hash_lists


@dataclass(frozen=True)
class Part:
    """Some entries of a bank with what finds them: the list as built, or what came to it since.

    Parameters
    ----------
    table
        PDQ entries.
    index
        Finds them.
    off
        Which are disabled or taken off the list, ``(N,) bool``.
    """

    table: Table
    index: HashIndex
    off: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that matches.

    Parameters
    ----------
    bank
        Whose entry it is.
    reference, video, at_s
        The owner's reference; the video and second that a frame's hash belongs to.
    distance
        Bits, 0 for digests and addresses.
    quality
        Of the entry's picture.
    kind
        What matched.
    """

    bank: Bank
    reference: str
    video: str
    at_s: float
    distance: int
    quality: int
    kind: Kind


@dataclass(frozen=True, eq=False)
class Bank:
    """One list, loaded. It does not change: :meth:`plus`, :meth:`without` and :meth:`disabled` return another.

    Parameters
    ----------
    terms
        Under which it is used.
    parts
        Its PDQ entries.
    exact
        Its digests and addresses.
    as_of
        The day it is from.
    digest
        ``sha256:`` of the entries it was built from.
    version
        The number of the version, 0 where it came straight from a file.
    skipped, quarantined, duplicates
        Counts from reading it.
    off_references
        Entries that a person disabled.
    canaries
        References of entries that nobody who asks honestly looks up; they are no part of the list's counts.
    """

    terms: Terms
    parts: tuple[Part, ...]
    exact: Mapping[Kind, Exact]
    as_of: date
    digest: str
    version: int = 0
    skipped: int = 0
    quarantined: int = 0
    duplicates: int = 0
    off_references: frozenset[str] = frozenset()
    canaries: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return self.hashes + sum(len(one) for one in self.exact.values())

    @cached_property
    def hashes(self) -> int:
        """PDQ entries that can match."""
        return sum(int((~part.off).sum()) for part in self.parts) - len(self.canaries)

    def age_days(self, today: date) -> int:
        """Return the days since the list's own day."""
        return (today - self.as_of).days

    def stale(self, today: date) -> bool:
        """Return whether the list is older than its terms allow."""
        return self.terms.max_age_days is not None and self.age_days(today) > self.terms.max_age_days

    def near(self, queries: NDArray[np.uint64]) -> list[list[Hit]]:
        """Return, for each row of ``queries`` ``(Q, 4) uint64``, what matches it, nearest first.

        Raises
        ------
        InputError
            If they are of another shape or type.
        """
        found: list[list[Hit]] = [[] for _ in queries]
        for part in self.parts:
            for query, row, distance in part.index.pairs(queries).tolist():
                if distance <= self.terms.distance and not part.off[row]:
                    found[query].append(self._hit("pdq", part.table, row, distance))
        for hits in found:
            hits.sort(key=lambda hit: (hit.distance, hit.reference))
        return found

    def equal(self, kind: Kind, value: bytes) -> Hit | None:
        """Return the entry with just this digest, or this address's SHA-256."""
        exact = self.exact.get(kind)
        row = exact.find(value) if exact is not None else None
        if exact is None or row is None or exact.table.references[row] in self.off_references:
            return None
        return self._hit(kind, exact.table, row, 0)

    def _hit(self, kind: Kind, table: Table, row: int, distance: int) -> Hit:
        return Hit(
            self,
            table.references[row],
            table.videos[row],
            float(table.at_s[row]),
            distance,
            int(table.quality[row]),
            kind,
        )

    def plus(self, entries: Entries) -> Bank:
        """Return the bank with more entries, found by a small index of their own: quick, whatever the bank's size."""
        built = build(self.terms, Collected(entries, None, 0, 0, 0), self.as_of)
        exact = dict(self.exact)
        for kind, more in built.exact.items():
            exact[kind] = Exact(exact[kind].table.plus(more.table)) if kind in exact else more
        return replace(self, parts=self.parts + built.parts, exact=exact).disabled(self.off_references)

    def without(self, removed: Mapping[Kind, NDArray[np.void]]) -> Bank:
        """Return the bank without the entries of these values."""
        gone = removed.get("pdq")
        parts = self.parts
        if gone is not None:
            hashes = np.frombuffer(gone.tobytes(), dtype=">u8").astype(np.uint64).reshape(-1, 4)
            parts = tuple(_taken_off(part, hashes) for part in parts)
        exact = {
            kind: Exact(one.table.take(np.flatnonzero(~np.isin(one.table.keys(), removed[kind]))))
            if kind in removed
            else one
            for kind, one in self.exact.items()
        }
        return replace(self, parts=parts, exact=exact)

    def disabled(self, references: frozenset[str]) -> Bank:
        """Return the bank in which the entries of these references do not match."""
        if not references:
            return self
        parts = []
        for part in self.parts:
            off = part.off.copy()
            for reference in references:
                off[part.table.references.rows_of(reference)] = True
            parts.append(replace(part, off=off))
        return replace(self, parts=tuple(parts), off_references=self.off_references | references)


def _taken_off(part: Part, hashes: NDArray[np.uint64]) -> Part:
    pairs = part.index.pairs(hashes)
    off = part.off.copy()
    off[pairs[pairs[:, 2] == 0, 1]] = True
    return replace(part, off=off)


class Exact:
    """Digests of one kind, found by binary search.

    Parameters
    ----------
    table
        The entries.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        heads = np.ascontiguousarray(table.values[:, :8]).view(">u8").reshape(-1)
        self._order = np.argsort(heads, kind="stable")
        self._heads = heads[self._order].astype(np.uint64)

    def __len__(self) -> int:
        return len(self.table)

    def find(self, value: bytes) -> int | None:
        """Return the row of a value, if it is there."""
        if len(value) != self.table.values.shape[1]:
            return None
        head = np.uint64(int.from_bytes(value[:8], "big"))
        place = int(np.searchsorted(self._heads, head))
        while place < len(self._heads) and self._heads[place] == head:
            row = int(self._order[place])
            if self.table.values[row].tobytes() == value:
                return row
            place += 1
        return None


def build(
    terms: Terms, collected: Collected, as_of: date, *, version: int = 0, scan_up_to: int = SCAN_UP_TO
) -> Bank:
    """Make a list searchable.

    Parameters
    ----------
    as_of
        The day it is from, where the list itself does not say.
    version
        The number of the version.
    scan_up_to
        Entries up to which it is scanned; see :func:`lightship.detect.index.build_index`.
    """
    table = collected.entries.get("pdq")
    parts: tuple[Part, ...] = ()
    if table is not None:
        index = build_index(table.hashes(), terms.distance, scan_up_to=scan_up_to)
        parts = (Part(table, index, np.zeros(len(table), dtype=bool)),)
    return Bank(
        terms,
        parts,
        {kind: Exact(one) for kind, one in collected.entries.items() if kind != "pdq"},
        collected.as_of or as_of,
        digest(collected.entries),
        version,
        collected.skipped,
        collected.quarantined,
        collected.duplicates,
    )


def load(
    path: Path,
    terms: Terms | None = None,
    *,
    form: str = "pdq",
    skip_bad: bool = False,
    scan_up_to: int = SCAN_UP_TO,
) -> Bank:
    """Load a list's file as a bank.

    Parameters
    ----------
    terms
        Under which it is used; by default known material, called as the file is.
    form
        Its format; see :mod:`lightship.exchange.hash_lists`.
    skip_bad
        Leave out lines that are not entries, and count them.
    scan_up_to
        See :func:`build`.

    Raises
    ------
    InputError
        If the file cannot be read, holds nothing to match, or has bad lines and ``skip_bad`` is not set.
    """
    collected = collect(hash_lists.read(path, form), str(path), skip_bad=skip_bad)
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    return build(terms or Terms(path.stem), collected, written, scan_up_to=scan_up_to)
