"""On what basis a stream is looked at: nothing is scanned without one, and private streams are refused by default.

Codes of practice may not recommend proactive scanning of what is communicated privately (Online Safety Act 2023,
Schedule 4, paragraph 13(4)), so a private stream is looked at only on a basis that the operator has recorded by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lightship.core.cases import Stream, Visibility
from lightship.core.errors import AccessDenied


@dataclass(frozen=True, slots=True)
class Bases:
    """The bases that the operator has recorded.

    Parameters
    ----------
    public
        For a public stream that names none of its own; empty refuses such a stream.
    private
        Those on which a private stream may be looked at, word for word; none by default.
    """

    public: str = ""
    private: frozenset[str] = frozenset()


def basis_of(stream: Stream, bases: Bases) -> str:
    """Return the basis on which a stream is looked at.

    Raises
    ------
    AccessDenied
        If there is none, or it is private and its basis is not a recorded one.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> stream = Stream("s1", "", "h1", "public", "", "broadcast", datetime(2026, 11, 24, tzinfo=UTC))
    >>> basis_of(stream, Bases(public="published terms"))
    'published terms'
    """
    if stream.visibility == "private":
        if stream.basis in bases.private - {""}:
            return stream.basis
        raise AccessDenied(
            "A private stream is not looked at without a recorded basis.",
            f"stream {stream.id}",
            "Record the basis in the settings, with who decided it, or leave the stream alone.",
        )
    basis = stream.basis or bases.public
    if not basis.strip():
        raise AccessDenied(
            "No basis is named for looking at this stream.",
            f"stream {stream.id}",
            "Name one with the stream, or for all public streams in the settings.",
        )
    return basis


Scan = tuple[Visibility, str, str, str]
"""Visibility, basis, detector and its version."""


class Scans:
    """Counts the pictures that each detector was given, by basis, until they are written down."""

    def __init__(self) -> None:
        self._counts: Counter[Scan] = Counter()

    def count(self, stream: Stream, basis: str, detector: str, version: str, pictures: int = 1) -> None:
        """Take in that a detector was given pictures of a stream."""
        self._counts[stream.visibility, basis, detector, version] += pictures

    def entries(self, stream_id: str, at_s: float) -> list[dict[str, Any]]:
        """Return what was counted since the last call as ledger entries."""
        counts, self._counts = self._counts, Counter()
        return [
            {
                "kind": "scans",
                "stream": stream_id,
                "at_s": round(at_s, 3),
                "visibility": visibility,
                "basis": basis,
                "detector": detector,
                "version": version,
                "pictures": pictures,
            }
            for (visibility, basis, detector, version), pictures in sorted(counts.items())
        ]


@dataclass(frozen=True, slots=True)
class Proof:
    """A line of the proof report: how many pictures were scanned by what, on what basis."""

    visibility: str
    basis: str
    detector: str
    pictures: int
    streams: int


def proof(entries: Iterable[Mapping[str, Any]]) -> list[Proof]:
    """Return the scans that a ledger records, by visibility, basis and detector; private first."""
    pictures: Counter[tuple[str, str, str]] = Counter()
    streams: dict[tuple[str, str, str], set[str]] = {}
    for entry in entries:
        if entry.get("kind") != "scans":
            continue
        key = (str(entry["visibility"]), str(entry["basis"]), str(entry["detector"]))
        pictures[key] += int(entry["pictures"])
        streams.setdefault(key, set()).add(str(entry["stream"]))
    return [Proof(*key, count, len(streams[key])) for key, count in sorted(pictures.items())]
