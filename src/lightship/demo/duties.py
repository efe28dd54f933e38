"""The demonstration's duties: a livestream is stopped late on a Saturday before a bank holiday, and what is owed then.

The night, its people and its pictures are made up, and its clock is moved by hand, a year on where a year must pass.
Everything else is what a platform runs: store, vault, ledger, rules, worksheet, certificates, export.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
from rich.console import Console
from rich.markup import escape

import lightship
from lightship import app_duties, app_duties_report, app_regulator, packs
from lightship.app_platform import Deployment, ledger_of
from lightship.console.desk import WatchDesk
from lightship.core.cases import Case, Effect, Exhibit, Stream
from lightship.core.duties import Duty, Filing, Held, Post
from lightship.core.errors import VaultError
from lightship.core.identity import identity
from lightship.detect.test_card import draw
from lightship.duties import certificates, desk, filing, keeping, owed, people
from lightship.duties.filing_report import Told
from lightship.duties.follow import Follower
from lightship.duties.provider import Provider
from lightship.infra.bus import LocalBus
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import upgrade
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.infra.whole_file import write_whole
from lightship.watch import evidence
from lightship.watch.outbox import send_due
from lightship.watch.ring import Still

STOPPED_AT = datetime(2026, 8, 29, 22, 40, tzinfo=UTC)
"""23:40 in London, on the Saturday before the late summer bank holiday."""

MONTH = "2026-08"
PROVIDER = 'jurisdiction = "gb"\nregistered = true\n[facts]\nprovider = "uk"\narrangements = "none"\n'
SERVICE = """[service]
name = "Example Live"
part = "Livestreams"
first_name = "Ann"
last_name = "Example"
email = "duty@example.org"
telephone = "+44 20 7946 0000"
"""
TOLD = Told(
    held={"user-name": "host-b", "upload-ip": "[2001:db8::7]:4431 at 2026-08-29T22:31:07Z"},
    not_held={"identity-documents": "The service asks for none."},
)
SEATS: tuple[tuple[Post, str], ...] = (
    ("accountable", "Cleo"),
    ("administrator", "Ann"),
    ("replacement", "Bo"),
)
TOOL = Path(lightship.__file__).parents[2] / "tools" / "verify_export.py"

Claim = tuple[str, bool, str]
"""What a user would say, whether it held, and what was seen."""


@dataclass
class Night:
    """A deployment with a clock that is moved by hand."""

    folder: Path
    store: SqlStore
    vault: FileVault
    ledger: LedgerFile
    provider: Provider
    now: datetime = STOPPED_AT

    def clock(self) -> datetime:
        """Return the night's time."""
        return self.now

    def later(self, **time: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**time)
        return self.now

    def follow(self) -> None:
        """Seal the journal and let the duties follow it, as a running service does."""
        with Sealer(self.store, self.ledger) as sealer:
            while sealer.seal():
                pass
        Follower(self.store, self.ledger, self.provider.law, self.provider.facts).follow(self.now)

    def duty(self, stream: str) -> Duty:
        """Return the duty of a stream's case."""
        with self.store.look() as work:
            (case,) = work.find(Case, {"stream_id": stream})
            return desk.duty_of(work, identity(case.id, "detection"))

    def done(self, stream: str, kind: str) -> bool:
        """Return whether the platform confirmed an act on a stream."""
        with self.store.look() as work:
            return bool(work.find(Effect, {"stream_id": stream, "kind": kind, "state": "done"}))

    def retain(self) -> app_duties.Kept:
        """Run retention, as a running service does every hour."""
        law, terms = self.provider.law, packs.retention("gb")
        return app_duties.retain(self.store, self.vault, self.folder, law, terms, self.now)

    def certificate(self, duty: Duty, what: str) -> tuple[str, dict[str, object]]:
        """Return a certificate whose signature was verified."""
        note = (self.folder / "certificates" / f"{duty.id}.{what}.txt").read_text(encoding="utf-8")
        return certificates.opened(note, load_public_key(self.folder / "duties.pub"))


def play(out: Path, console: Console) -> list[Claim]:
    """Play the chapter; the worksheet, the record book and the export stay in the folder ``duties``."""
    kept = out / "duties"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    console.print(
        "  [dim]The night is made up and its clock moved by hand; no authority is told anything.[/]"
    )
    with tempfile.TemporaryDirectory(prefix="lightship-duties-") as made:
        folder = Path(made) / "platform"
        folder.mkdir()
        with night(folder) as here:
            claims = [*_reported(here, kept, console), *_reversed(here), *_a_year_later(here)]
        return [*claims, *_verified(folder, here.now, kept, console)]


def provide(folder: Path) -> None:
    """State who the demonstration's provider is, and who reports for it."""
    (folder / "provider.toml").write_text(PROVIDER, encoding="utf-8")
    (folder / app_duties_report.SETTINGS).write_text(SERVICE, encoding="utf-8")


