"""A made-up benign world for testing promises: bursts, confusing scenes, and streams that differ from each other.

Scores of ordinary pictures are standard normal, shifted by a stream's own offset (standard deviation 0.5). One scene in
a hundred (more in some streams, fewer in others) confuses the detector: its score jumps by 3 in bursts of mean length
``burst_s``, again and again while the scene lasts. Scenes last 60 s on average; in the *heavy* world their length is
log-normal, so that some last an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightship.core.watchkeeper import BASE_BLOCK_S, LONGEST_BASE_BLOCK_S
from lightship.core.weight import BenignStream

FPS = 4
CONFUSING_SHARE = 0.01
BURST_SCORE = 3.0
MEAN_SCENE_S = 60.0
MEAN_QUIET_S = 4.0


@dataclass(frozen=True, slots=True)
class World:
    """Which world.

    Parameters
    ----------
    burst_s
        Mean length of a burst, seconds.
    heavy
        Scene lengths with a heavy tail.
    """

    burst_s: float
    heavy: bool = False


def frames(
    world: World, rng: np.random.Generator, hours: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the score of every analysed frame of one stream, and whether the picture changed there."""
    count = int(hours * 3600 * FPS)
    scores = rng.normal(rng.normal(0.0, 0.5), 1.0, count)
    changes = np.zeros(count, dtype=np.bool_)
    share = CONFUSING_SHARE * rng.gamma(2.0, 0.5)
    at = 0
    while at < count:
        length_s = rng.lognormal(np.log(20.0), 1.5) if world.heavy else rng.exponential(MEAN_SCENE_S)
        end = min(count, at + max(FPS, int(length_s * FPS)))
        if rng.random() < share:
            _confuse(scores[at:end], world, rng)
        changes[at] = True
        lively = rng.random() < 0.7
        changes[at:end] |= rng.random(end - at) < (0.125 if lively else 0.005)
        at = end
    return scores, changes


def _confuse(scores: NDArray[np.float64], world: World, rng: np.random.Generator) -> None:
    at = 0
    while at < len(scores):
        length = max(1, int(rng.exponential(world.burst_s) * FPS))
        scores[at : at + length] += BURST_SCORE
        at += length + 1 + int(rng.exponential(MEAN_QUIET_S) * FPS)


def stream(world: World, rng: np.random.Generator, name: str, hours: float = 1.0) -> BenignStream:
    """Return one stream's base blocks, cut by the rule of lightship.core.watchkeeper.BaseBlock."""
    scores, changes = frames(world, rng, hours)
    changed_at = np.flatnonzero(changes)
    starts, start = [], 0
    while start < len(scores):
        starts.append(start)
        least, most = start + int(BASE_BLOCK_S * FPS), start + int(LONGEST_BASE_BLOCK_S * FPS)
        following = int(np.searchsorted(changed_at, start + 1))
        change = int(changed_at[following]) if following < len(changed_at) else most
        start = max(least, min(most, change))
    maxima = np.maximum.reduceat(scores, starts)
    lengths_s = np.diff([*starts, len(scores)]) / FPS
    return BenignStream(name, "sha256:made-up", tuple(maxima.tolist()), tuple(lengths_s.tolist()))
