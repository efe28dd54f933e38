"""A store, leases, a bus and a vault in memory, with the semantics of the ports, for the tests of the watch."""

import contextlib
import copy
import hashlib
import queue
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lightship.core.errors import StoreError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Crash(Exception):
    """The process died here."""


class Time:
    """A clock that only the test moves."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def pass_(self, seconds):
        self.now += timedelta(seconds=seconds)


def _fits(value, where):
    return all(
        getattr(value, name) in want if isinstance(want, tuple) else getattr(value, name) == want
        for name, want in where.items()
    )


class MemoryWork:
    def __init__(self, rows, ledger):
        self.rows, self.ledger = rows, ledger

    def save(self, *values):
        for value in values:
            if (type(value), value.id) in self.rows:
                raise StoreError("It is there already.", value.id)
            self.rows[type(value), value.id] = value

    def get(self, kind, id_):
        return self.rows.get((kind, id_))

    def find(self, kind, where=None, *, order=(), limit=None, after=""):
        found = [one for (k, _), one in self.rows.items() if k is kind and _fits(one, where or {})]
        for name in reversed(order):
            down = name.startswith("-")
            found.sort(key=lambda one: getattr(one, name.lstrip("-")), reverse=down)
        if after:
            found = found[[one.id for one in found].index(after) + 1 :]
        return found[:limit]

    def change(self, kind, id_, expect, **fields):
        value = self.rows.get((kind, id_))
        if value is None or not _fits(value, expect):
            return None
        self.rows[kind, id_] = replace(value, **fields)
        return self.rows[kind, id_]

    def record(self, entry):
        self.ledger.append(dict(entry))


class MemoryStore:
    """All of a block is kept, or none; ``crash_in`` kills the process before or after the n-th commit from now."""

    def __init__(self):
        self.rows, self.ledger = {}, []
        self.crash_in = None
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def begin(self):
        with self._lock:
            work = MemoryWork(copy.copy(self.rows), list(self.ledger))
            yield work
            self._die("before")
            self.rows, self.ledger = work.rows, work.ledger
            self._die("after")

    look = begin

    def _die(self, moment):
        if self.crash_in is not None and self.crash_in[1] == moment:
            left = self.crash_in[0] - 1
            self.crash_in = (left, moment) if left > 0 else None
            if left <= 0:
                raise Crash

    def kinds(self, kind):
        return [entry for entry in self.ledger if entry["kind"] == kind]


class MemoryLeases:
    def __init__(self, clock=time.monotonic):
        self.clock, self.rows, self.number = clock, {}, 0
        self._lock = threading.Lock()

    def take(self, names, holder, ttl_s):
        mine = {}
        with self._lock:
            for name in names:
                who, until, number = self.rows.get(name, ("", 0.0, 0))
                if who != holder and until > self.clock():
                    continue
                if who != holder or until <= self.clock():
                    self.number += 1
                    number = self.number
                self.rows[name] = (holder, self.clock() + ttl_s, number)
                mine[name] = number
        return mine

    def free(self, name, holder):
        with self._lock:
            if self.rows.get(name, ("",))[0] == holder:
                del self.rows[name]

    def held(self):
        return {name: who for name, (who, until, _) in self.rows.items() if until > self.clock()}


class MemoryBus:
    def __init__(self):
        self.queues, self.dropped = [], 0

    def publish(self, topic, message):
        for topics, mine in self.queues:
            if topic in topics:
                mine.put({"topic": topic, **message})

    @contextlib.contextmanager
    def subscribe(self, *topics):
        mine = queue.Queue()
        self.queues.append((topics, mine))

        def messages():
            while True:
                try:
                    yield mine.get(timeout=0.1)
                except queue.Empty:
                    yield None

        try:
            yield messages()
        finally:
            self.queues.remove((topics, mine))


class MemoryVault:
    def __init__(self):
        self.sealed = {}

    def seal(self, data, exhibit):
        assert hashlib.sha256(data).hexdigest() == exhibit.id
        self.sealed[exhibit.id] = (data, exhibit)
