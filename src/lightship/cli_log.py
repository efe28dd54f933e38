"""``lightship log``: the transparency log of signed packs, as static files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lightship.core.errors import InputError, LogForked
from lightship.say import say

log_app = typer.Typer(
    help="The log in which every signed pack is, for anyone to check.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="The log's folder, such as repo/log.")]


@log_app.command()
def append(
    folder: Folder,
    key: Annotated[Path, typer.Option(help="The log's private key.")],
    file: Annotated[list[Path] | None, typer.Argument(help="Files to log.")] = None,
    packs: Annotated[Path | None, typer.Option(help="Log what is published in this folder of packs.")] = None,
) -> None:
    """Append files, or what is published in a folder of packs; what is there already is left."""
    from lightship.app_packs import repository
    from lightship.infra.keys import load_key
    from lightship.infra.tile_log import append as add

    try:
        entries = [path.read_bytes() for path in file or []]
    except OSError as error:
        raise InputError(f"The file cannot be read: {error}.", "", "Check the path.") from error
    if packs is not None:
        entries += repository(packs).to_log()
    if not entries:
        raise InputError("There is nothing to append.", str(folder), "Name files, or --packs FOLDER.")
    places = add(folder, load_key(key), entries)
    typer.echo(
        f"In the log at {', '.join(map(str, places))}. Let the witnesses see it: lightship log witness."
    )


@log_app.command()
def verify(
    folder: Folder,
    key: Annotated[Path, typer.Option(help="The log's public key.")],
    seen: Annotated[
        list[Path],
        typer.Option(help="A checkpoint that a device or somebody else was shown; may be given again."),
    ] = [],  # noqa: B006
) -> None:
    """Check every entry against the signed checkpoint, and against checkpoints that others were shown."""
    from lightship.infra.keys import load_public_key
    from lightship.infra.tile_log import verify_log

    try:
        notes = [path.read_text("utf-8") for path in seen]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The checkpoint cannot be read: {error}.", "", "Check the path.") from error
    report = verify_log(folder, load_public_key(key), notes)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(LogForked.exit_code)


@log_app.command()
def witness(
    folder: Folder,
    log: Annotated[Path, typer.Option(help="The log's public key.")],
    key: Annotated[Path, typer.Option(help="The witness's private key.")],
    state: Annotated[Path, typer.Option(help="A folder in which the witness keeps what it has seen.")],
) -> None:
    """Cosign the checkpoint, if it extends what this witness has seen."""
    from lightship.infra.keys import load_key, load_public_key
    from lightship.infra.witness import witness as see

    checkpoint = see(folder, load_public_key(log), load_key(key), state, datetime.now(UTC))
    typer.echo(f"Seen and cosigned: {checkpoint.origin}, {checkpoint.size} entries.")


@log_app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="A log, or a folder of packs with its log.")],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8088,
) -> None:
    """Serve the files, as any web server could; keys and what is staged are not among them."""
    from lightship.app_log import serve as run

    run(folder, host, port, lambda address: say(f"Serving {folder} at {address}; Ctrl-C ends it."))