@contextmanager
def night(folder: Path) -> Iterator[Night]:
    """Open a deployment with two livestreams, and people who answer for what is owed."""
    provide(folder)
    deployment = Deployment(folder)
    upgrade(deployment.url)
    with ExitStack() as stack:
        store = stack.enter_context(SqlStore(deployment.url))
        seen = stack.enter_context(ledger_of(folder / "looks.ledger", "lightship-vault"))
        ledger = stack.enter_context(ledger_of(folder / "platform.ledger", "lightship-platform"))
        here = Night(folder, store, FileVault(folder / "vault", seen), ledger, app_duties.provider_of(folder))
        with store.begin() as work:
            for name, viewers in (("b", 900), ("c", 12)):
                began = STOPPED_AT - timedelta(minutes=9)
                work.save(
                    Stream(
                        name,
                        f"rtmp://example/{name}",
                        f"host-{name}",
                        "public",
                        "the service's terms",
                        "public-live",
                        began,
                        viewers=viewers,
                        title=f"Demonstration stream {name}",
                    )
                )
            begins, until = STOPPED_AT - timedelta(days=90), STOPPED_AT + timedelta(days=400)
            for post, name in SEATS:
                people.seat(
                    work,
                    post,
                    name=name,
                    account=name.lower(),
                    begins_at=begins,
                    trained_until=until,
                    by="root",
                )
        yield here


def _reported(here: Night, kept: Path, console: Console) -> list[Claim]:
    """From the report of danger to the reference and the certificate."""
    watch, law = WatchDesk(here.store, LocalBus()), here.provider.law
    told = watch.report("demo-report", "b", here.now, kind="child-at-risk-now", words="It looks wrong.")
    _, jpeg = cv2.imencode(".jpg", draw(256))
    evidence.keep(here.store, here.vault, [Still(540.0, jpeg.tobytes())], told.case_id, here.now)
    here.follow()
    before = here.duty("b")
    claims = [
        (
            "in live danger it is owed before anybody has decided",
            (before.state, before.authority, before.priority) == ("owed", "nca", "P1"),
            owed.words(before, law),
        )
    ]
    here.later(seconds=20)
    watch.claim(told.case_id, "mo", here.now)
    watch.judge(
        told.case_id, "mo", here.later(seconds=10), verdict="abuse", clause="abuse-live", reason="seen"
    )
    send_due(here.store, lambda _effect: None, here.clock)
    claims.append(
        ("the stream is stopped", here.done("b", "stop-stream"), f"{(here.now - STOPPED_AT).seconds} s after")
    )
    here.follow()
    here.later(minutes=4)
    with here.store.begin() as work:
        prompts = owed.told_to_do(work, here.duty("b"), law, here.now, registered=True)
        desk.called(work, before.id, whom="999", reference="A12", words="told", by="ann", now=here.now)
    for said in prompts:
        console.print(f"  [dim]{escape(said)}[/]")
    claims.append(
        (
            "it says to call 999, and that the office is closed",
            len(prompts) == 2 and "999" in prompts[0] and "closed" in prompts[1],
            f"{len(prompts)} prompts",
        )
    )
    with app_duties_report.reports_on(here.folder, here.store, here.vault, here.clock) as reports:
        mine, draft = app_duties_report.build(reports, before.id, TOLD)
        held = sum(isinstance(one, Held) for one in draft.snapshot.fields.values())
        every = len(draft.snapshot.fields) == len(reports.form.on(law.day(here.now)))
        claims.append(
            (
                "every field of Schedule 1 is a value or a reason",
                every and not draft.faults,
                f"{held} held, {len(draft.snapshot.fields) - held} not held, and why",
            )
        )
        waits = app_duties_report.file(reports, mine, draft, by="ann")
        write_whole(kept / "worksheet.html", draft.snapshot.body.encode())
        here.later(minutes=7)
        done = filing.reference(reports.desk, waits.id, "DEMO-2026-0001", by="ann")
    after = here.duty("b")
    took_min = ((after.filed_at or here.now) - after.aware_at).total_seconds() / 60
    claims.append(
        (
            "the reference that came back files it, within a quarter of an hour",
            (done.state, after.state, after.reference) == ("filed", "filed", "DEMO-2026-0001")
            and after.due_at is not None
            and here.now <= after.due_at,
            f"{took_min:.1f} min after awareness",
        )
    )
    here.later(hours=1)
    here.retain()
    _, fields = here.certificate(after, "retention")
    exhibits = fields["kept"]
    claims.append(
        (
            "a signed certificate says what is kept, and until when",
            isinstance(exhibits, list) and len(exhibits) == 4,
            f"{len(exhibits) if isinstance(exhibits, list) else 0} exhibits for a year",
        )
    )
    return claims


