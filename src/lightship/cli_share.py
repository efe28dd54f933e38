"""``lightship share``: an inquiry to a partner, through the release gate, and a partner's pack opened."""

from __future__ import annotations

import getpass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.cli_serve import Database, Folder
from lightship.say import say

if TYPE_CHECKING:
    from lightship.core.casework import Marking

share_app = typer.Typer(help="What is shared with partners, and what stays.", no_args_is_help=True)

Inquiry = Annotated[str, typer.Argument(help="The inquiry's id.")]
Partners = Annotated[Path, typer.Option(help="The file that names partners and their grades.")]
To = Annotated[str, typer.Option(help="The partner's name in that file.")]
House = Annotated[str, typer.Option(help="The name of the body that sends; it may lower its own markings.")]
By = Annotated[str, typer.Option(help="Whose act it is, for the record; this user's unless named.")]
Tlp = Annotated[str, typer.Option(help="The house's own words: clear, green, amber, amber+strict or red.")]
Pap = Annotated[str, typer.Option(help="What may be done with them: clear, green, amber or red.")]
Gsc = Annotated[str, typer.Option(help="Their classification, such as OFFICIAL.")]


class Ways(StrEnum):
    """How something is sent."""

    TAXII = "taxii"
    PACK = "pack"
    MISP = "misp"
    CASE = "case"


@share_app.command()
def preview(
    inquiry: Inquiry,
    to: To,
    partners: Partners,
    house: House,
    tlp: Tlp = "amber",
    pap: Pap = "amber",
    gsc: Gsc = "OFFICIAL",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Show exactly what a partner would see, and what stays and why; nothing is sent."""
    from lightship import app_share
    from lightship.app_casework import shared_from

    partner = app_share.partner(partners, to)
    who, own = by or getpass.getuser(), _own(gsc, tlp, pap, house)
    with shared_from(folder, database, say) as store:
        released, withheld = app_share.preview(store, inquiry, partner, own=own, by=who)
    for thing in released.things:
        typer.echo(f"{thing.kind} {thing.id}")
        for name, value in thing.values.items():
            typer.echo(f"  {name}: {value!r}")
    for one in withheld:
        say(f"Stays: {one}")


@share_app.command()
def send(
    inquiry: Inquiry,
    to: To,
    partners: Partners,
    house: House,
    way: Annotated[
        Ways, typer.Option(help="By the TAXII server, an offline pack, MISP or CASE.")
    ] = Ways.PACK,
    out: Annotated[Path | None, typer.Option(help="The file to write; not for taxii.")] = None,
    key: Annotated[Path | None, typer.Option(help="The house's signing key; for a pack.")] = None,
    tlp: Tlp = "amber",
    pap: Pap = "amber",
    gsc: Gsc = "OFFICIAL",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Send an inquiry: what the gate lets through, kept exactly as it went, and logged as a disclosure."""
    from lightship import app_share
    from lightship.app_casework import shared_from
    from lightship.core.errors import InputError

    if (out is None) != (way is Ways.TAXII):
        raise InputError("Name --out for a file; the TAXII server needs none.", f"--way {way}", "")
    partner, own = app_share.partner(partners, to), _own(gsc, tlp, pap, house)
    who = by or getpass.getuser()
    with shared_from(folder, database, say) as store:
        sent = app_share.send(store, inquiry, partner, way.value, own=own, house=house, by=who, key=key)
    if out is not None:
        app_share.write(out, sent.data)
    for one in sent.withheld:
        say(f"Stays: {one}")
    for lost in sent.lost:
        say(f"Does not fit: {lost}")
    typer.echo(
        f"{sent.dissemination.id}: {len(sent.data)} bytes for {partner.title}, sha256 {sent.dissemination.digest}"
    )


@share_app.command("open")
def open_(
    file: Annotated[Path, typer.Argument(help="The pack, as it came.")],
    identity: Annotated[Path, typer.Option(help="One's private key, AGE-SECRET-KEY-1...")],
    sender: Annotated[Path, typer.Option(help="The sender's public key, got from them by another way.")],
    out: Annotated[Path, typer.Option(help="The folder to open it into.")],
) -> None:
    """Open a pack that was sent to one: no network is needed. Then open read.html in any browser."""
    from lightship import app_share

    opened = app_share.open_pack(file, identity, sender, out)
    typer.echo(f"From {opened.sender}, for {opened.recipient}, {opened.made_at}: {out / 'read.html'}")


@share_app.command()
def identity(file: Annotated[Path, typer.Argument(help="Where the private key goes.")]) -> None:
    """Make a key that packs are encrypted to; give the line it prints to those who send."""
    from lightship import app_share

    typer.echo(app_share.make_identity(file))


@share_app.command("signing-key")
def signing_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; the public one goes beside it.")],
    name: Annotated[str, typer.Option(help="Names the house, such as force.example/sharing.")],
) -> None:
    """Make the key that signs packs; give the .pub file to partners by another way."""
    from lightship import app_share

    typer.echo(app_share.make_signing_key(file, name))


@share_app.command()
def mark(
    referral: Annotated[str, typer.Argument(help="The referral's id.")],
    originator: Annotated[str, typer.Option(help="Who may lower it again.")],
    tlp: Tlp = "amber",
    pap: Pap = "amber",
    gsc: Gsc = "OFFICIAL",
    handling: Annotated[str, typer.Option(help="P, or C with conditions.")] = "P",
    conditions: Annotated[str, typer.Option(help="Those conditions, between semicolons.")] = "",
    allowed: Annotated[list[str], typer.Option(help="An originator who agreed to lower it.")] = [],  # noqa: B006
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Mark a referral: anybody marks or raises, only its originators lower."""
    from datetime import UTC, datetime
    from json import dumps

    from lightship.app_casework import shared_from
    from lightship.casework.disseminate import mark as put
    from lightship.core.markings import read_marking

    steps = {"gsc": gsc, "tlp": tlp, "pap": pap, "handling": handling}
    marking = read_marking(dumps({**steps, "conditions": conditions, "originator": originator}))
    with shared_from(folder, database, say) as store, store.begin() as work:
        put(work, referral, marking, by=by or getpass.getuser(), now=datetime.now(UTC), originators=allowed)
    typer.echo(f"{referral}: {marking}")


@share_app.command()
def serve(
    partners: Partners,
    tokens: Annotated[Path, typer.Option(help="A line a partner: name, and the SHA-256 of their token.")],
    house: House,
    host: Annotated[str, typer.Option(help="Where it listens; put TLS in front of it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 8440,
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Serve TAXII 2.1: each partner sees what was sent to them, and may put reports in."""
    import uvicorn

    from lightship import app_share
    from lightship.app_casework import shared_from
    from lightship.console.settings import utc_now
    from lightship.console.taxii import taxii_app

    with shared_from(folder, database, say) as store:
        app = taxii_app(store, app_share.members(partners, tokens), title=house, clock=utc_now)
        uvicorn.run(app, host=host, port=port, lifespan="off", access_log=False)


def _own(gsc: str, tlp: str, pap: str, house: str) -> Marking:
    from json import dumps

    from lightship.core.markings import read_marking

    return read_marking(dumps({"gsc": gsc, "tlp": tlp, "pap": pap, "originator": house}))
