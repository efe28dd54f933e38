"""``lightship undercover``: authorisations, source records and their clocks, inside the unit's compartment.

Somebody who is not inside gets one answer to every command, whatever there is.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lightship.core.errors import InputError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.casework.compartment import Compartment
    from lightship.casework.undercover import Register
    from lightship.core.undercover import Authorisation

undercover_app = typer.Typer(
    help="The undercover register: authority, clocks, records. No personas, no messages.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who you are.")]
Id = Annotated[str, typer.Argument(help="The authorisation.")]
Rank = Annotated[str, typer.Option(help="Your rank, as the table of ranks has it.")]
Next = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The next review's day.")]


@contextmanager
def inside(by: str) -> Iterator[Compartment]:
    """Open the compartment for somebody inside; to others there is nothing, and nothing is made."""
    from lightship.app_undercover import folder, opened
    from lightship.casework.compartment import Compartment

    with opened(folder()) as store:
        yield Compartment(store, by, datetime.now(UTC))


@contextmanager
def _register(by: str) -> Iterator[Register]:
    from lightship import packs
    from lightship.casework.authorisation_rules import parse_rules
    from lightship.casework.undercover import Register

    with inside(by) as one:
        where, text = packs.read("undercover", "gb", ".toml", "rules of undercover work")
        yield Register(one, parse_rules(text, str(where)))


def _table(path: Path, of: type[Any]) -> Any:
    from lightship.casework.compartment import from_table

    try:
        return from_table(of, tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"The file cannot be read: {error}.", str(path), "See the guide for its fields."
        ) from error


def _tell(one: Authorisation) -> None:
    """Print a step with its law, what is unverified, and what was pointed out."""
    step = one.transitions[-1]
    said = f"{one.id}: {step.act}, now {step.after}"
    typer.echo(f"{said}; ends {one.ends_at.isoformat()}" if one.ends_at is not None else said)
    typer.echo(f"By {'; '.join(dict.fromkeys(step.sections))} (rules {step.version}).")
    for mark in step.unverified:
        say(f"To be verified: {mark}")
    for warning in one.warnings:
        say(f"Formulaic: {warning}")


@undercover_app.command()
def found(people: Annotated[list[str], typer.Argument(help="The two people who begin it.")]) -> None:
    """Begin a compartment with two people, once."""
    from lightship.app_undercover import folder
    from lightship.casework.compartment import found_compartment, nothing_here
    from lightship.infra.compartment import CompartmentFile

    if (folder() / "store").exists():
        raise nothing_here()
    with CompartmentFile(folder()) as store:
        found_compartment(store, people, datetime.now(UTC))


@undercover_app.command()
def key(by: By) -> None:
    """Make the key by which you sign in to the pages of `lightship cases serve`; it is shown once."""
    from lightship.app_undercover import make_key

    with inside(by) as one:
        passphrase, secret = make_key(one)
    typer.echo(f"Passphrase: {passphrase}")
    typer.echo(f"Secret of the one-time codes, for an authenticator app: {secret}")


@undercover_app.command()
def agree(
    act: Annotated[str, typer.Argument(help="see-identity, admit, auditor-reads or decide-error.")],
    about: Annotated[str, typer.Argument(help="The source, the person or the error.")],
    why: Annotated[str, typer.Option(help="Your reason.")],
    by: By,
    role: Annotated[str, typer.Option(help="For admit: the role, which both must name.")] = "unit",
) -> None:
    """Agree to what needs two people; an admission takes effect once an authorising officer is one of them."""
    from lightship.casework.compartment import OVERRIDES, ROLES

    with inside(by) as one:
        if act not in OVERRIDES or role not in ROLES:
            raise InputError(
                "There is no such act or role.", act, f"{', '.join(OVERRIDES)}; {', '.join(ROLES)}."
            )
        people = one.approve(act, about, why, role if act == "admit" else None)
        if act == "admit" and people >= 2:
            one.admit(about, role)
        say(f"{min(people, 2)} of two people have agreed.")


@undercover_app.command()
def operation(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    name: Annotated[str, typer.Option()],
    investigation: Annotated[str, typer.Option(help="Over which long-term time is counted.")],
    by: By,
) -> None:
    """Open an operation."""
    with _register(by) as one:
        one.open_operation(id_, name, investigation)


@undercover_app.command()
def source(file: Annotated[Path, typer.Argument(help="The source record, TOML.")], by: By) -> None:
    """Keep a source record (SI 2000/2725 reg. 3)."""
    from lightship.core.undercover import SourceRecord

    with _register(by) as one:
        kept = one.keep_source(_table(file, SourceRecord))
        typer.echo(f"{kept.id}: welfare due {kept.welfare_due}, tenure review due {kept.tenure_due}.")


@undercover_app.command()
def apply(id_: Annotated[str, typer.Argument(metavar="ID")], file: Path, by: By) -> None:
    """Apply in writing; the file has the fields of the application, TOML."""
    from lightship.core.undercover import Application

    with _register(by) as one:
        _tell(one.apply(id_, _table(file, Application)))


@undercover_app.command()
def authorise(
    id_: Id,
    by: By,
    rank: Rank = "",
    next_review: Next | None = None,
    urgent: Annotated[str, typer.Option(help="Why it is urgent, if you may act only then.")] = "",
    refuse: Annotated[str, typer.Option(help="Refuse instead, for this reason.")] = "",
    commissioner: Annotated[str, typer.Option(help="Reference of a Judicial Commissioner's approval.")] = "",
    notice: Annotated[list[str], typer.Option(help="What the Commissioner had notice of.")] = [],  # noqa: B006
) -> None:
    """Grant or refuse an application, or record a Judicial Commissioner's approval."""
    with _register(by) as one:
        if refuse:
            _tell(one.refuse(id_, refuse))
        elif commissioner:
            _tell(one.approve_jc(id_, commissioner, tuple(notice)))
        else:
            _tell(one.grant(id_, rank, _day(next_review), urgent=urgent))


