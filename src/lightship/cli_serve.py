"""``lightship serve``, ``worker`` and ``account``: a platform's watch, its console, and who may use it."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lightship.core.errors import InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.app_serve import Deployment

Folder = Annotated[
    Path | None, typer.Option(help="Ledger, vault, keys and database; beside the state unless named.")
]
Database = Annotated[
    str, typer.Option(help="Such as postgresql+psycopg://user@host/name; SQLite in the folder unless named.")
]
Nats = Annotated[str, typer.Option(help="Such as nats://host:4222; one process needs none.")]
Known = Annotated[
    list[Path],
    typer.Option("--list", help="A list's file, or a governed list's name. None: all governed lists."),
]
Lawful = Annotated[list[Path], typer.Option(help="A list of known-lawful media, which overrides.")]
Hook = Annotated[str, typer.Option(help="Where effects go: stop the stream, cut viewers, revoke a key.")]
Secret = Annotated[Path | None, typer.Option(help="File with the secret that signs the webhook.")]
Control = Annotated[str, typer.Option(help="Instead: the address of nginx-rtmp's control module.")]
Allow = Annotated[
    list[str],
    typer.Option(help="A network that streams may be pulled from although it is not public, as 10.0.0.0/8."),
]
Policy = Annotated[str, typer.Option(help="Of streams that name none.")]
Basis = Annotated[
    list[str],
    typer.Option(help="A recorded basis on which a private stream may be looked at; word for word."),
]
Provider = Annotated[
    Path | None,
    typer.Option("--oidc", help="File (TOML) with the OpenID Connect provider to sign in through."),
]
Most = Annotated[int, typer.Option(min=1, help="Streams that this process watches at most.")]


def _deployment(
    folder: Path | None,
    database: str = "",
    nats: str = "",
    known: list[Path] | None = None,
    lawful: list[Path] | None = None,
    webhook: str = "",
    secret_file: Path | None = None,
    nginx_control: str = "",
    allow: list[str] | None = None,
    policy: str = "public-live",
    private_basis: list[str] | None = None,
    most: int = 150,
    oidc: Path | None = None,
) -> Deployment:
    from lightship.app_serve import Deployment

    try:
        allowed = tuple(ipaddress.ip_network(one) for one in allow or [])
    except ValueError as error:
        raise InputError(f"This is no network: {error}.", "--allow", "Write it like 10.0.0.0/8.") from error
    return Deployment(
        folder or state_folder() / "platform",
        database,
        nats,
        tuple(known or []),
        tuple(lawful or []),
        webhook=webhook,
        secret_file=secret_file,
        nginx_control=nginx_control,
        allowed=allowed,
        policy=policy,
        private_bases=frozenset(private_basis or []),
        most=most,
        oidc=oidc,
    )


def serve(
    folder: Folder = None,
    database: Database = "",
    nats: Nats = "",
    known: Known = [],  # noqa: B006
    lawful: Lawful = [],  # noqa: B006
    webhook: Hook = "",
    secret_file: Secret = None,
    nginx_control: Control = "",
    allow: Allow = [],  # noqa: B006
    policy: Policy = "public-live",
    private_basis: Basis = [],  # noqa: B006
    most: Most = 150,
    host: Annotated[str, typer.Option(help="Address of console and interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8080,
    oidc: Provider = None,
    watch: Annotated[bool, typer.Option(help="Watch streams here as well, not only in workers.")] = True,
    demo: Annotated[
        bool, typer.Option(help="Play demonstration streams into it, with accounts to try it with.")
    ] = False,
) -> None:
    """Watch a platform's live streams, and serve the console and the interface, until interrupted."""
    if demo:
        from lightship.demo.platform import keep_open

        keep_open(host, port, say)
        return
    _one_thread_each()
    from lightship import app_serve as wiring

    deployment = _deployment(
        folder, database, nats, known, lawful, webhook, secret_file, nginx_control, allow, policy,
        private_basis, most, oidc,
    )  # fmt: skip
    wiring.serve(deployment, host, port, say, watch=watch)


def worker(
    folder: Folder = None,
    database: Database = "",
    nats: Nats = "",
    known: Known = [],  # noqa: B006
    lawful: Lawful = [],  # noqa: B006
    webhook: Hook = "",
    secret_file: Secret = None,
    nginx_control: Control = "",
    allow: Allow = [],  # noqa: B006
    policy: Policy = "public-live",
    private_basis: Basis = [],  # noqa: B006
    most: Most = 150,
    name: Annotated[str, typer.Option(help="Unlike any other worker's.")] = "",
) -> None:
    """Watch streams beside other processes on the same database, until interrupted."""
    _one_thread_each()
    from lightship import app_serve as wiring

    deployment = _deployment(
        folder, database, nats, known, lawful, webhook, secret_file, nginx_control, allow, policy,
        private_basis, most,
    )  # fmt: skip
    wiring.work(deployment, say, name)


def account(
    name: Annotated[str, typer.Argument(help="Small letters, digits, . _ and -.")],
    role: Annotated[str, typer.Option(help="moderator, lead, auditor or administrator.")],
    shown_as: Annotated[str, typer.Option(help="How colleagues see the name.")] = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Make an account; the password is asked for, and the secret of the one-time codes is shown once."""
    from lightship import app_serve as wiring
    from lightship.core.people import Role

    if role not in get_args(Role):
        raise InputError(f"“{role}” is no role.", "--role", f"Use {', '.join(get_args(Role))}.")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    deployment = _deployment(folder, database)
    secret = wiring.add_account(deployment, name, shown_as or name, cast(Role, role), password)
    typer.echo(f"Secret of the one-time codes, for an authenticator app, shown once: {secret}")


def _one_thread_each() -> None:
    """Keep linear algebra to its caller's thread, unless the machine's owner says otherwise; before NumPy is loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
