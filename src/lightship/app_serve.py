"""Wires a platform's watch: store, ledger, bus, vault, workers, senders and the console; one process or several."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from lightship import packs
from lightship.app import interruptible
from lightship.app_lists import matcher_of
from lightship.console.accounts import Accounts
from lightship.console.application import create_console
from lightship.console.desk import CASES, WatchDesk
from lightship.console.gate import Limits
from lightship.console.health import Health, ListAge
from lightship.console.logs import logger, quiet_server
from lightship.console.oidc import read_oidc
from lightship.console.server import Server, config_of
from lightship.console.settings import Settings, utc_now
from lightship.console.tenants import Tenants
from lightship.core.cases import Effect, Stream
from lightship.core.errors import InputError, LightshipError, StoreError
from lightship.core.people import Role, Shift
from lightship.core.ports import Bus, Leases, Store
from lightship.detect.bank import Bank
from lightship.detect.look_up import quickest
from lightship.detect.loop import Sensors, load_sensors
from lightship.infra.bus import LocalBus
from lightship.infra.keys import load_or_create_key, load_public_key
from lightship.infra.leases import SqlLeases
from lightship.infra.ledger_file import LedgerFile, verify_file
from lightship.infra.migrate import upgrade
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_leases import NatsLeases
from lightship.infra.nats_link import NatsLink
from lightship.infra.retention import expire
from lightship.infra.sealer import Sealer
from lightship.infra.secret_file import secret_of
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.media.sources import Source
from lightship.watch.actions import NginxRtmp, Webhook
from lightship.watch.address import Network, pin
from lightship.watch.basis import Bases
from lightship.watch.outbox import keep_sending
from lightship.watch.pull import pull
from lightship.watch.worker import FILED, TTL_S, Setup, Worker

RETENTION_S = 3600.0
TRAINING_DAYS = 365
HEALTH_S = 2.0

Deliver = Callable[[Effect], None]


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
    allowed
        Networks that streams may be pulled from although they are not public, such as ``127.0.0.0/8``.
    policy
        Of streams that name none.
    private_bases
        The recorded bases on which a private stream may be looked at; empty looks at none.
    most
        Streams that this process watches at most.
    oidc
        File with the settings of the provider that people sign in through.
    """

    folder: Path
    database: str = ""
    nats: str = ""
    lists: tuple[Path, ...] = ()
    lawful: tuple[Path, ...] = ()
    webhook: str = ""
    secret_file: Path | None = None
    nginx_control: str = ""
    allowed: tuple[Network, ...] = ()
    policy: str = "public-live"
    private_bases: frozenset[str] = frozenset()
    most: int = 150
    oidc: Path | None = None

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database or f"sqlite:///{self.folder / 'platform.db'}"


@dataclass(frozen=True)
class Platform:
    """A deployment that is open.

    Parameters
    ----------
    wake
        Set when an effect is due at once.
    """

    deployment: Deployment
    store: SqlStore
    leases: Leases
    bus: Bus
    vault: FileVault
    banks: Callable[[], Sequence[Bank]]
    wake: threading.Event = field(default_factory=threading.Event)


