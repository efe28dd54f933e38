"""A console on a real store and desk, with somebody of each role; its vault alone is in memory."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import cv2
import numpy as np
import pyotp
import sqlalchemy as sa
from argon2 import PasswordHasher
from tests.tables import tables
from tests.unit.console.serving import Lines

from lightship import packs
from lightship.app_duties_report import Reporter
from lightship.console.application import create_console
from lightship.console.desk import WatchDesk
from lightship.console.health import Health, ListAge
from lightship.console.settings import Settings
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.cases import Case, Exhibit, Report, Stream
from lightship.core.duties import Detection, Seat
from lightship.core.errors import VaultError
from lightship.core.ledger import VerifyReport
from lightship.duties import clocks, people
from lightship.duties import desk as duties
from lightship.duties.law import load
from lightship.duties.provider import Provider
from lightship.infra.bus import LocalBus
from lightship.infra.store import SqlStore
from lightship.watch.priority import together

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
PROVIDER = 'registered = true\n[facts]\nprovider = "uk"\narrangements = "none"\n'
REPORTS = """
[service]
name = "Example Live"
part = "Livestreams"
first_name = "Ada"
last_name = "Lee"
email = "duty@example.org"
telephone = "+44 20 7946 0000"
"""
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that tests move."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at

    def on(self, **time):
        self.at += timedelta(**time)


class Journal:
    """The journal of a store, read as the ledger that a sealer would make of it."""

    def __init__(self, store):
        self.store = store

    @property
    def size(self):
        with self.store.look() as work:
            return work.connection.execute(
                sa.select(sa.func.count(self.store.schema.journal.c.key))
            ).scalar_one()

    def entries(self, start=0, stop=None):
        columns = self.store.schema.journal.c
        many = -1 if stop is None else max(0, stop - start)
        query = sa.select(columns.entry).order_by(columns.number).offset(start).limit(many)
        with self.store.look() as work:
            return iter([json.loads(one) for one in work.connection.execute(query).scalars()])

    def of(self, kind):
        return [one for one in self.entries() if one["kind"] == kind]


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
    found = {**usual, **own}
    found.setdefault("place", together(found["reach"], found["severity"], found["likelihood"]))
    return Case(name, stream_id, **found)


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
    case = made.one(Case, case_id)
    one = Exhibit(
        hashlib.sha256(data + case_id.encode()).hexdigest(), case_id, case.stream_id, at_s, at_s + 2, media,
        len(data), NOW, NOW + timedelta(days=365),
    )  # fmt: skip
    made.vault.seal(data, one)
    with made.store.begin() as work:
        work.save(one)
    return one


def all_of(store, kind, **where):
    with store.look() as work:
        return work.find(kind, where)


def console(folder, *, scopes=None, matcher=None, **settings):
    """Return a console with an account of each role, tokens by scope, and what stands behind it."""
    clock = settings.pop("clock", None) or Clock()
    store = SqlStore(tables(folder / "console.db"))
    ledger, bus = Journal(store), LocalBus()
    path = folder / "tenants.json"
    tokens = {}
    usual = {
        name: (name,) for name in ("streams", "reports", "cases", "decisions", "metrics", "match", "lists")
    }
    usual |= {"platform": ("streams", "reports", "cases", "decisions")}
    for name, own in (scopes or usual).items():
        tokens[name] = add(path, Tenant(name, "", own, (), 100_000, 1_000_000))
    made = SimpleNamespace(
        store=store, bus=bus, vault=MemoryVault(), desk=WatchDesk(store, bus), clock=clock, ledger=ledger,
        tokens=tokens, log=Lines(), stale=False, folder=folder,
    )  # fmt: skip
    made.one = lambda kind, id_: all_of(store, kind, id=id_)[0]
    made.all = lambda kind, **where: all_of(store, kind, **where)

    def health():
        return Health(
            clock(), streams=4, covered=4, bound_s=8, lag_s=0.6, moderators=2,
            lists=(ListAge("example-known", NOW - timedelta(hours=5), made.stale),),
        )  # fmt: skip

    made.settings = Settings(
        **{
            "secret": b"s" * 32, "tenants": Tenants(path), "ledger": ledger, "health": health, "policies": (packs.policy("public-live"),),
            "verify": lambda: VerifyReport("lightship-watch", ledger.size, ledger.size, 3),
            "provider": Provider(load("gb"), ("provider=uk", "arrangements=none"), registered=True),
            "reporter": Reporter(folder, store, made.vault, clock), "log": made.log, "clock": clock, "secure": False, "hasher": CHEAP, **settings,
        }
    )  # fmt: skip
    made.app = create_console(store, made.bus, made.vault, made.desk, made.settings, matcher)
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


def owing(made):
    """Put duties of each state, a clock that is late and a seat into a console; returns the ids by state."""
    law, provider = made.settings.provider.law, made.settings.provider.facts
    told = {
        "open": (),
        "owed": ("csea=yes", "reported-to=nobody"),
        "not-owed": ("csea=no",),
        "filed": ("csea=yes", "reported-to=nobody"),
    }
    ids = {}
    with made.store.begin() as work:
        for number, (state, facts) in enumerate(told.items()):
            aware = made.clock() - timedelta(hours=number + 1)
            ids[state] = f"d{number}" * 16
            one = Detection(
                ids[state],
                f"c{number}",
                f"s{number % 3}",
                "csea-livestream",
                "machine",
                "terms",
                aware,
                facts,
                state == "owed",
            )
            duties.detect(work, one, aware)
            duties.decide(work, one.id, law, provider=provider, by="the law's rules", now=aware)
        duties.file(work, ids["filed"], reference="NCA-2026-1", by="lee", now=made.clock())
        began = made.clock() - timedelta(days=8)
        clock = clocks.begin(
            work,
            law,
            "nca-question",
            about=ids["filed"],
            began_at=began,
            by="lee",
            words="Which port?",
            reference="Q7",
        )
        people.seat(work, "administrator", name="Lee", account="lee", begins_at=began, by="root")
        ids["clock"] = clock.id
    made.duties = ids
    (made.folder / "provider.toml").write_text(PROVIDER)
    (made.folder / "reports.toml").write_text(REPORTS)
    return made


def trained(made, name="lee"):
    """Let somebody's seat be trained, so that they may file."""
    with made.store.begin() as work:
        (seat,) = work.find(Seat, {"account": name})
        until = made.clock() + timedelta(days=90)
        people.train(work, seat.id, until=until, materials="the register's guide 3", by="root")
    return made
