"""``lightship payments read``: an institution's files and messages become a dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lightship.say import say


def read(
    sources: Annotated[
        list[Path], typer.Argument(help="CSV, Parquet or ISO 20022 files, or folders of them.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the dataset.")],
    mapping: Annotated[
        Path | None, typer.Option(help="What the columns mean, TOML; none where they are called as ours.")
    ] = None,
    customers: Annotated[list[Path], typer.Option(help="Customers; may be given again.")] = [],  # noqa: B006
    ties: Annotated[list[Path], typer.Option(help="Customers' ties to countries.")] = [],  # noqa: B006
    markers: Annotated[list[Path], typer.Option(help="Outside facts about payers and payees.")] = [],  # noqa: B006
    rates: Annotated[
        str | None,
        typer.Option("--fx", help="A dated table of rates, or “example”; needed for several currencies."),
    ] = None,
    rail: Annotated[str, typer.Option(help="By which way the payments of messages went.")] = "bank",
    reject_limit: Annotated[int, typer.Option(min=0, help="So many rows may be unusable.")] = 10_000,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day a payment may be of; today.")
    ] = None,
) -> None:
    """Read payments into a dataset; rows that cannot be used go to OUT.rejects.csv, with the reason."""
    from lightship import app_payments_read as wiring
    from lightship.core.errors import InputError
    from lightship.core.payments import RAILS

    if rail not in RAILS:
        raise InputError(f"There is no rail “{rail}”.", "--rail", f"Use {', '.join(RAILS)}.")
    facts = {"customers": customers, "ties": ties, "markers": markers}
    latest = (as_of or datetime.now(UTC)).date()
    reading = wiring.Reading(sources, latest, facts, mapping, rates, rail, reject_limit)
    wiring.read(reading, out, say)
