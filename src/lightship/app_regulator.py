"""Wires what a regulator, an auditor and the public are shown: store, ledgers, packs and files."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lightship import packs, settings
from lightship.app_duties import provider_of
from lightship.app_lists import ledger_path, open_lists
from lightship.app_lists import send_feedback as send_to_owner
from lightship.app_platform import Deployment, Platform, console_secret, ledger_of
from lightship.console.settings import utc_now
from lightship.core.canonical import canonical, digest
from lightship.core.duties import Paper
from lightship.core.errors import InputError, LedgerError, LightshipError, StoreError
from lightship.detect import list_acts
from lightship.duties import drift, evidence_file, feedback, notices, record_book, statement, transparency
from lightship.duties import record_book_papers as papers
from lightship.duties.crosswalk import Crosswalk, parse_crosswalk
from lightship.duties.law import Law
from lightship.duties.measures import MeasureTable, parse_table
from lightship.duties.measures_figures import FIGURES, figures_of, targets_of
from lightship.duties.measures_period import Period, period_of
from lightship.duties.measures_tally import Value
from lightship.duties.record_book_forms import Form, empty_form, read_form
from lightship.duties.record_book_page import book_page
from lightship.duties.transparency_page import report_page
from lightship.duties.transparency_reasons import reasons
from lightship.exchange.whole import write_each
from lightship.infra.migrate import upgrade
from lightship.infra.period import StoredPeriod
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore


def measure_table(name: str = "gb") -> MeasureTable:
    """Return a jurisdiction's table of measures.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    where, text = packs.read("measures", name, ".toml", "table of measures")
    return parse_table(text, str(where), FIGURES)


def crosswalk(name: str = "crosswalk") -> Crosswalk:
    """Return the label set with its crosswalks.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    where, text = packs.read("labels", name, ".toml", "crosswalk")
    return parse_crosswalk(text, str(where))


@functools.cache
def code() -> dict[str, str]:
    """Return the release, and a digest over the program's own files: which code counted."""
    root = Path(__file__).parent
    sha = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        sha.update(f"{path.relative_to(root).as_posix()}\n".encode())
        sha.update(hashlib.sha256(path.read_bytes()).digest())
    return {"release": _release(), "digest": f"sha256:{sha.hexdigest()}"}


def _release() -> str:
    try:
        return version("lightship")
    except PackageNotFoundError:
        return "not installed"


def note_configuration(platform: Platform) -> Paper:
    """Keep on record what this platform runs with, if it is not what ran before."""
    deployment = platform.deployment
    _, controls = packs.read("controls", "gb", ".toml", "rules for livestreams")
    found = statement.configuration_of(
        [packs.policy(deployment.policy)],
        [bank.terms for bank in platform.matcher.banks],
        private_bases=deployment.private_bases,
        retention=packs.retention(deployment.retention),
        controls={"name": "gb", "digest": digest(controls)},
        most_streams=deployment.most,
        release=_release(),
    )
    with platform.store.begin() as work:
        return statement.note_configuration(work, found, by="the platform", now=utc_now())


@dataclass(frozen=True)
class Desk:
    """A platform's store and ledgers, open for reading figures and keeping papers."""

    store: SqlStore
    source: StoredPeriod
    table: MeasureTable
    labels: Crosswalk
    law: Law
    secret: bytes

    def period(self, name: str) -> Period:
        """Return a period of the regulator's calendar; the month that it is now unless one is named.

        Raises
        ------
        InputError
            If it names none.
        """
        zone = self.law.calendar.zone
        return period_of(name or f"{utc_now().astimezone(zone):%Y-%m}", zone)

    def figures(self, period: Period) -> dict[str, Value]:
        """Return all figures of a period."""
        return figures_of(self.source, period, self.labels.ids, self.law, utc_now())

    def targets(self, period: Period) -> Value:
        """Return what became of the targets in a period, as its figures tell it."""
        return targets_of(self.source, period, self.law, utc_now())

    def papers(self) -> list[Paper]:
        """Return all papers that a book is made from."""
        kinds = ("assessment", "measures", "configuration", "statement")
        with self.store.look() as work:
            return work.find(Paper, {"kind": kinds}, order=("made_at", "version"))

    def keep(self, kind: str, body: dict[str, Any], subject: str, by: str, configuration: str = "") -> Paper:
        """Keep a document as a paper."""
        with self.store.begin() as work:
            return papers.write(
                work, kind, body, subject=subject, author=by, now=utc_now(), configuration=configuration
            )

    def running(self) -> Paper | None:
        """Return the configuration that ran last."""
        with self.store.look() as work:
            return papers.latest(work, "configuration")


