"""Wires the matcher service: banks, the record and the web server; beside :mod:`lightship.app`, for servers alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from lightship.app_serving import Serving, run
from lightship.app_standing import record
from lightship.console import hma, matcher_routes
from lightship.console.answers import Questions
from lightship.console.audit import Audit
from lightship.console.foundation import create_app
from lightship.console.gate import Limits
from lightship.console.logs import logger, quiet_server
from lightship.console.matching import MatcherService
from lightship.console.metrics import Metrics
from lightship.console.server import Announced
from lightship.console.standing import Standing
from lightship.console.tenants import Tenants
from lightship.core.ports import Ledger
from lightship.detect.bank import Bank
from lightship.detect.matcher import Matcher


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
        try:
            run(_Server(serving.config(app), log, service))
        finally:
            service.close()


class _Server(Announced):
    """Does once an hour what the service asks for."""

    def __init__(self, config: uvicorn.Config, log: Any, service: MatcherService) -> None:
        super().__init__(config, log)
        self._service = service

    def facts(self) -> dict[str, Any]:
        """Return how many lists are served."""
        return {"banks": len(self._service.matcher.banks)}

    async def on_tick(self, counter: int) -> bool:
        if counter % 36_000 == 35_999 and not self._service.audit.trouble:  # a tick is a tenth of a second
            self._service.each_hour()
        return await super().on_tick(counter)
