"""``lightship matcher``: the service that small platforms ask, and the tokens they ask with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightship.say import say
from lightship.settings import state_folder

matcher_app = typer.Typer(help="A matcher that others may ask, with hashes only.", no_args_is_help=True)

TenantsFile = Annotated[Path | None, typer.Option("--tenants", help="The file of tenants.")]


def _tenants(path: Path | None) -> Path:
    return path or state_folder() / "tenants.json"


@matcher_app.command()
def token(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    lists: Annotated[
        list[str], typer.Option("--list", help="A list it may be told of, or * for all; may be given again.")
    ],
    scopes: Annotated[str, typer.Option(help="What it may do: match, lists, metrics.")] = "match,lists",
    per_minute: Annotated[int, typer.Option(min=1, help="Hashes a minute.")] = 6_000,
    per_day: Annotated[int, typer.Option(min=1, help="Hashes a day.")] = 1_000_000,
    tenants: TenantsFile = None,
) -> None:
    """Make a token, or a new one in place of a tenant's old; it is shown once and kept nowhere."""
    from lightship.console.tenants import Tenant, add

    tenant = Tenant(
        name, "", tuple(one.strip() for one in scopes.split(",")), tuple(lists), per_minute, per_day
    )
    typer.echo(add(_tenants(tenants), tenant))
    typer.echo(f"Written to {_tenants(tenants)}; a running service takes it up within a second.", err=True)


@matcher_app.command()
def lift(
    name: Annotated[str, typer.Argument(help="The tenant's name.")], tenants: TenantsFile = None
) -> None:
    """Let a tenant go on that an alarm suspended, once a person has looked."""
    from lightship.console.tenants import lift as let_go_on

    let_go_on(_tenants(tenants), name)
    typer.echo(f"{name} may go on; a running service takes it up within a second.", err=True)


@matcher_app.command()
def serve(
    ctx: typer.Context,
    known: Annotated[
        list[Path],
        typer.Option(
            "--list",
            help="A list's file, or a governed list's name; may be given again. None: all governed lists.",
        ),
    ] = [],  # noqa: B006
    lawful: Annotated[
        list[Path], typer.Option(help="A list of known-lawful media, which overrides; may be given again.")
    ] = [],  # noqa: B006
    canaries: Annotated[
        Path | None, typer.Option(help="A list of hashes of no picture: who asks near one is an alarm.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="Of the lists: pdq, vpdq, digests, urls, or a mapping's path.")
    ] = "pdq",
    skip_bad: Annotated[bool, typer.Option(help="Load the good lines of a list that has bad ones.")] = False,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8086,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    plain: Annotated[bool, typer.Option(help="No TLS here: a proxy before it does it.")] = False,
    arrive_s: Annotated[
        float, typer.Option(min=0.1, max=600.0, help="Seconds that a request has to arrive.")
    ] = 10.0,
    tenants: TenantsFile = None,
    ledger: Annotated[Path | None, typer.Option(help="Where the record lies.")] = None,
) -> None:
    """Serve the matcher until interrupted."""
    from lightship import app_matcher as wiring
    from lightship.app_lists import matcher_of
    from lightship.app_serving import Serving
    from lightship.console.gate import Limits
    from lightship.detect.bank import load

    serving = Serving(host, port, tls_certificate, tls_key, plain, Limits(arrive_s=arrive_s))
    serving.check()
    wiring.serve(
        serving,
        ctx.with_resource(matcher_of(known, lawful, form, say, skip_bad=skip_bad)),
        _tenants(tenants),
        ledger or state_folder() / "matcher.ledger",
        load(canaries) if canaries else None,
    )