@contextmanager
def open_desk(deployment: Deployment) -> Iterator[Desk]:
    """Open a platform's store and ledgers; what waits in the journal is sealed first, unless a running service does.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    folder = deployment.folder
    if not deployment.database and not (folder / "platform.db").exists():
        raise StoreError(
            "There is no platform here.",
            str(folder),
            "Name its folder with --folder, or start `lightship serve`.",
        )
    upgrade(deployment.url)
    with ExitStack() as stack:
        store = SqlStore(deployment.url)
        stack.callback(store.close)
        ledger = stack.enter_context(ledger_of(folder / "platform.ledger", "lightship-platform"))
        stack.callback(_seal, store, ledger)
        _seal(store, ledger)
        lists = None
        if ledger_path().is_file():
            lists = stack.enter_context(ledger_of(ledger_path(), "lightship-lists"))
        yield Desk(
            store,
            StoredPeriod(store, ledger, lists),
            measure_table(),
            crosswalk(),
            provider_of(folder).law,
            console_secret(folder),
        )


def _seal(store: SqlStore, ledger: Any) -> None:
    """Move what waits to the ledger; where a running service holds the sealer, it does that itself."""
    try:
        sealer = Sealer(store, ledger)
    except LedgerError as error:
        if "Another sealer" not in error.what:
            raise
        return
    with sealer:
        while sealer.seal():
            pass


def form(kind: str, day: date) -> str:
    """Return an empty form."""
    return empty_form(kind, measure_table(), day)


def check(desk: Desk, file: Path, now: datetime) -> Form:
    """Read a form and check it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The form cannot be read: {error}.", str(file), "Check the path.") from error
    kept = [one for one in desk.papers() if one.kind == "assessment"]
    assessment = papers.in_force(kept, now)
    body = papers.body(assessment) if assessment is not None else None
    return read_form(text, str(file), desk.table, body)


def take(desk: Desk, file: Path, by: str) -> Paper:
    """Keep a form as the next version of its paper.

    Raises
    ------
    InputError
        If something is wrong with it: all of it is told.
    """
    found = check(desk, file, utc_now())
    if found.problems:
        raise InputError(
            f"The form is not complete: {' '.join(found.problems)}",
            str(file),
            "Complete it, and take it again.",
        )
    running = desk.running()
    return desk.keep(found.kind, found.body, found.service, by, running.configuration if running else "")


def approve(desk: Desk, paper_id: str, by: str) -> Paper:
    """Take in that somebody approves a paper."""
    with desk.store.begin() as work:
        return papers.approve(work, paper_id, by=by, now=utc_now())


def write_book(desk: Desk, period: Period, out: Path, by: str) -> tuple[Paper, dict[str, Any]]:
    """Work out a period's record book, keep it, and write it as a document and as JSON.

    Raises
    ------
    LightshipError
        If something cannot be read, or the files cannot be written.
    """
    figures = desk.figures(period)
    book = record_book.book_of(desk.table, period, desk.papers(), figures, code())
    paper = desk.keep("record-book", book, period.name, by, str(book["configuration"]))
    _write_book(out, book, paper)
    return paper, book


def show_book(desk: Desk, paper_id: str, out: Path) -> None:
    """Write a book that was kept, as it was then, with who approved it.

    Raises
    ------
    InputError
        If there is no such book.
    """
    with desk.store.look() as work:
        paper = work.get(Paper, paper_id)
    if paper is None or paper.kind != "record-book":
        raise InputError("There is no such book.", paper_id, "Give the id that writing it printed.")
    _write_book(out, papers.body(paper), paper)


def _write_book(out: Path, book: dict[str, Any], paper: Paper) -> None:
    write_each(out, {"book.json": canonical(book) + b"\n", "book.html": book_page(book, paper)})


def write_statement(desk: Desk, out: Path, service: str, by: str) -> Paper:
    """Write the public statement of the configuration that ran last.

    Raises
    ------
    InputError
        If none is on record.
    """
    running = desk.running()
    if running is None:
        raise InputError(
            "No configuration is on record.", "", "Start `lightship serve` once with this release."
        )
    found = statement.statement_of(papers.body(running), service)
    paper = desk.keep("statement", found, service or "platform", by, running.configuration)
    write_each(
        out,
        {
            "statement.html": statement.statement_page(found),
            "statement.md": statement.statement_text(found).encode(),
            "statement.json": canonical(found) + b"\n",
        },
    )
    return paper