@undercover_app.command()
def oral(
    id_: Id,
    file: Annotated[Path, typer.Argument(help="Who is named; or with --write-down the whole application.")],
    by: By,
    rank: Rank = "",
    urgent: Annotated[str, typer.Option(help="Why it could not wait.")] = "",
    next_review: Next | None = None,
    write_down: Annotated[bool, typer.Option(help="Give the written record of an oral grant.")] = False,
) -> None:
    """Record an urgent oral grant, which ends after 72 hours; or its written record."""
    from lightship.core.undercover import Application

    asked = _table(file, Application)
    with _register(by) as one:
        if write_down:
            _tell(one.write_down(id_, asked))
            return
        one.apply(id_, asked, oral=True)
        _tell(one.grant(id_, rank, _day(next_review), oral=True, urgent=urgent))


@undercover_app.command()
def review(
    id_: Id,
    by: By,
    use: Annotated[str, typer.Option(help="The use made of the source.")],
    tasks: Annotated[str, typer.Option(help="The tasks given.")],
    information: Annotated[str, typer.Option(help="The information obtained.")],
    next_review: Next,
) -> None:
    """Review an authorisation, and set the next review."""
    with _register(by) as one:
        _tell(one.review(id_, use, tasks, information, next_review.date()))


@undercover_app.command()
def renew(
    id_: Id,
    by: By,
    rank: Rank,
    next_review: Next,
    oral: Annotated[bool, typer.Option(help="By mouth, for 72 hours.")] = False,
    urgent: Annotated[str, typer.Option(help="Why it is urgent.")] = "",
) -> None:
    """Renew an authorisation before it ends; long term, it waits for a Judicial Commissioner."""
    with _register(by) as one:
        _tell(one.renew(id_, rank, next_review.date(), oral=oral, urgent=urgent))


@undercover_app.command()
def cancel(id_: Id, by: By, why: Annotated[str, typer.Option(help="The reason.")]) -> None:
    """Cancel an authorisation."""
    with _register(by) as one:
        _tell(one.cancel(id_, why))


@undercover_app.command()
def contact(
    id_: Id,
    by: By,
    at: Annotated[str, typer.Option(help="When, ISO 8601 with its offset.")],
    means: Annotated[str, typer.Option(help="Such as meeting, call, online.")],
    words: Annotated[str, typer.Option(help="What for, in a line.")],
    use: Annotated[bool, typer.Option(help="It was conduct or use of the source.")] = False,
    tasks: Annotated[str, typer.Option(help="Tasks given.")] = "",
    information: Annotated[str, typer.Option(help="Information obtained, by reference.")] = "",
) -> None:
    """Keep a contact. Use outside the authorisation is blocked and raised as a possible error."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise InputError(
            f"The time cannot be read: {error}.", at, "Such as 2026-11-30T10:00+00:00."
        ) from error
    if moment.tzinfo is None:
        raise InputError("The time has no offset.", at, "Such as 2026-11-30T10:00+00:00.")
    with _register(by) as one:
        kept = one.contact(id_, moment, means, words, use=use, tasks=tasks, information=information)
        typer.echo(f"Kept: {kept.id}.")


@undercover_app.command()
def show(id_: Id, by: By) -> None:
    """Print an authorisation, with every step and its law, as JSON."""
    from lightship.casework.authorisation_clocks import standing
    from lightship.casework.compartment import to_table

    with _register(by) as one:
        found = one.authorisation(id_)
        said = {"standing": standing(found, one.now), **to_table(found)}
        typer.echo(json.dumps(said, indent=1, ensure_ascii=False))


@undercover_app.command()
def due(by: By) -> None:
    """Print what is due or overdue, soonest first, each with its law."""
    with _register(by) as one:
        for each in one.due():
            late = "OVERDUE " if each.overdue else ""
            typer.echo(f"{late}{each.due_at.isoformat()} {each.about}: {each.words} ({each.section})")


@undercover_app.command()
def close(id_: Annotated[str, typer.Argument(help="The operation.")], by: By) -> None:
    """Close an operation, once each of its authorisations is cancelled."""
    with _register(by) as one:
        typer.echo(f"Closed at {one.close_operation(id_).closed_at}.")


def _day(given: datetime | None) -> Any:
    if given is None:
        raise InputError("The next review's day is not set.", "--next-review", "It is mandatory.")
    return given.date()
