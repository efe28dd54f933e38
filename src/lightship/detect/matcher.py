"""The matcher: banks that can be swapped while they are searched, what overrides a match, and the brake on floods."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import QUALITY_FLOOR
from lightship.core.known import Kind
from lightship.detect.bank import Bank, Hit
from lightship.detect.chance import ONE_LIST_DB, TWO_LISTS_DB, ChanceTable, measured


@dataclass(frozen=True, slots=True)
class Finding:
    """What the lists say of one picture, file or address.

    Parameters
    ----------
    hits
        Matching entries of known material, nearest first; empty where nothing matches or a match was overridden.
    weight_db
        Weight of evidence, decibans.
    quality
        Of the picture; 100 for digests and addresses.
    overridden
        Matches that do not count, with the entry of known-lawful material (or the brake) that says so.
    transform
        How the picture was turned before it matched; see :data:`lightship.detect.pdq.DIHEDRAL`.
    tries
        Into how many parts the chance was shared out among forms of the picture, for the weight.
    """

    hits: tuple[Hit, ...] = ()
    weight_db: float = 0.0
    quality: int = 100
    overridden: tuple[tuple[Hit, str], ...] = ()
    transform: str = "as it is"
    tries: float = 1.0

    @property
    def nearest(self) -> Hit | None:
        """The nearest match."""
        return self.hits[0] if self.hits else None

    @property
    def rule(self) -> str:
        """By which rule it matched."""
        hit = self.nearest
        if hit is None:
            return ""
        return f"PDQ within {hit.bank.terms.distance} bits" if hit.kind == "pdq" else f"the same {hit.kind}"

    def to_json(self) -> dict[str, object]:
        """Return what was found as a JSON object; never a hash."""
        return {
            "matches": [_said(hit) for hit in self.hits],
            "rule": self.rule,
            "weight_db": round(self.weight_db, 1),
            "quality": self.quality,
            "transform": self.transform,
            "overridden": [{**_said(hit), "by": by} for hit, by in self.overridden],
        }

    def __str__(self) -> str:
        hit = self.nearest
        if hit is None:
            return (
                "; ".join(f"{_words(one)} does not count ({by})" for one, by in self.overridden)
                or "on no list"
            )
        more = f", and {len(self.hits) - 1} more" if len(self.hits) > 1 else ""
        turned = "" if self.transform == "as it is" else f", {self.transform}"
        return (
            f"{_words(hit)}{more}: {self.rule}, distance {hit.distance}, quality {self.quality}{turned}, "
            f"{self.weight_db:.0f} dB"
        )


def _said(hit: Hit) -> dict[str, object]:
    bank = hit.bank
    return {
        "list": bank.terms.name,
        "entry": hit.reference,
        "video": hit.video,
        "distance": hit.distance,
        "as_of": bank.as_of.isoformat(),
        "digest": bank.digest,
    }


def _words(hit: Hit) -> str:
    return f"list {hit.bank.terms.name}, entry {hit.reference}"


@dataclass(frozen=True, slots=True)
class Flood:
    """An entry that matched in too many places and was set aside until a person has looked.

    Parameters
    ----------
    bank, reference
        The entry.
    subjects
        Different streams or uploads that it matched in.
    at_s
        When, seconds on the caller's clock.
    within
        Which subjects; empty where only the record tells of the flood.
    """

    bank: str
    reference: str
    subjects: int
    at_s: float
    within: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"The entry {self.reference} of the list {self.bank} is set aside, because it matched in "
            f"{self.subjects} places: it may be an error of the list. A person must look at it."
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about an entry that goes on record.

    Parameters
    ----------
    kind
        ``canary``: somebody looked up what only a copy of our own list holds. ``override``: known-lawful material
        kept a match from counting.
    bank, reference
        The entry.
    by
        What overrode it; empty for a canary.
    subject
        The stream or upload.
    at_s
        When, seconds on the caller's clock.
    """

    kind: Literal["canary", "override"]
    bank: str
    reference: str
    by: str
    subject: str
    at_s: float


class FloodBrake:
    """Sets aside an entry that suddenly matches everywhere: a title card, a blank page, an error of the list's.

    Parameters
    ----------
    subjects
        Different streams or uploads, within the window, from which on an entry is set aside.
    window_s
        Length of the window.
    """

    def __init__(self, subjects: int = 50, window_s: float = 3600.0) -> None:
        self.subjects, self.window_s = subjects, window_s
        self._seen: dict[tuple[str, str], dict[str, float]] = {}
        self._aside: dict[tuple[str, str], Flood] = {}
        self._lock = threading.Lock()

    def aside(self, hit: Hit) -> bool:
        """Return whether the entry is set aside."""
        return (hit.bank.terms.name, hit.reference) in self._aside

    def count(self, hit: Hit, subject: str, at_s: float) -> Flood | None:
        """Take in a match; returns the flood that it begins, if it does."""
        key = (hit.bank.terms.name, hit.reference)
        with self._lock:
            seen = self._seen.setdefault(key, {})
            seen[subject] = at_s
            if len(seen) < self.subjects or key in self._aside:
                return None
            for old in [one for one, when in seen.items() if when < at_s - self.window_s]:
                del seen[old]
            if len(seen) < self.subjects:
                return None
            flood = self._aside[key] = Flood(*key, len(seen), at_s, tuple(sorted(seen)))
            del self._seen[key]
            return flood

    def hold(self, flood: Flood) -> None:
        """Set an entry aside that was set aside before, as the record says."""
        with self._lock:
            self._aside[flood.bank, flood.reference] = flood

    def release(self, bank: str, reference: str) -> bool:
        """Let an entry match again, as a person decided; returns whether it was set aside."""
        with self._lock:
            return self._aside.pop((bank, reference), None) is not None

    def waiting(self) -> tuple[Flood, ...]:
        """Return what a person is asked about."""
        with self._lock:
            return tuple(self._aside.values())


