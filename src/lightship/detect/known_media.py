"""Known media: the sampled picture's PDQ hash against lists of known abuse material.

The full frame's brightness is hashed, as the lists' own hashes were: no shrinking first; where it is on no list, so are
its mirror image and the picture without a border around it. A frame of quality below 50
is not matched; entries of such quality are not loaded. What is said of a match is the list, the owner's reference, the
distance and the quality, never a hash.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import DetectorError
from lightship.core.known import Terms
from lightship.core.values import Reading
from lightship.detect.bank import Bank, load
from lightship.detect.look_up import in_all_forms
from lightship.detect.matcher import Finding, Matcher
from lightship.detect.pdq import Hashed, WeighRows, pdq, weigh_rows

SCAN_UP_TO = 250_000
"""A guard looks a few times a second, which a scan of so many serves without loading the compiler."""


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
        Older than its terms allow.
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

    The weight of a match is a measured bound; its source is :mod:`lightship.detect.chance`.

    Parameters
    ----------
    banks
        Loaded lists, or a matcher over some: what is swapped there counts from the next picture on.
    today
        The day to compare with; None is the day on which :meth:`coverage` is asked.
    weigh
        Reads pictures: :func:`lightship.detect.look_up.quickest` for who watches many streams.
    subject
        Whose pictures these are, for the brake on floods; empty counts nowhere.
    """

    name = "known-media"
    labels = frozenset({"known-media"})
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "analytic"

    def __init__(
        self,
        banks: Sequence[Bank] | Matcher,
        today: date | None = None,
        weigh: WeighRows = weigh_rows,
        subject: str = "",
    ) -> None:
        self.matcher = banks if isinstance(banks, Matcher) else Matcher(tuple(banks))
        if not self.matcher.banks:
            raise DetectorError("No list of known media is named.", self.name, "Give one with --list.")
        self._today = today
        self.weigh, self.subject = weigh, subject

    def of_stream(self, subject: str) -> KnownMediaDetector:
        """Return the same for one stream, whose matches the brake on floods counts under ``subject``."""
        return KnownMediaDetector(self.matcher, self._today, self.weigh, subject)

    @property
    def version(self) -> str:
        """The digests of the lists that are searched now."""
        return "+".join(one.digest.removeprefix("sha256:")[:12] for one in self.matcher.banks)

    @classmethod
    def load(
        cls,
        lists: Sequence[str | Path | Bank] | str | Path | Matcher = (),
        skip_bad: bool = False,
        max_age_days: float | None = None,
        weigh: WeighRows = weigh_rows,
    ) -> KnownMediaDetector:
        """Load the lists.

        Parameters
        ----------
        lists
            Paths of PDQ lists, or banks that are loaded already; or a matcher, whose banks may be swapped.
        skip_bad
            Leave out lines that are not entries, and count them.
        max_age_days
            A list from a path that is older than this is stale; None means never.
        weigh
            Reads pictures.

        Raises
        ------
        DetectorError
            If no list is named.
        InputError
            If a list cannot be read or has bad lines.
        """
        if isinstance(lists, Matcher):
            return cls(lists, weigh=weigh)
        named = [lists] if isinstance(lists, str | Path) else lists
        banks = [one if isinstance(one, Bank) else _load(Path(one), skip_bad, max_age_days) for one in named]
        return cls(banks, weigh=weigh)

    def coverage(self) -> tuple[ListState, ...]:
        """Return what is loaded, and how old it is today: a list can go stale while a stream runs."""
        today = self._today or datetime.now(UTC).date()
        return tuple(
            ListState(
                bank.terms.name,
                bank.hashes,
                bank.skipped,
                bank.quarantined,
                bank.duplicates,
                bank.as_of,
                bank.age_days(today),
                bank.stale(today),
            )
            for bank in self.matcher.banks
        )

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return the nearest match of each frame ``(H, W) uint8``, if there is one and the frame is not too flat."""
        return self.read_hashed(frames, [pdq(frame, self.weigh) for frame in frames])

    def read_hashed(
        self, frames: Sequence[NDArray[np.uint8]], hashes: Sequence[Hashed]
    ) -> list[tuple[Reading, ...]]:
        """Return the same where the frames' hashes are known already."""
        return [
            _readings(
                in_all_forms(
                    self.matcher,
                    frame,
                    subject=self.subject,
                    at_s=time.monotonic(),
                    weigh=self.weigh,
                    hashed=hashed,
                )[0]
            )
            for frame, hashed in zip(frames, hashes, strict=True)
        ]


def _load(path: Path, skip_bad: bool, max_age_days: float | None) -> Bank:
    terms = Terms(path.stem, max_age_days=max_age_days)
    return load(path, terms, skip_bad=skip_bad, scan_up_to=SCAN_UP_TO)


def _readings(finding: Finding) -> tuple[Reading, ...]:
    hit = finding.nearest
    if hit is None:
        return ()
    also = sorted({one.bank.terms.name for one in finding.hits} - {hit.bank.terms.name})
    detail = f"list {hit.bank.terms.name}, entry {hit.reference}, distance {hit.distance}, quality {finding.quality}"
    detail += "" if finding.transform == "as it is" else f", {finding.transform}"
    detail += f", also on {', '.join(also)}" if also else ""
    matched = {
        one.bank.terms.name: one.reference for one in reversed(finding.hits)
    }  # the nearest of each list
    named = tuple(f"{name}/{reference}" for name, reference in sorted(matched.items()))
    return (Reading("known-media", "known-media", finding.weight_db, detail, matched=named),)
