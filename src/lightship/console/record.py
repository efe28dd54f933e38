"""Finding entries of the record: by kind, stream or case, person and time, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lightship.console.prose import GROUPS, KINDS, short
from lightship.core.ports import ReadableLedger

_CHUNK = 1_000
_NAMED = ("case", "stream", "exhibit", "effect")
SEARCHED = 20_000
"""Entries that one request looks through; the next one goes on where it ended, so that none takes long."""
SLACK = timedelta(minutes=5)
"""Entries stand in the order in which they were written; the times that they tell may be so far out of it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries; what is empty leaves nothing out.

    Parameters
    ----------
    kind
        A kind, or a whole group of :data:`~lightship.console.prose.GROUPS`.
    about
        The id of a stream, case, exhibit or effect.
    by
        A person, tenant or policy.
    since, until
        Times; ``until`` is left out itself.
    """

    kind: str = ""
    about: str = ""
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, entry: Mapping[str, Any]) -> bool:
        """Return whether an entry is one of these."""
        if self.kind and entry.get("kind") not in GROUPS.get(self.kind, (self.kind,)):
            return False
        if self.about and not any(self._names(entry.get(one)) for one in _NAMED):
            return False
        if self.by and self.by not in {entry.get(one) for one in ("by", "account", "tenant")}:
            return False
        if self.since is None and self.until is None:
            return True
        at = at_of(entry)
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def _names(self, id_: object) -> bool:
        """Return whether an id is the one that is sought, which may be told by its first eight figures."""
        return id_ is not None and self.about in {str(id_), short(id_)}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries with their numbers, newest first.

    Parameters
    ----------
    before
        Where the next page goes on: entries from this number on were looked through; 0 if none is left.
    full
        Whether the page ended because it was full, and not because it had looked long enough.
    """

    entries: tuple[tuple[int, Mapping[str, Any]], ...]
    before: int
    full: bool


def at_of(entry: Mapping[str, Any]) -> datetime:
    """Return an entry's time; the beginning of time for one that tells none."""
    try:
        at = datetime.fromisoformat(str(entry.get("at", "")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def place_at(ledger: ReadableLedger, at: datetime) -> int:
    """Return the number of the first entry that was written at that time or later, give or take :data:`SLACK`."""
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        entry = next(iter(ledger.entries(middle, middle + 1)), {})
        low, high = (middle + 1, high) if at_of(entry) < at else (low, middle)
    return low


def find(ledger: ReadableLedger, sought: Sought, *, before: int = 0, most: int = 50) -> Found:
    """Return the newest entries that fit.

    Parameters
    ----------
    before
        Only entries with smaller numbers; 0 is all.
    most
        So many a page.
    """
    size = ledger.size
    stop = min(size, before) if before > 0 else size
    first = place_at(ledger, sought.since - SLACK) if sought.since is not None else 0
    if sought.until is not None:
        stop = min(stop, place_at(ledger, sought.until + SLACK))
    last = max(first, stop - SEARCHED)
    found: list[tuple[int, Mapping[str, Any]]] = []
    while stop > last:
        start = max(last, stop - _CHUNK)
        for number, entry in reversed(list(enumerate(ledger.entries(start, stop), start))):
            if sought.fits(entry):
                found.append((number, entry))
                if len(found) == most:
                    return Found(tuple(found), number if number > first else 0, full=True)
        stop = start
    return Found(tuple(found), last if last > first else 0, full=False)


def sought_of(query: Mapping[str, str]) -> Sought:
    """Return what an address asks for; what cannot be read is left out."""
    kind = query.get("kind", "")
    return Sought(
        kind if kind in KINDS or kind in GROUPS else "",
        query.get("about", "").strip()[:128],
        query.get("by", "").strip()[:128],
        _time(query.get("since", "")),
        _time(query.get("until", "")),
    )


def _time(text: str) -> datetime | None:
    """Return a time as browsers write it, in UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
