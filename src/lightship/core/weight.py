"""Weight of evidence in decibans, p-to-e calibrators, and calibration from benign footage alone.

A *calibration* holds, for each benign stream, the largest score in each of its blocks, in order. From it a new
block's running maximum ``s`` gets the conformal p-value ``p = (1 + #{cal ≥ s}) / (n + 1)`` (Vovk, Gammerman,
Shafer 2005), and a *calibrator* turns ``p`` into an e-value with mean at most 1 when the block is benign
(Shafer, Shen, Vereshchagin, Vovk 2011; Vovk and Wang 2021).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.canonical import digest
from lightship.core.errors import PolicyError

CALIBRATION_FORMAT = "lightship.calibration/1"


def decibans(e: float) -> float:
    """Return the weight ``10·log10(e)`` of an e-value; minus infinity for zero.

    Examples
    --------
    >>> decibans(1000.0)
    30.0
    """
    return 10.0 * math.log10(e) if e > 0.0 else -math.inf


def smooth_evalue(p: float) -> float:
    """Return ``(1 - p + p·ln p) / (p·ln² p)``, the mixture of ``κ·p^(κ-1)`` over ``κ`` in [0, 1].

    Examples
    --------
    >>> round(smooth_evalue(1.0), 6)
    0.5
    >>> smooth_evalue(1e-4) > 100
    True
    """
    if p >= 1.0 - 1e-4:  # the limit, where the closed form loses its digits
        return 0.5 + (1.0 - p) / 6.0
    log_p = math.log(p)
    return (1.0 - p + p * log_p) / (p * log_p * log_p)


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A mixture of p-to-e calibrators: half smooth, a quarter at each of two levels.

    Parameters
    ----------
    alarm_alpha
        ``1/(4A)``: a block this rare fires a rung of threshold ``A`` by itself.
    finest_alpha
        ``1/(n+1)``: the rarest that a calibration of ``n`` blocks can tell.
    """

    alarm_alpha: float
    finest_alpha: float

    @classmethod
    def for_rung(cls, threshold: float, blocks: int) -> Calibrator:
        """Return the calibrator for a threshold ``A`` and a calibration of ``blocks`` blocks."""
        finest = 1.0 / (blocks + 1)
        return cls(max(1.0 / (4.0 * threshold), finest), finest)

    def evalue(self, p: float) -> float:
        """Return the e-value of a p-value; its mean is at most 1 where ``p`` is a p-value."""
        e = 0.5 * smooth_evalue(p)
        for alpha in (self.alarm_alpha, self.finest_alpha):
            if p <= alpha * (1.0 + 1e-12):
                e += 0.25 / alpha
        return e


ANALYTIC_MISS = 0.8
"""What a block without a hit multiplies evidence by (a deciban less); the rest of the bet is on a hit."""


def analytic_evalue(weight_db: float, scenes: int) -> float:
    """Return the e-value of a block whose best scene had a bound of ``weight_db`` against chance.

    A scene's bound is ``P(benign scene scores this) ≤ 10^(-weight_db/10)``; over a block of ``scenes`` scenes the union
    bound gives ``p``, and ``0.8 + 0.2/p`` on a hit has mean at most 1.

    Parameters
    ----------
    weight_db
        Decibans of the best scene, its :func:`scene_share_db` included; zero or less means nothing was seen.
    scenes
        The most scenes that the block can hold.
    """
    if weight_db <= 0.0:
        return ANALYTIC_MISS
    # Not capped at 1: a picture of small share beside others would then count for more than its share of the bet.
    p = scenes * math.pow(10.0, -weight_db / 10.0)
    return ANALYTIC_MISS + (1.0 - ANALYTIC_MISS) / p


def scene_share_db(picture: int) -> float:
    """Return what the ``picture``-th distinct picture of one base block may count, in decibans (at most 0).

    A base block of two seconds usually shows one scene, and may show many. The bet on the block is divided among them,
    ``6/(π²j²)`` to the j-th, which sums to 1: the first counts for 2 dB less, and a block of quick cuts gains nothing.

    Examples
    --------
    >>> round(scene_share_db(1), 1), round(scene_share_db(4), 1)
    (-2.2, -14.2)
    """
    return decibans(6.0 / (math.pi * picture) ** 2)


