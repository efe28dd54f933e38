"""The bus within one process: a bounded queue for each listener."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

QUEUE = 1000
"""Messages that wait for one listener."""

_IDLE_S = 1.0


class Inbox:
    """Messages that wait for one listener; a full one drops the oldest and counts it.

    Parameters
    ----------
    size
        Messages.
    """

    def __init__(self, size: int = QUEUE) -> None:
        self.dropped = 0
        self._messages: deque[Mapping[str, Any]] = deque(maxlen=size)
        self._come = threading.Condition()

    def put(self, message: Mapping[str, Any]) -> None:
        """Add a message; never waits."""
        with self._come:
            self.dropped += len(self._messages) == self._messages.maxlen
            self._messages.append(message)
            self._come.notify()

    def __iter__(self) -> Iterator[Mapping[str, Any] | None]:
        """Yield messages as they come, and None about once a second while nothing does; never ends."""
        while True:
            with self._come:
                if not self._messages:
                    self._come.wait(_IDLE_S)
                message = self._messages.popleft() if self._messages else None
            yield message


class LocalBus:
    """Messages to whoever listens now, in this process.

    Parameters
    ----------
    size
        Messages that wait for one listener.
    """

    def __init__(self, size: int = QUEUE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Inbox]] = {}
        self._open: list[Inbox] = []
        self._dropped_before = 0

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Send; never waits for a listener."""
        with self._lock:
            for inbox in self._listeners.get(topic, ()):
                inbox.put(message)

    @contextmanager
    def subscribe(self, *topics: str) -> Iterator[Iterator[Mapping[str, Any] | None]]:
        """Listen; yields None about once a second while nothing comes."""
        inbox = Inbox(self._size)
        with self._lock:
            self._open.append(inbox)
            for topic in topics:
                self._listeners.setdefault(topic, []).append(inbox)
        try:
            yield iter(inbox)
        finally:
            with self._lock:
                self._open.remove(inbox)
                self._dropped_before += inbox.dropped
                for topic in topics:
                    self._listeners[topic].remove(inbox)
                    if not self._listeners[topic]:
                        del self._listeners[topic]

    @property
    def dropped(self) -> int:
        """Messages that were dropped, of all listeners so far."""
        with self._lock:
            return self._dropped_before + sum(inbox.dropped for inbox in self._open)
