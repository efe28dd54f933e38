"""Watchkeepers: e-detectors that hold an alarm budget, as pure steps over blocks.

A block's e-value has mean at most 1 when the stream is benign. The e-detectors

* CUSUM: ``M ← e · max(1, M)``
* Shiryaev-Roberts: ``M ← e · (1 + M)``

stopped at ``M ≥ A`` run for at least ``A`` benign blocks on average, whatever the distribution
(Shin, Ramdas, Rinaldo 2023, "E-detectors: a nonparametric framework for sequential change detection").
So a budget of one alarm in ``T`` seconds asks for ``A = T / block_s``.

**Blocks.** Neighbouring frames resemble each other, so evidence is taken in blocks: one block counts once,
by its running maximum, which can only rise, so deciding before the block is over is valid. A *base* block ends when
:data:`BASE_BLOCK_S` is over and the picture has changed, or after :data:`LONGEST_BASE_BLOCK_S`. Each
rung has a block length of its own (docs/adr/0002): a rung of a grave response takes long blocks, so that a whole
benign scene that fools a detector counts once. In the shortest ones, where every bound is a scene's, each scene is a
bet of its own, and those of a block multiply (docs/adr/0009).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from lightship.core.errors import PolicyError
from lightship.core.poisson import poisson_upper
from lightship.core.weight import BenignStream, Calibration, Calibrator, decibans

BASE_BLOCK_S = 2.0
LONGEST_BASE_BLOCK_S = 60.0
CHANGED_BITS = 31
"""A picture further than this from the block's first, in PDQ bits, is another picture (PDQ's own match limit)."""

Kind = Literal["cusum", "shiryaev-roberts"]

_UNITS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "month": 30 * 86400.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false responses benign use may suffer.

    Parameters
    ----------
    events
        Number of false responses.
    period_s
        In how many seconds of benign use.
    """

    events: float
    period_s: float

    @classmethod
    def parse(cls, text: str, where: str = "budget") -> Budget:
        """Read natural units, such as ``"1 per hour"`` or ``"1 per 1000 hours"``.

        Raises
        ------
        PolicyError
            If the text is not of that form, or a number is not positive.

        Examples
        --------
        >>> Budget.parse("1 per 100 hours").mean_time_s
        360000.0
        """
        words = text.split()
        try:
            events, per, rest = float(words[0]), words[1], words[2:]
            count = float(rest[0]) if len(rest) > 1 else 1.0
            period_s = count * _UNITS_S[rest[-1].removesuffix("s")]
        except (IndexError, KeyError, ValueError):
            per, events, period_s = "", 0.0, 0.0
        if per != "per" or len(words) > 4 or not (0 < events < math.inf) or not (0 < period_s < math.inf):
            raise PolicyError(
                f"{text!r} is not an alarm budget.",
                where,
                'Write it like "1 per hour" or "1 per 1000 hours".',
            )
        return cls(events, period_s)

    @property
    def mean_time_s(self) -> float:
        """Mean seconds of benign use between false responses."""
        return self.period_s / self.events

    def threshold(self, block_s: float) -> float:
        """Return ``A``, the mean number of blocks between false responses (at least 2)."""
        return max(2.0, self.mean_time_s / block_s)

    def __str__(self) -> str:
        hours = self.mean_time_s / 3600.0
        return f"1 per {hours:g} h" if hours > 1 else f"{1 / hours:g} per h"


def advance(level_db: float, weight_db: float, kind: Kind) -> float:
    """Return the e-detector's level after one block's weight, both in decibans.

    Examples
    --------
    >>> advance(-20.0, 5.0, "cusum"), advance(10.0, 5.0, "cusum")
    (5.0, 15.0)
    """
    if kind == "cusum":
        return weight_db + max(0.0, level_db)
    return (
        weight_db + 10.0 * math.log10(1.0 + 10.0 ** (level_db / 10.0))
        if level_db < 300
        else weight_db + level_db
    )


PictureHash = tuple[int, int, int, int]
"""A PDQ hash as four 64-bit integers: what the picture looks like, coarsely."""


@dataclass(frozen=True, slots=True)
class BaseBlock:
    """The base block that a stream is in.

    Parameters
    ----------
    began_s
        Stream seconds of its first analysed frame.
    picture
        That frame's hash; None where the frame was too flat to have one.
    latest, pictures
        The latest picture that differs from the one before it, and how many such there were.
    hits
        Pictures of its latest scene on which analytic evidence counted, with what it came to.
    """

    began_s: float
    picture: PictureHash | None
    latest: PictureHash | None
    pictures: int = 1
    hits: tuple[tuple[PictureHash, float], ...] = ()

    @classmethod
    def begun(cls, at_s: float, picture: PictureHash | None) -> BaseBlock:
        """Return the block that begins with a frame."""
        return cls(at_s, picture, picture)

    def over(self, at_s: float, picture: PictureHash | None) -> bool:
        """Return whether the frame at ``at_s`` is the first of a new block."""
        lasted_s = at_s - self.began_s
        changed = differ(self.picture, picture)
        return lasted_s >= LONGEST_BASE_BLOCK_S or (lasted_s >= BASE_BLOCK_S and changed)

    def seen(self, picture: PictureHash | None) -> BaseBlock:
        """Return the block after one more of its frames."""
        if not differ(self.latest, picture):
            return self
        return replace(self, latest=picture, pictures=self.pictures + 1, hits=())

    def hit(self, picture: PictureHash, score_db: float) -> BaseBlock:
        """Return the block after evidence in one of its pictures."""
        others = tuple(
            (one, db) for one, db in self.hits if db > score_db or (db == score_db and differ(one, picture))
        )
        if any(not differ(one, picture) for one, _ in others):
            return self
        return replace(self, hits=(*others, (picture, score_db)))


