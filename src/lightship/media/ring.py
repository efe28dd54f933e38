"""Hold-back: pictures and sound wait a little before they leave, so that a decision can still cover them.

Pictures are kept as the decoder gave them: two seconds of 1280x720 at 30 a second in 4:2:0 are
2 · 30 · 1280 · 720 · 1.5 bytes = 83 MB.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

from lightship.core.errors import PolicyError
from lightship.core.ports import Picture
from lightship.media.frames import Sound

Held = TypeVar("Held", bound=Picture | Sound)

MOST_BYTES = 1_500_000_000
"""Held at most: 2 s of 3840x2160 at 60 a second in 4:2:0, the largest ordinary stream."""


class HoldBack(Generic[Held]):
    """Holds items until they are ``delay_s`` older than the newest, and lets them leave in timeline order.

    Picture and sound that arrive out of step by less than the delay leave in step.

    Parameters
    ----------
    delay_s
        Seconds of the stream to hold; 0 lets everything through as it comes.
    most_bytes
        Memory that held items may take. Above it the oldest leave early, and :attr:`early` counts them.

    Examples
    --------
    >>> import numpy as np
    >>> from lightship.media.frames import ArrayPicture
    >>> ring = HoldBack(delay_s=0.5)
    >>> pictures = [ArrayPicture(at_s, np.zeros((16, 16, 3), np.uint8)) for at_s in (0.0, 0.25, 0.5, 0.75)]
    >>> [[held.at_s for held in ring.put(picture)] for picture in pictures]
    [[], [], [0.0], [0.25]]
    >>> [held.at_s for held in ring.flush()]
    [0.5, 0.75]
    """

    def __init__(self, delay_s: float, most_bytes: int = MOST_BYTES) -> None:
        if delay_s < 0.0:
            raise PolicyError(f"A hold-back of {delay_s:g} s is not possible.", todo="Use 0 or more.")
        self._delay_s = delay_s
        self._most_bytes = most_bytes
        self._heap: list[tuple[float, int, int, Held]] = []
        self._number = 0
        self._bytes = 0
        self._newest_s = float("-inf")
        self.early = 0
        """Items that left before their time because memory was short."""

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def held_bytes(self) -> int:
        """Memory of the items held, bytes."""
        return self._bytes

    def put(self, item: Held) -> Iterator[Held]:
        """Take an item in and return those whose time has come, oldest first."""
        size = _size(item)
        heapq.heappush(self._heap, (item.at_s, self._number, size, item))
        self._number += 1
        self._bytes += size
        self._newest_s = max(self._newest_s, item.at_s)
        return iter(self._leaving())

    def flush(self) -> Iterator[Held]:
        """Return everything that is left, oldest first: the stream is over."""
        rest = [self._pop() for _ in range(len(self._heap))]
        return iter(rest)

    def _leaving(self) -> list[Held]:
        leaving = []
        while self._heap:
            old_enough = self._newest_s - self._heap[0][0] >= self._delay_s - 1e-9
            if not old_enough and self._bytes <= self._most_bytes:
                break
            self.early += not old_enough
            leaving.append(self._pop())
        return leaving

    def _pop(self) -> Held:
        _, _, size, item = heapq.heappop(self._heap)
        self._bytes -= size
        return item


def _size(item: Picture | Sound) -> int:
    if isinstance(item, Sound):
        return sum(plane.buffer_size for plane in item.frame.planes)
    return int(getattr(item, "nbytes", item.width * item.height * 3))