def write_answer(desk: Desk, period: Period, out: Path, by: str) -> tuple[Paper, list[str]]:
    """Write the answer to a notice for a period that is over; returns what differs from the answer before.

    Raises
    ------
    InputError
        If the period is not over.
    """
    notices.check_period(period, utc_now())
    figures = desk.figures(period)
    answer = notices.answer_of(period, figures, desk.papers(), desk.table, desk.labels.mapping, code())
    with desk.store.look() as work:
        before = papers.latest(work, "notice-answer", period.name)
    changed = notices.compare(papers.body(before), answer) if before is not None else []
    paper = desk.keep("notice-answer", answer, period.name, by)
    write_each(out, {"answer.json": notices.answer_bytes(answer), "answer.html": notices.answer_page(answer)})
    return paper, changed


def write_transparency(
    desk: Desk, period: Period, out: Path, states: Sequence[str], by: str
) -> tuple[Paper, int]:
    """Write the report of a year, and with named states the statements of reasons; returns how many these are.

    Raises
    ------
    LightshipError
        If something cannot be read, a statement is not right, or the files cannot be written.
    """
    report = transparency.report_of(desk.source, period, desk.labels, code())
    paper = desk.keep("transparency", report, period.name, by)
    files = {"report.html": report_page(report), "report.json": canonical(report) + b"\n"}
    count = 0
    if states:
        key = hmac.digest(desk.secret, b"statements of reasons", "sha256")
        lines = [canonical(one) for one in reasons(desk.source, period, desk.labels, states, key)]
        count = len(lines)
        files["reasons.jsonl"] = b"".join(line + b"\n" for line in lines)
    write_each(out, files)
    return paper, count


def write_evidence(
    desk: Desk, period: Period, out: Path, card: Path, robustness: Path | None, owner: str, by: str
) -> tuple[Paper, list[str]]:
    """Write the evidence file of a detector; returns what is missing in it.

    Raises
    ------
    InputError
        If a card cannot be read, or is none.
    """
    running = desk.running()
    figures = desk.figures(period)
    found = evidence_file.evidence_of(
        _json(card),
        papers.body(running) if running is not None else None,
        figures,
        period,
        robustness=_json(robustness) if robustness is not None else None,
        owner=owner,
        code=code(),
    )
    paper = desk.keep("evidence-file", found, period.name, by, running.configuration if running else "")
    page = evidence_file.evidence_page(found)
    write_each(out, {"evidence.json": canonical(found) + b"\n", "evidence.html": page})
    return paper, list(found["missing"])


def write_note(desk: Desk, period: Period, out: Path, by: str) -> tuple[Paper, dict[str, Any]]:
    """Write the note on rises and new patterns of a period."""
    note = drift.note_of(desk.source, period)
    paper = desk.keep("drift-note", note, period.name, by)
    write_each(out, {"note.json": canonical(note) + b"\n", "note.md": drift.note_text(note).encode()})
    return paper, note


def feed_back(desk: Desk, by: str, *, send: bool) -> list[tuple[feedback.Remark, bool, str]]:
    """Put on the lists' record what verdicts say of entries, and with ``send`` tell owners who can be told.

    Returns each remark, whether its owner was told, and why not.

    Raises
    ------
    LightshipError
        If the lists cannot be used.
    """
    done = []
    with open_lists(settings.lists_folder()) as lists:
        told = feedback.told_of({name: lists.listed(name).feedback for name in lists.active()})
        with desk.store.look() as work:
            found = feedback.remarks(work, told)
        for one in found:
            if one.list_name not in lists.active():
                done.append((one, False, "no governed list has this name"))
                continue
            why = f"{one.cases} case{'s' if one.cases != 1 else ''}, the last decided on {one.last_at:%-d %B %Y}"
            try:
                list_acts.feed_back(lists, one.list_name, one.reference, one.said, why, by)
                sent = send and send_to_owner(lists, one.list_name, one.reference, one.said)
            except LightshipError as error:
                done.append((one, False, error.what))
                continue
            done.append(
                (one, sent, "" if sent else "write the file with `lightship lists feedback --export`")
            )
    return done


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The card cannot be read: {error}.", str(path), "Check the path.") from error
    if not isinstance(found, dict):
        raise InputError("The card is no JSON object.", str(path), "Check the path.")
    return found
