"""The entries of a list in columns: what ten million of them can be kept, compared and sent to disk as."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.known import DIGEST_BYTES, PDQ_BYTES, BadLine, Entry, Kind

QUALITY_FLOOR = 50
"""Below this quality a PDQ hash says too little to be matched (the reference implementation's own advice)."""

VALUE_BYTES: dict[Kind, int] = {"pdq": PDQ_BYTES, **DIGEST_BYTES, "url": 32}
"""Bytes of a value of each kind; an address is kept as its SHA-256."""

_SHOWN = 5


class Texts(Sequence[str]):
    """Many short texts in one block of bytes.

    Parameters
    ----------
    block
        The texts in UTF-8, one after the other, ``(bytes,) uint8``.
    ends
        Where each ends, ``(N,) int64``.
    """

    def __init__(self, block: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self.block, self.ends = block, ends

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Return texts as one block."""
        pieces = [text.encode() for text in texts]
        ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
        return cls(np.frombuffer(b"".join(pieces), dtype=np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> str:  # type: ignore[override]
        """Return one text."""
        start = int(self.ends[number - 1]) if number else 0
        return self.block[start : int(self.ends[number])].tobytes().decode()

    def rows_of(self, text: str) -> NDArray[np.int64]:
        """Return where a text stands, comparing bytes from the end, where references differ first."""
        wanted, lengths = text.encode(), np.diff(self.ends, prepend=0)
        rows, starts = np.flatnonzero(lengths == len(wanted)), self.ends - lengths
        for place in reversed(range(len(wanted))):
            rows = rows[self.block[starts[rows] + place] == wanted[place]]
        return rows

    def take(self, rows: NDArray[np.int64]) -> Texts:
        """Return the texts of some rows."""
        starts = np.concatenate([[0], self.ends[:-1]]) if len(self.ends) else self.ends
        lengths = (self.ends - starts)[rows]
        ends = np.cumsum(lengths, dtype=np.int64)
        places = np.repeat(starts[rows] - (ends - lengths), lengths) + np.arange(int(lengths.sum()))
        return Texts(self.block[places], ends)

    def plus(self, other: Texts) -> Texts:
        """Return both, one after the other."""
        total = int(self.ends[-1]) if len(self.ends) else 0
        return Texts(
            np.concatenate([self.block, other.block]), np.concatenate([self.ends, other.ends + total])
        )


@dataclass(frozen=True)
class Table:
    """The entries of one kind.

    Parameters
    ----------
    values
        ``(N, bytes) uint8``.
    quality
        ``(N,) uint8``.
    references, videos
        Texts, one an entry.
    at_s
        Seconds in the video ``(N,) float32``, NaN for pictures.
    """

    values: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    references: Texts
    videos: Texts
    at_s: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that make up the table, by name, in the order that a digest takes them."""
        return {
            "values": self.values,
            "quality": self.quality,
            "reference_ends": self.references.ends,
            "references": self.references.block,
            "video_ends": self.videos.ends,
            "videos": self.videos.block,
            "at_s": self.at_s,
        }

    def hashes(self) -> NDArray[np.uint64]:
        """Return the values of PDQ entries as ``(N, 4) uint64``."""
        return np.ascontiguousarray(self.values).view(">u8").astype(np.uint64)

    def keys(self) -> NDArray[np.void]:
        """Return the values ``(N,)`` as one item each, to compare and sort by."""
        return np.ascontiguousarray(self.values).view(f"V{self.values.shape[1]}").reshape(-1)

    def take(self, rows: NDArray[np.int64]) -> Table:
        """Return some rows."""
        return Table(
            self.values[rows],
            self.quality[rows],
            self.references.take(rows),
            self.videos.take(rows),
            self.at_s[rows],
        )

    def plus(self, other: Table) -> Table:
        """Return both, one after the other."""
        return Table(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.quality, other.quality]),
            self.references.plus(other.references),
            self.videos.plus(other.videos),
            np.concatenate([self.at_s, other.at_s]),
        )

    def once(self) -> Table:
        """Return each value of each video once, in order."""
        if len(self) < 2:
            return self
        keys = self.keys()
        if len(self.videos.block):
            codes = np.array(
                [
                    hashlib.sha256(key.tobytes() + video.encode()).digest()
                    for key, video in zip(keys, self.videos, strict=True)
                ],
                dtype="V32",
            )
        else:
            codes = keys
        _, first = np.unique(codes, return_index=True)
        return self if len(first) == len(self) else self.take(np.sort(first))


Entries = Mapping[Kind, Table]
"""The tables of a list, by kind; a kind that the list does not hold is absent."""


@dataclass(frozen=True)
class Collected:
    """What was read of a list.

    Parameters
    ----------
    entries
        The tables.
    as_of
        The day the list says it is from, if it does.
    skipped, quarantined, duplicates
        Lines that were no entries, PDQ entries of too low a quality to match, and entries seen before.
    """

    entries: Entries
    as_of: date | None
    skipped: int
    quarantined: int
    duplicates: int

    def __len__(self) -> int:
        return sum(len(table) for table in self.entries.values())