def differ(one: PictureHash | None, other: PictureHash | None) -> bool:
    """Return whether two frames show different pictures; one too flat to have a hash differs from one that has one."""
    if one is None or other is None:
        return one is not other
    return sum((mine ^ its).bit_count() for mine, its in zip(one, other, strict=True)) > CHANGED_BITS


@dataclass(frozen=True, slots=True)
class Watch:
    """The state of one watchkeeper: the level when the current block began, and that block so far.

    Parameters
    ----------
    before_db
        Level after the last finished block; minus infinity at the start (nothing seen).
    began_s
        When the current block began, stream seconds; None before the first frame.
    best
        The running maximum of each detector in the current block, as ``(detector, label, score)``.
    within
        It is a further scene of a block that has begun before, so the e-detector does not begin anew with it.
    """

    before_db: float = -math.inf
    began_s: float | None = None
    best: tuple[tuple[str, str, float], ...] = ()
    within: bool = False

    def level_db(self, weight_db: float, kind: Kind) -> float:
        """Return the level with the weight of what was seen since the block, or the scene in it, began."""
        if self.within:
            return self.before_db + weight_db
        return advance(self.before_db, weight_db, kind)

    def seen(self, at_s: float, scores: Iterable[tuple[str, str, float]]) -> Watch:
        """Return the state after one analysed frame's scores."""
        best = {(detector, label): score for detector, label, score in self.best}
        for detector, label, score in scores:
            best[detector, label] = max(score, best.get((detector, label), -math.inf))
        began_s = at_s if self.began_s is None else self.began_s
        found = tuple((*key, score) for key, score in sorted(best.items()))
        return replace(self, began_s=began_s, best=found)

    def closed(self, at_s: float, level_db: float, *, within: bool = False) -> Watch:
        """Return the state at the start of the next block, or of the next scene within the same block."""
        return Watch(level_db, self.began_s if within else at_s, (), within)


def levels_db(
    calibration: Calibration, stream: BenignStream, block_s: float, threshold: float, kind: Kind
) -> list[float]:
    """Return the level after each block of one of the calibration's own streams, looked at as if it were new."""
    rest = calibration.without(stream) if len(calibration.streams) > 1 else calibration
    calibrator = Calibrator.for_rung(threshold, len(rest.maxima(block_s)))
    levels, level_db = [], -math.inf
    for maximum in stream.merged(block_s):
        level_db = advance(level_db, decibans(calibrator.evalue(rest.p_value(maximum, block_s))), kind)
        levels.append(level_db)
    return levels


@dataclass(frozen=True, slots=True)
class SessionLevel:
    """The level that a calibration's own streams allow a rung to fire at.

    Parameters
    ----------
    level_db
        At or below this level, benign streams fired more often than the budget allows, or might have.
    hours
        Benign hours behind it.
    extrapolated
        True if the budget's time is longer than those hours can show: no alarm in ``H`` hours
        bounds the rate at 95 % by ``3.0 / H`` (exact Poisson). The largest level seen is used then.
    """

    level_db: float
    hours: float
    extrapolated: bool


def session_level(calibration: Calibration, budget: Budget, block_s: float, kind: Kind) -> SessionLevel:
    """Return what the calibration's own streams say of a budget, each looked at with the others as calibration.

    A rise of the level above 0 dB and back is one excursion. The level returned is the smallest peak that leaves
    so few excursions above it that their exact Poisson 95 % upper bound is inside the budget.
    """
    threshold = budget.threshold(block_s)
    peaks = sorted(
        (
            peak
            for stream in calibration.streams
            for peak in _excursion_peaks(levels_db(calibration, stream, block_s, threshold, kind))
        ),
        reverse=True,
    )
    allowed = calibration.hours * 3600.0 / budget.mean_time_s
    spare = 0
    while poisson_upper(spare + 1) <= allowed and spare < len(peaks):
        spare += 1
    enough = poisson_upper(0) <= allowed
    return SessionLevel(
        peaks[spare] if spare < len(peaks) else -math.inf, calibration.hours, extrapolated=not enough
    )


def _excursion_peaks(levels: Iterable[float]) -> list[float]:
    peaks: list[float] = []
    inside = False
    for level in levels:
        if level > 0.0:
            if inside:
                peaks[-1] = max(peaks[-1], level)
            else:
                peaks.append(level)
        inside = level > 0.0
    return peaks
