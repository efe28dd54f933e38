"""A duty, its exhibits and its report; and an NCMEC in memory with the rules of the real one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bench.duties_made import details, tip
from tests.unit.exchange.cybertip_server import XSD

from lightship.core.cases import Exhibit
from lightship.core.duties import Duty, Filing
from lightship.core.notes import SigningKey
from lightship.duties import filing
from lightship.duties.filing_snapshot import Enclosed, Snapshot, declaration, exhibit_of
from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip import build
from lightship.exchange.cybertip_client import CODES, Answer

T0 = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
KEY = SigningKey.from_seed("example.org/duties", bytes(32))
YEAR = timedelta(days=366)


class Clock:
    def __init__(self, now=T0):
        self.now = now

    def __call__(self):
        return self.now

    def pass_s(self, seconds):
        self.now += timedelta(seconds=seconds)


@cache
def schema():
    return cybertip_schema.load(XSD)


def duty(n=1, **more):
    values = {
        "state": "owed",
        "authority": "ncmec",
        "rule": "sha256:r",
        "reason": "a",
        "decided_by": "machine",
        "decided_at": T0,
    }
    return Duty(f"d{n:04}", f"c{n:04}", aware_at=T0, **{**values, **more})


def file_of(n, at):
    """A benign file, and its exhibit."""
    data = f"benign bytes of case {n}, file {at}".encode() * 50
    exhibit = Exhibit(
        hashlib.sha256(data).hexdigest(), f"c{n:04}", f"s{n}", 0.0, 0.0, "image/png", len(data), T0, T0 + YEAR
    )
    return data, exhibit


def snapshot_of(one: Filing, exhibits, schema_, clock) -> Snapshot:
    body = build(schema_, "report", tip(additionalInfo=one.id)).decode()
    said = details()
    for name in ("reportId", "fileId"):
        del said[name]
    files = tuple(Enclosed(each.id, f"{at}.png", each.size, (), said) for at, each in enumerate(exhibits))
    return Snapshot(
        one.id, one.duty_id, exhibits[0].case_id if exhibits else "c", one.authority, one.adapter, clock(), body, {},
        {"schema": schema_.sha256}, files,
    )  # fmt: skip


def make_ready(store, vault, schema_, clock, n=1, files=2) -> Filing:
    """Keep a duty, begin its report, seal the snapshot and declare it."""
    mine = duty(n)
    made = [file_of(n, at) for at in range(files)]
    for data, exhibit in made:
        vault.seal(data, exhibit)
    with store.begin() as work:
        work.save(mine, *(exhibit for _, exhibit in made))
        begun = filing.begin(work, mine, "cybertip", clock())
    snapshot = snapshot_of(begun, [exhibit for _, exhibit in made], schema_, clock)
    data = snapshot.to_bytes()
    exhibit = exhibit_of(snapshot, data, clock(), clock() + YEAR)
    vault.seal(data, exhibit)
    with store.begin() as work:
        entry = declaration(begun, exhibit.id, "I stand for it.", by="ada", at=clock(), key=KEY)
        return filing.declare(work, begun, exhibit, entry, by="ada", now=clock())


class PlainVault:
    """A vault that keeps bytes as they are; what the real one does is tested with it."""

    def __init__(self, folder: Path | None = None):
        self.folder, self.held, self.looks = folder, {}, []

    def seal(self, data, exhibit):
        self.held[exhibit.id] = data
        if self.folder:
            (self.folder / exhibit.id).write_bytes(data)

    def open(self, exhibit, *, by, purpose):
        self.looks.append((exhibit.id, by, purpose))
        return self.held[exhibit.id] if exhibit.id in self.held else (self.folder / exhibit.id).read_bytes()

    def open_pieces(self, exhibit, *, by, purpose):
        data = self.open(exhibit, by=by, purpose=purpose)
        yield from (data[at : at + 500] for at in range(0, len(data), 500))


def answer(code, unsent=False):
    means = CODES[code][0] if code else "again"
    return Answer(f"code {code}", "memory", "", code=code, means=means, unsent=unsent)


@dataclass
class Opened:
    xml: bytes
    opened_at: datetime
    changed_at: datetime
    state: str = "open"
    files: dict[str, bytes] = field(default_factory=dict)
    details: dict[str, bytes] = field(default_factory=dict)


class MemoryNcmec:
    """Reports as NCMEC has them. ``mood`` decides of each call: ``well``, ``away`` (nothing arrives), ``lost`` (it is
    done, and the answer does not come), a code, or a function that is called in the middle."""

    def __init__(self, clock, xsd=None):
        self.clock, self.reports, self.xsd_ = clock, {}, xsd or XSD.read_bytes()
        self.mood = lambda _word: "well"
        self.calls = []

    def _do(self, word, act):
        mood = self.mood(word)
        self.calls.append(word)
        if mood == "away":
            raise answer(0, unsent=True)
        if isinstance(mood, int):
            raise answer(mood)
        if callable(mood):
            mood()
        result = act()
        if mood == "lost":
            raise answer(0)
        return result

    def _open(self, id_) -> Opened:
        one = self.reports.get(id_)
        if one is None:
            raise answer(5001)
        until = max(one.opened_at + timedelta(hours=24), one.changed_at + timedelta(hours=1))
        if one.state == "open" and self.clock() > until:
            one.state = "dropped"
        codes = {"dropped": 5001, "retracted": 5101, "finished": 5102}
        if one.state in codes:
            raise answer(codes[one.state])
        one.changed_at = self.clock()
        return one

    def finished(self):
        return {id_: one for id_, one in self.reports.items() if one.state == "finished"}

    def xsd(self):
        return self._do("xsd", lambda: self.xsd_)

    def submit(self, report):
        def act():
            id_ = str(1001 + len(self.reports))
            self.reports[id_] = Opened(report, self.clock(), self.clock())
            return id_

        return self._do("submit", act)

    def upload(self, report_id, name, pieces, size):
        def act():
            data = b"".join(pieces)
            assert len(data) == size
            one = self._open(report_id)
            file_id = f"{report_id}-{len(one.files)}"
            one.files[file_id] = data
            return file_id

        return self._do("upload", act)

    def fileinfo(self, table):
        from lxml import etree

        def act():
            root = etree.fromstring(table)
            one, file_id = self._open(root.findtext("reportId")), root.findtext("fileId")
            if file_id not in one.files:
                raise answer(5002)
            one.details[file_id] = table

        return self._do("fileinfo", act)

    def finish(self, report_id):
        def act():
            one = self._open(report_id)
            one.state = "finished"
            return tuple(one.files)

        return self._do("finish", act)

    def retract(self, report_id):
        def act():
            self._open(report_id).state = "retracted"

        return self._do("retract", act)
