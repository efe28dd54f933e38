"""Finding entries of the record: by kind, stream or case, person and time, newest first, a page at a time."""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any

from lightship.console.prose import GROUPS, KINDS, short
from lightship.core.entry_time import at_of, place_at
from lightship.core.ports import ReadableLedger

_NAMED = ("case", "stream", "exhibit", "effect", "inquiry", "referral", "link")
_PEOPLE = ("by", "account", "tenant")
LINE = frozenset(
    {
        "watch-began",
        "watch-ended",
        "let-go",
        "handed-over",
        "taken-over",
        "coverage",
        "decision",
        "judged-anew",
        "refused",
        "trouble",
    }
    | {"effect-done", "effect-undone", "effect-failed", "effect-not-confirmed", "effect-hastened"}
)
"""Kinds that a stream's timeline tells; coverage only where it has a gap."""
AT_ONCE = 2_000
"""Entries that are read while somebody waits."""
Entry = Mapping[str, Any]
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
        The id of a stream, case, exhibit, effect, inquiry, referral or link.
    by
        A person, tenant or policy.
    since, until
        Times; ``until`` is left out itself.
    also
        Further ids, beside that of ``about``: an entry about any of them is one of these.
    """

    kind: str = ""
    about: str = ""
    by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    also: tuple[str, ...] = ()

    def fits(self, entry: Entry) -> bool:
        """Return whether an entry is one of these."""
        if self.kind and entry.get("kind") not in GROUPS.get(self.kind, (self.kind,)):
            return False
        if self.about and not any(self._names(entry.get(one)) for one in _NAMED):
            return False
        if self.by and self.by not in {entry.get(one) for one in _PEOPLE}:
            return False
        if self.since is None and self.until is None:
            return True
        at = at_of(entry)
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    def terms(self) -> list[list[str]]:
        """Return the index's terms: entries have one of each row."""
        rows = [[f"kind {one}" for one in GROUPS.get(self.kind, (self.kind,))] if self.kind else []]
        about = [f"about {one}" for one in (self.about, *self.also)] if self.about else []
        rows += [about, [f"by {self.by}"] if self.by else []]
        return [row for row in rows if row]

    def _names(self, id_: object) -> bool:
        """Return whether an id is the one that is sought, which may be told by its first eight figures."""
        return id_ is not None and not {self.about, *self.also}.isdisjoint({str(id_), short(id_)})


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries with their numbers, newest first.

    Parameters
    ----------
    before
        Give it for the next page; 0 if there is none.
    left
        New entries that were not read yet, and so not searched.
    """

    entries: tuple[tuple[int, Entry], ...]
    before: int
    left: int


class Record:
    """The ledger with an index over it, which reads on from where it was whenever somebody asks.

    A few new entries are read at once; many, as after a start, by a thread that ends when it has them.

    Parameters
    ----------
    takers
        What else is to see every entry once, in order.
    """

    def __init__(self, ledger: ReadableLedger, *takers: Callable[[Entry], None]) -> None:
        self.ledger, self._takers = ledger, takers
        self._places: dict[str, array[int]] = {}
        self._read = 0
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def still(self) -> Iterator[int]:
        """Read what is new; nothing is read while the block lasts. Yields how many entries are not read yet."""
        with self._lock:
            self._take(AT_ONCE)
            left = max(0, self.ledger.size - self._read)
            if left and self._thread is None:
                self._thread = threading.Thread(target=self._catch_up, name="record", daemon=True)
                self._thread.start()
            yield left

    def find(self, sought: Sought, *, before: int = 0, most: int = 50) -> Found:
        """Return the newest entries that fit.

        Parameters
        ----------
        before
            Only entries with smaller numbers; 0 is all.
        most
            So many a page.
        """
        with self.still() as left:
            first = place_at(self.ledger, sought.since - SLACK) if sought.since is not None else 0
            stop = min(self._read, before) if before > 0 else self._read
            if sought.until is not None:
                stop = min(stop, place_at(self.ledger, sought.until + SLACK))
            found: list[tuple[int, Entry]] = []
            for number in self._numbers(sought.terms(), first, stop):
                entry = self.entry(number)
                if not sought.fits(entry):
                    continue
                if len(found) == most:
                    return Found(tuple(found), found[-1][0], left)
                found.append((number, entry))
            return Found(tuple(found), 0, left)

    def entry(self, number: int) -> Entry:
        """Return one entry."""
        return next(iter(self.ledger.entries(number, number + 1)))

    def about(self, term: str, most: int) -> list[Entry]:
        """Return the newest entries of a term, oldest first."""
        with self.still():
            return [self.entry(number) for number in self._places.get(term, array("L"))[-most:]]

    def _numbers(self, terms: Sequence[Sequence[str]], first: int, stop: int) -> Iterator[int]:
        """Yield the numbers of entries that have a term of each row, newest first."""
        if not terms:
            yield from range(stop - 1, first - 1, -1)
            return
        rows = [[self._places.get(term, array("L")) for term in row] for row in terms]
        rows.sort(key=lambda row: sum(map(len, row)))
        others = [set().union(*row) if len(row) > 1 else row[0] for row in rows[1:]]
        last = -1
        for number in merge(*(reversed(one[: bisect_left(one, stop)]) for one in rows[0]), reverse=True):
            if number < first:
                return
            if number == last:  # an entry that has several terms of a row
                continue
            last = number
            if all(_has(one, number) for one in others):
                yield number

    def _take(self, most: int) -> None:
        stop = min(self.ledger.size, self._read + most)
        for number, entry in enumerate(self.ledger.entries(self._read, stop), self._read):
            for term in terms_of(entry):
                self._places.setdefault(term, array("L")).append(number)
            for take in self._takers:
                take(entry)
        self._read = max(self._read, stop)

    def _catch_up(self) -> None:
        while True:
            with self._lock:
                self._take(AT_ONCE)
                if self._read >= self.ledger.size:
                    self._thread = None
                    return
            time.sleep(0.001)  # whoever waits for the lock comes first


def _has(numbers: AbstractSet[int] | Sequence[int], number: int) -> bool:
    if isinstance(numbers, AbstractSet):
        return number in numbers
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number


def terms_of(entry: Entry) -> Iterator[str]:
    """Yield what an entry is found by."""
    yield f"kind {entry.get('kind')}"
    names = {str(entry[one]) for one in _NAMED if one in entry}
    for name in names | {short(one) for one in names}:
        yield f"about {name}"
    for name in {str(entry[one]) for one in _PEOPLE if one in entry}:
        yield f"by {name}"
    if entry.get("kind") in LINE and entry.get("gap_s", 1.0):
        for name in {str(entry[one]) for one in ("stream", "effect") if one in entry}:
            yield f"line {name}"


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
