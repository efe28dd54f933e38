"""The console's ports in memory, and a console on them with somebody of each role."""

import hashlib
import queue
import threading
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import cv2
import numpy as np
import pyotp
from argon2 import PasswordHasher
from tests.unit.console.serving import Lines

from lightship.console.application import create_console
from lightship.console.health import BudgetKept, Health, ListAge
from lightship.console.settings import Mark, Settings
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.cases import REVERSIBLE, Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.errors import AccessDenied, InputError, StoreError, VaultError
from lightship.core.ledger import VerifyReport

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that tests move."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at

    def on(self, **time):
        self.at += timedelta(**time)


class MemoryLedger:
    """A ledger that is also read back."""

    def __init__(self):
        self.kept = []

    @property
    def size(self):
        return len(self.kept)

    def append(self, entry):
        return self.append_all([entry]) - 1

    def append_all(self, entries):
        self.kept.extend(entries)
        return len(self.kept)

    def entries(self, start=0, stop=None):
        return iter(self.kept[start:stop])

    def of(self, kind):
        return [one for one in self.kept if one["kind"] == kind]


class MemoryStore:
    """A store as the port says, one transaction at a time."""

    def __init__(self, ledger):
        self.kinds, self.ledger, self.lock = {}, ledger, threading.RLock()

    @contextmanager
    def begin(self):
        with self.lock:
            work = _MemoryWork(self)
            try:
                yield work
            except BaseException:
                for kind, id_, before in reversed(work.undo):
                    if before is None:
                        del self.kinds[kind][id_]
                    else:
                        self.kinds[kind][id_] = before
                raise
            self.ledger.append_all(work.entries)


class _MemoryWork:
    def __init__(self, store):
        self.store, self.undo, self.entries = store, [], []

    def save(self, *values):
        for value in values:
            kept = self.store.kinds.setdefault(type(value), {})
            if value.id in kept:
                raise StoreError(f"There is a {type(value).__name__} of that id.")
            self.undo.append((type(value), value.id, None))
            kept[value.id] = value

    def get(self, kind, id_):
        return self.store.kinds.get(kind, {}).get(id_)

    def find(self, kind, where=None, *, order=(), limit=None, after=""):
        known = {one.name for one in fields(kind)}
        assert set(where or {}) <= known
        assert {one.lstrip("-") for one in order} <= known
        found = list(self.store.kinds.get(kind, {}).values())
        for name, value in (where or {}).items():
            any_of = set(value) if isinstance(value, tuple) else {value}
            found = [one for one in found if getattr(one, name) in any_of]
        for name in reversed(order):
            found.sort(key=lambda one: getattr(one, name.lstrip("-")), reverse=name.startswith("-"))
        if after:
            places = [number for number, one in enumerate(found) if one.id == after]
            found = found[places[0] + 1 :] if places else []
        return found[:limit]

    def change(self, kind, id_, expect, **values):
        before = self.get(kind, id_)
        if before is None or any(getattr(before, name) != value for name, value in expect.items()):
            return None
        self.undo.append((kind, id_, before))
        self.store.kinds[kind][id_] = replace(before, **values)
        return self.store.kinds[kind][id_]

    def record(self, entry):
        self.entries.append(dict(entry))


class MemoryBus:
    """A bus whose listeners have a queue each."""

    dropped = 0

    def __init__(self):
        self.listeners = []

    def publish(self, topic, message):
        for topics, waiting in self.listeners:
            if topic in topics:
                waiting.put({"topic": topic, **message})

    @contextmanager
    def subscribe(self, *topics):
        one = (topics, queue.Queue())
        self.listeners.append(one)

        def messages():
            while True:
                try:
                    yield one[1].get(timeout=0.2)
                except queue.Empty:
                    yield None

        try:
            yield messages()
        finally:
            self.listeners.remove(one)


class MemoryVault:
    """A vault with an access log."""

    def __init__(self):
        self.kept, self.log = {}, []

    def seal(self, data, exhibit):
        self.kept[exhibit.id] = data

    def open(self, exhibit, *, by, purpose):
        self.log.append((exhibit.id, by, purpose))
        if exhibit.id not in self.kept:
            raise VaultError("The exhibit is not there.", "", "Look at its record.")
        return self.kept[exhibit.id]