@contextmanager
def open_platform(deployment: Deployment, say: Callable[[str], None]) -> Iterator[Platform]:
    """Open a deployment's store, leases, bus, vault and lists; the tables are brought up to this release.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    folder = deployment.folder
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade(deployment.url)
    with ExitStack() as stack:
        store = SqlStore(deployment.url)
        stack.callback(store.close)
        leases: Leases
        bus: Bus
        if deployment.nats:
            link = stack.enter_context(NatsLink(deployment.nats))
            leases, bus = NatsLeases(link, TTL_S), NatsBus(link)
        else:
            leases, bus = SqlLeases(store), LocalBus()
        seen = stack.enter_context(_ledger(folder / "looks.ledger", "lightship-vault"))
        vault = FileVault(folder / "vault", seen)
        matcher = stack.enter_context(matcher_of(deployment.lists, deployment.lawful, "pdq", say))
        yield Platform(deployment, store, leases, bus, vault, lambda: matcher.banks)


def _ledger(path: Path, name: str) -> LedgerFile:
    return LedgerFile(path, load_or_create_key(path.with_suffix(".key"), name))


@contextmanager
def watching(platform: Platform, name: str = "") -> Iterator[Worker]:
    """Watch streams on threads of this process, and let go of them in the end."""
    deployment = platform.deployment

    @cache
    def sensors(policy: str) -> Sensors:
        options = {"known-media": {"lists": tuple(platform.banks()), "weigh": quickest()}}
        return load_sensors(packs.policy(policy or deployment.policy), packs.calibration, options)

    def opened(stream: Stream) -> Source:
        return pull(stream, deployment.allowed)

    setup = Setup(
        platform.store,
        platform.leases,
        sensors,
        opened,
        Bases(public="the service's published terms", private=deployment.private_bases),
        vault=platform.vault,
        bus=platform.bus,
        most=deployment.most,
    )
    worker = Worker(name or f"{socket.gethostname()}-{os.getpid()}", setup)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def deliver_of(platform: Platform) -> Deliver | None:
    """Return what carries effects out; None where a deployment names nothing: they then wait, and pages say so.

    Raises
    ------
    InputError
        If a webhook has no secret, or its file cannot be read.
    """
    deployment = platform.deployment
    if deployment.nginx_control:
        return NginxRtmp(deployment.nginx_control, lambda id_: _on_server(platform.store, id_))
    if not deployment.webhook:
        return None
    if deployment.secret_file is None:
        raise InputError("A webhook needs the secret that signs it.", deployment.webhook, "Name its file.")
    try:
        secret = deployment.secret_file.read_bytes().strip()
    except OSError as error:
        what = f"The webhook's secret cannot be read: {error.strerror}."
        raise InputError(what, str(deployment.secret_file), "Check the path.") from error
    return Webhook(deployment.webhook, secret)


def _on_server(store: Store, stream_id: str) -> tuple[str, str]:
    """Return the application and name under which the media server knows a stream: the end of its address."""
    with store.look() as work:
        stream = work.get(Stream, stream_id)
    app, _, name = urlsplit(stream.address if stream else "").path.strip("/").partition("/")
    if not name:
        raise InputError("The stream's address names no application and stream.", f"stream {stream_id}", "")
    return app, name


@contextmanager
def working(platform: Platform, say: Callable[[str], None]) -> Iterator[None]:
    """Send effects, on threads of this process."""
    stop = threading.Event()
    deliver = deliver_of(platform)
    bodies: list[Callable[[], None]] = [lambda: _wake(platform, stop)]
    if deliver is None:
        say("No webhook and no media server is named: effects are kept and wait.")
    else:
        bodies.append(lambda: keep_sending(platform.store, deliver, utc_now, stop, platform.wake))
    threads = [threading.Thread(target=body, name="lightship-send", daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        platform.wake.set()
        for thread in threads:
            thread.join(timeout=10.0)


@contextmanager
def keeping(platform: Platform, say: Callable[[str], None]) -> Iterator[LedgerFile]:
    """Seal the journal into the ledger and let expire what is due; for one process of a deployment."""
    stop = threading.Event()
    path = platform.deployment.folder / "platform.ledger"
    with _ledger(path, "lightship-platform") as ledger, Sealer(platform.store, ledger) as sealer:
        threads = [
            threading.Thread(target=sealer.run, args=(stop,), name="lightship-seal", daemon=True),
            threading.Thread(
                target=_expire, args=(platform, stop, say), name="lightship-expire", daemon=True
            ),
        ]
        for thread in threads:
            thread.start()
        try:
            yield ledger
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=10.0)
            sealer.seal()


def _wake(platform: Platform, stop: threading.Event) -> None:
    with platform.bus.subscribe(FILED, CASES) as messages:
        for message in messages:
            if stop.is_set():
                return
            if message is not None:
                platform.wake.set()


def _expire(platform: Platform, stop: threading.Event, say: Callable[[str], None]) -> None:
    while not stop.wait(RETENTION_S):
        try:
            expire(platform.store, platform.vault, utc_now())
        except LightshipError as error:
            say(f"What has expired was not destroyed: {error}")


def _secret(folder: Path) -> bytes:
    """Return the console's secret, made at its first start."""
    return secret_of(folder / "console.key", StoreError)


def add_account(deployment: Deployment, name: str, shown_as: str, role: Role, password: str) -> str:
    """Make an account; returns the secret of its one-time codes.

    Raises
    ------
    LightshipError
        If there is one of that name, or the name or password cannot be used.
    """
    secret = _secret(deployment.folder)
    upgrade(deployment.url)
    store = SqlStore(deployment.url)
    try:
        trained_until = utc_now() + timedelta(days=TRAINING_DAYS)
        return Accounts(store, secret, utc_now).add(name, shown_as, role, password, trained_until)
    finally:
        store.close()


