"""Serves the investigating body's console: cases, record and people, without a watch."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lightship.app_casework import ready
from lightship.app_platform import console_secret, ledger_of
from lightship.app_serving import Serving, run
from lightship.casework.desk import Offices, escalate
from lightship.casework.link_model import shipped
from lightship.casework.link_pass import link_new
from lightship.console.application import create_body_console
from lightship.console.health import Health
from lightship.console.logs import logger, quiet_server
from lightship.console.server import Announced
from lightship.console.settings import Settings, utc_now
from lightship.console.tenants import Tenants, begin
from lightship.core.casework import Marking
from lightship.core.release import Partner
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import verify_file
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore
from lightship.watch.chores import Chores

ESCALATE_S = 60.0
LINK_S = 60.0


def serve(
    folder: Path,
    serving: Serving,
    partners: Mapping[str, Partner],
    own: Marking,
    readers: Mapping[str, Partner],
) -> None:
    """Serve the body's console until interrupted: cases, record and people. What is late goes to the supervisor.

    Raises
    ------
    LightshipError
        If the store, the ledger or the address cannot be used.
    """
    serving.check()
    quiet_server()
    log = logger()
    with ExitStack() as stack:
        store = stack.enter_context(SqlStore(ready(folder)))
        ledger = stack.enter_context(ledger_of(folder / "casework.ledger", "lightship-casework"))
        sealer = stack.enter_context(Sealer(store, ledger))
        chores = Chores()
        stack.callback(chores.end)
        chores.every("the ledger", 0.2, sealer.seal)
        chores.every("escalation", ESCALATE_S, lambda: _escalate(store))
        chores.every("links", LINK_S, lambda: link_new(store, shipped(), now=utc_now()))

        def health() -> Health:
            troubles = tuple(f"In trouble: {one.chore}: {one.reason}" for one in chores.troubles())
            return Health(utc_now(), troubles=troubles)

        tenants = folder / "tenants.json"
        begin(tenants)
        settings = Settings(
            secret=console_secret(folder),
            tenants=Tenants(tenants),
            ledger=ledger,
            verify=lambda: verify_file(folder / "casework.ledger", load_public_key(folder / "casework.pub")),
            health=health,
            log=log,
            secure=serving.host not in {"127.0.0.1", "localhost", "::1"},
        )
        app = create_body_console(store, settings, partners, own, readers)
        gc.freeze()  # what is loaded stays: to search it for garbage took 0.1 s in the midst of a large page
        run(Announced(serving.config(app), log))


def _escalate(store: SqlStore) -> None:
    with store.begin() as work:
        escalate(work, utc_now(), Offices())
