"""What a platform's watch runs on: store, leases, bus, vault and lists, opened as a deployment names them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from lightship.app_lists import matcher_of
from lightship.console.accounts import Accounts
from lightship.console.settings import utc_now
from lightship.core.errors import StoreError
from lightship.core.people import Role
from lightship.core.ports import Bus, Leases
from lightship.detect.matcher import Matcher
from lightship.infra.bus import LocalBus
from lightship.infra.keys import load_or_create_key
from lightship.infra.leases import SqlLeases
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import check_version, upgrade
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.infra.secret_file import secret_of
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.settings import state_folder
from lightship.watch.address import Network
from lightship.watch.backlog import Backlog
from lightship.watch.chores import Chores, Trouble
from lightship.watch.worker import TTL_S

TRAINING_DAYS = 365


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment names.

    Parameters
    ----------
    folder
        Ledger, vault, keys and, unless another is named, the database.
    database
        Such as ``postgresql+psycopg://user@host/name``; empty is SQLite in the folder.
    nats
        Such as ``nats://host:4222``; empty keeps messages in this process and leases in the database.
    lists
        Files or governed names of lists of known media; empty is every governed list.
    lawful
        Lists of known-lawful media.
    webhook, secret_file
        Where effects go, and the file with the secret that signs them.
    nginx_control
        Instead of a webhook, the address of nginx-rtmp's control module.
    refer_to, refer_token, refer_as
        Where people's referrals of cases go: a body's ``https`` address with the file of its token, or ``bus`` where
        the body is of the same house; and the name under which the body knows this platform.
    allowed
        Networks that streams may be pulled from although they are not public, such as ``127.0.0.0/8``.
    policy
        Of streams that name none.
    private_bases
        The recorded bases on which a private stream may be looked at; empty looks at none.
    most
        Streams that this process watches at most.
    retention
        Name or path of the terms by which what is past its time is forgotten.
    oidc
        File with the settings of the provider that people sign in through.
    controls, switched
        Name or path of the dated rules of what a livestream may do, and which of them are switched, as ``id=on``.
    """

    folder: Path
    database: str = ""
    nats: str = ""
    lists: tuple[Path, ...] = ()
    lawful: tuple[Path, ...] = ()
    webhook: str = ""
    secret_file: Path | None = None
    nginx_control: str = ""
    refer_to: str = ""
    refer_token: Path | None = None
    refer_as: str = ""
    allowed: tuple[Network, ...] = ()
    policy: str = "public-live"
    private_bases: frozenset[str] = frozenset()
    most: int = 150
    retention: str = "gb"
    oidc: Path | None = None
    controls: str = "gb"
    switched: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database or f"sqlite:///{self.folder / 'platform.db'}"

    @property
    def tenants(self) -> Path:
        """The file of those who may use the interface."""
        return self.folder / "tenants.json"


@dataclass(frozen=True)
class Platform:
    """A deployment that is open.

    Parameters
    ----------
    matcher
        Searches the lists, as they are now.
    chores
        What this process does all the time.
    backlog
        Entries for the ledger that wait while the store is away.
    checks
        By the name of a part: raises a ``LightshipError`` while it cannot be used.
    wake
        Set when an effect is due at once.
    """

    deployment: Deployment
    store: SqlStore
    leases: Leases
    bus: Bus
    vault: FileVault
    matcher: Matcher
    chores: Chores
    backlog: Backlog
    checks: dict[str, Callable[[], object]] = field(default_factory=dict)
    wake: threading.Event = field(default_factory=threading.Event)


def process_name() -> str:
    """Return a name that no other process has now."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextmanager
def open_platform(deployment: Deployment, say: Callable[[str], None]) -> Iterator[Platform]:
    """Open a deployment's store, leases, bus, vault and lists; the tables are brought up to this release.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    folder = deployment.folder
    _made(folder)
    upgrade(deployment.url)
    with ExitStack() as stack:
        store = SqlStore(deployment.url)
        stack.callback(store.close)
        leases: Leases = SqlLeases(store)
        bus: Bus = LocalBus()
        checks: dict[str, Callable[[], object]] = {"the store": lambda: check_version(store)}
        if deployment.nats:
            link = stack.enter_context(NatsLink(deployment.nats))
            leases, bus = NatsLeases(link, TTL_S), NatsBus(link)
            checks["the bus"] = link.check
        seen = stack.enter_context(ledger_of(folder / "looks.ledger", "lightship-vault"))
        vault = FileVault(folder / "vault", seen)
        checks["the vault"] = vault.check
        # A lease of its own is written anew each time: so the leases, and on one machine the store, can be written to.
        checks["the leases"] = lambda: leases.take([f"process/{process_name()}"], process_name(), TTL_S)
        matcher = stack.enter_context(matcher_of(deployment.lists, deployment.lawful, "pdq", say))
        backlog = Backlog(store)

        def over(trouble: Trouble, at: object) -> None:
            entry = {"kind": "gap", "part": trouble.chore, "reason": trouble.reason}
            backlog.record({**entry, "since": trouble.since.isoformat(), "until": str(at)})

        chores = Chores(over)
        stack.callback(chores.end)
        chores.every("the journal", 2.0, backlog.flush)
        yield Platform(deployment, store, leases, bus, vault, matcher, chores, backlog, checks)


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        what = f"The platform's folder cannot be made: {error.strerror}."
        raise StoreError(what, str(folder), "Name another with --folder.") from error


def ledger_of(path: Path, name: str) -> LedgerFile:
    """Return a ledger that is open, with its key beside it."""
    return LedgerFile(path, load_or_create_key(path.with_suffix(".key"), name))


def console_secret(folder: Path) -> bytes:
    """Return the console's secret, made at its first start."""
    return secret_of(folder / "console.key", StoreError)


def add_account(deployment: Deployment, name: str, shown_as: str, role: Role, password: str) -> str:
    """Make an account; returns the secret of its one-time codes.

    Raises
    ------
    LightshipError
        If there is one of that name, or the name or password cannot be used.
    """
    _made(deployment.folder)
    secret = console_secret(deployment.folder)
    upgrade(deployment.url)
    with SqlStore(deployment.url) as store:
        trained_until = utc_now() + timedelta(days=TRAINING_DAYS)
        return Accounts(store, secret, utc_now).add(name, shown_as, role, password, trained_until)


@contextmanager
def store_of(folder: Path | None, database: str = "") -> Iterator[SqlStore]:
    """Open the store of a deployment that is there already, beside whatever works on it.

    Raises
    ------
    StoreError
        If there is none, or it cannot be used.
    """
    deployment = Deployment(folder or state_folder() / "platform", database)
    if not database and not (deployment.folder / "platform.db").exists():
        raise StoreError(
            "There is no platform here.", str(deployment.folder), "Name its --folder or --database."
        )
    upgrade(deployment.url)
    with SqlStore(deployment.url) as store:
        yield store