class Watch:
    """How the watch stands, asked once in a while and remembered in between: every page asks.

    Parameters
    ----------
    worker
        That of this process, None where others watch.
    """

    def __init__(self, platform: Platform, worker: Worker | None) -> None:
        self._platform, self._worker = platform, worker
        self._last: Health | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Health:
        """Return how it stands."""
        with self._lock:
            if self._last is None or utc_now() - self._last.at > timedelta(seconds=HEALTH_S):
                self._last = self._look()
            return self._last

    def _look(self) -> Health:
        now = utc_now()
        with self._platform.store.look() as work:
            live = work.find(Stream, {"ended_at": None})
            shifts = work.find(Shift, {"ended_at": None})
        held = self._platform.leases.held()
        covered = sum(f"stream/{one.id}" in held for one in live if one.visibility == "public")
        lists = tuple(
            ListAge(
                bank.terms.name,
                datetime(bank.as_of.year, bank.as_of.month, bank.as_of.day, tzinfo=UTC),
                bank.stale(now.date()),
            )
            for bank in self._platform.banks()
        )
        watchers = self._worker.watchers() if self._worker is not None else []
        deployment = self._platform.deployment
        served = deployment.webhook or deployment.nginx_control
        troubles = [] if served else ["Effects wait: no webhook is named."]
        return Health(
            now,
            streams=sum(one.visibility == "public" for one in live),
            covered=covered,
            bound_s=TTL_S,
            lag_s=round(max((one.progress().late_s for one in watchers), default=0.0), 2),
            dropped=self._platform.bus.dropped,
            moderators=len(shifts),
            lists=lists,
            troubles=tuple(troubles),
        )


def console_of(
    platform: Platform, worker: Worker | None, ledger: LedgerFile, *, secure: bool = True, log: Any = None
) -> FastAPI:
    """Return the console's application over a platform that is open; ``log`` is standard error's unless given."""
    folder = platform.deployment.folder
    key = folder / "platform.pub"
    settings = Settings(
        secret=_secret(folder),
        tenants=Tenants(folder / "tenants.json"),
        ledger=ledger,
        verify=lambda: verify_file(folder / "platform.ledger", load_public_key(key)),
        health=Watch(platform, worker),
        log=log or logger(),
        oidc=read_oidc(platform.deployment.oidc) if platform.deployment.oidc else None,
        policies=(packs.policy(platform.deployment.policy),),
        check_address=lambda address: pin(address, platform.deployment.allowed),
        secure=secure,
    )
    desk = WatchDesk(platform.store, platform.bus)
    return create_console(platform.store, platform.bus, platform.vault, desk, settings)


@contextmanager
def served(app: FastAPI, host: str, port: int) -> Iterator[str]:
    """Serve an application on a thread; yields its address once it answers."""
    server = Server(config_of(app, host, port, arrive_s=Limits().arrive_s, end_s=3.0))
    thread = threading.Thread(target=server.run, name="lightship-console", daemon=True)
    thread.start()
    try:
        yield server.address(30.0)
    finally:
        server.should_exit = True
        thread.join(timeout=10.0)


def serve(deployment: Deployment, host: str, port: int, say: Callable[[str], None], *, watch: bool) -> None:
    """Serve console and interface until interrupted; unless told otherwise, watch streams here as well.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    quiet_server()
    stop = threading.Event()
    with ExitStack() as stack:
        platform = stack.enter_context(open_platform(deployment, say))
        ledger = stack.enter_context(keeping(platform, say))
        stack.enter_context(working(platform, say))
        worker = stack.enter_context(watching(platform)) if watch else None
        app = console_of(platform, worker, ledger, secure=host not in {"127.0.0.1", "localhost", "::1"})
        with served(app, host, port) as address, interruptible(stop.set):
            say(f"The console is at {address}/ and the interface at {address}/v1/.")
            while not stop.wait(1.0):
                pass


def work(deployment: Deployment, say: Callable[[str], None], name: str = "") -> None:
    """Watch streams and send effects until interrupted, beside other processes on the same database.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    stop = threading.Event()
    with ExitStack() as stack:
        platform = stack.enter_context(open_platform(deployment, say))
        stack.enter_context(working(platform, say))
        worker = stack.enter_context(watching(platform, name))
        with interruptible(stop.set):
            say(f"Worker {worker.name} watches.")
            while not stop.wait(1.0):
                pass
