"""``lightship duties report`` and ``export``: reports to authorities, and the ledgers for an outsider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.core.errors import FilingError, InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.app_duties_report import Reports
    from lightship.core.duties import Filing
    from lightship.duties.filing_report import Draft, Told

report_app = typer.Typer(
    help="Reports to authorities: build, check, file, supplement, take back.", no_args_is_help=True
)

Folder = Annotated[Path | None, typer.Option(help="The platform's; beside the state unless named.")]
Database = Annotated[
    str, typer.Option(help="Such as postgresql+psycopg://...; SQLite in the folder unless named.")
]
DutyId = Annotated[str, typer.Argument(help="The duty: the detection's id.")]
ReportId = Annotated[str, typer.Argument(help="The report: the duty's id and a number, such as d1.1.")]
Facts = Annotated[Path | None, typer.Option(help="File (TOML) with what a person says of the case.")]
Way = Annotated[str, typer.Option("--as", help="Another way than the authority's: cybertip or worksheet.")]
Out = Annotated[Path | None, typer.Option(help="Where the report itself is written: XML, HTML, or .pdf.")]
By = Annotated[str, typer.Option(help="Who does it; your user name unless given.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]


@contextmanager
def _reports(folder: Path | None, database: str) -> Iterator[Reports]:
    from lightship.app_duties_report import open_reports
    from lightship.app_platform import Deployment

    with open_reports(Deployment(folder or state_folder() / "platform", database)) as reports:
        yield reports


def _told(path: Path | None) -> Told:
    from lightship.duties.filing_report import Told, parse_told

    if path is None:
        return Told()
    try:
        return parse_told(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The facts cannot be read: {error}.", str(path), "Check the path.") from error


def _by(given: str) -> str:
    from lightship.app_lists import person

    return given or person()


def _shown(mine: Filing, draft: Draft) -> None:
    """Say what is to be done beside, what a report holds, what is wrong, and what nobody spoke of."""
    from lightship.core.duties import Held

    for one in draft.prompts:
        say(one)
    for name, field in draft.snapshot.fields.items():
        if isinstance(field, Held):
            value = field.value if isinstance(field.value, str) else "; ".join(field.value)
            typer.echo(f"{name}: {value}")
        else:
            typer.echo(f"{name}: not held. {field.because}")
    for each in draft.snapshot.files:
        flags = {name: value for name, value in (each.details or {}).items() if isinstance(value, bool)}
        typer.echo(f"file {each.name}: {each.size:,} bytes{''.join(f', {a} {b}' for a, b in flags.items())}")
    if draft.unsaid:
        say(f"Nobody spoke of {', '.join(draft.unsaid)}. No report waits for that; a supplement may follow.")
    for fault in draft.faults:
        say(f"Wrong: {fault}")
    say(
        f"Report {mine.id} to {mine.authority} by {mine.adapter}: {'not ready' if draft.faults else 'ready'}."
    )


def _written(reports: Reports, draft: Draft, out: Path | None) -> None:
    if out is None:
        return
    from lightship.core.duties import Filing
    from lightship.exchange.nca_worksheet import Heading
    from lightship.exchange.nca_worksheet_pdf import worksheet_pdf
    from lightship.exchange.schedule1 import complete
    from lightship.infra.whole_file import write_whole

    one = draft.snapshot
    data = one.body.encode()
    if out.suffix == ".pdf":
        day = one.made_at.date()
        files = tuple((each.name, each.exhibit) for each in one.files)
        with reports.store.look() as work:
            first = work.get(Filing, one.supplement_of) if one.supplement_of else None
        of = (first.reference if first is not None else "") or one.supplement_of
        heading = Heading(one.filing, one.made_at.isoformat(timespec="seconds"), of, files, draft.prompts)
        data = worksheet_pdf(complete(one.fields, reports.form, day), reports.form, heading, day)
    try:
        write_whole(out, data)
    except OSError as error:
        raise InputError(
            f"It cannot be written: {error.strerror}.", str(out), "Choose another place."
        ) from error
    say(f"Written: {out}")


@report_app.command()
def build(
    duty: DutyId,
    facts: Facts = None,
    way: Way = "",
    out: Out = None,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Show a duty's report as it would go now: each field, or why it is not held. Nothing leaves."""
    from lightship import app_duties_report

    with _reports(folder, database) as reports:
        mine, draft = app_duties_report.build(reports, duty, _told(facts), adapter=way)
        _shown(mine, draft)
        _written(reports, draft, out)


@report_app.command()
def check(
    duty: DutyId, facts: Facts = None, way: Way = "", folder: Folder = None, database: Database = ""
) -> None:
    """Check a duty's report; what is wrong is named by its field, and the exit code is 16."""
    from lightship import app_duties_report

    with _reports(folder, database) as reports:
        mine, draft = app_duties_report.build(reports, duty, _told(facts), adapter=way)
        for fault in draft.faults:
            typer.echo(str(fault))
        if draft.faults:
            raise FilingError(
                "This report is not ready.", f"filing {mine.id}", "Correct the fields that are named."
            )
        say(f"Report {mine.id} is ready.")


