"""A quick columnar filler for speed: payments of a bank's customers, with the shapes that cost time and little realism.

The population of `lightship payments generate` is another program, written apart from the detector; precision is
measured on that one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lightship.payments.schema import schema

END_US = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000
YEAR_US = 365 * 86_400_000_000
MENU = np.array([10, 15, 20, 25, 30, 50, 75, 100, 150, 200])


def _ids(prefix: str, numbers: NDArray[np.int64]) -> list[str]:
    return [f"{prefix}{number}" for number in numbers]


def _chunk(
    rng: np.random.Generator, count: int, customers: int, first: str, place: int, payers: int, hours: int
) -> pa.Table:
    """Return some payments: cards, bills, friends, pay, and 4 % abroad."""
    kind = rng.choice(6, count, p=[0.60, 0.17, 0.13, 0.05, 0.04, 0.01])
    who = rng.integers(0, customers, count)
    # A year up to END_US, or so many hours after it.
    at = (
        END_US - rng.integers(0, YEAR_US, count)
        if not hours
        else END_US + rng.integers(0, hours * 3_600_000_000, count)
    )
    # Those who send abroad are one in twelve customers, each mostly to one or two people.
    abroad = kind == 4
    who[abroad] = who[abroad] // 12 * 12
    family = who[abroad] * 3 + rng.choice(3, int(abroad.sum()), p=[0.75, 0.2, 0.05])
    amount = np.exp(rng.normal(3.3, 1.0, count))
    amount[kind == 1] = np.exp(rng.normal(4.5, 0.7, int((kind == 1).sum())))
    amount[kind == 3] = rng.normal(2200, 500, int((kind == 3).sum())).clip(600)
    amount[abroad] = np.exp(rng.normal(5.3, 0.5, int(abroad.sum())))
    amount[abroad & (rng.random(count) < 0.5)] //= 10
    amount[abroad] = np.where(amount[abroad] < 40, amount[abroad] * 10, amount[abroad])
    # The few who pay in the typology's shape.
    shaped = abroad & (who // 12 < payers)
    many = int(shaped.sum())
    amount[shaped] = rng.choice(MENU, many)
    if not hours:
        at[shaped] = (
            at[shaped] // 86_400_000_000 * 86_400_000_000 + rng.integers(22, 26, many) * 3_600_000_000
        )
    minor = np.maximum(1, (amount * 100).astype(np.int64))
    minor[shaped] = minor[shaped] // 500 * 500
    payer = np.array(_ids("c", who), dtype=object)
    payee = np.array(_ids("m", rng.integers(0, 20_000, count)), dtype=object)
    friend = kind == 2
    payee[friend] = _ids("c", rng.integers(0, customers, int(friend.sum())))
    pay = kind == 3
    payee[pay], payer[pay] = payer[pay], np.array(_ids("e", who[pay] % 3000), dtype=object)
    payee[abroad] = _ids("r", family)
    payee[shaped] = _ids("f", rng.integers(0, max(1, payers // 2), many))
    codes = np.array(["5411", "5812", "5999", "4111", "5967"], dtype=object)
    merchant = np.full(count, None, dtype=object)
    card = kind == 0
    merchant[card] = codes[rng.choice(5, int(card.sum()), p=[0.4, 0.3, 0.2, 0.098, 0.002])]
    country = np.full(count, "GB", dtype=object)
    country[abroad] = rng.choice(
        ["PH", "RO", "TH", "GH", "CO"], int(abroad.sum()), p=[0.4, 0.3, 0.1, 0.1, 0.1]
    )
    country[shaped] = "PH"
    country[card & (rng.random(count) < 0.01)] = "TH"
    rails = np.array(["card", "bank", "bank", "bank", "remittance", "gift-card"], dtype=object)[kind]
    texts = np.full(count, None, dtype=object)
    written = (kind == 2) | abroad
    words = np.array(["thanks", "family support", "rent", "dinner", "school", None], dtype=object)
    texts[written] = words[rng.integers(0, len(words), int(written.sum()))]
    return pa.table(
        {
            "payment": _ids(first, np.arange(place, place + count)),
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
            "time_known": np.ones(count, dtype=bool),
            "payer": payer,
            "payee": payee,
            "amount_minor": minor,
            "currency": pa.array(np.full(count, "GBP", dtype=object), pa.string()),
            "payee_amount_minor": pa.nulls(count, pa.int64()),
            "payee_currency": pa.nulls(count, pa.string()),
            "payer_country": pa.array(np.full(count, "GB", dtype=object), pa.string()),
            "payee_country": country,
            "rail": rails,
            "via": pa.nulls(count, pa.string()),
            "payee_name": pa.nulls(count, pa.string()),
            "text": pa.array(texts, pa.string()),
            "merchant_code": pa.array(merchant, pa.string()),
            "reverses": pa.nulls(count, pa.string()),
        },
        schema=schema("payments"),
    )


def fill(
    folder: Path, payments: int, customers: int, payers: int = 40, seed: int = 1, hours: int = 0
) -> None:
    """Write a dataset of so many payments and customers."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    step = 500_000
    with pq.ParquetWriter(folder / "payments.parquet", schema("payments")) as writer:
        for first in range(0, payments, step):
            writer.write_table(
                _chunk(rng, min(step, payments - first), customers, f"p{seed}-", first, payers, hours)
            )
    rng = np.random.default_rng(7)  # the same customers with every seed
    pq.write_table(_customers(rng, customers), folder / "customers.parquet")
    tied = np.flatnonzero((np.arange(customers) % 12 == 0) & (np.arange(customers) // 12 >= payers))
    tied = tied[rng.random(len(tied)) < 0.6]
    ties: dict[str, Any] = {
        "customer": _ids("c", tied),
        "country": rng.choice(["PH", "RO", "TH", "GH", "CO"], len(tied)),
        "tie": np.full(len(tied), "family", dtype=object),
    }
    pq.write_table(pa.table(ties, schema=schema("ties")), folder / "ties.parquet")


def _customers(rng: np.random.Generator, customers: int) -> pa.Table:
    opened = (END_US // 86_400_000_000 - rng.integers(30, 5000, customers)).astype(np.int32)
    child = rng.random(customers) < 0.05
    return pa.table(
        {
            "customer": _ids("c", np.arange(customers)),
            "kind": np.where(rng.random(customers) < 0.05, "business", "person"),
            "opened": pa.array(opened, pa.date32()),
            "country": pa.array(np.full(customers, "GB", dtype=object), pa.string()),
            "zone": pa.array(np.full(customers, "Europe/London", dtype=object), pa.string()),
            "born_year": pa.array(
                np.where(child, rng.integers(2009, 2015, customers), rng.integers(1940, 2007, customers)),
                pa.int16(),
            ),
            "born_month": pa.nulls(customers, pa.int16()),
            "sex": pa.nulls(customers, pa.string()),
        },
        schema=schema("customers"),
    )
