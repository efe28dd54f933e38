"""Reports to authorities, on a deployment: what they are made from, who carries them, and the export of the ledgers."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lightship import packs
from lightship.app_duties import provider_of
from lightship.app_platform import Deployment, ledger_of
from lightship.console.report_port import Built
from lightship.console.settings import utc_now
from lightship.core.cases import Case, Exhibit, Stream
from lightship.core.duties import Detection, Duty, Filing
from lightship.core.errors import FilingError, InputError, LedgerError, StoreError
from lightship.core.notes import SigningKey
from lightship.core.people import Look
from lightship.core.ports import Work
from lightship.duties import filing, owed, people
from lightship.duties.chooser import facts_for, urgency
from lightship.duties.crosswalk import parse_crosswalk
from lightship.duties.filing import Carrier, Desk
from lightship.duties.filing_cybertip import CyberTipCarrier
from lightship.duties.filing_figures import figures
from lightship.duties.filing_report import (
    Draft,
    Records,
    Service,
    Told,
    Words,
    draft_cybertip,
    draft_worksheet,
    fields_of_case,
    log_faults,
    parse_words,
    service_of,
    without_files,
)
from lightship.duties.filing_snapshot import declaration, exhibit_of, from_bytes
from lightship.duties.filing_worksheet import EmptySlot, WorksheetCarrier
from lightship.duties.provider import Provider
from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip_client import CyberTipline, credential
from lightship.exchange.nca_worksheet import API_SLOT
from lightship.exchange.schedule1 import FieldList, parse_fields
from lightship.infra.export import export
from lightship.infra.keys import load_or_create_key, load_public_key
from lightship.infra.migrate import upgrade
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.watch.chores import Chores

SETTINGS = "reports.toml"
SEND_S, PATIENCE_S = 2.0, 120.0
CYBERTIP, WORKSHEET = "cybertip", "worksheet"
_KEPT = timedelta(days=366)  # until the rules of keeping date it: a year, and a day for a leap year


@dataclass(frozen=True, slots=True)
class Ncmec:
    """How the CyberTipline is reached.

    Parameters
    ----------
    address
        Live or test, without a default: nobody files by accident.
    credential
        ``env:NAME`` or ``file:PATH``.
    schema
        The XSD that reports are built by.
    """

    address: str
    credential: str
    schema: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment's ``reports.toml`` says."""

    service: Service
    ncmec: Ncmec | None = None


@dataclass(frozen=True)
class Reports:
    """A deployment's reports.

    Parameters
    ----------
    words
        NCMEC's, by this platform's labels.
    provider
        Under whose law they are owed, and whether it is registered: that decides what a person is told to do beside.
    """

    desk: Desk
    store: SqlStore
    vault: FileVault
    key: SigningKey
    settings: Settings
    form: FieldList
    words: Words
    provider: Provider
    schema: cybertip_schema.Schema | None = None
    line: CyberTipline | None = None


