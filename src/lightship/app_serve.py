"""Runs a platform's watch: streams, effects, the ledger, retention and the console; in one process or several."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.applications import Starlette

from lightship import packs
from lightship.app import interruptible
from lightship.app_duties import follow, provider_of, retain, told
from lightship.app_duties_report import Reporter, carry
from lightship.app_health import HEALTH_S, Figures, Watch
from lightship.app_platform import (
    Deployment,
    Platform,
    console_secret,
    ledger_of,
    open_platform,
    process_name,
)
from lightship.app_regulator import measure_table, note_configuration
from lightship.app_standing import record
from lightship.console.application import create_console
from lightship.console.audit import Audit
from lightship.console.desk import CASES, WatchDesk
from lightship.console.gate import Limits
from lightship.console.logs import logger, quiet_server
from lightship.console.matching import MatcherService
from lightship.console.metrics import Metrics
from lightship.console.oidc import read_oidc
from lightship.console.server import Server, config_of
from lightship.console.settings import Settings, utc_now
from lightship.console.tenants import Tenants, begin
from lightship.core.cases import Effect, Stream
from lightship.core.errors import InputError, LightshipError
from lightship.core.ports import Store
from lightship.core.retention import Retention
from lightship.detect.look_up import quickest
from lightship.detect.loop import Sensors, load_sensors
from lightship.duties.provider import Provider
from lightship.exchange.referral_client import ReferralClient
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import LedgerFile, verify_file
from lightship.infra.sealer import Sealer
from lightship.media.sources import Source
from lightship.watch.actions import NginxRtmp, Webhook
from lightship.watch.address import pin
from lightship.watch.basis import Bases
from lightship.watch.chores import Chores, GoOn
from lightship.watch.controls import RuleSet, load
from lightship.watch.handover import FORM, Handover, OverBus
from lightship.watch.outbox import Takes, keep_sending
from lightship.watch.pull import pull
from lightship.watch.worker import FILED, Setup, Worker

RETENTION_S = 3600.0

Deliver = Callable[[Effect], None]


@contextmanager
def watching(platform: Platform, name: str = "") -> Iterator[Worker]:
    """Watch streams on threads of this process, and let go of them in the end.

    Raises
    ------
    LightshipError
        If the deployment's policy, or a sensor that it needs, cannot be used.
    """
    deployment, matcher = platform.deployment, platform.matcher

    @cache
    def sensors(policy: str) -> Sensors:
        options = {"known-media": {"lists": matcher, "weigh": quickest()}}
        return load_sensors(packs.policy(policy or deployment.policy), packs.calibration, options)

    sensors(deployment.policy)  # a sensor that cannot be loaded is said now, and not with the first stream

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
        troubles=matcher.alarms,
        floods=matcher.brake.waiting,
        model_threads=os.cpu_count() or 1,
    )
    worker = Worker(name or process_name(), setup)
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
    return Webhook(deployment.webhook, _secret(deployment.secret_file, "The webhook's secret"))


def _secret(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error.strerror}.", str(path), "Check the path.") from error


def handover_of(platform: Platform) -> Deliver | None:
    """Return what hands cases over to an investigating body; None where a deployment names none: they then wait.

    Raises
    ------
    InputError
        If the platform's name or the body's token is missing, or nobody could hear it on the bus.
    """
    deployment = platform.deployment
    if not deployment.refer_to:
        return None
    name = deployment.refer_as
    if not name:
        raise InputError(
            "A body must know whose referral it is.", deployment.refer_to, "Say the name: --refer-as."
        )
    if deployment.refer_to == "bus":
        if not deployment.nats:
            what = "On a bus of its own process nobody else hears it."
            raise InputError(what, "--refer-to bus", "Name the --nats that the body listens on.")
        return Handover(platform.store, name, OverBus(platform.bus, name))
    if deployment.refer_token is None:
        raise InputError("A body is told with the token that it gave.", deployment.refer_to, "Name its file.")
    token = _secret(deployment.refer_token, "The body's token").decode(errors="replace")
    return Handover(platform.store, name, ReferralClient(deployment.refer_to, token, FORM))


def _on_server(store: Store, stream_id: str) -> tuple[str, str]:
    """Return the application and name under which the media server knows a stream: the end of its address."""
    with store.look() as work:
        stream = work.get(Stream, stream_id)
    app, _, name = urlsplit(stream.address if stream else "").path.strip("/").partition("/")
    if not name:
        raise InputError("The stream's address names no application and stream.", f"stream {stream_id}", "")
    return app, name


def working(platform: Platform, say: Callable[[str], None]) -> None:
    """Begin to send effects, on threads of this process.

    Raises
    ------
    InputError
        If where they go cannot be used.
    """
    acts, refers = deliver_of(platform), handover_of(platform)

    def sends(name: str, deliver: Deliver, takes: Takes, wake: threading.Event) -> None:
        platform.chores.begin(
            name, lambda go_on: keep_sending(platform.store, deliver, utc_now, go_on, wake, takes=takes)
        )

    carry(platform.chores, platform.deployment.folder, platform.store, platform.vault)
    platform.chores.begin("messages to the senders", lambda go_on: _wake(platform, go_on))
    if acts is None:
        say("No webhook and no media server is named: effects are kept and wait.")
    # A body that does not answer holds up referrals alone: no stop waits for it, nor loses a wake to it.
    if acts is not None:
        sends("the senders", acts, lambda one: one.kind != "refer", platform.wake)
    if refers is not None:
        sends("the senders of referrals", refers, lambda one: one.kind == "refer", threading.Event())


@contextmanager
def keeping(platform: Platform, say: Callable[[str], None]) -> Iterator[LedgerFile]:
    """Seal the journal into the ledger and let expire what is due; for one process of a deployment.

    Raises
    ------
    LightshipError
        If the ledger or the terms of retention cannot be used.
    """
    terms, provider = packs.retention(platform.deployment.retention), provider_of(platform.deployment.folder)
    path = platform.deployment.folder / "platform.ledger"
    with ledger_of(path, "lightship-platform") as ledger, Sealer(platform.store, ledger) as sealer:
        platform.checks["the ledger"] = sealer.check
        platform.chores.every("the ledger", 0.2, sealer.seal)
        platform.chores.every("retention", RETENTION_S, lambda: _retain(platform, provider, terms, say))
        follow(platform.chores, platform.store, ledger, provider)
        note_configuration(platform)
        try:
            yield ledger
        finally:
            platform.chores.end()
            try:
                while sealer.seal():
                    pass
            except LightshipError as error:
                say(f"The journal waits in the store for the next start: {error}")


def _wake(platform: Platform, go_on: GoOn) -> None:
    with platform.bus.subscribe(FILED, CASES) as messages:
        while go_on():
            if next(messages) is not None:
                platform.wake.set()


def _retain(platform: Platform, provider: Provider, terms: Retention, say: Callable[[str], None]) -> None:
    folder = platform.deployment.folder
    told(retain(platform.store, platform.vault, folder, provider.law, terms, utc_now()), say)


@contextmanager
def asking(platform: Platform, metrics: Metrics, log: Any) -> Iterator[MatcherService]:
    """Answer questions about hashes from the platform's own lists; who asked what is on a record of its own.

    Raises
    ------
    LedgerError
        If the record cannot be opened.
    """
    with record(platform.deployment.folder / "matcher.ledger") as (ledger, standing):
        service = MatcherService(
            platform.matcher, audit=Audit(ledger), standing=standing, metrics=metrics, log=log
        )
        platform.chores.every("the matcher's standing", RETENTION_S, service.each_hour)
        try:
            yield service
        finally:
            service.close()


def console_of(
    platform: Platform,
    ledger: LedgerFile,
    *,
    secure: bool = True,
    log: Any = None,
    metrics: Metrics | None = None,
    matcher: MatcherService | None = None,
) -> FastAPI:
    """Return the console's application over a platform that is open; ``log`` is standard error's unless given."""
    folder = platform.deployment.folder
    key = folder / "platform.pub"
    watch, metrics = Watch(platform), metrics or Metrics()
    platform.chores.every("health", HEALTH_S, watch.look)
    Figures(watch, metrics.registry)
    begin(platform.deployment.tenants)
    settings = Settings(
        secret=console_secret(folder),
        tenants=Tenants(platform.deployment.tenants),
        ledger=ledger,
        verify=lambda: verify_file(folder / "platform.ledger", load_public_key(key)),
        health=watch,
        ready=watch.ready,
        log=log or logger(),
        oidc=read_oidc(platform.deployment.oidc) if platform.deployment.oidc else None,
        policies=(packs.policy(platform.deployment.policy),),
        measures=measure_table(),
        controls=_controls(platform),
        check_address=lambda address: pin(address, platform.deployment.allowed),
        secure=secure,
        metrics=metrics,
        provider=provider_of(folder),
        reporter=Reporter(folder, platform.store, platform.vault),
    )
    desk = WatchDesk(platform.store, platform.bus)
    return create_console(platform.store, platform.bus, platform.vault, desk, settings, matcher)


def _controls(platform: Platform) -> RuleSet:
    """Return the rules of what a livestream may do, and put on the ledger which are in use."""
    deployment = platform.deployment
    rules = load(deployment.controls).with_switches(deployment.switched)
    entry = {
        "kind": "controls",
        "rules": f"{rules.name} {rules.version}",
        "switched": list(deployment.switched),
    }
    used = [one.id for one in rules.rules if one.enabled]
    platform.backlog.record({**entry, "enabled": used})
    return rules


@contextmanager
def served(app: Starlette, host: str, port: int, chores: Chores | None = None) -> Iterator[str]:
    """Serve an application on a thread; yields its address once it answers.

    Parameters
    ----------
    chores
        Among which it is one: should it end by itself, the process ends.

    Raises
    ------
    InputError
        If the address cannot be served.
    """
    server = Server(config_of(app, host, port, arrive_s=Limits().arrive_s, end_s=3.0))
    own = chores or Chores()
    ended = threading.Event()

    def run(_go_on: GoOn) -> None:
        try:
            server.run()
        finally:
            ended.set()

    own.begin("the console", run)
    try:
        yield server.address(30.0)
    finally:
        server.stop()
        ended.wait(10.0)


def serve(deployment: Deployment, host: str, port: int, say: Callable[[str], None], *, watch: bool) -> None:
    """Serve console and interface until interrupted; unless told otherwise, watch streams here as well.

    Raises
    ------
    LightshipError
        Whatever cannot be used; or a part of it that ended by a defect.
    """
    quiet_server()
    with ExitStack() as stack:
        platform = stack.enter_context(open_platform(deployment, say))
        ledger = stack.enter_context(keeping(platform, say))
        working(platform, say)
        worker = stack.enter_context(watching(platform)) if watch else None
        metrics, log = Metrics(), logger()
        matcher = stack.enter_context(asking(platform, metrics, log))
        secure = host not in {"127.0.0.1", "localhost", "::1"}
        app = console_of(platform, ledger, secure=secure, log=log, metrics=metrics, matcher=matcher)
        address = stack.enter_context(served(app, host, port, platform.chores))
        _until_interrupted(
            platform, worker, say, f"The console is at {address}/ and the interface at {address}/v1/."
        )


def work(deployment: Deployment, say: Callable[[str], None], name: str = "") -> None:
    """Watch streams and send effects until interrupted, beside other processes on the same database.

    Raises
    ------
    LightshipError
        Whatever cannot be used; or a part of it that ended by a defect.
    """
    with ExitStack() as stack:
        platform = stack.enter_context(open_platform(deployment, say))
        working(platform, say)
        worker = stack.enter_context(watching(platform, name))
        _until_interrupted(platform, worker, say, f"Worker {worker.name} watches.")


def _until_interrupted(
    platform: Platform, worker: Worker | None, say: Callable[[str], None], begun: str
) -> None:
    """Say what stops working and what works again, until told to end."""
    stop = threading.Event()
    told: dict[str, str] = {}
    with interruptible(stop.set):
        say(begun)
        while not stop.wait(1.0):
            chores = [platform.chores, *([worker.chores] if worker is not None else [])]
            now = {one.chore: one.reason for some in chores for one in some.troubles()}
            for name in now.keys() - told.keys():
                say(f"In trouble, and tried again: {name}: {now[name]}")
            for name in told.keys() - now.keys():
                say(f"Works again: {name}.")
            told = now
            for some in chores:
                some.check()
