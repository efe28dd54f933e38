"""``lightship evidence``: captures, custody, sanitised copies, schedules, time-stamps, and an export to check.

Each inquiry has a ledger of its own, so that its evidence is shown without anybody else's; what concerns sensitive
material is on a second one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.core.errors import InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.core.casework import Verb
    from lightship.core.notes import SigningKey
    from lightship.infra.ledger_file import LedgerFile

evidence_app = typer.Typer(
    help="Evidence that the defence can check: captures, custody, sanitised copies, schedules, time-stamps.",
    no_args_is_help=True,
)

Inquiry = Annotated[str, typer.Argument(help="The inquiry.")]
Exhibit = Annotated[str, typer.Argument(help="The exhibit's reference.")]
By = Annotated[str, typer.Option(help="Who you are.")]
Out = Annotated[Path, typer.Option(help="Where it is written.")]
Key = Annotated[Path | None, typer.Option(help="Your own key, to sign with; the unit's otherwise.")]
SensitiveSide = Annotated[bool, typer.Option("--sensitive", help="The sensitive material's ledger.")]


def _folder() -> Path:
    return state_folder() / "evidence"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file cannot be read: {error}.", str(path), "Check the path.") from error


def _signer(key: Path | None) -> SigningKey:
    from lightship.infra.keys import load_key, load_or_create_key

    own = load_or_create_key(_folder() / "own.key", "lightship-evidence")
    return own if key is None else load_key(key)


def _path(inquiry: str, sensitive: bool = False) -> Path:
    from lightship.casework.capture import NAME

    if not NAME.fullmatch(inquiry) or "/" in inquiry:
        raise InputError("An inquiry's name is letters, digits and . _ -.", repr(inquiry), "Rename it.")
    return _folder() / inquiry / ("sensitive.ledger" if sensitive else "evidence.ledger")


@contextmanager
def _ledger(inquiry: str, *, sensitive: bool = False, begin: bool = False) -> Iterator[LedgerFile]:
    from lightship.infra.ledger_file import LedgerFile

    path = _path(inquiry, sensitive)
    if not begin and not path.is_file():
        raise InputError("There is no evidence of this inquiry.", inquiry, "Capture something first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    key = _signer(None)
    with LedgerFile(path, key, f"{key.name}/{inquiry}/{path.stem}") as ledger:
        yield ledger


def _used(ledger: LedgerFile, verb: Verb, about: str, by: str, recipient: str = "") -> None:
    """Enter a use of personal data that leaves no other entry (Data Protection Act 2018 s.62)."""
    ledger.append({"kind": "data-used", "verb": verb, "about": about, "by": by, "recipient": recipient})


def _write(path: Path, data: bytes) -> None:
    """Write a file that its owner alone can read: copies and schedules are as secret as what they are of."""
    from lightship.infra.whole_file import whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, 0o600) as file:
            file.write(data)
    except OSError as error:
        raise InputError(f"It cannot be written: {error.strerror}.", str(path), "Choose a place.") from error
    say(f"Wrote {path}.")


@evidence_app.command()
def capture(
    inquiry: Inquiry,
    record: Annotated[Path, typer.Argument(help="The capture record, TOML.")],
    key: Key = None,
) -> None:
    """Enter how an exhibit was captured: who, tool, hashes before and after, clock, gaps."""
    from lightship.casework.capture import captured, parse_capture
    from lightship.casework.custody import chains

    one = parse_capture(_read(record), str(record))
    if one.captured_at > datetime.now(UTC):
        raise InputError("It was captured in the future.", one.captured_at.isoformat(), "Check its time.")
    with _ledger(inquiry, begin=True) as ledger:
        if one.exhibit in chains(ledger.entries(), datetime.now(UTC)):
            raise InputError("This exhibit was captured before.", one.exhibit, "Give it another reference.")
        ledger.append(dict(captured(one, _signer(key))))
    say(f"{one.exhibit} captured; {one.captured_by} has it.")


@evidence_app.command()
def hand(
    inquiry: Inquiry,
    exhibit: Exhibit,
    by: By,
    to: Annotated[str, typer.Option(help="Who receives it.")],
    why: Annotated[str, typer.Option(help="For what.")],
    key: Key = None,
) -> None:
    """Hand an exhibit over; it stays with you until the other has acknowledged it."""
    from lightship.casework.custody import handed

    with _ledger(inquiry) as ledger:
        now = datetime.now(UTC)
        entry = handed(ledger.entries(), exhibit, by=by, to=to, why=why, now=now, signer=_signer(key))
        ledger.append(dict(entry))


@evidence_app.command()
def acknowledge(
    inquiry: Inquiry,
    exhibit: Exhibit,
    by: By,
    sha256: Annotated[str, typer.Option(help="Its SHA-256 as you received it.")],
    key: Key = None,
) -> None:
    """Acknowledge an exhibit that was handed to you, with its hash as you received it."""
    from lightship.casework.custody import acknowledged, chains

    with _ledger(inquiry) as ledger:
        now = datetime.now(UTC)
        entry = acknowledged(ledger.entries(), exhibit, by=by, sha256=sha256, now=now, signer=_signer(key))
        ledger.append(dict(entry))
        for one in chains(ledger.entries(), now)[exhibit].breaks:
            say(f"BREAK in the chain of {exhibit}: {one.what}")


@evidence_app.command()
def show(
    inquiry: Inquiry, by: By, exhibit: Annotated[str, typer.Argument(help="One exhibit; all otherwise.")] = ""
) -> None:
    """Print the chain of custody, and where it is broken; that you looked is entered."""
    from lightship.casework.custody import chains

    with _ledger(inquiry) as ledger:
        _used(ledger, "consultation", exhibit or inquiry, by)
        found = chains(ledger.entries(), datetime.now(UTC))
    if exhibit and exhibit not in found:
        raise InputError("There is no such exhibit.", exhibit, "Check its reference.")
    for name, chain in found.items():
        if exhibit in {"", name}:
            typer.echo(f"{name}: {chain.holder} has it" + (f", handed to {chain.to}" if chain.to else ""))
            for step in chain.steps:
                typer.echo(f"  {step}")
            for one in chain.breaks:
                typer.echo(f"  BREAK at entry {one.entry}: {one.what}")


@evidence_app.command()
def commit(
    inquiry: Inquiry,
    record: Annotated[Path, typer.Argument(help="A record, JSON.")],
    by: By,
    out: Out,
    key: Key = None,
) -> None:
    """Commit to a record's fields on the ledger; its whole copy, as secret as the record, is written out."""
    from lightship.casework.commitments import committed
    from lightship.core.canonical import canonical

    try:
        value = json.loads(_read(record))
    except ValueError as error:
        raise InputError(f"The record is no JSON: {error}.", str(record), "Check it.") from error
    if not isinstance(value, dict):
        raise InputError("A record is a table of fields.", str(record), "Give a JSON object.")
    with _ledger(inquiry, begin=True) as ledger:
        copy, entry = committed(record.stem, value, by=by, now=datetime.now(UTC), signer=_signer(key))
        _write(
            out, canonical(dict(copy)) + b"\n"
        )  # first: a commitment whose salts are lost could never be opened
        ledger.append(dict(entry))


