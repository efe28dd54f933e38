"""Who walks around a hit is finding out what is on a list: a detector that a person can follow.

A matcher tells who asks whether a hash is near an entry, and how near. Who has one hash that matches can therefore
flip its bits and watch the distance until the entry's own hash is known; without a hash that matches nothing can be
learnt, since random hashes lie 128 bits apart. What is told of a bit needs two questions that differ in it, however
cleverly they are chosen. So around each first hit (the *anchor*) two things are counted:

*explored bits*
    positions in which any question within :data:`NEAR_BITS` of the anchor differed from it. Copies of one picture
    differ where its coefficients lie near the median and hardly elsewhere: of 1,500 copies each of five pictures
    (cropped, scaled, blurred, written over, compressed), the 550 to 860 within that distance explored 128 to 177 of the
    256. More copies explore more, ever more slowly. At :data:`EXPLORED_BITS` somebody walks.
*impossible hashes*
    PDQ sets exactly 128 bits, whatever the picture; a single flipped bit makes a hash that no picture has. Measured:
    every one of 15,000 edited pictures. A symmetric test pattern may have ties, so :data:`IMPOSSIBLE` different ones
    around one anchor are needed.

Both are counted before a batch is answered, so that a walk in one batch learns nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NEAR_BITS = 40
EXPLORED_BITS = 208
IMPOSSIBLE = 16
SET_BITS = 128
_ANCHORS = 256


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody is walking around an entry.

    Parameters
    ----------
    reason
        In words, with the count and the bound; no hash.
    explored_bits, impossible
        The counts.
    """

    reason: str
    explored_bits: int
    impossible: int


@dataclass(slots=True)
class _Around:
    explored: NDArray[np.uint64]
    at_s: float
    impossible: set[bytes] = field(default_factory=set)


class Walks:
    """What one tenant's questions around its hits have explored.

    Parameters
    ----------
    window_s
        An anchor that nobody asked near for so long is forgotten.
    """

    def __init__(self, window_s: float = 86_400.0) -> None:
        self.window_s = window_s
        self._around: OrderedDict[bytes, _Around] = OrderedDict()

    def seen(self, hashes: NDArray[np.uint64], hit: NDArray[np.bool_], at_s: float) -> Alarm | None:
        """Take in questions, and return the alarm they give.

        Parameters
        ----------
        hashes
            ``(Q, 4) uint64``.
        hit
            Which of them matched an entry, ``(Q,)``.
        at_s
            Seconds.
        """
        for old in [key for key, one in self._around.items() if one.at_s < at_s - self.window_s]:
            del self._around[old]
        for row in np.flatnonzero(hit):
            known = self._anchors()
            if not len(known) or _bits(known ^ hashes[row]).min() > NEAR_BITS:
                self._around[hashes[row].tobytes()] = _Around(np.zeros(4, np.uint64), at_s)
                if len(self._around) > _ANCHORS:
                    self._around.popitem(last=False)
        if not self._around:
            return None
        return self._count(hashes, at_s)

    def _anchors(self) -> NDArray[np.uint64]:
        return np.frombuffer(b"".join(self._around), dtype=np.uint64).reshape(-1, 4)

    def _count(self, hashes: NDArray[np.uint64], at_s: float) -> Alarm | None:
        keys = list(self._around)
        differ = self._anchors()[:, None, :] ^ hashes[None, :, :]
        near = _bits(differ) <= NEAR_BITS
        for place in np.flatnonzero(near.any(axis=1)).tolist():
            around = self._around[keys[place]]
            around.at_s = at_s
            self._around.move_to_end(keys[place])
            around.explored |= np.bitwise_or.reduce(differ[place, near[place]])
            asked = hashes[near[place]]
            if len(around.impossible) < IMPOSSIBLE:
                around.impossible.update(one.tobytes() for one in asked[_bits(asked) != SET_BITS])
            alarm = _judged(int(_bits(around.explored)), len(around.impossible))
            if alarm is not None:
                return alarm
        return None


def _judged(explored: int, impossible: int) -> Alarm | None:
    if impossible >= IMPOSSIBLE:
        reason = f"{impossible} hashes that no picture has around one hit ({IMPOSSIBLE} are an alarm)"
        return Alarm(reason, explored, impossible)
    if explored >= EXPLORED_BITS:
        reason = f"{explored} of 256 bits tried around one hit ({EXPLORED_BITS} are an alarm)"
        return Alarm(reason, explored, impossible)
    return None


def _bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bitwise_count(words).sum(axis=-1, dtype=np.int64)
    return counts
