"""An analyst at a bank: a year of payments becomes a short list, and each row says why, and why not."""

import json
import random
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lightship.cli import main
from lightship.payments.schema import schema

END = datetime(2026, 10, 31, tzinfo=UTC)


def _rows():
    """A small bank: families who send money home each month, and one customer who does something else."""
    rng = random.Random(5)
    payments = []

    def pay(at, payer, payee, amount, **more):
        payments.append(
            {
                "payment": f"p{len(payments):05}",
                "at": at,
                "time_known": True,
                "payer": payer,
                "payee": payee,
                "amount_minor": amount * 100,
                "currency": "GBP",
                "payer_country": "GB",
                "payee_country": "PH",
                "rail": "remittance",
                **more,
            }
        )

    for number in range(300):
        for month in range(12):
            at = END - timedelta(days=30 * month + rng.randint(0, 2), hours=rng.randint(9, 14))
            pay(at, f"family{number}", f"mother{number}", rng.randint(180, 420), text="family support")
    for name in ("x", "y", "z"):
        for number in range(14):
            at = END - timedelta(days=11 * number + rng.randint(0, 5), hours=rng.choice([1, 2, 23]))
            pay(
                at.replace(minute=rng.randint(0, 59)),
                name,
                f"seller{number % 4}",
                rng.choice([20, 25, 30, 50, 75]),
            )
    customers = [
        {
            "customer": name,
            "kind": "person",
            "opened": date(2015, 1, 1),
            "country": "GB",
            "zone": "Europe/London",
        }
        for name in [*(f"family{n}" for n in range(300)), "x", "y", "z"]
    ]
    ties = [{"customer": f"family{n}", "country": "PH", "tie": "family"} for n in range(0, 300, 2)]
    return {"payments": payments, "customers": customers, "ties": ties}


@pytest.fixture
def bank(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bank").mkdir()
    for table, rows in _rows().items():
        shape = schema(table)
        full = [{name: row.get(name) for name in shape.names} for row in rows]
        pq.write_table(pa.Table.from_pylist(full, schema=shape), tmp_path / "bank" / f"{table}.parquet")
    return tmp_path


def _run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["lightship", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


SCORE = ("payments", "score", "bank", "--pack", "uk", "--typology", "livestream-payer", "--out")


def test_a_newcomer_reads_why_and_why_not(bank, monkeypatch, capsys):
    assert _run(monkeypatch, *SCORE, "alerts") == 0
    assert "3 cases" in capsys.readouterr().err
    alerts = [json.loads(line) for line in (bank / "alerts" / "alerts.jsonl").read_text().splitlines()]
    assert {one["subject"] for one in alerts} == {"x", "y", "z"}
    first = alerts[0]
    parts = first["reasons"] + first["counter"]
    assert sum(one["weight_mdb"] for one in parts) == first["total_mdb"]
    night = next(one for one in parts if one["indicator"] == "C6")
    assert "payments were made between 21:00 and 05:00 by the payer's clock" in night["sentence"]
    assert "Of comparable subjects (10 to 29 such payments" in night["sentence"]
    assert night["source"].startswith("https://")
    assert night["payments"]
    # What the bank's data cannot tell is said, with what it would need.
    assert dict(first["off"])["C14"].startswith("needs merchant or card data")
    # The same bytes again, and the same list with the baseline that was fitted.
    before = (bank / "alerts" / "alerts.jsonl").read_bytes()
    assert _run(monkeypatch, *SCORE, "alerts") == 0
    assert (bank / "alerts" / "alerts.jsonl").read_bytes() == before
    assert _run(monkeypatch, *SCORE, "again", "--baselines", "alerts/baseline") == 0
    assert (bank / "again" / "alerts.jsonl").read_bytes() == before


def test_what_is_wrong_is_one_sentence(bank, monkeypatch, capsys):
    table = pq.read_table(bank / "bank" / "payments.parquet")
    pq.write_table(table.drop_columns(["text"]), bank / "bank" / "payments.parquet")
    assert _run(monkeypatch, *SCORE, "alerts") == 2
    assert "The column text is missing" in capsys.readouterr().err
    currency = pa.array(["XAU"] * len(table), pa.string())
    place = table.schema.get_field_index("currency")
    pq.write_table(table.set_column(place, "currency", currency), bank / "bank" / "payments.parquet")
    assert _run(monkeypatch, *SCORE, "alerts") == 2
    assert "There is no rate for XAU" in capsys.readouterr().err
    (bank / "bank" / "customers.parquet").unlink()
    assert _run(monkeypatch, *SCORE, "alerts") == 2
    assert "The dataset has no customers.parquet" in capsys.readouterr().err
    assert not (bank / "alerts" / "alerts.jsonl").exists()


def test_a_pack_reads_in_plain_words(bank, monkeypatch, capsys):
    assert _run(monkeypatch, "packs", "explain", "extortion-victim") == 0
    said = capsys.readouterr().out
    assert "The child is the victim." in said.replace("\n", " ")
    assert "What may never decide" in said
    assert _run(monkeypatch, "packs", "explain", "nothing-of-the-kind") == 3
