"""``lightship duties intimate``: the notice of an intimate image, its 48 hours, and the sweep that ends them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lightship.cli_serve import Database, Folder
from lightship.core.errors import FilingError, InputError
from lightship.say import say

intimate_app = typer.Typer(
    name="intimate",
    help="Intimate images: the notice, its 48 hours, and the sweep for near copies that ends them.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Whose act it is, for the record; this user's unless named.")]
ClockId = Annotated[str, typer.Argument(help="The notice's clock, as `notice` printed it.")]


def _by(given: str) -> str:
    from lightship.app_lists import person

    return given or person()


@intimate_app.command()
def notice(
    about: Annotated[str, typer.Argument(help="The case that holds the image, or the report's own name.")],
    words: Annotated[str, typer.Option(help="What is asked, in words without content.")] = "",
    reference: Annotated[str, typer.Option(help="Under which they speak of it.")] = "",
    received: Annotated[
        str, typer.Option(help="When it came, as 2026-11-28T23:40+00:00; now unless named.")
    ] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Take in a notice: its clock runs from its receipt."""
    from lightship.cli_duties import begin_clock
    from lightship.duties.clocks import SWEPT

    begin_clock(SWEPT, about, words, reference, received, by, folder, database)


@intimate_app.command()
def sweep(
    clock: ClockId,
    recordings: Annotated[
        list[str], typer.Argument(help="Files and addresses of all that may show it: all of them each time.")
    ],
    picture: Annotated[
        list[Path], typer.Option(help="A file of the image, beside the case's stills; it is not kept.")
    ] = [],  # noqa: B006
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Look for near copies in recordings; while one is up, or one cannot be read, the exit code is 16."""
    from lightship.app_intimate import run_sweep
    from lightship.cli_serve import deployed
    from lightship.duties import intimate
    from lightship.duties.record_book_papers import body

    found = body(run_sweep(deployed(folder, database), clock, recordings, picture, _by(by)))
    for one in found["recordings"]:
        at = ", ".join(f"{from_s:g} to {to_s:g} s" for from_s, to_s in one["copies"])
        why = f" Not read whole: {' '.join(one['missed'])}" if one["missed"] else ""
        stays = f" It may stay: {one['excepted']}" if one["excepted"] else ""
        none = "not known" if one["missed"] else "no copy"
        typer.echo(f"{one['recording']}: {f'shows it, {at}' if at else none}.{why}{stays}")
    say(intimate.in_words(found))
    if intimate.residual(found) or intimate.unread(found):
        raise typer.Exit(FilingError.exit_code)


@intimate_app.command("except")
def except_(
    clock: ClockId,
    recording: Annotated[str, typer.Argument(help="As the sweep named it.")],
    why: Annotated[str, typer.Option(help="Why it may stay, for the record.")],
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Write down why a recording may stay although it shows the image or cannot be read."""
    from lightship.app_platform import store_of
    from lightship.duties import intimate

    with store_of(folder, database) as store, store.begin() as work:
        intimate.except_(work, clock, recording, why=why, by=_by(by), now=datetime.now(UTC))
    say("Written down.")


@intimate_app.command()
def show(clock: ClockId, folder: Folder = None, database: Database = "") -> None:
    """Say how it stands: the time, what the last sweep found, and what is left."""
    from lightship.app_platform import store_of
    from lightship.cli_duties import told_clock
    from lightship.core.duties import Clock
    from lightship.duties import intimate
    from lightship.duties.clocks import SWEPT

    now = datetime.now(UTC)
    with store_of(folder, database) as store, store.look() as work:
        found, sweep = work.get(Clock, clock), intimate.said(work, clock)
    if found is None or found.kind != SWEPT:
        raise InputError("This clock is of no intimate image.", f"clock {clock}", "Check its id.")
    typer.echo(told_clock(found, now))
    typer.echo(intimate.in_words(sweep))
    if found.ended_at is not None:
        typer.echo(f"Ended {found.ended_at:%Y-%m-%d %H:%M} UTC by {found.ended_by}: {found.outcome}")


@intimate_app.command()
def end(
    clock: ClockId,
    words: Annotated[
        str, typer.Option(help="What is to be said beside the sweep; where it is late, why.")
    ] = "",
    exception: Annotated[str, typer.Option(help="Instead of a sweep: why nothing is taken down.")] = "",
    by: By = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """End the clock: by the last sweep, if it found nothing that is not answered for, or by an exception."""
    from lightship.app_platform import store_of
    from lightship.duties import intimate

    now = datetime.now(UTC)
    with store_of(folder, database) as store, store.begin() as work:
        ended = intimate.end(
            work, clock, outcome=exception or words, by=_by(by), now=now, exception=bool(exception)
        )
    say(f"Ended{', late' if now > ended.due_at else ', in time'}. {ended.outcome}")