class MemoryDesk:
    """A desk that is just good enough to work the console with."""

    lease_s = 60.0
    undo_s = 30.0

    def __init__(self, store):
        self.store = store

    def queue(self, where, *, limit, after=""):
        order = ("-danger_now", "-live", "-severity", "-reach", "-likelihood")
        with self.store.begin() as work:
            return work.find(Case, where, order=order, limit=limit, after=after)

    def open_next(self, by, now, where):
        for case in self.queue(where, limit=200):
            free = not case.claimed_by or case.claimed_by == by or case.claimed_until < now
            if free and case.state == "open":
                with self.store.begin() as work:
                    for one in work.find(Report, {"case_id": case.id}):
                        work.change(Report, one.id, {"seen_at": None}, seen_at=now)
                return self.claim(case.id, by, now)
        return None

    def claim(self, case_id, by, now, *, take_over=False):
        with self.store.begin() as work:
            case = self._case(work, case_id)
            held = case.claimed_by not in {"", by} and case.claimed_until > now
            if held and not take_over:
                raise AccessDenied("Somebody else has the case.", "", "Take another.")
            kind = "take-over" if held else "claim"
            work.record({"kind": kind, "at": now.isoformat(), "by": by, "case": case_id})
            until = now + timedelta(seconds=self.lease_s)
            return work.change(Case, case_id, {}, claimed_by=by, claimed_until=until)

    def release(self, case_id, by, now):
        with self.store.begin() as work:
            work.record({"kind": "release", "at": now.isoformat(), "by": by, "case": case_id})
            work.change(Case, case_id, {"claimed_by": by}, claimed_by="", claimed_until=None)

    def needs_second(self, judgement):
        return judgement.verdict == "abuse"

    def judge(self, case_id, by, now, *, verdict, clause, reason, reused_of=""):
        with self.store.begin() as work:
            case = self._case(work, case_id)
            made = Judgement(uuid4().hex, case_id, by, now, verdict, clause, reason, reused_of=reused_of)
            work.save(made)
            if not self.needs_second(made):
                self._do(work, case, made, "uncover", now)
            said = {"verdict": verdict, "clause": clause, "reason": reason}
            work.record({"kind": "judgement", "at": now.isoformat(), "by": by, "case": case_id, **said})
            work.change(Case, case_id, {}, state="decided", claimed_by="", claimed_until=None)
            return made

    def second(self, judgement_id, by, now, *, agrees):
        with self.store.begin() as work:
            made = work.get(Judgement, judgement_id)
            case = self._case(work, made.case_id)
            work.record({"kind": "second", "at": now.isoformat(), "by": by, "case": case.id})
            if not agrees:
                work.change(Case, case.id, {}, state="open")
                return made
            self._do(work, case, made, "stop-stream", now)
            return work.change(Judgement, judgement_id, {}, second_by=by, second_at=now)

    def appeal(self, case_id, by, now, *, words):
        with self.store.begin() as work:
            work.record({"kind": "appeal", "at": now.isoformat(), "by": by, "case": case_id, "words": words})
            return work.change(Case, case_id, {}, state="appealed")

    def reverse(self, case_id, by, now, *, clause, reason):
        with self.store.begin() as work:
            case = self._case(work, case_id)
            made = Judgement(uuid4().hex, case_id, by, now, "not-abuse", clause, reason)
            work.save(made)
            for one in work.find(Effect, {"case_id": case_id}):
                if one.kind in REVERSIBLE:
                    self._do(work, case, made, "restore", now, undoes=one.id)
            said = {"clause": clause, "reason": reason}
            work.record({"kind": "reversal", "at": now.isoformat(), "by": by, "case": case_id, **said})
            work.change(Case, case_id, {}, state="reversed")
            return made

    def uphold(self, case_id, by, now, *, reason):
        with self.store.begin() as work:
            return work.change(Case, case_id, {}, state="closed")

    def undo(self, case_id, by, now):
        with self.store.begin() as work:
            waiting = [one for one in work.find(Effect, {"case_id": case_id}) if one.state == "waiting"]
            if not waiting or waiting[0].due_at <= now:
                raise AccessDenied("The undo window is over.", "", "Reverse the decision.")
            work.record({"kind": "undo", "at": now.isoformat(), "by": by, "case": case_id})
            work.change(Case, case_id, {}, state="open")
            return [work.change(Effect, one.id, {}, state="undone") for one in waiting]

    def report(self, report_id, stream_id, now, *, kind, words):
        with self.store.begin() as work:
            before = work.get(Report, report_id)
            if before is not None:
                return before
            danger = kind == "child-at-risk-now"
            case = case_like(f"r-{report_id[:8]}", stream_id, at=now, opened_by="report", danger_now=danger)
            made = Report(report_id, stream_id, kind, words, now, case.id)
            work.save(case, made)
            work.record({"kind": "report", "at": now.isoformat(), "stream": stream_id})
            return made

    def _case(self, work, case_id):
        case = work.get(Case, case_id)
        if case is None:
            raise InputError("There is no such case.")
        return case

    def _do(self, work, case, made, kind, now, undoes=""):
        due = now + timedelta(seconds=0 if case.danger_now else self.undo_s)
        work.save(Effect(uuid4().hex, case.id, case.stream_id, kind, made.by, now, due, undoes=undoes))


def stream_like(name, **own):
    usual = {
        "address": "rtmp://127.0.0.1/live/secret-key", "host": f"host-{name}", "visibility": "public",
        "basis": "terms of service, section 4", "policy": "platform", "began_at": NOW - timedelta(minutes=20),
        "viewers": 120, "title": f"Evening stream {name}",
    }  # fmt: skip
    return Stream(name, **{**usual, **own})