def _file(
    duty: str, facts: Path | None, way: str, out: Path | None, by: str, declare: bool, folder: Path | None,
    database: str, *, supplement: bool,
) -> None:  # fmt: skip
    from lightship import app_duties_report

    with _reports(folder, database) as reports:
        mine, draft = app_duties_report.build(reports, duty, _told(facts), adapter=way, supplement=supplement)
        _shown(mine, draft)
        words = app_duties_report.words_of(reports, mine.adapter)
        if (
            not draft.faults
            and not declare
            and not typer.confirm(f"{words}\nI stand for this report", err=True)
        ):
            say("Nothing was sent.")
            raise typer.Exit(1)
        done = app_duties_report.file(reports, mine, draft, by=_by(by))
        _written(reports, draft, out)
        _end(done)


def _end(done: Filing) -> None:
    if done.state == "filed":
        typer.echo(done.reference)
        say(f"Report {done.id} is filed under {done.reference}. {done.problem}".rstrip())
        return
    say(f"Report {done.id} is {done.state}: {done.problem or 'it is tried again with `report send`.'}")
    if done.state != "waiting" or done.adapter == "cybertip":
        raise typer.Exit(FilingError.exit_code)


Declare = Annotated[bool, typer.Option("--declare", help="You have read the declaration and stand for it.")]


@report_app.command("file")
def file_(
    duty: DutyId,
    facts: Facts = None,
    way: Way = "",
    out: Out = None,
    by: By = "",
    declare: Declare = False,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """File a duty's report, once: a person stands for it, it is sealed, and it goes. Prints the reference."""
    _file(duty, facts, way, out, by, declare, folder, database, supplement=False)


@report_app.command()
def supplement(
    duty: DutyId,
    facts: Facts = None,
    way: Way = "",
    out: Out = None,
    by: By = "",
    declare: Declare = False,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """File what is new since the first report; it names that report."""
    _file(duty, facts, way, out, by, declare, folder, database, supplement=True)


@report_app.command()
def send(folder: Folder = None, database: Database = "") -> None:
    """Send what is due: what a crash or a lost connection left half done goes on where it can."""
    from lightship.duties import filing

    with _reports(folder, database) as reports:
        found = filing.due(reports.store, reports.desk.clock())
        for one in found:
            done = filing.send(reports.desk, one)
            say(f"Report {done.id}: {done.state}. {done.reference or done.problem}")
        say(f"{len(found)} reports were due.")


@report_app.command()
def reference(
    report: ReportId,
    given: Annotated[str, typer.Argument(help="What the authority gave back.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Record the reference that came back for a worksheet: the report is filed."""
    from lightship.duties import filing

    with _reports(folder, database) as reports:
        _end(filing.reference(reports.desk, report, given, by=_by(by)))


@report_app.command()
def resume(
    report: ReportId,
    why: Why,
    anew: Annotated[bool, typer.Option("--anew", help="The authority has no such report.")] = False,
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Let a report that waits for a person go on."""
    from lightship.duties import filing

    with _reports(folder, database) as reports:
        now = reports.desk.clock()
        with reports.store.begin() as work:
            ready = filing.resume(work, report, by=_by(by), why=why, anew=anew, now=now)
        _end(filing.send(reports.desk, ready))


@report_app.command()
def retract(report: ReportId, why: Why, by: By = "", folder: Folder = None, database: Database = "") -> None:
    """Take a report back before it is final."""
    from lightship.duties import filing

    with _reports(folder, database) as reports:
        done = filing.retract(reports.desk, report, by=_by(by), why=why)
        say(f"Report {done.id} is {done.state}{f' under {done.reference}' if done.reference else ''}.")


@report_app.command("list")
def list_(folder: Folder = None, database: Database = "") -> None:
    """List reports: where each is, and what it waits for."""
    from lightship.core.duties import Filing

    with _reports(folder, database) as reports, reports.store.look() as work:
        for one in work.find(Filing, order=("opened_at",)):
            typer.echo(f"{one.id}\t{one.authority}\t{one.state}\t{one.reference or '-'}\t{one.problem}")


@report_app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Where the live schema is written.")] = None,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Compare NCMEC's live schema with the one reports are built by; a breaking change is exit code 16."""
    from lightship.exchange import cybertip_schema
    from lightship.infra.whole_file import write_whole

    with _reports(folder, database) as reports:
        if reports.schema is None or reports.line is None:
            raise InputError("How NCMEC is reached is not said.", "reports.toml", "Add [cybertip].")
        data = reports.line.xsd()
        found = cybertip_schema.changes(reports.schema, cybertip_schema.read(data, "NCMEC's live schema"))
        for one in found:
            typer.echo(str(one))
        if out is not None:
            write_whole(out, data)
        if any(one.breaking for one in found):
            raise FilingError("NCMEC's schema has changed.", "", "Build by the new one, and check a report.")
        say("Nothing that is built here is refused by the live schema.")


def export(
    out: Annotated[Path, typer.Argument(help="A folder that is empty or not there.")],
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write the ledgers, certificates and figures for an outsider; `tools/verify_export.py` checks them."""
    from lightship.app_duties_report import export_all
    from lightship.app_platform import Deployment
    from lightship.console.settings import utc_now

    deployment = Deployment(folder or state_folder() / "platform", database)
    for name in export_all(out, deployment, utc_now(), say):
        typer.echo(str(out / name))
    keys = ", ".join(f"{name}.pub" for name in ("platform", "looks", "duties"))
    say(f"An outsider checks it with tools/verify_export.py and the keys {keys}, which go another way.")


def register(duties: typer.Typer) -> None:
    """Add these commands to ``lightship duties``."""
    duties.add_typer(report_app, name="report")
    duties.command()(export)
