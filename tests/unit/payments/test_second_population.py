"""The second population: a valid dataset, the same bytes again, the published bounds, and everybody in it."""

import hashlib

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from bench.second_population import write_population
from bench.second_population.book import GROUPS, TEXTS, TYPOLOGIES
from typer.testing import CliRunner

from lightship.cli import app
from lightship.core.payments import RAILS, TABLES, TIES

CUSTOMERS, PAYERS = 5_000, 20


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    write_population(folder, customers=CUSTOMERS, payers=PAYERS, seed=3)
    return folder


@pytest.fixture(scope="module")
def tables(made):
    return {file.stem: pq.read_table(file) for file in made.iterdir()}


def test_a_seed_repeats_its_bytes_and_another_does_not(made, tmp_path):
    def digests(folder):
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}

    write_population(tmp_path / "again", customers=CUSTOMERS, payers=PAYERS, seed=3)
    write_population(tmp_path / "other", customers=CUSTOMERS, payers=PAYERS, seed=4)
    assert digests(tmp_path / "again") == digests(made)
    assert digests(tmp_path / "other")["payments.parquet"] != digests(made)["payments.parquet"]


def test_it_is_a_dataset_with_about_twenty_payments_a_customer(tables):
    for name, columns in TABLES.items():
        assert tables[name].column_names == list(columns)
        for column, (_, may_be_null) in columns.items():
            assert may_be_null or tables[name][column].null_count == 0
    payments, customers = tables["payments"], tables["customers"]
    assert len(customers) == len(set(customers["customer"].to_pylist())) == CUSTOMERS
    assert len(set(payments["payment"].to_pylist())) == len(payments)
    assert 18 <= len(payments) / CUSTOMERS <= 25
    assert pc.min(payments["amount_minor"]).as_py() > 0
    assert set(payments["rail"].to_pylist()) <= set(RAILS)
    assert set(payments["text"].to_pylist()) <= {None, *TEXTS}
    assert set(tables["ties"]["tie"].to_pylist()) <= set(TIES)


def test_nobody_pays_before_their_account_is_open(tables):
    opened = dict(
        zip(*(tables["customers"][name].to_pylist() for name in ("customer", "opened")), strict=True)
    )
    rows = zip(*(tables["payments"][name].to_pylist() for name in ("at", "payer")), strict=True)
    # A day of grace: the book keeps the customer's own days, the dataset has UTC.
    assert all((at.date() - opened[payer]).days >= -1 for at, payer in rows if payer in opened)


def test_every_group_and_typology_is_there(tables):
    truth = tables["truth"].to_pydict()
    assert set(TYPOLOGIES) == {name for name in truth["typology"] if name}
    # The typologies' subjects keep the group of their everyday life; only their receivers have one of their own.
    assert set(GROUPS) - {"livestream", "extortion"} <= set(truth["group"])
    assert truth["typology"].count("livestream-payer") == PAYERS
    assert set(tables["truth_payments"]["payment"].to_pylist()) <= set(
        tables["payments"]["payment"].to_pylist()
    )


def test_bursts_keep_to_the_published_bounds(tables):
    """2 to 8 payments in 48 hours, the first below 250, at most 1,500 in all."""
    truth = tables["truth_payments"]
    told = truth.filter(pc.equal(truth["typology"], "extortion-victim"))["payment"]
    payments = tables["payments"].filter(pc.is_in(tables["payments"]["payment"], told))
    victims = np.array(payments["payer"].to_pylist())
    at = payments["at"].cast("int64").to_numpy() / 3.6e9
    amount = payments["amount_minor"].to_numpy() / 100
    assert len(set(victims)) >= 4
    for victim in set(victims):
        mine = np.flatnonzero(victims == victim)
        hours = np.sort(at[mine])
        burst = (
            hours <= hours[0] + 72
        )  # fees for "recovery" come later; bookings without a time stand at noon
        assert 2 <= burst.sum() <= 8
        assert amount[mine][np.argsort(at[mine])][burst].sum() <= 1500


def test_the_search_runs_on_it(made, tmp_path):
    result = CliRunner().invoke(app, ["payments", "score", str(made), "--out", str(tmp_path / "scored")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "scored" / "alerts.jsonl").stat().st_size > 0
