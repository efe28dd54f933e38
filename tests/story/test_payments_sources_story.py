"""An analyst scores what the bank has, in one command: tables or messages, and what cannot be used is said."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lightship.cli import main
from tests.unit.exchange.messages import OWN, ROOTS, entry, statement, transfers

END = datetime(2026, 10, 31, 12, tzinfo=UTC)
FAMILIES = ("csv", "parquet", *ROOTS)


def payments():
    """Some who send home each month, and two who pay several strangers small sums at night."""
    rng = random.Random(3)
    for number in range(100):
        for month in range(11):
            at = END - timedelta(days=30 * month, hours=rng.randint(1, 5))
            yield f"GB{number:03}FAMILY", f"100{number:04}", rng.randint(180, 420), at
    for name in ("GB900NIGHT", "GB901NIGHT"):
        for number in range(14):
            at = END - timedelta(days=9 * number, hours=rng.randint(10, 13))
            yield name, f"900{number % 4:04}", rng.choice([20, 25, 50]), at


def row(place, payer, payee, amount, at):
    return {
        "payment": f"p{place}", "at": at.isoformat(), "payer": payer, "payee": payee, "amount": str(amount), "currency": "GBP",
        "payer_country": "GB", "payee_country": "PH", "rail": "bank",
    }  # fmt: skip


def write_sources(folder, family):
    """Write the payments as a bank of that family has them, with one that cannot be used."""
    folder.mkdir()
    found = list(enumerate(payments()))
    customers = sorted({payer for _, (payer, *_) in found})
    lines = [f"{name},person,2015-01-01,GB,Europe/London" for name in customers]
    (folder.parent / "customers.csv").write_text("\n".join(["customer,kind,opened,country,zone", *lines]))
    tied = [f"{name},PH,family" for name in customers if "FAMILY" in name]
    (folder.parent / "ties.csv").write_text("\n".join(["customer,country,tie", *tied]))
    bad = "-5"
    if family in {"csv", "parquet"}:
        rows = [row(place, *one) for place, one in found]
        rows[7]["amount"] = bad
        if family == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), folder / "payments.parquet")
            return
        with (folder / "payments.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return
    for place, (payer, payee, amount, at) in found:
        said = bad if place == 7 else str(amount)
        if family.startswith("camt"):
            parts = [{"role": "Cdtr", "name": "Maria", "country": "PH", "account": payee, "e2e": f"e{place}"}]
            one = {"amount": said, "direction": "DBIT", "booked": at.isoformat(), "servicer": f"s{place}"}
            data = statement(family, 8, entry(8, one, parts)).replace(OWN.encode(), payer.encode())
        else:
            one = {
                "payer": payer, "payer_name": "Ann", "payer_country": "GB", "payee": payee, "payee_name": "Maria",
                "payee_country": "PH", "amount": said, "currency": "GBP", "tx": f"t{place}", "e2e": f"e{place}",
            }  # fmt: skip
            data = transfers(family, 8, [one], made=at.isoformat())
        (folder / f"{place:04}.xml").write_bytes(data)


@pytest.fixture
def lightship(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*words, fails=0):
        monkeypatch.setattr("sys.argv", ["lightship", "payments", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert (ended.value.code or 0) == fails, said
        return said

    return run


FACTS = ("--customers", "customers.csv", "--ties", "ties.csv")
SCORE = ("--typology", "livestream-payer")


@pytest.mark.parametrize("family", FAMILIES)
def test_one_command_scores_what_there_is(lightship, tmp_path, family):
    write_sources(tmp_path / "bank", family)
    said = lightship("score", "bank", "--out", "alerts", *SCORE, *FACTS)
    assert "Not used: 1 row (amount 1), with reasons in alerts/data.rejects.csv" in said
    (reject,) = csv.DictReader((tmp_path / "alerts" / "data.rejects.csv").read_text().splitlines())
    assert reject["field"] == "amount"
    assert "is not above 0" in reject["reason"]
    found = [json.loads(line) for line in (tmp_path / "alerts" / "alerts.jsonl").read_bytes().splitlines()]
    assert {one["subject"] for one in found} == {"GB900NIGHT", "GB901NIGHT"}
    # The same as by the two steps.
    lightship("read", "bank", "--out", "data", *FACTS)
    assert_alike(tmp_path / "alerts" / "data", tmp_path / "data")
    if family == "csv":
        lightship("score", "data", "--out", "again", *SCORE)
        assert_alike(tmp_path / "alerts", tmp_path / "again")
        lightship("bundle", "alerts", "--out", "cases")
        assert (tmp_path / "cases" / "index.html").is_file()


def assert_alike(folder, other):
    names = [path.relative_to(other) for path in sorted(other.rglob("*")) if path.is_file()]
    assert names
    for name in names:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name


def test_what_does_not_fit_together_is_said(lightship, tmp_path):
    write_sources(tmp_path / "bank", "csv")
    lightship("read", "bank", "--out", "data")
    assert "needs no mapping" in lightship("score", "data", "--out", "alerts", "--fx", "example", fails=2)
    assert "This is a dataset already" in lightship("score", "data", "bank", "--out", "alerts", fails=2)
    assert not any((tmp_path / "alerts").iterdir())


def test_a_remitter_who_only_sends_gets_the_lists_that_its_payments_can_fill(lightship, tmp_path):
    write_sources(tmp_path / "bank", "csv")
    said = lightship("score", "bank", "--out", "alerts", *FACTS)
    assert (
        "No payment of the window is what extortion-mule is about. It has no cases and no baseline." in said
    )
    found = [json.loads(line) for line in (tmp_path / "alerts" / "alerts.jsonl").read_bytes().splitlines()]
    assert {one["subject"] for one in found if one["typology"] == "livestream-payer"} == {
        "GB900NIGHT",
        "GB901NIGHT",
    }
    assert not (tmp_path / "alerts" / "baseline" / "extortion-mule.json").exists()
    # The next month is weighed with what there is.
    said = lightship("score", "alerts/data", "--out", "next", "--baselines", "alerts/baseline")
    assert "extortion-mule: not scored, as alerts/baseline has no baseline of it." in said


def test_a_history_of_years_ago_is_scored_with_what_was_published_by_then(lightship, tmp_path):
    write_sources(tmp_path / "bank", "csv")
    for path in (tmp_path / "bank").glob("*.csv"):
        path.write_text(path.read_text().replace("2026-", "2024-").replace("2025-", "2023-"))
    said = lightship("score", "bank", "--out", "alerts", *SCORE, *FACTS)
    assert "livestream-payer: " in said
    base = json.loads((tmp_path / "alerts" / "baseline" / "livestream-payer.json").read_bytes())
    assert "C1" not in base["tables"]  # published in 2025
    assert len(base["keeper_mdb"]) == 2 ** len({"C6", "N1"})


def test_a_baseline_of_another_jurisdiction_is_refused(lightship, tmp_path):
    write_sources(tmp_path / "bank", "csv")
    lightship("score", "bank", "--out", "alerts", *SCORE, *FACTS)
    again = ("score", "alerts/data", "--out", "au", *SCORE, "--baselines", "alerts/baseline", "--pack", "au")
    assert "The baseline was made with another jurisdiction than au" in lightship(*again, fails=2)
    assert not list((tmp_path / "au").glob("*"))


def test_a_baseline_that_lets_nationality_outweigh_the_pack_is_refused(lightship, tmp_path):
    write_sources(tmp_path / "bank", "csv")
    lightship("score", "bank", "--out", "alerts", *SCORE, *FACTS)
    path = tmp_path / "alerts" / "baseline" / "livestream-payer.json"
    base = json.loads(path.read_bytes())
    base["tables"]["C9"]["weights_mdb"][0][-1] = 4001  # the pack's cap is 4 dB
    path.write_text(json.dumps(base))
    again = ("score", "alerts/data", "--out", "next", *SCORE, "--baselines", "alerts/baseline")
    assert "The baseline weighs C9 otherwise than the pack allows" in lightship(*again, fails=2)
    base["tables"]["C9"]["weights_mdb"] = []
    path.write_text(json.dumps(base))
    assert "The baseline weighs C9 otherwise" in lightship(*again, fails=2)
