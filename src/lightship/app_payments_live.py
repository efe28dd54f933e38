"""Wires the live path of payments: a dataset's customers and history, the journal, the web server and the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi import FastAPI

from lightship import app_payments
from lightship.app_payments_data import connected, files, tables_of
from lightship.app_serving import Serving, run
from lightship.console.foundation import create_app
from lightship.console.live_payments import Bell, Checks, LivePayments, PaymentsIn, Straight, routes
from lightship.console.logs import logger, quiet_server
from lightship.console.metrics import Metrics
from lightship.console.payments_bus import BusPayments
from lightship.console.server import Announced
from lightship.console.settings import utc_now
from lightship.console.tenants import Tenants
from lightship.core.errors import InputError
from lightship.core.payments import TABLES, Payment, us_of
from lightship.core.ports import PaymentJournal
from lightship.exchange.alerts_file import alert_bytes
from lightship.exchange.fx import shipped
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.payments.acceptance import Intake, Scoring
from lightship.payments.account_json import account_bytes, account_of, payment_bytes, payment_of
from lightship.payments.baseline import Baseline
from lightship.payments.live import step
from lightship.payments.pack import Pack
from lightship.payments.prepare import DAY_US, day_of
from lightship.payments.world import Account, Profile, World

Say = Callable[[str], None]
_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Live:
    """What is served.

    Parameters
    ----------
    dataset
        The institution's customers, ties and markers, and the history to begin with.
    baselines
        The folder that ``lightship payments score`` wrote; typologies without one are not scored.
    jurisdiction
        Name or path.
    state
        Folder of the journal.
    database
        Address of a PostgreSQL database that holds it instead; empty for the folder.
    nats
        Such as ``nats://127.0.0.1:4222``; empty listens to no bus.
    """

    dataset: Path
    baselines: Path
    jurisdiction: str
    state: Path
    database: str = ""
    nats: str = ""


def world_of(live: Live) -> World:
    """Return what payments are scored by.

    Raises
    ------
    LightshipError
        If the dataset, a baseline or a pack cannot be used.
    """
    terms = app_payments.terms_of(live.dataset, live.jurisdiction)
    packs = [app_payments.typology(name) for name in app_payments.TYPOLOGIES]
    bases = app_payments.baselines_of(live.baselines, packs, terms.jurisdiction)
    profiles, markers = _profiles(live.dataset), _markers(live.dataset)
    return World(
        terms,
        tuple(_as_weighed(one, bases[one.id]) for one in packs if one.id in bases),
        bases,
        profiles.get,
        lambda subject: markers.get(subject, ()),
        ties_known="ties" in tables_of(live.dataset),
    )


def _as_weighed(pack: Pack, base: Baseline) -> Pack:
    """Return the pack with what was in force and could be measured when its baseline was made."""
    return pack.in_force(day_of(base.to_us)).without(base.off)


def _batches(folder: Path, table: str, columns: Sequence[str]) -> Iterator[Any]:
    found = tables_of(folder)
    for path in files(found[table]) if table in found else ():
        try:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(_ROWS, columns=list(columns))
        except (OSError, ValueError) as error:
            raise InputError(
                f"The table cannot be read: {error}.", str(path), "Make the dataset anew."
            ) from error


def _rows(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    for batch in _batches(folder, table, list(TABLES[table])):
        yield from batch.to_pylist()


def _profiles(folder: Path) -> Mapping[str, Profile]:
    ties: dict[str, set[str]] = {}
    for row in _rows(folder, "ties"):
        ties.setdefault(row["customer"], set()).add(row["country"])
    return {
        row["customer"]: Profile(
            row["kind"], row["opened"], row["country"], row["zone"], row["born_year"],
            frozenset(ties.get(row["customer"], ())), row.get("born_month"),
        )
        for row in _rows(folder, "customers")
    }  # fmt: skip


def _markers(folder: Path) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows(folder, "markers"):
        found[row["subject"]] = (*found.get(row["subject"], ()), row["marker"])
    return found


def begin(world: World, folder: Path, journal: PaymentJournal, say: Say) -> dict[str, Account]:
    """Return the accounts after a dataset's own payments of the longest window; they raise no alerts again.

    The journal keeps the ids of all of them: one that the live feed tells again is known.
    """
    state: dict[str, Account] = {}
    latest = (pc.max(batch["at"]).as_py() for batch in _batches(folder, "payments", ["at"]) if len(batch))
    last = max(latest, default=None)
    if last is None:
        return state
    with connected(folder) as con:
        rows = con.execute("select payment from payments order by payment")
        journal.begin_with(one for part in iter(lambda: rows.fetchmany(_ROWS), []) for (one,) in part)
    from_us = us_of(_aware(last)) - max(pack.window_days for pack in world.packs) * DAY_US
    count = 0
    for row in _rows(folder, "payments"):
        if us_of(_aware(row["at"])) > from_us:
            state |= step(world, state, payment_of_row(row)).accounts
            count += 1
    say(f"Began with {count:,} payments of {folder}.")
    return state


def payment_of_row(row: Mapping[str, Any]) -> Payment:
    """Return a row of a dataset's ``payments`` as a payment."""
    return Payment(
        at_us=us_of(_aware(row["at"])), **{name: value for name, value in row.items() if name != "at"}
    )


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def scoring_of(world: World) -> Scoring[Account]:
    """Return how payments are scored and written down."""
    return Scoring(
        partial(step, world), payment_bytes, payment_of, account_bytes, account_of,
        alert_bytes,
    )  # fmt: skip


def _journal(live: Live, stack: ExitStack) -> PaymentJournal:
    if not live.database:
        return stack.enter_context(SqlitePaymentJournal(live.state))
    from lightship.infra.postgres_payment_journal import PostgresPaymentJournal

    return stack.enter_context(PostgresPaymentJournal(live.database))


@contextmanager
def service(live: Live, tenants: Tenants, log: Any, say: Say) -> Iterator[tuple[FastAPI, LivePayments]]:
    """Open everything but the server; yields the application.

    Raises
    ------
    LightshipError
        If something cannot be used.
    """
    world = world_of(live)
    bell = Bell()
    with ExitStack() as stack:
        journal = _journal(live, stack)
        intake = Intake(
            journal, scoring_of(world), begin=lambda: begin(world, live.dataset, journal, say), told=bell.ring
        )
        stack.callback(intake.close)
        countries = frozenset(row["country"] for row in shipped("countries.csv"))
        rated = frozenset(code for code, one in world.terms.currencies.items() if one.rates)
        found = LivePayments(intake, journal, Checks(rated, countries, utc_now), bell)
        if live.nats:
            from lightship.infra.nats_bus import NatsBus
            from lightship.infra.nats_link import NatsLink

            link = stack.enter_context(NatsLink(live.nats))
            listening = BusPayments(NatsBus(link), intake, found.checks.read)
            stack.callback(listening.close)
        metrics = Metrics()
        app = create_app(
            "Lightship payments",
            [routes(found, tenants)],
            ready=found.ready,
            tenants=tenants,
            metrics=metrics,
            log=log,
            limits=None,
            models=[PaymentsIn],
            inner=[partial(Straight, live=found, tenants=tenants)],
        )
        yield app, found


def serve(live: Live, serving: Serving, tenants_file: Path, say: Say) -> None:
    """Serve until interrupted.

    Raises
    ------
    LightshipError
        If something cannot be used, or the address not be served.
    """
    serving.check()
    tenants = Tenants(tenants_file)
    log = logger()
    quiet_server()
    with service(live, tenants, log, say) as (app, _):
        run(Announced(serving.config(app), log))
