"""A crash between any two steps of a store and a ledger: an exception here, a real SIGKILL in a child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import sqlalchemy as sa

from lightship.infra.store import SqlStore


class Crash(BaseException):
    """The process would be dead now."""


def die() -> None:
    """End this process at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def raise_crash() -> None:
    raise Crash


class Steps:
    """Counts steps, and does something at one of them."""

    def __init__(self, at: int, act: Callable[[], None] = raise_crash) -> None:
        self.at, self.act, self.count = at, act, 0

    def __call__(self, *_: object, **__: object) -> None:
        self.count += 1
        if self.count == self.at:
            self.act()

    def around(self, function):
        """Return a function with a step before and after it."""

        def stepped(*args, **kwargs):
            self()
            result = function(*args, **kwargs)
            self()
            return result

        return stepped

    def within(self, store: SqlStore) -> SqlStore:
        """Put a step before every statement and every commit of a store; what comes after one is before the next."""
        for engine in (store._engine, store._reading):
            sa.event.listen(engine, "before_cursor_execute", self)
            sa.event.listen(engine, "commit", self)
        return store
