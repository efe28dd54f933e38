"""Known media: the sampled picture's PDQ hash against lists of known abuse material."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import DetectorError
from lightship.core.values import Reading
from lightship.detect.hash_list import HashList, load_list
from lightship.detect.index import ScanIndex
from lightship.detect.pdq import QUALITY_FLOOR, pdq

EXACT_DB, LIMIT_DB, EXACT_BITS, LIMIT_BITS = 90.0, 80.0, 10, 31
"""The bound's ends, at up to 10 and at 31 bits.

On ideal bits chance gives ≤ 31 of 256 bits with probability 8.3·10⁻³⁸ an entry, so what counts is pictures that
resemble each other (blank pages, title cards): hence the quality gate, and a bound capped far below what ideal bits
would allow.
"""
_FREE_ENTRIES = 1_000_000


def weight_db(distance: int, entries: int) -> float:
    """Return the weight that a match at a distance, in lists of so many entries, is given.

    Examples
    --------
    >>> weight_db(0, 1000), weight_db(31, 1000), weight_db(31, 10_000_000)
    (90.0, 80.0, 70.0)
    """
    share = min(1.0, max(0.0, (distance - EXACT_BITS) / (LIMIT_BITS - EXACT_BITS)))
    crowd_db = 10.0 * math.log10(max(1.0, entries / _FREE_ENTRIES))
    return EXACT_DB + (LIMIT_DB - EXACT_DB) * share - crowd_db


@dataclass(frozen=True, slots=True)
class ListState:
    """What is loaded of one list, for the log and the screen.

    Parameters
    ----------
    name
        The list.
    entries, skipped, quarantined, duplicates
        Counts.
    as_of
        The day it is from.
    stale
        Older than the deployment allows.
    """

    name: str
    entries: int
    skipped: int
    quarantined: int
    duplicates: int
    as_of: date
    stale: bool


class KnownMediaDetector:
    """Says which list a picture is on.

    Parameters
    ----------
    lists
        Loaded lists.
    max_age_days
        A list older than this is stale; None means never.
    today
        The day to compare with.
    """

    name = "known-media"
    labels = frozenset({"known-media"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "analytic"

    def __init__(
        self, lists: Sequence[HashList], max_age_days: float | None = None, today: date | None = None
    ) -> None:
        self._lists = tuple(lists)
        self._index = ScanIndex(np.concatenate([one.hashes for one in lists]))
        self._starts = np.cumsum([0, *(len(one.hashes) for one in lists)])
        self._max_age_days = max_age_days
        self._today = today or datetime.now(UTC).date()
        self.version = "+".join(one.digest.removeprefix("sha256:")[:12] for one in lists)

    @classmethod
    def load(
        cls, lists: Sequence[str] = (), skip_bad: bool = False, max_age_days: float | None = None
    ) -> KnownMediaDetector:
        """Load the lists by path.

        Raises
        ------
        DetectorError
            If no list is named.
        InputError
            If a list cannot be read or has bad lines.
        """
        if not lists:
            raise DetectorError("No list of known media is named.", cls.name, "Give one with --list.")
        return cls([load_list(Path(path), skip_bad=skip_bad) for path in lists], max_age_days)

    def coverage(self) -> tuple[ListState, ...]:
        """Return what is loaded, and how old it is."""
        return tuple(
            ListState(
                one.name,
                len(one.hashes),
                one.skipped,
                one.quarantined,
                one.duplicates,
                one.as_of,
                self._max_age_days is not None and (self._today - one.as_of).days > self._max_age_days,
            )
            for one in self._lists
        )

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return the nearest match of each frame ``(H, W) uint8``, if there is one and the frame is not too flat."""
        return [self._read(frame) for frame in frames]

    def _read(self, luma: NDArray[np.uint8]) -> tuple[Reading, ...]:
        hash_, quality = pdq(luma)
        if quality < QUALITY_FLOOR:
            return ()
        (matches,) = self._index.query(hash_[None, :])
        if not matches:
            return ()
        entry, distance = matches[0]
        number = int(np.searchsorted(self._starts, entry, side="right")) - 1
        one = self._lists[number]
        reference = one.references[entry - int(self._starts[number])]
        detail = f"list {one.name}, entry {reference}, distance {distance}, quality {quality}"
        return (Reading(self.name, "known-media", weight_db(distance, len(self._index)), detail),)