@dataclass(frozen=True, slots=True)
class BenignStream:
    """One benign stream as a detector saw it: the block maxima in order, and each block's length.

    Parameters
    ----------
    name
        What the footage is, for a reader; never content.
    digest
        SHA-256 of the footage, or of the recipe that made it.
    maxima
        Largest score in each block.
    lengths_s
        Length of each block in seconds.
    """

    name: str
    digest: str
    maxima: tuple[float, ...]
    lengths_s: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Length of the stream in seconds."""
        return math.fsum(self.lengths_s)

    def merged(self, block_s: float) -> tuple[float, ...]:
        """Return the maxima of longer blocks, each the first run of blocks that lasts ``block_s`` or more.

        An unfinished last block is left out, unless it is the only one.
        """
        merged: list[float] = []
        lasted, highest = 0.0, -math.inf
        for maximum, length_s in zip(self.maxima, self.lengths_s, strict=True):
            highest = max(highest, maximum)
            lasted += length_s
            if lasted >= block_s - 1e-6:
                merged.append(highest)
                lasted, highest = 0.0, -math.inf
        if not merged and self.maxima:
            merged.append(highest)
        return tuple(merged)


@dataclass(frozen=True)
class Calibration:
    """What a detector says of benign footage: all that is needed to weigh what it says of anything else.

    Parameters
    ----------
    detector, detector_version, label
        Whose scores these are. A calibration is refused for another version of the detector.
    sample_fps
        Analysed frames a second while it was made (the fastest rate a policy may use with it).
    streams
        The benign streams, block by block.
    created
        Date of making, ISO 8601.
    recipe
        How to make it again.
    """

    detector: str
    detector_version: str
    label: str
    sample_fps: float
    streams: tuple[BenignStream, ...]
    created: str
    recipe: str
    _sorted: dict[float, NDArray[np.float64]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def hours(self) -> float:
        """Benign hours behind it."""
        return math.fsum(stream.seconds for stream in self.streams) / 3600.0

    def maxima(self, block_s: float) -> NDArray[np.float64]:
        """Return the sorted maxima of all blocks of at least ``block_s`` seconds, ``(n,) float64``."""
        found = self._sorted.get(block_s)
        if found is None:
            merged = [value for stream in self.streams for value in stream.merged(block_s)]
            found = self._sorted[block_s] = np.sort(np.asarray(merged, dtype=np.float64))
        return found

    def p_value(self, score: float, block_s: float) -> float:
        """Return ``(1 + #{cal ≥ score}) / (n + 1)`` over blocks of ``block_s`` seconds."""
        maxima = self.maxima(block_s)
        at_least = len(maxima) - int(np.searchsorted(maxima, score, side="left"))
        return (1 + at_least) / (len(maxima) + 1)

    def without(self, stream: BenignStream) -> Calibration:
        """Return the calibration made without one of its streams, to look at that stream as if new."""
        rest = tuple(other for other in self.streams if other is not stream)
        return Calibration(
            self.detector, self.detector_version, self.label, self.sample_fps, rest, self.created, self.recipe
        )

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the calibration as a JSON object."""
        return {
            "format": CALIBRATION_FORMAT,
            "detector": self.detector,
            "detector_version": self.detector_version,
            "label": self.label,
            "sample_fps": self.sample_fps,
            "created": self.created,
            "recipe": self.recipe,
            "streams": [
                {
                    "name": stream.name,
                    "digest": stream.digest,
                    "maxima": list(stream.maxima),
                    "lengths_s": list(stream.lengths_s),
                }
                for stream in self.streams
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str = "calibration") -> Calibration:
        """Read :meth:`to_json` back.

        Raises
        ------
        PolicyError
            Naming the field that is missing or wrong.
        """
        try:
            if value["format"] != CALIBRATION_FORMAT:
                raise PolicyError(
                    f"This calibration is of format {value['format']!r}, not {CALIBRATION_FORMAT!r}.",
                    where,
                    "Make it again with `lightship calibrate`.",
                )
            streams = tuple(_read_stream(stream, where) for stream in value["streams"])
            calibration = cls(
                detector=str(value["detector"]),
                detector_version=str(value["detector_version"]),
                label=str(value["label"]),
                sample_fps=float(value["sample_fps"]),
                streams=streams,
                created=str(value["created"]),
                recipe=str(value["recipe"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PolicyError(
                f"The calibration cannot be read: {error}.",
                where,
                "Make it again with `lightship calibrate`.",
            ) from error
        if not len(calibration.maxima(0.0)):
            raise PolicyError("The calibration holds no benign block.", where, "Calibrate on more footage.")
        return calibration


def _read_stream(value: Mapping[str, Any], where: str) -> BenignStream:
    maxima: Sequence[float] = value["maxima"]
    lengths_s: Sequence[float] = value["lengths_s"]
    numbers = np.asarray([*maxima, *lengths_s], dtype=np.float64)
    if len(maxima) != len(lengths_s) or not np.isfinite(numbers).all() or min(lengths_s, default=1.0) <= 0.0:
        raise PolicyError(
            f"Stream {value['name']!r} has a maximum without a length, or a number that is not finite.",
            where,
            "Make the calibration again with `lightship calibrate`.",
        )
    return BenignStream(
        str(value["name"]), str(value["digest"]), tuple(map(float, maxima)), tuple(map(float, lengths_s))
    )
