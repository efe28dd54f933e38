"""``lightship serve``, ``worker``, ``account`` and ``token``: a platform's watch, its console, and who may use it."""

from __future__ import annotations

import inspect
import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lightship.core.errors import InputError
from lightship.say import say
from lightship.settings import state_folder

if TYPE_CHECKING:
    from lightship.app_platform import Deployment

token_app = typer.Typer(help="Who may use a platform's interface.", no_args_is_help=True)

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
ReferTo = Annotated[
    str, typer.Option(help="Where referred cases go: a body's https address, or bus within one house.")
]
ReferToken = Annotated[Path | None, typer.Option(help="File with the token that the body gave.")]
ReferAs = Annotated[str, typer.Option(help="The name under which the body knows this platform.")]
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


Controls = Annotated[str, typer.Option(help="Name or path of the rules of what a livestream may do.")]
Switch = Annotated[
    list[str], typer.Option("--control", help="A rule of them switched on or off, as child-host=off.")
]
Retention = Annotated[str, typer.Option(help="Name or path of the terms by which things are forgotten.")]


def _deployment(
    folder: Folder = None,
    database: Database = "",
    nats: Nats = "",
    known: Known = [],  # noqa: B006
    lawful: Lawful = [],  # noqa: B006
    webhook: Hook = "",
    secret_file: Secret = None,
    nginx_control: Control = "",
    refer_to: ReferTo = "",
    refer_token: ReferToken = None,
    refer_as: ReferAs = "",
    allow: Allow = [],  # noqa: B006
    policy: Policy = "public-live",
    private_basis: Basis = [],  # noqa: B006
    most: Most = 150,
    retention: Retention = "gb",
    oidc: Provider = None,
    controls: Controls = "gb",
    control: Switch = [],  # noqa: B006
) -> Deployment:
    from lightship.app_platform import Deployment

    try:
        allowed = tuple(ipaddress.ip_network(one) for one in allow)
    except ValueError as error:
        raise InputError(f"This is no network: {error}.", "--allow", "Write it like 10.0.0.0/8.") from error
    return Deployment(
        folder or state_folder() / "platform",
        database,
        nats,
        tuple(known),
        tuple(lawful),
        webhook=webhook,
        secret_file=secret_file,
        nginx_control=nginx_control,
        refer_to=refer_to,
        refer_token=refer_token,
        refer_as=refer_as,
        allowed=allowed,
        policy=policy,
        private_bases=frozenset(private_basis),
        most=most,
        retention=retention,
        oidc=oidc,
        controls=controls,
        switched=tuple(control),
    )


def deployed(folder: Path | None = None, database: str = "") -> Deployment:
    """Return a deployment by its folder and database alone."""
    return _deployment(folder, database)


def _deployed(body: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :func:`_deployment`, in place of its parameter ``deployment``.

    They are so said once for all commands. The deployment is only made when the command asks for it.
    """
    shared, own = _options(_deployment), _options(body)
    del own["deployment"]

    def command(**given: Any) -> None:
        named = {name: given.pop(name) for name in shared}
        body(lambda: _deployment(**named), **given)

    command.__name__, command.__doc__ = body.__name__, body.__doc__
    command.__signature__ = inspect.Signature([*shared.values(), *own.values()])  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in {**shared, **own}.items()}
    return command


def _options(of: Callable[..., object]) -> dict[str, inspect.Parameter]:
    kinds = inspect.get_annotations(of, eval_str=True, locals={"Deployment": object})
    return {
        name: one.replace(annotation=kinds[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, one in inspect.signature(of).parameters.items()
    }


@_deployed
def serve(
    deployment: Callable[[], Deployment],
    host: Annotated[str, typer.Option(help="Address of console and interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8080,
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

    wiring.serve(deployment(), host, port, say, watch=watch)


@_deployed
def worker(
    deployment: Callable[[], Deployment],
    name: Annotated[str, typer.Option(help="Unlike any other worker's.")] = "",
) -> None:
    """Watch streams beside other processes on the same database, until interrupted."""
    _one_thread_each()
    from lightship import app_serve as wiring

    wiring.work(deployment(), say, name)


def account(
    name: Annotated[str, typer.Argument(help="Small letters, digits, . _ and -.")],
    role: Annotated[str, typer.Option(help="moderator, lead, auditor or administrator.")],
    shown_as: Annotated[str, typer.Option(help="How colleagues see the name.")] = "",
    folder: Folder = None,
    database: Database = "",
) -> None:
    """Make an account; the password is asked for, and the secret of the one-time codes is shown once."""
    from lightship.app_platform import add_account
    from lightship.core.people import PLATFORM_ROLES

    if role not in PLATFORM_ROLES:
        raise InputError(f"“{role}” is no role.", "--role", f"Use {', '.join(PLATFORM_ROLES)}.")
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    secret = add_account(_deployment(folder, database), name, shown_as or name, role, password)
    typer.echo(f"Secret of the one-time codes, for an authenticator app, shown once: {secret}")


@token_app.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="Whose it is: letters, digits, ., _ and -.")],
    scopes: Annotated[
        str,
        typer.Option(
            help="What it may do: streams, reports, cases, decisions, metrics, match, lists, referrals."
        ),
    ],
    lists: Annotated[
        list[str], typer.Option("--list", help="For match and lists: a list it may be told of, or * for all.")
    ] = [],  # noqa: B006
    per_minute: Annotated[int, typer.Option(min=1, help="Requests, or hashes, a minute.")] = 6_000,
    per_day: Annotated[int, typer.Option(min=1, help="Requests, or hashes, a day.")] = 1_000_000,
    folder: Folder = None,
) -> None:
    """Make a token, or a new one in place of the old of that name; it is shown once and kept nowhere."""
    from lightship.console.tenants import Tenant, add

    tenants = _deployment(folder).tenants
    wanted = tuple(dict.fromkeys(one.strip() for one in scopes.split(",") if one.strip()))
    if not wanted:
        raise InputError("A token without a scope is good for nothing.", "--scopes", "Name at least one.")
    typer.echo(add(tenants, Tenant(name, "", wanted, tuple(lists), per_minute, per_day)))
    say(f"Written to {tenants}; a running service takes it up within a second.")


@token_app.command("list")
def token_list(folder: Folder = None) -> None:
    """Say whose tokens there are, and what each may do; never a token."""
    from lightship.console.tenants import Tenants

    for one in sorted(Tenants(_deployment(folder).tenants).all(), key=lambda one: one.name):
        lists = f"; lists {', '.join(one.lists)}" if one.lists else ""
        typer.echo(
            f"{one.name}: {', '.join(one.scopes)}{lists}; {one.per_minute} a minute, {one.per_day} a day"
        )


@token_app.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="Whose it is.")], folder: Folder = None) -> None:
    """Take a token back: it is worth nothing any more."""
    from lightship.console.tenants import revoke

    revoke(_deployment(folder).tenants, name)
    say(f"The token of {name} is worth nothing any more; a running service knows within a second.")


def _one_thread_each() -> None:
    """Keep linear algebra to its caller's thread, unless the machine's owner says otherwise; before NumPy is loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
