"""``lightship payments serve``: payments as they happen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightship.say import say
from lightship.settings import state_folder


def serve(
    data: Annotated[
        Path, typer.Option(help="A dataset: customers, ties, markers, and the history to begin with.")
    ],
    baseline: Annotated[
        Path, typer.Option(help="The folder of baselines that `lightship payments score` wrote.")
    ],
    pack: Annotated[str, typer.Option(help="Jurisdiction: uk, au, ca, se, or a path.")] = "uk",
    state: Annotated[Path | None, typer.Option(help="Folder of the journal.")] = None,
    database: Annotated[
        str, typer.Option(help="Keep the journal in postgresql://USER@HOST/NAME, not in the folder.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8087,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    plain: Annotated[bool, typer.Option(help="No TLS here: a proxy before it does it.")] = False,
    nats: Annotated[str, typer.Option(help="Also take payments from this NATS server.")] = "",
    tenants: Annotated[Path | None, typer.Option(help="The file of tenants.")] = None,
) -> None:
    """Take payments in as they happen, each on disk before it is answered; alerts are told at once."""
    from lightship import app_payments_live as wiring
    from lightship.app_serving import Serving
    from lightship.console.gate import Limits

    serving = Serving(host, port, tls_certificate, tls_key, plain, Limits(under_way=256))
    live = wiring.Live(data, baseline, pack, state or state_folder() / "payments", database, nats)
    wiring.serve(live, serving, tenants or state_folder() / "tenants.json", say)


def token(
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    scopes: Annotated[str, typer.Option(help="What it may do: payments, alerts, metrics.")] = "payments",
    per_minute: Annotated[int, typer.Option(min=1, help="Payments a minute.")] = 1_000_000,
    per_day: Annotated[int, typer.Option(min=1, help="Payments a day.")] = 100_000_000,
    tenants: Annotated[Path | None, typer.Option(help="The file of tenants.")] = None,
) -> None:
    """Make a token for the live path, or a new one in place of an old; it is shown once and kept nowhere."""
    from lightship.console.tenants import Tenant, add

    path = tenants or state_folder() / "tenants.json"
    tenant = Tenant(name, "", tuple(one.strip() for one in scopes.split(",")), (), per_minute, per_day)
    typer.echo(add(path, tenant))
    typer.echo(f"Written to {path}; a running service takes it up within a second.", err=True)