def _reversed(here: Night) -> list[Claim]:
    """Another stream was stopped wrongly: its appeal really undoes that, and nothing is owed of it."""
    watch = WatchDesk(here.store, LocalBus())
    case = watch.report("demo-report-c", "c", here.now, kind="other", words="Look here.").case_id
    watch.claim(case, "mo", here.now)
    watch.judge(case, "mo", here.now, verdict="abuse", clause="abuse-other", reason="words")
    send_due(here.store, lambda _effect: None, lambda: here.later(minutes=1))
    here.follow()
    was = here.duty("c").state
    watch.appeal(case, "mo", here.later(hours=9), words="It was a film.")
    watch.reverse(case, "lee", here.later(minutes=30), reason="It was a film, and no child was in it.")
    send_due(here.store, lambda _effect: None, here.clock)
    here.follow()
    duty = here.duty("c")
    return [
        (
            "an appeal that is right gives the stream back",
            here.done("c", "stop-stream") and here.done("c", "restore"),
            "stopped, and restored by an effect of its own",
        ),
        (
            "and what was owed for it no longer is, with the reason",
            (was, duty.state) == ("owed", "not-owed"),
            duty.reason,
        ),
    ]


def _a_year_later(here: Night) -> list[Claim]:
    duty = here.duty("b")
    until = here.provider.law.calendar.later(duty.filed_at or here.now, 1, "years")
    here.now = until - timedelta(minutes=1)
    early = here.retain()
    here.later(days=1)
    done = here.retain()
    after = here.duty("b")
    _, fields = here.certificate(after, "destruction")
    gone = fields["destroyed"]
    with here.store.look() as work:
        exhibits, _ = keeping.held_for(work, after)
        (first,) = work.find(Filing, {"duty_id": after.id})
    return [
        (
            "for a year nothing of it is destroyed",
            not early.expired.destroyed,
            f"until {until:%-d %B %Y}",
        ),
        (
            "then all of it is, with a certificate, and its reference stays",
            after.state == "closed"
            and done.proved == (after.id,)
            and not exhibits
            and isinstance(gone, list)
            and len(gone) == 4
            and not _opens(here, first.snapshot),
            f"{len(done.expired.destroyed)} keys destroyed; reference {after.reference}",
        ),
    ]


def _opens(here: Night, exhibit_id: str) -> bool:
    with here.store.look() as work:
        found = work.get(Exhibit, exhibit_id)
    try:
        return found is not None and bool(here.vault.open(found, by="demo", purpose="to see that it is gone"))
    except VaultError:
        return False


def _verified(folder: Path, now: datetime, kept: Path, console: Console) -> list[Claim]:
    """Write the record book and the export, and let the separate program judge it and its tampered twin."""
    deployment, said = Deployment(folder), list[str]()
    with app_regulator.open_desk(deployment) as papers:
        _, book = app_regulator.write_book(papers, papers.period(MONTH), kept / "record-book", "ann")
    names = app_duties_report.export_all(kept / "export", deployment, now, said.append)
    keys = [folder / f"{name}.pub" for name in ("platform", "looks", "duties")]
    for one in keys:
        shutil.copy(one, kept / one.name)
    twin = folder.parent / "twin"
    shutil.copytree(kept / "export", twin)
    entries = twin / "platform.entries.jsonl"
    data = bytearray(entries.read_bytes())
    data[len(data) // 2] ^= 1
    entries.write_bytes(data)
    claims = [
        (
            "the month's record book says what stands for each measure, and what is missing",
            bool(book["measures"]),
            f"{len(book['measures'])} measures",
        ),
        ("what waits is in the export", not said and bool(names), f"{len(names)} files"),
    ]
    if not TOOL.exists():
        console.print(
            "  [dim]The program that verifies an export is in the source: tools/verify_export.py.[/]"
        )
        return claims
    right, wrong = _verify(kept / "export", keys), _verify(twin, keys)
    figures = json.loads((kept / "export" / "figures.json").read_text(encoding="utf-8"))
    (kept / "duties.json").write_text(
        json.dumps({"export": figures, "verified": right[1], "twin": wrong[1]}, indent=1) + "\n", "utf-8"
    )
    return [
        *claims,
        ("a separate program verifies the export", right[0] == 0, right[1].partition(";")[0]),
        ("and refuses it with one bit changed", wrong[0] == 1, wrong[1]),
    ]


def _verify(export: Path, keys: list[Path]) -> tuple[int, str]:
    """Let the program that knows nothing of us judge an export; returns its exit code and what it says."""
    given = [part for one in keys for part in ("--key", str(one))]
    command = [sys.executable, str(TOOL), str(export), *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own program
    return done.returncode, (done.stdout or done.stderr).strip()
