"""``lightship payments`` and ``lightship packs``: who pays, who receives, who is being extorted; and what says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lightship.core.errors import InputError
from lightship.say import say

payments_app = typer.Typer(help="Payments: a short ranked list, with why and why not.", no_args_is_help=True)


@contextmanager
def steps(title: str) -> Iterator[Callable[[str], None]]:
    """Yield a callback that shows the step on a terminal, and says nothing where there is none."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    with console.status(escape(title)) as status:
        yield lambda step: status.update(f"{escape(title)}: {escape(step)}")


@payments_app.command()
def score(
    payments: Annotated[
        Path, typer.Argument(help="A dataset: the folder that `lightship payments read` wrote.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for alerts.jsonl and the baselines.")],
    pack: Annotated[str, typer.Option(help="Jurisdiction: uk, au, ca, se, or a path.")] = "uk",
    typology: Annotated[
        list[str] | None, typer.Option(help="Name or path of a typology pack; all unless named.")
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="Cases a month that the team can look at; the pack's unless given."),
    ] = None,
    baselines: Annotated[
        Path | None, typer.Option(help="Weigh with these baselines instead of fitting the history's own.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder in which to keep what a later score goes on from.")
    ] = None,
    onto: Annotated[
        Path | None,
        typer.Option(
            help="Go on from what --keep left: PAYMENTS are those since, and only whom they concern is scored."
        ),
    ] = None,
    model: Annotated[
        list[Path],
        typer.Option(
            help="A model that `train` wrote, told beside each alert; one a typology. Not with --onto."
        ),
    ] = [],  # noqa: B006
) -> None:
    """Score payments and rank what is worth a person's look."""
    from lightship import app_payments

    if model:
        from lightship import app_learned
    if model and onto is not None:
        raise InputError("A model needs the whole history.", "--model", "Leave out --onto.")
    models = [app_learned.read(path) for path in model]
    with steps("Scoring") as tell:
        found = app_payments.score_dataset(
            payments,
            out,
            pack,
            typologies=typology or app_payments.TYPOLOGIES,
            budget=budget,
            baselines=baselines,
            keep=keep,
            onto=onto,
            tell=tell,
        )
    for name, scored in found.items():
        say(
            f"{name}: {len(scored.alerts)} cases of {scored.above} above "
            f"{scored.baseline.threshold_mdb / 1000:.1f} dB, "
            f"among {scored.baseline.subjects:,} subjects."
        )
    if models:
        names = typology or app_payments.TYPOLOGIES
        for name, others in app_learned.beside(payments, out, pack, found, models, names).items():
            say(
                f"{name}: of as many as the queue holds, the model would name {others} others. "
                "Beside each alert: learned.jsonl. The queue is the pack's."
            )
    say(f"Wrote {out / 'alerts.jsonl'}. Each is a pattern worth a look, never a finding about a person.")


def explain(
    name: Annotated[str, typer.Argument(help="A typology pack, by name or path.")],
) -> None:
    """Print a typology pack in plain words, with its sources and the proof about protected attributes."""
    from lightship import app_payments
    from lightship.payments.explain import explained

    typer.echo(explained(app_payments.typology(name)))
