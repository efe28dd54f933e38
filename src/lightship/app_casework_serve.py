"""Serves the investigating body's console: cases, record and people, without a watch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lightship.app_casework import ready
from lightship.app_deconflict import Bureau
from lightship.app_platform import console_secret, ledger_of
from lightship.app_serving import Serving, run
from lightship.app_share import maker
from lightship.app_undercover import opened
from lightship.casework.desk import Offices, escalate
from lightship.console.application import create_body_console
from lightship.console.health import Health
from lightship.console.logs import logger, quiet_server
from lightship.console.oidc import Oidc
from lightship.console.pages_send import Sharing
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
KEYS_S = 10.0


def serve(
    folder: Path,
    serving: Serving,
    partners: Mapping[str, Partner],
    own: Marking,
    *,
    key: Path | None = None,
    oidc: Oidc | None = None,
) -> None:
    """Serve the body's console until interrupted. What is late goes to the supervisor.

    Parameters
    ----------
    folder
        Casework's; deconfliction and the compartment are beside it.
    key
        The file with the house's signing key; for packs.
    oidc
        The provider that people may sign in through.

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
            oidc=oidc,
            secure=serving.host not in {"127.0.0.1", "localhost", "::1"},
        )
        sharing = Sharing(partners, own, maker(own.originator, key))
        bureau, compartment = Bureau(folder.with_name("deconflict")), folder.with_name("compartment")
        app = create_body_console(store, settings, sharing, bureau, lambda: opened(compartment))
        chores.every("what is asked for", KEYS_S, app.state.keeper.refresh)
        run(Announced(serving.config(app), log))


def _escalate(store: SqlStore) -> None:
    with store.begin() as work:
        escalate(work, utc_now(), Offices())