@dataclass
class _Columns:
    values: bytearray = field(default_factory=bytearray)
    quality: bytearray = field(default_factory=bytearray)
    references: bytearray = field(default_factory=bytearray)
    reference_ends: array[int] = field(default_factory=lambda: array("q"))
    videos: bytearray = field(default_factory=bytearray)
    video_ends: array[int] = field(default_factory=lambda: array("q"))
    at_s: array[float] = field(default_factory=lambda: array("f"))

    def add(self, entry: Entry, value: bytes) -> None:
        self.values += value
        self.quality.append(entry.quality)
        self.references += entry.reference.encode()
        self.reference_ends.append(len(self.references))
        self.videos += entry.video.encode()
        self.video_ends.append(len(self.videos))
        self.at_s.append(entry.at_s)

    def table(self, size: int) -> Table:
        return Table(
            np.frombuffer(bytes(self.values), dtype=np.uint8).reshape(-1, size),
            np.frombuffer(bytes(self.quality), dtype=np.uint8),
            Texts(
                np.frombuffer(bytes(self.references), dtype=np.uint8), np.array(self.reference_ends, np.int64)
            ),
            Texts(np.frombuffer(bytes(self.videos), dtype=np.uint8), np.array(self.video_ends, np.int64)),
            np.array(self.at_s, dtype=np.float32),
        )


def value_of(entry: Entry) -> bytes:
    """Return the bytes that an entry is kept and found by."""
    return hashlib.sha256(entry.value).digest() if entry.kind == "url" else entry.value


def collect(found: Iterable[Entry | BadLine | date], where: str, *, skip_bad: bool = False) -> Collected:
    """Gather what a list yields.

    Parameters
    ----------
    where
        The list, for messages.
    skip_bad
        Leave out what is no entry, and count it.

    Raises
    ------
    InputError
        If something is no entry and ``skip_bad`` is not set (the first are named, no hash is repeated), or nothing is
        left that can be matched.
    """
    columns: dict[Kind, _Columns] = {}
    bad: list[BadLine] = []
    as_of: date | None = None
    skipped = quarantined = 0
    for one in found:
        if isinstance(one, Entry):
            if one.kind == "pdq" and one.quality < QUALITY_FLOOR:
                quarantined += 1
                continue
            columns.setdefault(one.kind, _Columns()).add(one, value_of(one))
        elif isinstance(one, BadLine):
            skipped += 1
            if len(bad) < _SHOWN:
                bad.append(one)
        else:
            as_of = one
    if skipped and not skip_bad:
        more = f" and {skipped - len(bad)} more" if skipped > len(bad) else ""
        said = "; ".join(f"{one.where}: {one.what}" for one in bad)
        raise InputError(
            f"{skipped} of the list's lines are bad: {said}{more}.",
            where,
            "Correct them, or pass --skip-bad.",
        )
    if not columns:
        what = "The list holds no hash that can be matched."
        raise InputError(what, where, "Check that it is a list, and its format.")
    tables = {kind: column.table(VALUE_BYTES[kind]) for kind, column in columns.items()}
    entries = {kind: table.once() for kind, table in tables.items()}
    duplicates = sum(len(tables[kind]) - len(entries[kind]) for kind in tables)
    return Collected(entries, as_of, skipped, quarantined, duplicates)


def without(entries: Entries, removed: Mapping[Kind, NDArray[np.void]]) -> dict[Kind, Table]:
    """Return the entries but for those whose values were taken off the list."""
    kept: dict[Kind, Table] = {}
    for kind, table in entries.items():
        gone = np.isin(table.keys(), removed[kind]) if kind in removed else np.zeros(len(table), dtype=bool)
        kept[kind] = table.take(np.flatnonzero(~gone)) if gone.any() else table
    return {kind: table for kind, table in kept.items() if len(table)}


def joined(one: Entries, other: Entries) -> dict[Kind, Table]:
    """Return the entries of both, each once; where both hold a value, the first one's stays."""
    found = dict(one)
    for kind, table in other.items():
        found[kind] = found[kind].plus(table).once() if kind in found else table
    return found


def rows(entries: Entries) -> Iterator[tuple[Kind, int]]:
    """Yield the kind and row of every entry."""
    for kind, table in entries.items():
        for row in range(len(table)):
            yield kind, row


def written(entries: Entries) -> Iterator[bytes | memoryview]:
    """Yield the bytes that name a version: kinds, values, qualities and references, in order. Browsers read them."""
    yield b"lightship list 1\n"
    for kind in sorted(entries):
        table = entries[kind]
        yield f"{kind} {len(table)}\n".encode()
        for column in table.columns().values():
            yield np.ascontiguousarray(column).reshape(-1).view(np.uint8).data


def digest(entries: Entries) -> str:
    """Return ``sha256:`` over what :func:`written` yields: names a version."""
    sha = hashlib.sha256()
    for part in written(entries):
        sha.update(part)
    return f"sha256:{sha.hexdigest()}"