@evidence_app.command()
def sanitise(
    copy: Annotated[Path, typer.Argument(help="A copy that `evidence commit` or this wrote.")],
    remove: Annotated[list[str], typer.Option(help="A field, such as /victim/name; may be given again.")],
    why: Annotated[str, typer.Option(help="sensitive, personal-data or not-relevant.")],
    out: Out,
) -> None:
    """Write a copy without some fields, which still verifies."""
    from lightship.casework.commitments import parse_copy, sanitised
    from lightship.core.canonical import canonical

    _write(out, canonical(dict(sanitised(parse_copy(_read(copy), str(copy)), remove, why))) + b"\n")


@evidence_app.command()
def schedule(
    inquiry: Inquiry,
    items: Annotated[Path, typer.Argument(help="Unused material with reasons, TOML.")],
    by: By,
    out: Annotated[Path, typer.Option(help="A folder.")],
    words: Annotated[str, typer.Option(help="Words of a jurisdiction.")] = "schedules-gb",
    key: Key = None,
) -> None:
    """Write both schedules of unused material, JSON and HTML, and enter their digests, each on its own ledger."""
    from lightship import packs
    from lightship.casework.disclosure import KINDS, parse_items, parse_words, schedule, schedule_made

    where, text = packs.read("evidence", words, ".toml", "words of schedules")
    known, listed = parse_words(text, str(where)), parse_items(_read(items), str(items))
    now, signer = datetime.now(UTC), _signer(key)
    for kind in KINDS:
        data, page = schedule(kind, inquiry, listed, known, by=by, now=now)
        with _ledger(inquiry, sensitive=kind == "sensitive", begin=True) as ledger:
            ledger.append(dict(schedule_made(kind, inquiry, data, by=by, now=now, signer=signer)))
        for suffix, content in ((".json", data), (".html", page)):
            _write(out / f"{kind}{suffix}", content)
    for mark in known.unverified:
        say(f"To be verified: {mark}")


