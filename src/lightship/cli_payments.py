"""``lightship payments`` and ``lightship packs``: who pays, who receives, who is being extorted; and what says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lightship.core.errors import InputError
from lightship.say import say

if TYPE_CHECKING:
    from lightship.app_payments_read import Reading

payments_app = typer.Typer(help="Payments: a short ranked list, with why and why not.", no_args_is_help=True)


Mapping = Annotated[
    Path | None, typer.Option(help="What the columns mean, TOML; none where they are called as ours.")
]
Customers = Annotated[list[Path], typer.Option(help="Customers; may be given again.")]
Ties = Annotated[list[Path], typer.Option(help="Customers' ties to countries.")]
Markers = Annotated[list[Path], typer.Option(help="Outside facts about payers and payees.")]
Rates = Annotated[
    str | None,
    typer.Option("--fx", help="A dated table of rates, or “example”; needed for several currencies."),
]
WayOfMessages = Annotated[str, typer.Option("--rail", help="By which way the payments of messages went.")]
RejectLimit = Annotated[int, typer.Option(min=0, help="So many rows may be unusable.")]
AsOf = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day a payment may be of; today.")
]
LIMIT = 10_000


def reading(
    sources: list[Path],
    mapping: Path | None,
    customers: list[Path],
    ties: list[Path],
    markers: list[Path],
    rates: str | None,
    rail: str,
    reject_limit: int,
    as_of: datetime | None,
) -> Reading:
    """Return what is to be read, and how.

    Raises
    ------
    InputError
        If there is no such rail.
    """
    from lightship.app_payments_read import Reading
    from lightship.core.errors import InputError
    from lightship.core.payments import RAILS

    if rail not in RAILS:
        raise InputError(f"There is no rail “{rail}”.", "--rail", f"Use {', '.join(RAILS)}.")
    facts = {"customers": customers, "ties": ties, "markers": markers}
    latest = (as_of or datetime.now(UTC)).date()
    return Reading(sources, latest, facts, mapping, rates, rail, reject_limit)


@payments_app.command()
def read(
    sources: Annotated[
        list[Path], typer.Argument(help="CSV, Parquet or ISO 20022 files, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the dataset.")],
    mapping: Mapping = None,
    customers: Customers = [],  # noqa: B006
    ties: Ties = [],  # noqa: B006
    markers: Markers = [],  # noqa: B006
    rates: Rates = None,
    rail: WayOfMessages = "bank",
    reject_limit: RejectLimit = LIMIT,
    as_of: AsOf = None,
) -> None:
    """Read payments into a dataset; rows that cannot be used go to OUT.rejects.csv, with the reason."""
    from lightship import app_payments_read as wiring

    made = reading(sources, mapping, customers, ties, markers, rates, rail, reject_limit, as_of)
    wiring.read(made, out, say)


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
        list[Path],
        typer.Argument(
            help="CSV, Parquet or ISO 20022 files, or folders of them; or a dataset that "
            "`lightship payments read` wrote."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the alerts, the baselines, and what was read.")],
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
    mapping: Mapping = None,
    customers: Customers = [],  # noqa: B006
    ties: Ties = [],  # noqa: B006
    markers: Markers = [],  # noqa: B006
    rates: Rates = None,
    rail: WayOfMessages = "bank",
    reject_limit: RejectLimit = LIMIT,
    as_of: AsOf = None,
    model: Annotated[
        list[Path],
        typer.Option(
            help="A model that `train` wrote, told beside each alert; one a typology. Not with --onto."
        ),
    ] = [],  # noqa: B006
) -> None:
    """Score payments and rank what is worth a person's look.

    Files and messages are first read into OUT/data, as `lightship payments read` does it.
    """
    from lightship import app_payments, app_payments_read, app_payments_score
    from lightship.payments.wording import counted

    if model:
        from lightship import app_learned
    if model and onto is not None:
        raise InputError("A model needs the whole history.", "--model", "Leave out --onto.")
    models = [app_learned.read(path) for path in model]
    made = reading(payments, mapping, customers, ties, markers, rates, rail, reject_limit, as_of)
    folder = app_payments_read.dataset_of(made, out, say)
    with steps("Scoring") as tell:
        found = app_payments_score.score_dataset(
            folder,
            out,
            pack,
            typologies=typology or app_payments.TYPOLOGIES,
            budget=budget,
            baselines=baselines,
            keep=keep,
            onto=onto,
            tell=tell,
            say=say,
        )
    for name, scored in found.items():
        say(
            f"{name}: {counted(len(scored.alerts), 'cases')} of {scored.above} above "
            f"{scored.baseline.threshold_mdb / 1000:.1f} dB, "
            f"among {counted(scored.baseline.subjects, 'subjects')}."
        )
    if models:
        names = typology or app_payments.TYPOLOGIES
        for name, others in app_learned.beside(folder, out, pack, found, models, names).items():
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
