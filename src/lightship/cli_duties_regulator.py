"""What ``lightship duties`` writes for regulators, auditors and the public."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.core.errors import InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.app_regulator import Desk

book_app = typer.Typer(
    name="record-book",
    help="The record book: risk assessment, measures, figures; `--period` writes one, the commands keep its papers.",
    invoke_without_command=True,
)
notice_app = typer.Typer(name="notice", help="Answers to information notices.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Option(help="The platform's; beside the state unless named.")]
Database = Annotated[
    str, typer.Option(help="Such as postgresql+psycopg://...; SQLite in the folder unless named.")
]
Named = Annotated[
    str, typer.Option("--period", help="Such as 2026-10, 2026-Q4, 2026-H2 or 2026; days of the regulator.")
]
Out = Annotated[Path, typer.Option(help="Folder for what is written.")]
By = Annotated[str, typer.Option(help="Who does it; your user name unless given.")]


@contextmanager
def _desk(folder: Path | None, database: str) -> Iterator[Desk]:
    from lightship.app_platform import Deployment
    from lightship.app_regulator import open_desk

    with open_desk(Deployment(folder or state_folder() / "platform", database)) as desk:
        yield desk


def _by(given: str) -> str:
    from lightship.app_lists import person

    return given or person()


@book_app.callback()
def record_book(
    context: typer.Context,
    period: Named = "",
    out: Out = Path("record-book"),
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write the record book of a period: every measure, what stands for it, what the numbers say, what is missing."""
    if context.invoked_subcommand is not None:
        return
    if not period:
        raise InputError(
            "Which period?", "--period", "Write 2026-10, 2026-Q4, 2026-H2 or 2026; or name a command."
        )
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        paper, book = app_regulator.write_book(desk, desk.period(period), out, _by(by))
    binding = [one for one in book["measures"] if one["binds"]]
    lacking = [one["id"] for one in binding if one["missing"]]
    typer.echo(f"Wrote {out}/book.html and book.json: {paper.id}")
    typer.echo(f"{len(binding)} measures bind; something is missing of {', '.join(lacking) or 'none'}.")
    for one in book["flags"]:
        typer.echo(f"! {one}")
    if paper.approved_at is None:
        say("It is not approved: lightship duties record-book approve ID --by NAME, by somebody else.")


@book_app.command("form")
def book_form(kind: Annotated[str, typer.Argument(help="assessment or measures.")]) -> None:
    """Print an empty form to fill in, with a row for all that is in force today."""
    from lightship import app_regulator
    from lightship.app_lists import today

    typer.echo(app_regulator.form(kind, today()), nl=False)


@book_app.command("check")
def book_check(
    file: Annotated[Path, typer.Argument(help="A form.")], folder: Folder = None, database: Database = ""
) -> None:
    """Say what is wrong with a form, and keep nothing."""
    from lightship import app_regulator
    from lightship.console.settings import utc_now

    with _desk(folder, database) as desk:
        found = app_regulator.check(desk, file, utc_now())
    for one in found.problems:
        typer.echo(one)
    if found.problems:
        raise typer.Exit(InputError.exit_code)
    typer.echo(f"Nothing is wrong with this {found.kind}.")