@evidence_app.command()
def reveal(
    inquiry: Inquiry,
    path: Annotated[Path, typer.Argument(metavar="SCHEDULE", help="A schedule's JSON.")],
    number: Annotated[int, typer.Argument(help="The item's number.")],
    by: By,
    to: Annotated[str, typer.Option(help="To whom, such as the prosecutor.")],
    form: Annotated[str, typer.Option(help="A copy, inspection, or a description.")],
    key: Key = None,
) -> None:
    """Enter that an item of a schedule was revealed."""
    from lightship.casework.disclosure import revealed

    try:
        table = json.loads(_read(path))
        sensitive = table["schedule"] == "sensitive"
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "This is no schedule.", str(path), "Give the JSON of `evidence schedule`."
        ) from error
    with _ledger(inquiry, sensitive=sensitive) as ledger:
        now = datetime.now(UTC)
        entries = ledger.entries()
        ledger.append(
            dict(revealed(entries, table, number, to=to, form=form, by=by, now=now, signer=_signer(key)))
        )


@evidence_app.command()
def stamp(inquiry: Inquiry, sensitive: SensitiveSide = False) -> None:
    """Have every authority of `evidence/authorities.toml` time-stamp the ledger's head (RFC 3161)."""
    from lightship.casework.timestamps import ENOUGH, head_stamped, parse_authorities
    from lightship.core.errors import LedgerError
    from lightship.infra import timestamps

    table = _folder() / "authorities.toml"
    authorities = parse_authorities(_read(table), str(table))
    with _ledger(inquiry, sensitive=sensitive) as ledger:
        head, stamped = ledger.checkpoint(), 0
        for one in authorities:
            certificate = timestamps.load_certificate(table.parent / one.certificate)
            try:
                token, at = timestamps.stamp(one.address, head.encode(), certificate)
            except LedgerError as error:
                say(f"{one.name} did not stamp it: {error}")
                continue
            ledger.append(dict(head_stamped(head, one.name, token, at)))
            say(f"{one.name} stamped {head.splitlines()[1]} entries at {at.isoformat()}.")
            stamped += 1
    if stamped < ENOUGH:
        raise LedgerError(
            f"{stamped} of {len(authorities)} authorities stamped the head; {ENOUGH} are needed.",
            inquiry,
            "Run it again, or name another authority.",
        )


@evidence_app.command()
def export(
    inquiry: Inquiry,
    out: Annotated[Path, typer.Argument(help="A folder that is empty or not there.")],
    by: By,
    to: Annotated[str, typer.Option(help="Who gets it.")],
    copies: Annotated[
        list[Path], typer.Option("--copy", help="A copy of a record to go with it; may be given again.")
    ] = [],  # noqa: B006
    sensitive: SensitiveSide = False,
) -> None:
    """Write an inquiry's evidence for an outsider, which is entered; `tools/verify_export.py` checks it."""
    from lightship.casework.commitments import parse_copy
    from lightship.duties.filing_figures import figures
    from lightship.infra.export import export as write

    path, key = _path(inquiry, sensitive), _signer(None)
    shown = [parse_copy(_read(one), str(one)) for one in copies]
    with _ledger(inquiry, sensitive=sensitive) as ledger:
        _used(ledger, "disclosure", inquiry, by, to)
    name, now = path.stem, datetime.now(UTC)
    for one in write(out, {name: path}, {name: str(key.verifier)}, key, now, figures, copies=shown):
        typer.echo(str(out / one))
    say(
        f"An outsider checks it with tools/verify_export.py and {_folder() / 'own.pub'}, which goes another way."
    )