def read_settings(path: Path) -> Settings:
    """Read who reports, and how NCMEC is reached.

    Raises
    ------
    InputError
        If the file cannot be read, or says what is unknown.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        ncmec = table.pop("cybertip", None)
        who = table.pop("service")
        line = Ncmec(**{**ncmec, "schema": path.parent / ncmec["schema"]}) if ncmec else None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f"Who reports cannot be read: {error}.", str(path), "Write it as docs/guides/reports.md says."
        ) from error
    if not isinstance(who, dict):
        raise InputError("Who reports is no table.", str(path), "Write [service] and what belongs to it.")
    if table:
        raise InputError(
            f"{next(iter(table))!r} is unknown.", str(path), "There are [service] and [cybertip]."
        )
    return Settings(service_of(who, str(path)), line)


@contextmanager
def open_reports(deployment: Deployment, clock: Callable[[], datetime] = utc_now) -> Iterator[Reports]:
    """Open the reports of a deployment that is there already.

    Raises
    ------
    LightshipError
        If there is none, or a part cannot be used.
    """
    folder = deployment.folder
    if not deployment.database and not (folder / "platform.db").exists():
        raise StoreError("There is no platform here.", str(folder), "Name its --folder or --database.")
    upgrade(deployment.url)
    with (
        SqlStore(deployment.url) as store,
        ledger_of(folder / "looks.ledger", "lightship-vault") as seen,
        reports_on(folder, store, FileVault(folder / "vault", seen), clock) as reports,
    ):
        yield reports


@contextmanager
def reports_on(
    folder: Path,
    store: SqlStore,
    vault: FileVault,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[Reports]:
    """Open the reports of a deployment whose store and vault are open.

    Raises
    ------
    LightshipError
        If what its ``reports.toml`` names cannot be used.
    """
    settings, provider = read_settings(folder / SETTINGS), provider_of(folder)
    form = parse_fields(*packs.report_text("gb-schedule-1"))
    words = parse_words(*packs.report_text("us-cybertip"))
    key = load_or_create_key(folder / "duties.key", "lightship-duties")
    carriers: dict[str, Carrier] = {WORKSHEET: WorksheetCarrier(), API_SLOT: EmptySlot()}
    desk = Desk(store, vault, carriers, clock, lambda at: at + _KEPT)
    if settings.ncmec is None:
        yield Reports(desk, store, vault, key, settings, form, words, provider)
        return
    schema = cybertip_schema.load(settings.ncmec.schema)
    name, password = credential(settings.ncmec.credential)
    with CyberTipline(settings.ncmec.address, name, password) as line:
        carriers[CYBERTIP] = CyberTipCarrier(line, schema, clock)
        yield Reports(desk, store, vault, key, settings, form, words, provider, schema, line)


def carry(chores: Chores, folder: Path, store: SqlStore, vault: FileVault) -> None:
    """Begin to send reports that are due, in this process: what a crash left half done goes on by itself."""

    def send() -> None:
        if filing.due(store, utc_now(), limit=1):  # only then is anything of NCMEC's opened
            with reports_on(folder, store, vault) as reports:
                filing.send_due(reports.desk)

    chores.every("the reports", SEND_S, send)


def build(
    reports: Reports, duty_id: str, told: Told, *, adapter: str = "", supplement: bool = False
) -> tuple[Filing, Draft]:
    """Return a duty's report as it would go now; it is begun, and nothing leaves.

    Parameters
    ----------
    adapter
        Another way than the authority's usual one.

    Raises
    ------
    LightshipError
        If there is no such duty, or nothing is owed.
    """
    now = reports.desk.clock()
    if adapter not in {"", CYBERTIP, *reports.desk.carriers}:
        known = ", ".join(sorted({CYBERTIP, *reports.desk.carriers}))
        raise InputError(f"“{adapter}” is no way to an authority.", "--as", f"There is: {known}.")
    with reports.store.begin() as work:
        duty = work.get(Duty, duty_id)
        if duty is None:
            raise InputError("There is no such duty.", f"duty {duty_id}", "Check its id.")
        usual = CYBERTIP if duty.authority == "ncmec" else WORKSHEET
        mine = filing.begin(work, duty, adapter or usual, now, supplement=supplement)
        if adapter and mine.adapter != adapter:
            raise FilingError(
                f"This report was begun by {mine.adapter}.",
                f"filing {mine.id}",
                "Take it back before, with `report retract`.",
            )
        law = reports.provider.law
        records = records_of(work, duty, reports.provider)
        prompts = owed.told_to_do(work, duty, law, now, registered=reports.provider.registered)
        sent = work.get(Filing, mine.supplement_of) if mine.supplement_of else None
    if sent is not None:
        with reports.store.look() as work:
            exhibit = work.get(Exhibit, sent.snapshot)
        if exhibit is not None:
            earlier = from_bytes(reports.vault.open(exhibit, by="filing", purpose="supplement to a report"))
            records = without_files(records, (one.exhibit for one in earlier.files))
    fields = fields_of_case(records, reports.settings.service, told, reports.form)
    if mine.adapter != CYBERTIP:
        return mine, draft_worksheet(mine, records, fields, reports.form, now, prompts)
    if reports.schema is None:
        raise FilingError(
            "How NCMEC is reached is not said.", f"filing {mine.id}", f"Add [cybertip] to {SETTINGS}."
        )
    return mine, draft_cybertip(
        mine, records, fields, reports.form, now, service=reports.settings.service, told=told,
        words=reports.words, schema=reports.schema, prompts=prompts,
    )  # fmt: skip


def records_of(work: Work, duty: Duty, provider: Provider) -> Records:
    """Return what the platform holds of a duty: the pictures of its case, who saw them, and why it is urgent."""
    law = provider.law
    detection = work.get(Detection, duty.id)
    stream = work.get(Stream, detection.stream_id) if detection is not None else None
    kept = work.find(Exhibit, {"case_id": duty.case_id, "destroyed_at": None}, order=("sealed_at",))
    pictures = tuple(one for one in kept if one.media.startswith(("image/", "video/")))
    looks = tuple(work.find(Look, {"case_id": duty.case_id}, order=("at",)))
    known = facts_for(detection, provider.facts, law) if detection is not None else {}
    urgent = urgency(known, law, law.day(duty.aware_at))
    says = urgent.says if urgent is not None and urgent.priority == duty.priority else ""
    label = detection.label if detection is not None else ""
    where, text = packs.read("labels", "crosswalk", ".toml", "crosswalk")
    labels = {one.id: one.says for one in parse_crosswalk(text, str(where)).labels}
    return Records(
        duty, detection, work.get(Case, duty.case_id), stream, pictures, looks, says, labels.get(label, label)
    )


def words_of(reports: Reports, adapter: str) -> str:
    """Return what the person who sends a report says by that."""
    return reports.words.declaration if adapter == CYBERTIP else reports.form.declaration


def declare(reports: Reports, mine: Filing, draft: Draft, *, by: str) -> Filing:
    """Seal a report and let a person stand for it: from then on it is to be sent.

    Raises
    ------
    AccessDenied
        If the person holds no post that files, or their training for it ran out.
    FilingError
        If something is wrong with it: it is put on the report, and nothing leaves.
    LightshipError
        If it cannot be sealed.
    """
    now = reports.desk.clock()
    with reports.store.look() as work:
        people.declarant(work, by, now)
        duty = work.get(Duty, mine.duty_id)
        records = records_of(work, duty, reports.provider) if duty is not None else None
    faults = (
        *draft.faults,
        *(log_faults(draft.snapshot, records.exhibits, records.looks) if records else ()),
    )
    if faults:
        said = "; ".join(str(one) for one in faults)
        with reports.store.begin() as work:
            filing.refuse(work, filing.filing_of(work, mine.id), said, now)
        raise FilingError(
            f"This report is not ready: {said}.", f"filing {mine.id}", "Correct the fields that are named."
        )
    data = draft.snapshot.to_bytes()
    exhibit = exhibit_of(draft.snapshot, data, now, now + _KEPT)
    reports.vault.seal(data, exhibit)
    entry = declaration(mine, exhibit.id, words_of(reports, mine.adapter), by=by, at=now, key=reports.key)
    with reports.store.begin() as work:
        return filing.declare(work, filing.filing_of(work, mine.id), exhibit, entry, by=by, now=now)


def file(reports: Reports, mine: Filing, draft: Draft, *, by: str) -> Filing:
    """Let a person stand for a report, and take it as far as it goes now.

    Raises
    ------
    LightshipError
        As :func:`declare`.
    """
    done = filing.send(reports.desk, declare(reports, mine, draft, by=by))
    until = time.monotonic() + PATIENCE_S
    while done.state in {"ready", "sending"} and not done.problem and time.monotonic() < until:
        time.sleep(0.2)  # `lightship serve` was quicker, and is at it
        with reports.store.look() as work:
            done = filing.filing_of(work, mine.id)
    return done


class Reporter:
    """Reports as the console's pages ask for them, on a deployment whose store and vault are open."""

    def __init__(
        self, folder: Path, store: SqlStore, vault: FileVault, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder, self._store, self._vault, self._clock = folder, store, vault, clock

    def _open(self) -> AbstractContextManager[Reports]:
        return reports_on(self._folder, self._store, self._vault, self._clock)

    def build(self, duty_id: str, told: Told) -> Built:
        """Return a duty's report as it would go now; it is begun, and nothing leaves."""
        with self._open() as reports:
            mine, draft = build(reports, duty_id, told)
            return Built(mine, draft, reports.form, words_of(reports, mine.adapter))

    def file(self, duty_id: str, told: Told, *, by: str) -> Filing:
        """Let a person stand for a report. A worksheet is theirs at once; the rest the service carries."""
        with self._open() as reports:
            ready = declare(reports, *build(reports, duty_id, told), by=by)
            return ready if ready.adapter == CYBERTIP else filing.send(reports.desk, ready)

    def reference(self, filing_id: str, given: str, *, by: str) -> Filing:
        """Record the reference that came back for a worksheet."""
        with self._open() as reports:
            return filing.reference(reports.desk, filing_id, given, by=by)

    def sent(self, filing_id: str, *, by: str) -> str:
        """Return the report as it was sealed: XML, or the worksheet's HTML; the look is logged."""
        with self._open() as reports:
            with reports.store.look() as work:
                exhibit = work.get(Exhibit, filing.filing_of(work, filing_id).snapshot)
            if exhibit is None:
                raise FilingError(
                    "Nobody has stood for this report yet.", f"filing {filing_id}", "File it first."
                )
            return from_bytes(reports.vault.open(exhibit, by=by, purpose="report to an authority")).body


def export_all(
    folder: Path, deployment: Deployment, now: datetime, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Write an export of a deployment's ledgers and certificates for an outsider; returns its files.

    What waits in the journal is sealed before; where `lightship serve` is at work, which does it itself, that is said.

    Raises
    ------
    LightshipError
        If a ledger cannot be read, or the folder cannot be written to.
    """
    here = deployment.folder
    key = load_or_create_key(here / "duties.key", "lightship-duties")
    path = here / "platform.ledger"
    with SqlStore(deployment.url) as store, ledger_of(path, "lightship-platform") as ledger:
        try:
            with Sealer(store, ledger) as sealer:
                while sealer.seal():
                    pass
        except LedgerError as error:
            say(f"What waits for the ledger is not in this export: {error}")
    ledgers = {
        name: here / f"{name}.ledger" for name in ("platform", "looks") if (here / f"{name}.ledger").exists()
    }
    keys = {name: str(load_public_key(path.with_suffix(".pub"))) for name, path in ledgers.items()}
    return export(folder, ledgers, keys, key, now, figures, here / "certificates")
