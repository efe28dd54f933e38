"""Wires the matcher service: banks, the record and the web server; beside :mod:`lightship.app`, for servers alone."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from lightship.app import interruptible
from lightship.console import hma, matcher_routes
from lightship.console.answers import Questions
from lightship.console.audit import Audit
from lightship.console.foundation import create_app
from lightship.console.gate import Limits
from lightship.console.logs import logger, quiet_server
from lightship.console.matching import MatcherService, utc_now
from lightship.console.metrics import Metrics
from lightship.console.server import Server, config_of
from lightship.console.standing import STANDING, Standing
from lightship.console.tenants import Tenants
from lightship.core.errors import InputError
from lightship.core.ports import Ledger
from lightship.detect.bank import Bank
from lightship.detect.matcher import Matcher
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile

_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Serving:
    """How and where to serve.

    Parameters
    ----------
    host, port
        Where; port 0 takes any that is free.
    certificate, key
        TLS; both or none.
    plain
        Serve without TLS on an address that others can reach, because a proxy before it does TLS.
    limits
        Bounds on a request.
    """

    host: str = "127.0.0.1"
    port: int = 8086
    certificate: Path | None = None
    key: Path | None = None
    plain: bool = False
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """Refuse to carry tokens in the open.

        Raises
        ------
        InputError
            If others could read along.
        """
        if (self.certificate is None) != (self.key is None):
            raise InputError("TLS needs a certificate and its key.", "", "Give both, or neither.")
        try:
            local = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            local = self.host == "localhost"
        if not (local or self.certificate or self.plain):
            what = "Tokens and hashes would cross the network unencrypted."
            todo = "Give --tls-certificate and --tls-key, or --plain behind a proxy that does TLS."
            raise InputError(what, self.host, todo)


def build(
    matcher: Matcher,
    tenants: Tenants,
    ledger: Ledger,
    *,
    standing: Standing | None = None,
    canaries: Bank | None = None,
    limits: Limits | None = None,
    log: Any = None,
) -> tuple[FastAPI, MatcherService]:
    """Return the application and its service, which is closed by whoever asked for it."""
    metrics, log = Metrics(), log or logger()
    standing = standing or Standing()
    audit = Audit(ledger)
    service = MatcherService(
        matcher, audit=audit, standing=standing, metrics=metrics, log=log, canaries=canaries
    )
    service.tell_ages()
    app = create_app(
        "Lightship matcher",
        [matcher_routes.routes(service, tenants), hma.routes(service, tenants)],
        ready=service.ready,
        tenants=tenants,
        metrics=metrics,
        log=log,
        limits=limits,
        models=[Questions],
    )
    return app, service


@contextmanager
def record(path: Path) -> Iterator[tuple[LedgerFile, Standing]]:
    """Open the service's record, and read from its end where each tenant stands.

    Raises
    ------
    LedgerError
        If it cannot be opened, or does not continue what was signed before.
    """
    with LedgerFile(path, load_or_create_key(path.with_suffix(".key"), "lightship-matcher")) as ledger:
        standing = Standing(_since_standing(ledger), utc_now().date())
        ledger.append(standing.entry())
        yield ledger, standing
        ledger.append(standing.entry())


def _since_standing(ledger: LedgerFile) -> list[dict[str, Any]]:
    """Return the entries from the last one that sums all up."""
    found: list[dict[str, Any]] = []
    end = ledger.size
    while end:
        start = max(0, end - _PAGE)
        page = list(ledger.entries(start, end))
        for place in range(len(page) - 1, -1, -1):
            if page[place].get("kind") == STANDING:
                return [*page[place:], *found]
        found, end = [*page, *found], start
    return found


def serve(
    serving: Serving, matcher: Matcher, tenants_file: Path, ledger: Path, canaries: Bank | None = None
) -> None:
    """Serve until interrupted.

    Raises
    ------
    LightshipError
        If the tenants, the record or the address cannot be used.
    """
    serving.check()
    tenants = Tenants(tenants_file)
    log = logger()
    quiet_server()
    with record(ledger) as (open_ledger, standing):
        app, service = build(
            matcher,
            tenants,
            open_ledger,
            standing=standing,
            canaries=canaries,
            limits=serving.limits,
            log=log,
        )
        config = config_of(
            app,
            serving.host,
            serving.port,
            arrive_s=serving.limits.arrive_s,
            end_s=serving.limits.answer_s,
            ssl_certfile=serving.certificate,
            ssl_keyfile=serving.key,
        )
        server = _Server(config, log, service)
        try:
            with interruptible(server.stop):
                server.run()
        except SystemExit as error:  # uvicorn's way of saying that it cannot have the address
            what = f"The address {serving.host}:{serving.port} cannot be served."
            raise InputError(what, "", "Is another service there? Choose another --port.") from error
        finally:
            service.close()


class _Server(Server):
    """Says where it listens once it does: scripts, tests and people wait for that. Ends in good order."""

    def __init__(self, config: uvicorn.Config, log: Any, service: MatcherService) -> None:
        super().__init__(config)
        self._log, self._service = log, service

    def stop(self) -> None:
        """Answer what is under way, and end."""
        self.should_exit = True

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._log.info("serving", host=host, port=port, banks=len(self._service.matcher.banks))
            sys.stderr.flush()

    async def on_tick(self, counter: int) -> bool:
        if counter % 36_000 == 35_999 and not self._service.audit.trouble:  # a tick is a tenth of a second
            self._service.each_hour()
        return await super().on_tick(counter)
