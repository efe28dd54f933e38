"""``lightship packs``: what a device may go by, built, signed by two, and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightship.core.errors import InputError, LogForked, PackError
from lightship.say import say

packs_app = typer.Typer(
    help="Signed packs: policies, model cards, lists and texts that a device may use.", no_args_is_help=True
)

Repo = Annotated[Path, typer.Argument(help="The folder in which packs are made.")]
State = Annotated[
    Path | None,
    typer.Option(help="Where what is trusted and was seen is kept; this device's own unless named."),
]


@packs_app.command()
def key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; the public line goes beside it.")],
    name: Annotated[str, typer.Option(help="Names it, such as example.org/alice.")],
    witness: Annotated[bool, typer.Option(help="A witness's key, which signs nothing else.")] = False,
) -> None:
    """Make a key for a signer, a log or a witness."""
    from lightship.core.witnesses import WitnessKey
    from lightship.infra.keys import create_key, public_path

    made = create_key(file, name)
    line = str(WitnessKey.of(made) if witness else made.verifier)
    public_path(file).write_text(line + "\n", encoding="utf-8")
    typer.echo(line)


@packs_app.command()
def init(
    repo: Repo,
    signer: Annotated[list[Path], typer.Option(help="A signer's public key; give three or more.")],
    online: Annotated[Path, typer.Option(help="The public key that only says what is newest.")],
    log: Annotated[Path, typer.Option(help="The log's public key.")],
    witness: Annotated[list[Path], typer.Option(help="A witness's public key.")] = [],  # noqa: B006
    needed: Annotated[int, typer.Option(min=2, help="How many signers must sign.")] = 2,
    quorum: Annotated[int | None, typer.Option(min=0, help="How many witnesses; more than half.")] = None,
) -> None:
    """Say who may sign: a first root, or, in a folder that has one, the next with other keys."""
    from lightship import app_packs

    typer.echo(str(app_packs.begin(repo, signer, online, log, witness, needed=needed, quorum=quorum)))
    say("It waits for signatures: lightship packs sign.")


@packs_app.command()
def build(
    repo: Repo,
    sources: Annotated[
        Path | None, typer.Argument(help="A folder laid out as packs/; what this program ships unless named.")
    ] = None,
    name: Annotated[str, typer.Option(help="The pack's name.")] = "device",
    title: Annotated[str, typer.Option(help="What it is, and for whom, in words.")] = "What a device may use",
) -> None:
    """Make a pack's next version; it waits for signatures."""
    from lightship import app_packs, packs

    made, left = app_packs.build(repo, sources or packs.root(), name, title)
    for path in left:
        say(f"Left out: {path} is nothing that a device uses.")
    typer.echo(f"{made.name} version {made.version}, {made.digest}, waits for signatures.")


@packs_app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="A pack's file or a folder; or a repository, alone.")],
    new: Annotated[Path | None, typer.Argument(help="The other one.")] = None,
) -> None:
    """Say what would change for a person: between two packs, or by what waits for signatures."""
    from lightship import app_packs

    if new is not None:
        typer.echo("\n".join(app_packs.difference(old, new)) or "Nothing would change.")
        return
    staged = app_packs.staged_changes(old)
    _staged(staged)
    if not staged:
        typer.echo("Nothing waits for signatures.")


def _staged(staged: dict[str, list[str]]) -> None:
    for name, lines in staged.items():
        typer.echo(f"{name}:")
        typer.echo("\n".join(f"  {line}" for line in lines) or "  nothing would change for a person")


@packs_app.command()
def sign(
    repo: Repo,
    key: Annotated[Path, typer.Option(help="A signer's private key, or the online one, which publishes.")],
) -> None:
    """Sign what waits; it says first what would change. With the online key, publish and say what is newest."""
    from lightship import app_packs

    _staged(app_packs.staged_changes(repo))
    for line in app_packs.sign(repo, key):
        typer.echo(f"{line}.")


@packs_app.command()
def trust(
    root: Annotated[Path, typer.Argument(help="The root, such as 1.root.json, from somebody you trust.")],
    consent: Annotated[Path | None, typer.Option(help="What the owner of this device agreed to.")] = None,
    state: State = None,
) -> None:
    """Trust a root from now on, on this device."""
    from lightship import app_packs

    device = app_packs.device(state)
    try:
        data = root.read_bytes()
        agreed = consent.read_text("utf-8") if consent is not None else None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The file cannot be read: {error}.", "", "Check the path.") from error
    trusted = device.begin(data, agreed)
    from lightship.infra.pack_repository import fingerprint

    typer.echo(f"{trusted}\nCompare with the signers, by another way: {fingerprint(data)}")


@packs_app.command()
def consent(
    policy: Annotated[Path, typer.Argument(help="Name or path of the policy to agree to.")],
    by: Annotated[str, typer.Option(help="Who agrees: the owner of the device.")],
    known: Annotated[list[str], typer.Option("--list", help="A list that may match.")] = [],  # noqa: B006
) -> None:
    """Print a consent to just what a policy does; read it, then `packs trust ROOT --consent FILE`."""
    from lightship import app_packs

    typer.echo(app_packs.consent_to(policy, by, known), nl=False)


@packs_app.command()
def fetch(
    address: Annotated[str, typer.Argument(help="Where they are served, such as https://packs.example.org.")],
    folder: Annotated[Path, typer.Argument(help="Where they go.")],
) -> None:
    """Copy packs and their log from a server; nothing is verified by that. The guard itself never fetches."""
    from lightship.infra.pack_fetch import fetch as copy

    typer.echo(f"{copy(address, folder)} files came. Now: lightship packs verify {folder}")


@packs_app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="What was fetched: metadata/, targets/ and log/.")],
    name: Annotated[str, typer.Option("--pack", help="Which pack.")] = "device",
    state: State = None,
    checkpoint: Annotated[
        bool, typer.Option(help="Print the log's checkpoint alone, to compare with others.")
    ] = False,
) -> None:
    """Verify a pack as a device does, and say what a device may use by it, who signed, and where it stands."""
    from lightship import app_packs

    try:
        opened = app_packs.device(state).open(folder, name, app_packs.detectors())
    except (PackError, LogForked) as error:
        for note in getattr(error, "__notes__", []):
            say(f"The checkpoint that was shown, for the signers:\n{note}")
        raise
    if checkpoint:
        typer.echo(opened.checkpoint, nl=False)
        return
    typer.echo(app_packs.shown(opened))
