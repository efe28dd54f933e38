"""A small world of payments, and an alert about it, for the tests of what the room gives outward."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from lightship.core.payments import TABLES, Alert, Reason
from lightship.payments.schema import schema

NOON = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)


def payment(id_, payer, payee, day, amount_minor=4500, **more):
    return {
        "payment": id_,
        "at": NOON + timedelta(days=day),
        "time_known": True,
        "payer": payer,
        "payee": payee,
        "amount_minor": amount_minor,
        "currency": "GBP",
        "payer_country": "GB",
        "payee_country": "PH",
        "rail": "remittance",
        "via": "SwiftSend",
        "payee_name": {"r1": "Ana Marie Reyes", "r2": "Jun Cruz", "r4": "Lito Ramos"}.get(
            payee, "Someone Else"
        ),
        **more,
    }


def customer(id_, **more):
    return {"customer": id_, "kind": "person", "opened": date(2020, 5, 4), "country": "GB", "zone": "Europe/London", "born_year": 1970, **more}  # fmt: skip


def rows():
    """p1 pays r1, r2 and r3; p2 pays r1 and r4, p3 pays r4 alone, p4 is family of r1's; 300 pay the hub, p2 too."""
    payments = [
        payment(f"a{number}", "p1", payee, 3 * number, amount)
        for number, (payee, amount) in enumerate(
            [("r1", 2000), ("r1", 3000), ("r2", 4500), ("r1", 5000), ("r3", 5000), ("r1", 7500)]
        )
    ]
    payments += [payment("b0", "p2", "r1", 1), payment("b1", "p2", "r1", 4), payment("b2", "p2", "r4", 5)]
    payments += [payment("c0", "p3", "r4", 6), payment("d0", "p4", "r1", 7, 30000)]
    payments += [payment("e0", "p2", "hub", 2, payee_name="Big Fund")]
    payments += [
        payment(f"h{number}", f"q{number}", "hub", 2, payee_name="Big Fund") for number in range(300)
    ]
    payments += [
        payment("f0", "p1", "shop", 1, 1299, payee_country="GB", rail="card", merchant_code="5411", via=None, payee_name="Shop")
    ]  # fmt: skip
    payers = sorted({one["payer"] for one in payments})
    return {
        "payments": payments,
        "customers": [customer(one) for one in payers],
        "ties": [{"customer": "p4", "country": "PH", "tie": "family"}],
        "markers": [{"subject": "r1", "marker": "flagged-receiver", "since": date(2026, 2, 1), "source": "partner notice 7"}],
    }  # fmt: skip


def dataset(folder, tables=None):
    """Write a dataset as a folder of Parquet files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, listed in (tables or rows()).items():
        full = [{column: row.get(column) for column in TABLES[name]} for row in listed]
        pq.write_table(pa.Table.from_pylist(full, schema=schema(name)), folder / f"{name}.parquet")
    return folder


def reason(indicator="C2", mdb=6000, **more):
    fields = {
        "family": "amount",
        "sentence": "5 of 6 payments abroad were between 10 and 200 pounds; of 100 customers who send money abroad 8 do this.",
        "value": 0.83,
        "unit": "share",
        "peer_group": "sends abroad, account 2 years and older",
        "peer_share": 0.08,
        "payments": ("a0", "a1", "a2"),
        "source": "https://example.org/indicators",
        "grade": "P",
        **more,
    }
    return Reason(indicator=indicator, weight_mdb=mdb, **fields)


def alert(**more):
    fields = {
        "alert": "ls-0001",
        "typology": "livestream-payer",
        "lane": "slow",
        "subject": "p1",
        "at_us": int((NOON + timedelta(days=15)).timestamp() * 1_000_000),
        "rank": 1,
        "total_mdb": 11000,
        "keeper_mdb": 9000,
        "threshold_mdb": 9500,
        "reasons": (
            reason("C7", 8000, family="spread", sentence="3 receivers abroad in 15 days, none with a known tie; the peer group's median is 1.", value=3.0, unit="receivers"),
            reason(),
        ),
        "counter": (
            reason("K1", -3000, family="habit", sentence="One receiver gets two thirds of the money, as in support of a family.", value=0.67, payments=("a0",)),
        ),
        "off": (("C6", "The zone of the payer is not known."),),
        "pack": "sha256:aa",
        "baseline": "sha256:bb",
        **more,
    }  # fmt: skip
    return Alert(**fields)
