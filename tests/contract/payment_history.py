"""Small histories that touch every branch of the payment features, and the three ways to read one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lightship import app_payments
from lightship.core.payments import TABLES, Payment
from lightship.payments.live import Profile, World
from lightship.payments.prepare import DAY_US, Dataset, Terms, Window
from lightship.payments.schema import schema
from lightship.payments.score import History, Measured, fit, measure, open_history, weighed_table

BEGIN_US = int(datetime(2025, 9, 1, tzinfo=UTC).timestamp()) * 1_000_000
PEOPLE = {
    "ann": Profile("person", date(2015, 1, 1), "GB", "Europe/London", 1970, frozenset({"PH"})),
    "bob": Profile("person", date(2026, 5, 1), "GB", None, 1950),
    "cat": Profile("person", date(2023, 1, 1), "GB", "Europe/London", 2011, frozenset({"PH"})),
    "dan": Profile("person", date(2020, 1, 1), None, "Australia/Lord_Howe", 2005),
    "eve": Profile("person", date(2020, 1, 1), "GB", "No/Where", None, frozenset({"RO"})),
    "firm": Profile("business", date(2020, 1, 1), "GB", "Europe/London"),
}
MARKERS = {"bob": ("exit",), "rhea": ("flagged-receiver", "flagged-receiver"), "eve": ("child-parent",)}
ZONES = {"GB": "Europe/London"}


def terms() -> Terms:
    return Terms(app_payments.jurisdiction("uk"), app_payments.currencies(), ZONES)


def random_history(rng: random.Random, count: int) -> list[Payment]:
    """Return so many payments in order of time, of all kinds, in 420 days, some at the same moment."""
    found: list[Payment] = []
    at_us = BEGIN_US
    for number in range(count):
        step = rng.choice([0, 3_600_000_000, DAY_US, 5 * DAY_US, 30 * DAY_US])
        at_us += step * rng.randint(0, 2) + rng.choice([0, 1, 59_999_999])
        at_us = min(at_us, BEGIN_US + 420 * DAY_US + number)
        found.append(_payment(rng, number, at_us, found))
    return sorted(found, key=lambda one: (one.at_us, one.payment))


def _payment(rng: random.Random, number: int, at_us: int, earlier: Sequence[Payment]) -> Payment:
    name = f"p{number:03}"
    if earlier and rng.random() < 0.06:
        back = rng.choice(earlier[-8:])
        if back.reverses is None and back.at_us < at_us:
            parties = (back.payee, back.payer) if rng.random() < 0.5 else (back.payer, back.payee)
            return Payment(
                name, at_us, *parties, back.amount_minor, back.currency, "bank", reverses=back.payment
            )
    amount = rng.choice([500, 1000, 2500, 3399, 5000, 9999, 20000, 61000, 170000])
    people, others = list(PEOPLE), ["rhea", "saul", "tia", "uma"]
    kind = rng.choice(
        ["send"] * 6 + ["friend", "friend", "voucher", "voucher", "card", "crypto", "pay", "back"]
    )
    country = rng.choice(["PH", "RO", "TH", "FR", "GB"])
    common: dict[str, Any] = {
        "currency": rng.choice(["GBP", "GBP", "EUR", "JPY"]),
        "time_known": rng.random() < 0.9,
    }
    if kind == "send":
        return Payment(
            name,
            at_us,
            rng.choice(people),
            rng.choice(others),
            amount,
            rail=rng.choice(["bank", "remittance", "wallet", "cash"]),
            payer_country=rng.choice(["GB", None, "PH"]),
            payee_country=country,
            payee_amount_minor=rng.choice([None, 10000, 12345]),
            payee_currency=rng.choice(["PHP", "RON", None]),
            text=rng.choice([None, "School fees", "Invoice 7", "hi @ann_lee", "FAMILY Support", "thanks"]),
            **common,
        )
    if kind == "friend":
        payer, payee = rng.sample(people, 2) if rng.random() < 0.9 else ["ann", "ann"]
        return Payment(name, at_us, payer, payee, amount, rail=rng.choice(["bank", "wallet"]), **common)
    if kind in ("voucher", "crypto"):
        rail = "crypto" if kind == "crypto" else rng.choice(["gift-card", "gaming"])
        return Payment(
            name, at_us, rng.choice(people), "shop", amount, rail=rail, merchant_code="5947", **common
        )
    if kind == "card":
        return Payment(
            name,
            at_us,
            rng.choice(people),
            "shop",
            amount,
            rail="card",
            payee_country=country,
            merchant_code=rng.choice(["5411", "5967"]),
            **common,
        )
    payer = "works" if kind == "pay" else rng.choice(others)
    return Payment(
        name,
        at_us,
        payer,
        rng.choice(people),
        amount,
        rail="bank",
        payer_country=None if kind == "pay" else country,
        **common,
    )


def write(folder: Path, payments: Sequence[Payment]) -> None:
    """Write a history as a dataset."""
    rows = [
        {name: getattr(one, name) for name in TABLES["payments"] if name != "at"} | {"at": one.at_us}
        for one in payments
    ]
    people = [
        {
            "customer": name,
            "sex": None,
            **{key: getattr(one, key) for key in ("kind", "opened", "country", "zone")},
        }
        | {"born_year": one.born_year}
        for name, one in PEOPLE.items()
    ]
    ties = [
        {"customer": name, "country": country, "tie": tie}
        for name, one in PEOPLE.items()
        for country in one.ties
        for tie in ("family", "travel")
    ]
    marks = [
        {"subject": name, "marker": marker, "since": date(2020, 1, 1), "source": "test"}
        for name, found in MARKERS.items()
        for marker in found
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for table, found in (("payments", rows), ("customers", people), ("ties", ties), ("markers", marks)):
        pq.write_table(pa.Table.from_pylist(found, schema=schema(table)), folder / f"{table}.parquet")


def histories(engine: Any, data: Dataset, to_us: int) -> dict[str, Measured]:
    """Return every typology measured as of a moment."""
    found: dict[str, Measured] = {}
    opened: dict[int, History] = {}
    for name in app_payments.TYPOLOGIES:
        pack = app_payments.typology(name)
        if pack.window_days not in opened:
            opened[pack.window_days] = open_history(
                engine, data, terms(), Window.ending(to_us, pack.window_days)
            )
        found[name] = measure(opened[pack.window_days], pack)
    return found


def baselines(measured: dict[str, Measured]) -> dict[str, Any]:
    """Return baselines fitted on a history; typologies of whom there is nobody have none."""
    return {name: fit(one) for name, one in measured.items() if len(one.values)}


def batch_scores(measured: dict[str, Measured], bases: dict[str, Any]) -> dict[Any, Any]:
    """Return, by typology, subject and moment, what a batch engine says."""
    found = {}
    for name, base in bases.items():
        one = measured[name]
        for row in weighed_table(one, base).to_pylist():
            values = {item.id: row[f"v_{item.id.lower()}"] for item in one.pack.computed}
            key = (name, row["subject"], row.get("payment"))
            found[key] = (
                values,
                row["group_id"],
                row["total_mdb"],
                row["speaking"],
                row["keeper_mdb"],
                row["last_us"],
            )
    return found


def world(measured: dict[str, Measured], bases: dict[str, Any]) -> World:
    """Return the live step's world with the same packs and baselines."""
    return World(
        terms(),
        tuple(one.pack for name, one in measured.items() if name in bases),
        bases,
        PEOPLE.get,
        lambda subject: MARKERS.get(subject, ()),
    )


def live_score(score: Any, payment: str | None) -> tuple[Any, Any]:
    """Return a score of the live step as `batch_scores` has them."""
    key = (score.typology, score.subject, payment if score.typology == "extortion-victim" else None)
    weighed = score.weighed
    return key, (
        dict(score.values),
        weighed.group,
        weighed.total_mdb,
        weighed.speaking,
        score.keeper_mdb,
        score.at_us,
    )


def batch(engine: Any, folder: Path, bases: Any = None, to_us: int | None = None) -> tuple[Any, Any, Any]:
    """Return what an engine measures of a dataset, its baselines and its scores."""
    data = app_payments.open_dataset(engine, folder)
    measured = histories(engine, data, to_us or app_payments.last_moment(engine, data))
    bases = bases or baselines(measured)
    return measured, bases, batch_scores(measured, bases)
