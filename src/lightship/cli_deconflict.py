"""``lightship deconflict``: does another body have an interest in these identifiers? By files that are signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lightship.core.errors import InputError, StoreError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.app_deconflict import Bureau
    from lightship.casework.deconflict_desk import Desk
    from lightship.casework.deconflict_files import Message
    from lightship.casework.deconflict_office import Office

deconflict_app = typer.Typer(
    help="Ask other bodies about identifiers without showing them, and answer without showing yours.",
    no_args_is_help=True,
)

Partner = Annotated[str, typer.Argument(help="The partner, as agreements/PARTNER.toml is named.")]
Out = Annotated[Path, typer.Option(help="Where the signed file goes.")]
By = Annotated[str, typer.Option(help="Who you are; only for the covert desk.")]
Code = Annotated[str, typer.Option(help="Calling code of national phone numbers, such as 44.")]


def _bureau() -> Bureau:
    from lightship.app_deconflict import Bureau

    return Bureau(state_folder() / "deconflict")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def _text(path: Path) -> str:
    try:
        return _read(path).decode()
    except UnicodeDecodeError as error:
        raise InputError("The file is not UTF-8 text.", str(path), "Save it as UTF-8.") from error


def _write(message: Message, path: Path) -> None:
    from lightship.infra.whole_file import write_whole

    write_whole(path, _bureau().signed(message))
    say(f"Wrote {path}, signed.")


@contextmanager
def _office() -> Iterator[Office]:
    with _bureau().office(datetime.now(UTC)) as office:
        yield office


@contextmanager
def _desk(by: str) -> Iterator[Desk]:
    from lightship.casework.compartment import nothing_here
    from lightship.casework.deconflict_desk import Desk
    from lightship.cli_undercover import inside

    try:
        with inside(by) as one:
            yield Desk(_bureau().name, one)
    except StoreError:
        raise nothing_here() from None


@deconflict_app.command()
def key(name: Annotated[str, typer.Argument(help="This body's name, such as police.example.uk.")]) -> None:
    """Make this body's signing key; give the printed line to partners by another way than the files."""
    from lightship.infra.keys import create_key

    typer.echo(str(create_key(_bureau().folder / "own.key", name).verifier))


@deconflict_app.command()
def prepare(
    partner: Partner,
    out: Out,
    interests: Annotated[
        Path | None, typer.Option(help="CSV of entries: overt ones, or with --by covert ones.")
    ] = None,
    by: By = "",
    calling_code: Code = "",
) -> None:
    """Write the list for a partner; with --by, the covert desk's round, which is the same size always."""
    from lightship.casework.deconflict_rows import interests as rows

    agreed = _bureau().agreement(partner)
    found = (
        rows(_text(interests), str(interests), covert=bool(by), calling_code=calling_code)
        if interests
        else ()
    )
    if by:
        with _desk(by) as desk:
            desk.keep(found)
            _write(desk.round_for(agreed), out)
        return
    with _office() as office:
        office.keep(found)
        _write(office.list_for(agreed), out)


@deconflict_app.command()
def ask(
    partner: Partner,
    identifiers: Annotated[Path, typer.Argument(help="CSV: identifier, value, platform.")],
    out: Out,
    basis: Annotated[str, typer.Option(help="The law by which you ask, as the agreement names it.")],
    reference: Annotated[str, typer.Option(help="Your reference.")],
    contact: Annotated[str, typer.Option(help="Whom to call.")],
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day it counts.")],
    urgency: Annotated[int, typer.Option(min=1, max=5, help="1 most urgent.")] = 3,
    calling_code: Code = "",
) -> None:
    """Write a question; what leaves are blinded points, always the agreed number."""
    from lightship.casework.deconflict_rows import identifiers as rows

    agreed = _bureau().agreement(partner)
    keys = rows(_text(identifiers), str(identifiers), calling_code=calling_code)
    with _office() as office:
        _write(
            office.ask(
                keys,
                agreed,
                basis=basis,
                reference=reference,
                contact=contact,
                urgency=urgency,
                until=date(until.year, until.month, until.day),
            ),
            out,
        )


@deconflict_app.command()
def answer(
    partner: Partner, file: Annotated[Path, typer.Argument(help="A partner's question, or round.")], out: Out
) -> None:
    """Answer a partner's question or round. The question is kept for the covert desk, if there is one or not."""
    from lightship.casework.deconflict import Question, Round

    bureau, data = _bureau(), _read(file)
    message, agreed = bureau.message(partner, data, str(file)), bureau.agreement(partner)
    with _office() as office:
        match message:
            case Question():
                reply = office.answer(message, agreed, lambda: bureau.kept(partner))
                if not reply.refused:
                    bureau.keep(partner, message, data)
                _write(reply, out)
            case Round():
                _write(office.answer_round(message, agreed), out)
            case _:
                raise InputError("This file wants no answer.", str(file), "Use `open`.")


@deconflict_app.command("open")
def open_file(
    partner: Partner,
    file: Annotated[Path, typer.Argument(help="A partner's list, its answer, or a round that came back.")],
    by: By = "",
) -> None:
    """Open what came back: a list is kept, an answer is told, a round goes to the covert desk."""
    from lightship.casework.compartment import nothing_here, to_table
    from lightship.casework.deconflict import Answer, OvertList, Round

    bureau = _bureau()
    message, agreed = bureau.message(partner, _read(file), str(file)), bureau.agreement(partner)
    match message:
        case OvertList():
            with _office() as office:
                office.take_list(message, agreed)
            say(f"The list of {partner} of {message.made_on} is kept.")
        case Answer():
            with _office() as office:
                found = office.open(message, agreed)
            told: dict[str, Any] = {key: [to_table(one) for one in each] for key, each in found.items()}
            typer.echo(json.dumps(told, indent=1, ensure_ascii=False))
        case Round():
            if not by:
                raise nothing_here()
            with _desk(by) as desk:
                desk.take_round(message, agreed)
        case _:
            raise InputError("This file is to be answered.", str(file), "Use `answer`.")


@deconflict_app.command()
def desk(by: Annotated[str, typer.Option(help="Who you are.")]) -> None:
    """Read the kept questions as the covert desk, and print its notices. Nobody outside is told."""
    from lightship.casework.compartment import to_table

    bureau = _bureau()
    with _desk(by) as one:
        for partner in bureau.partners:
            one.read(bureau.kept(partner), bureau.agreement(partner))
        for notice in one.notices():
            typer.echo(json.dumps(to_table(notice), ensure_ascii=False))


@deconflict_app.command()
def log() -> None:
    """Print the query log: who asked whom, when, by what law; verify it with `lightship ledger verify`."""
    with _office() as office:
        for entry in office.entries():
            typer.echo(json.dumps(entry, ensure_ascii=False))
