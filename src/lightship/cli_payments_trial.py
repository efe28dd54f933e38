"""``lightship payments generate``: a made-up population to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from lightship.say import say


def generate(
    out: Annotated[Path, typer.Option(help="Folder for the dataset and its truth.")],
    customers: Annotated[int, typer.Option(help="How many; each has about 20 payments a year.")] = 20_000,
    payers: Annotated[int, typer.Option(help="How many of them pay for livestreamed abuse.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    shifted: Annotated[
        Literal["", "A", "B"], typer.Option(help="A variant of the world with other assumptions.")
    ] = "",
) -> None:
    """Write a made-up population: everyday lives, look-alikes, the four typologies, and the truth beside them."""
    from lightship.payments.generate import generate as written

    made = written(out, customers, payers, seed, shifted=shifted)
    typer.echo(str(made))
    say(
        f"Wrote {out}: {made.payments:,} payments of {customers:,} customers. Nobody in it exists, and how well a "
        "search does on it does not say how well it does on real customers."
    )