@dataclass
class Matcher:
    """Searches all banks at once.

    Parameters
    ----------
    banks
        What to search. :meth:`swap` puts others in their place between two queries; a query under way ends on the old.
    chance
        Gives a match its weight.
    brake
        Sets aside entries that match everywhere.
    floods, notices
        What began to flood, and what else goes on record, until somebody takes it from here.
    troubles, file_troubles
        What is wrong with the lists, and the lists' files, that it follows, in sentences, as whoever follows them found
        it.
    """

    banks: tuple[Bank, ...]
    chance: ChanceTable = field(default_factory=measured)
    brake: FloodBrake = field(default_factory=FloodBrake)
    floods: deque[Flood] = field(default_factory=lambda: deque(maxlen=1000))
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=1000))
    troubles: tuple[str, ...] = ()
    file_troubles: tuple[str, ...] = ()
    _changing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def alarms(self) -> tuple[str, ...]:
        """Return what a person must know of the lists, in sentences."""
        return (*self.troubles, *self.file_troubles, *map(str, self.brake.waiting()))

    @property
    def kinds(self) -> frozenset[Kind]:
        """What the banks hold, pictures aside."""
        return frozenset(kind for bank in self.banks for kind in bank.exact)

    def swap(self, banks: Sequence[Bank]) -> None:
        """Search these from now on."""
        self.change(lambda _: banks)

    def change(self, made: Callable[[tuple[Bank, ...]], Iterable[Bank]]) -> bool:
        """Search from now on what ``made`` returns of the banks as they are, which nobody else changes meanwhile.

        Returns whether that changed anything.
        """
        with self._changing:
            before, self.banks = self.banks, tuple(made(self.banks))
            return self.banks != before

    def match(
        self,
        hashes: NDArray[np.uint64],
        qualities: Sequence[int],
        *,
        subject: str = "",
        at_s: float = 0.0,
        may: Callable[[Bank], bool] = lambda _: True,
        tries: float = 1.0,
    ) -> list[Finding]:
        """Return what the lists say of each picture.

        Parameters
        ----------
        hashes, qualities
            ``(Q, 4) uint64``, and 0 to 100 each. A picture of quality below 50 is too flat or dark to be matched.
        subject
            The stream or upload that the pictures are from, for the brake on floods; empty counts nowhere.
        at_s
            Seconds on the caller's clock.
        may
            Which banks the asker may be told of.
        tries
            Where these are some of several forms of a picture: one over their share of the chance to match.

        Raises
        ------
        InputError
            If the hashes are of another shape or type.
        """
        banks = tuple(bank for bank in self.banks if may(bank))
        told = np.flatnonzero(np.asarray(qualities) >= QUALITY_FLOOR)
        hits: list[list[Hit]] = [[] for _ in qualities]
        if len(told):
            for bank in banks:
                for place, found in zip(told.tolist(), bank.near(hashes[told]), strict=True):
                    hits[place] += found
        entries = round(tries * sum(bank.hashes for bank in banks))
        return [
            replace(self._finding(found, int(quality), entries, subject, at_s), tries=tries)
            if found
            else Finding(quality=int(quality))
            for found, quality in zip(hits, qualities, strict=True)
        ]

    def equal(
        self,
        kind: Kind,
        values: Sequence[bytes],
        *,
        subject: str = "",
        at_s: float = 0.0,
        may: Callable[[Bank], bool] = lambda _: True,
    ) -> Finding:
        """Return what the lists say of a file by its digest, or of an address by the SHA-256 of its forms."""
        found = [bank.equal(kind, value) for bank in self.banks if may(bank) for value in values]
        hits = [hit for hit in found if hit is not None]
        return self._finding(hits, 100, 0, subject, at_s) if hits else Finding()

    def _finding(self, hits: list[Hit], quality: int, entries: int, subject: str, at_s: float) -> Finding:
        for hit in hits:
            if hit.reference in hit.bank.canaries:
                self.notices.append(Notice("canary", hit.bank.terms.name, hit.reference, "", subject, at_s))
        hits = [hit for hit in hits if hit.reference not in hit.bank.canaries]
        known = sorted((hit for hit in hits if hit.bank.terms.role == "known"), key=lambda hit: hit.distance)
        lawful = [hit for hit in hits if hit.bank.terms.role == "negative"]
        overridden: list[tuple[Hit, str]] = []
        if lawful and known:
            by = f"found lawful: list {lawful[0].bank.terms.name}, entry {lawful[0].reference}"
            overridden, known = [(hit, by) for hit in known], []
            for hit, _ in overridden:
                self.notices.append(Notice("override", hit.bank.terms.name, hit.reference, by, subject, at_s))
        kept = []
        for hit in known:
            if self.brake.aside(hit):
                overridden.append((hit, "set aside: it matched in too many places, and a person is asked"))
                continue
            kept.append(hit)
            flood = self.brake.count(hit, subject, at_s) if subject else None
            if flood is not None:
                self.floods.append(flood)
        if not kept:
            return Finding((), 0.0, quality, tuple(overridden))
        nearest = kept[0]
        lists = len({hit.bank.terms.name for hit in kept})
        if nearest.kind == "pdq":
            least = min(quality, nearest.quality)
            weight_db = self.chance.weight_db(nearest.distance, least, entries, lists)
        else:  # two files of one digest are the same file; only the list can be wrong
            weight_db = ONE_LIST_DB if lists < 2 else TWO_LISTS_DB
        return Finding(tuple(kept), weight_db, quality, tuple(overridden))
