"""A bounded way for items from one thread to another."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

MOST_BYTES = 64_000_000
"""Waiting at most: 1.5 s of 1280x720 at 30 a second in 4:2:0."""


class Pipe(Generic[Thing]):
    """First in, first out, between two threads; bounded by bytes, but two things always fit.

    Parameters
    ----------
    most_bytes
        What may wait in it.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._things: deque[tuple[Thing, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._things)

    def put(self, thing: Thing, size: int, timeout_s: float | None = None) -> bool:
        """Put a thing in, waiting for room; False if none came in time or the pipe was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._room(size), timeout_s)
            if self._closed or not self._room(size):
                return False
            self._things.append((thing, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float) -> Thing | None:
        """Take the oldest thing out; None if none came in time, or the pipe is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._things), timeout_s)
            if not self._things:
                return None
            thing, size = self._things.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return thing

    def close(self) -> None:
        """Let nothing more in, drop what waits, and wake everyone."""
        with self._changed:
            self._closed = True
            self._things.clear()
            self._bytes = 0
            self._changed.notify_all()

    def _room(self, size: int) -> bool:
        return len(self._things) < 2 or self._bytes + size <= self._most_bytes