@book_app.command("take")
def book_take(
    file: Annotated[Path, typer.Argument(help="A form.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Keep a form as the next version of the assessment or of the statement of measures."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        paper = app_regulator.take(desk, file, _by(by))
    typer.echo(f"{paper.kind} {paper.version}: {paper.id}")
    if paper.approved_at is None:
        say("It is not approved: lightship duties record-book approve ID --by NAME, by somebody else.")


@book_app.command("approve")
def book_approve(
    paper: Annotated[str, typer.Argument(help="The id that was printed.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Approve a version; whoever wrote it cannot."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        done = app_regulator.approve(desk, paper, _by(by))
    typer.echo(f"{done.kind} {done.version} is approved by {done.approved_by}.")


@book_app.command("show")
def book_show(
    paper: Annotated[str, typer.Argument(help="The id of a book.")],
    out: Out = Path("record-book"),
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write a book that was kept, as it was then, with who approved it."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        app_regulator.show_book(desk, paper, out)
    typer.echo(f"Wrote {out}/book.html and book.json.")


@book_app.command("papers")
def book_papers(folder: Folder = None, database: Database = "") -> None:
    """List the assessments, statements and configurations on record."""
    with _desk(folder, database) as desk:
        for one in desk.papers():
            state = f"approved by {one.approved_by}" if one.approved_at else "not approved"
            if one.kind in {"configuration", "statement"}:
                state = "made from what ran"
            typer.echo(f"{one.made_at:%Y-%m-%d} {one.kind} {one.version}, {state}: {one.id}")


def statement(
    out: Out = Path("statement"),
    service: Annotated[str, typer.Option(help="The service's name, as its users know it.")] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write the public statement “what we scan and why” from the configuration that ran last."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        paper = app_regulator.write_statement(desk, out, service, _by(by))
    typer.echo(f"Wrote {out}/statement.html, .md and .json of the configuration {paper.configuration}.")


@notice_app.command("answer")
def notice_answer(
    period: Named, out: Out = Path("answer"), by: By = "", folder: Folder = None, database: Database = ""
) -> None:
    """Write numbers, definitions and digests for a period that is over; made again, it is the same byte for byte."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        paper, changed = app_regulator.write_answer(desk, desk.period(period), out, _by(by))
    typer.echo(f"Wrote {out}/answer.json and answer.html: version {paper.version}, {paper.id}")
    if changed:
        typer.echo(f"! It differs from the version before in: {', '.join(changed)}.")


def transparency(
    period: Named,
    out: Out = Path("transparency"),
    reasons: Annotated[
        str, typer.Option(help="Write statements of reasons too, for these states of the EEA: DE,FR,...")
    ] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write the yearly report with plots and tables, small counts withheld."""
    from lightship import app_regulator

    states = [one.strip().upper() for one in reasons.split(",") if one.strip()]
    with _desk(folder, database) as desk:
        paper, count = app_regulator.write_transparency(desk, desk.period(period), out, states, _by(by))
    typer.echo(f"Wrote {out}/report.html and report.json: version {paper.version}.")
    if states:
        typer.echo(f"Wrote {out}/reasons.jsonl: {count} statements of reasons, each checked.")


def evidence_file(
    evaluation: Annotated[Path, typer.Option(help="card.json of `lightship evaluate`.")],
    period: Named,
    robustness: Annotated[
        Path | None, typer.Option(help="The robustness card of the matching (JSON).")
    ] = None,
    owner: Annotated[str, typer.Option(help="Who answers for the detector.")] = "",
    out: Out = Path("evidence"),
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write a detector's evidence file with the six-month record of settings; what is not measured is said."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        _, missing = app_regulator.write_evidence(
            desk, desk.period(period), out, evaluation, robustness, owner, _by(by)
        )
    typer.echo(f"Wrote {out}/evidence.html and evidence.json.")
    for one in missing:
        typer.echo(f"- not measured or not known: {one}")


def drift(
    period: Named, out: Out = Path("drift"), by: By = "", folder: Folder = None, database: Database = ""
) -> None:
    """Write the note on rises and new patterns of a period, from metadata alone."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        paper, note = app_regulator.write_note(desk, desk.period(period), out, _by(by))
    typer.echo(
        f"Wrote {out}/note.md and note.json, version {paper.version}: "
        f"{len(note['rises'])} rises, {len(note['new'])} new."
    )


def feedback(
    send: Annotated[bool, typer.Option(help="Tell the exchanges too, where they can be told.")] = False,
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Put on the lists' record which entries verdicts confirmed, and which matched what they should not."""
    from lightship import app_regulator

    with _desk(folder, database) as desk:
        done = app_regulator.feed_back(desk, _by(by), send=send)
    for one, sent, why in done:
        typer.echo(
            f"{one.list_name}, entry {one.reference}: {one.said} ({one.cases})"
            + (", sent" if sent else f"; {why}")
        )
    typer.echo(f"{len(done)} remarks.")


def register(duties_app: typer.Typer) -> None:
    """Put the commands into the group."""
    duties_app.add_typer(book_app)
    duties_app.add_typer(notice_app)
    duties_app.command("statement")(statement)
    duties_app.command("transparency")(transparency)
    duties_app.command("evidence-file")(evidence_file)
    duties_app.command("drift")(drift)
    duties_app.command("feedback")(feedback)
