"""``lightship payments``: from transactions to alerts, bundles and drafts."""

from __future__ import annotations

import typer

payments_app = typer.Typer(
    help="Payments: who pays for and receives money from livestreamed abuse, and which child is being extorted.",
    no_args_is_help=True,
)
