"""``lightship payments generate``, ``backtest``, ``demo``: a made-up population, and what packs do over it."""

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


def backtest(
    payments: Annotated[Path, typer.Argument(help="A dataset; a made-up one brings its truth.")],
    out: Annotated[Path, typer.Option(help="Folder for a card of each typology.")],
    pack: Annotated[str, typer.Option(help="Jurisdiction: uk, au, ca, se, or a path.")] = "uk",
    typology: Annotated[
        list[str], typer.Option(help="Name or path of a typology pack; all unless named.")
    ] = [],  # noqa: B006
    challenger: Annotated[
        list[str],
        typer.Option(help="Path of a pack to compare with the one of the same id; may be given again."),
    ] = [],  # noqa: B006
    budget: Annotated[
        list[int],
        typer.Option(min=1, help="Cases a month; may be given again. Around the pack's own unless given."),
    ] = [],  # noqa: B006
    months: Annotated[int, typer.Option(min=1, max=36, help="How many months, the last ones.")] = 3,
    outcomes: Annotated[
        Path | None, typer.Option(help="Parquet of what is known: subject, typology and, if known, group.")
    ] = None,
    suppressed: Annotated[
        Path | None, typer.Option(help="TOML of subjects set aside, each with a reason and a last day.")
    ] = None,
) -> None:
    """Run packs over a history: budgets, the line between in and out, challengers, drift, and a model card."""
    from lightship import app_backtest
    from lightship.app_payments import TYPOLOGIES
    from lightship.payments.wording import counted

    cards = app_backtest.backtest(
        payments,
        out,
        pack,
        typologies=typology or TYPOLOGIES,
        challengers=challenger,
        budgets=budget,
        months=months,
        known=outcomes,
        suppressions=suppressed,
        tell=say,
    )
    for card in cards:
        typer.echo(card.to_markdown())
    wrote = f"Wrote {counted(len(cards), 'cards')} to {out}"
    say(f"{wrote}, each as Markdown, JSON and a picture, with samples for people to look at.")


def train(
    payments: Annotated[Path, typer.Argument(help="A dataset; a made-up one brings its truth.")],
    out: Annotated[Path, typer.Option(help="File for the model.")],
    typology: Annotated[str, typer.Option(help="Name or path of a typology pack.")],
    pack: Annotated[str, typer.Option(help="Jurisdiction: uk, au, ca, se, or a path.")] = "uk",
    outcomes: Annotated[
        Path | None, typer.Option(help="Parquet of the institution's own decided cases: subject, typology.")
    ] = None,
    baselines: Annotated[
        Path | None, typer.Option(help="Weigh with these baselines instead of fitting the history's own.")
    ] = None,
) -> None:
    """Learn from an institution's own outcomes how far a pack's indicators speak together."""
    from lightship import app_learned

    found = app_learned.train(payments, out, pack, typology, known=outcomes, baselines=baselines, tell=say)
    trial = found.trial
    say(
        f"Wrote {out}: learned from {found.known} known among {found.subjects:,} subjects. On those it had not seen, "
        f"its first {trial.size} hold {trial.learned_hits} known ones; the pack's hold {trial.pack_hits}. "
        "It is shown beside the pack's weight and changes no queue."
    )


def demo(out: Annotated[Path, typer.Option(help="Folder for what it leaves behind.")] = Path("out")) -> None:
    """Play the payments' chapter on made-up people; the exit code says whether every claim held."""
    from lightship.demo.play import PAYMENTS, play

    if not play(out, [PAYMENTS]):
        raise typer.Exit(1)
