"""Serves the investigating body's console: cases, record and people, without a watch."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lightship.app_casework import mapping_of, ready
from lightship.app_deconflict import Bureau
from lightship.app_platform import console_secret, ledger_of
from lightship.app_serving import Serving, run
from lightship.app_share import maker
from lightship.app_undercover import keep_trouble, opened
from lightship.casework.desk import Offices, escalate
from lightship.casework.door import received
from lightship.casework.handover import Take, listen
from lightship.casework.intake import take_in
from lightship.casework.link_model import shipped as linking
from lightship.casework.link_pass import link_new
from lightship.casework.urgency import shipped
from lightship.console.application import create_body_console
from lightship.console.gate import Limits
from lightship.console.health import Health
from lightship.console.logs import logger, quiet_server
from lightship.console.oidc import Oidc
from lightship.console.pages_send import Sharing
from lightship.console.referrals_api import MOST_BYTES
from lightship.console.server import Announced
from lightship.console.settings import Settings, utc_now
from lightship.console.tenants import Tenants, begin
from lightship.core.casework import Marking
from lightship.core.ports import Store
from lightship.core.release import Partner
from lightship.infra.keys import load_public_key
from lightship.infra.ledger_file import verify_file
from lightship.infra.nats_bus import NatsBus
from lightship.infra.nats_link import NatsLink
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore
from lightship.watch.chores import Chores

ESCALATE_S = 60.0
LINK_S = 60.0
KEYS_S = 10.0


def serve(
    folder: Path,
    serving: Serving,
    partners: Mapping[str, Partner],
    own: Marking,
    readers: Mapping[str, Partner],
    *,
    key: Path | None = None,
    oidc: Oidc | None = None,
    nats: str = "",
) -> None:
    """Serve the body's console, and the door for referrals, until interrupted. What is late goes to the supervisor.

    Parameters
    ----------
    folder
        Casework's; deconfliction and the compartment are beside it.
    key
        The file with the house's signing key; for packs.
    oidc
        The provider that people may sign in through.
    nats
        A bus on which a platform of the same house refers; empty for none.

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
        if nats:
            bus = NatsBus(stack.enter_context(NatsLink(nats)))
            chores.begin("referrals from the bus", lambda go_on: listen(bus, taking(store), go_on))
        chores.every("escalation", ESCALATE_S, lambda: _escalate(store))
        chores.every("links", LINK_S, lambda: link_new(store, linking(), now=utc_now()))

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
            limits=Limits(body_bytes=MOST_BYTES),
        )
        sharing = Sharing(partners, own, maker(own.originator, key))
        bureau, compartment = Bureau(folder.with_name("deconflict")), folder.with_name("compartment")
        app = create_body_console(
            store,
            settings,
            sharing,
            bureau,
            lambda: opened(compartment),
            readers,
            mapping=lambda who: mapping_of(folder, who),
            told=lambda error: keep_trouble(compartment, error),
        )
        chores.every("what is asked for", KEYS_S, app.state.keeper.refresh)
        gc.freeze()  # what is loaded stays: to search it for garbage took 0.1 s in the midst of a large page
        run(Announced(serving.config(app), log))


def taking(store: Store) -> Take:
    """Return what takes in a referral that came over a bus."""

    def take(sender: str, form: str, data: bytes) -> str:
        now = utc_now()
        batch = received(form, sender, data, now)
        return take_in(store, shipped(), batch, now=now, offices=Offices(), by=sender)[0].original

    return take


def _escalate(store: SqlStore) -> None:
    with store.begin() as work:
        escalate(work, utc_now(), Offices())