def case_like(name, stream_id, at=NOW, **own):
    usual = {
        "opened_by": "machine", "opened_at": at, "aware_at": at,
        "words": "A frame is near a known entry of a hash list (distance 6), for 4 s.",
        "weight_db": 62.0, "rung": "cover", "reach": 0.4, "severity": 0.7, "likelihood": 0.9,
    }  # fmt: skip
    return Case(name, stream_id, **{**usual, **own})


def still(seed=0):
    """Return a synthetic still: a gradient with bars, PNG."""
    across = np.linspace(0, 255, 320, dtype=np.uint8)
    picture = np.dstack(
        [
            np.tile(across, (180, 1)),
            np.full((180, 320), 40 * (seed % 6), np.uint8),
            np.tile(across[::-1], (180, 1)),
        ]
    )
    picture[60:120, 40 + 20 * (seed % 6) : 100 + 20 * (seed % 6)] = 255
    return cv2.imencode(".png", picture)[1].tobytes()


def exhibit(made, case_id, data, media="image/png", at_s=12.0):
    """Seal an exhibit of a case."""
    case = made.store.kinds[Case][case_id]
    one = Exhibit(
        hashlib.sha256(data + case_id.encode()).hexdigest(), case_id, case.stream_id, at_s, at_s + 2, media,
        len(data), NOW, NOW + timedelta(days=365),
    )  # fmt: skip
    made.vault.seal(data, one)
    with made.store.begin() as work:
        work.save(one)
    return one


def console(folder, *, scopes=None, **settings):
    """Return a console with an account of each role, tokens by scope, and what stands behind it."""
    clock = settings.pop("clock", None) or Clock()
    ledger = MemoryLedger()
    store = MemoryStore(ledger)
    path = folder / "tenants.json"
    tokens = {}
    usual = {name: (name,) for name in ("streams", "reports", "cases", "decisions", "metrics", "match")}
    usual |= {"platform": ("streams", "reports", "cases", "decisions")}
    for name, own in (scopes or usual).items():
        tokens[name] = add(path, Tenant(name, "", own, (), 100_000, 1_000_000))
    made = SimpleNamespace(
        store=store, bus=MemoryBus(), vault=MemoryVault(), desk=MemoryDesk(store), clock=clock, ledger=ledger,
        tokens=tokens, log=Lines(), stale=False,
    )  # fmt: skip

    def health():
        return Health(
            clock(), streams=4, covered=4, bound_s=8, lag_s=0.6, moderators=2,
            lists=(ListAge("example-known", NOW - timedelta(hours=5), made.stale),),
            budgets=(BudgetKept("cover", "1 an hour", "0 in 3 hours", None),),
        )  # fmt: skip

    def trace(_stream_id):
        begin = NOW - timedelta(minutes=20)
        return (
            Mark(begin + timedelta(minutes=4), "signal", "weight 18 dB"),
            Mark(begin + timedelta(minutes=8), "gap", "no keyframe came", begin + timedelta(minutes=10)),
        )

    made.settings = Settings(
        **{
            "secret": b"s" * 32, "tenants": Tenants(path), "ledger": ledger, "health": health, "trace": trace,
            "verify": lambda: VerifyReport("lightship-watch", ledger.size, ledger.size, 3),
            "log": made.log, "clock": clock, "secure": False, "hasher": CHEAP, **settings,
        }
    )  # fmt: skip
    made.app = create_console(store, made.bus, made.vault, made.desk, made.settings)
    made.room = made.app.state.room
    made.codes = {}
    for name, role in (
        ("mo", "moderator"), ("nia", "moderator"), ("lee", "lead"), ("ada", "auditor"), ("root", "administrator"),
    ):  # fmt: skip
        until = clock() + timedelta(days=200)
        made.codes[name] = pyotp.TOTP(made.room.accounts.add(name, name.title(), role, PASSWORD, until))
    return made


def full(made):
    """Put streams, cases, reports and stills into a console."""
    with made.store.begin() as work:
        for number in range(4):
            work.save(stream_like(f"s{number}", viewers=10 ** (number + 1)))
        work.save(
            case_like("c0", "s0"),
            case_like(
                "c1",
                "s1",
                opened_by="report",
                danger_now=True,
                severity=0.9,
                words="A viewer says: a child is in danger now.",
            ),
            case_like("c2", "s2", weight_db=31.0, likelihood=0.5, severity=0.3, live=False),
            case_like("c3", "s0", near_of="c0", severity=0.2),
        )
        work.save(Report("p1", "s1", "child-at-risk-now", "It looks wrong to me.", made.clock(), "c1"))
    made.exhibits = {
        name: exhibit(made, name, still(number)) for number, name in enumerate(("c0", "c1", "c2", "c3"))
    }
    return made
