"""Known media: the sampled picture's PDQ hash against lists of known abuse material.

The full frame's brightness is hashed, as the lists' own hashes were: no shrinking first. A frame of quality below 50
is not matched; entries of such quality are not loaded. What is said of a match is the list, the owner's reference, the
distance and the quality, never a hash.
"""

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
"""The bound's ends, at up to 10 and at 31 bits, decibans for one frame.

Different pictures' hashes behave as fair coins do: 1,657,531 pairs of benign pictures of quality ≥ 50 (crops of 15
different photographs of scikit-image) are 128.0 ± 8.0 bits apart, the nearest 82; 256 fair coins give 128 ± 8. At ≤ 31
bits that is 8.3·10⁻³⁸ an entry, or 310 dB for a list of a million. The bound stays far below, at one frame in 10⁸ to
10⁹, for what no such sum covers: pictures that share a structure (title cards, blank pages, lawful pictures on a list).
To be replaced by the chance-match rate measured on benign footage, per distance and quality (issue 3).
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
    age_days
        Days since then.
    stale
        Older than the deployment allows.
    """

    name: str
    entries: int
    skipped: int
    quarantined: int
    duplicates: int
    as_of: date
    age_days: int
    stale: bool


class KnownMediaDetector:
    """Says which list a picture is on.

    The weight of a match (:func:`weight_db`) is an analytic bound; its source stands with :data:`EXACT_DB`.

    Parameters
    ----------
    lists
        Loaded lists.
    max_age_days
        A list older than this is stale; None means never.
    today
        The day to compare with; None is the day on which :meth:`coverage` is asked.
    """

    name = "known-media"
    labels = frozenset({"known-media"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "analytic"

    def __init__(
        self, lists: Sequence[HashList], max_age_days: float | None = None, today: date | None = None
    ) -> None:
        if not lists:
            raise DetectorError("No list of known media is named.", self.name, "Give one with --list.")
        self._lists = tuple(lists)
        self._index = ScanIndex(np.concatenate([one.hashes for one in lists]))
        self._starts = np.cumsum([0, *(len(one.hashes) for one in lists)])
        self._max_age_days = max_age_days
        self._today = today
        self.version = "+".join(one.digest.removeprefix("sha256:")[:12] for one in lists)

    @classmethod
    def load(
        cls,
        lists: Sequence[str | Path] | str | Path = (),
        skip_bad: bool = False,
        max_age_days: float | None = None,
    ) -> KnownMediaDetector:
        """Load the lists by path.

        Parameters
        ----------
        lists
            One path or several.
        skip_bad
            Leave out lines that are not entries, and count them.
        max_age_days
            A list older than this is stale; None means never.

        Raises
        ------
        DetectorError
            If no list is named.
        InputError
            If a list cannot be read or has bad lines.
        """
        paths = [lists] if isinstance(lists, str | Path) else lists
        return cls([load_list(Path(path), skip_bad=skip_bad) for path in paths], max_age_days)

    def coverage(self) -> tuple[ListState, ...]:
        """Return what is loaded, and how old it is today: a list can go stale while a stream runs."""
        today = self._today or datetime.now(UTC).date()
        return tuple(
            ListState(
                one.name,
                len(one.hashes),
                one.skipped,
                one.quarantined,
                one.duplicates,
                one.as_of,
                (today - one.as_of).days,
                self._max_age_days is not None and (today - one.as_of).days > self._max_age_days,
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
