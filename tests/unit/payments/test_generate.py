"""A made-up population: the dataset's tables, the same bytes again, the published totals, and every group in it."""

import hashlib
import os
import subprocess
import sys
from datetime import timedelta

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.errors import InputError, PolicyError
from lightship.core.payments import RAILS, TABLES, TIES
from lightship.payments.generate import GROUPS, TYPOLOGIES, generate, load, payment_counts, schema, small
from lightship.payments.generate.draws import each, menu, scramble, within
from lightship.payments.generate.extortion import _burst_weights, _reach_h, _sums
from lightship.payments.generate.flow import TEXTS
from lightship.payments.generate.payers import payment_days, payment_sums

EUR = 0.86
"""Pounds for a euro."""


def digest(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population")
    return small(folder, seed=5)


@pytest.fixture(scope="module")
def tables(made):
    return {
        name: pq.read_table(made.folder / f"{name}.parquet")
        for name in ("payments", "customers", "ties", "truth")
    }


def test_the_tables_are_those_of_a_dataset_and_nothing_else(made, tables):
    for name in TABLES:
        found = pq.read_schema(made.folder / f"{name}.parquet")
        assert found.equals(schema(name))
        assert {field.name: field.nullable for field in found} == {
            column: null for column, (_, null) in TABLES[name].items()
        }
    assert tables["truth"].column_names == ["subject", "group", "typology"]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_world(made, tmp_path):
    again = "import sys, pathlib; from lightship.payments.generate import small; small(pathlib.Path(sys.argv[1]), 5)"
    subprocess.run(
        [sys.executable, "-c", again, str(tmp_path / "again")],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    small(tmp_path / "other", seed=6)
    assert digest(tmp_path / "again") == digest(made.folder)
    other = digest(tmp_path / "other")
    assert all(
        other[name] != hash_ for name, hash_ in digest(made.folder).items() if name != "markers.parquet"
    )


def test_payments_keep_the_rules_of_the_tables(tables):
    payments = tables["payments"].to_pydict()
    ids = payments["payment"]
    assert len(set(ids)) == len(ids)
    assert min(payments["amount_minor"]) > 0
    assert set(payments["rail"]) <= set(RAILS)
    assert set(tables["ties"]["tie"].to_pylist()) <= set(TIES)
    assert all(
        (sum_ is None) == (money is None)
        for sum_, money in zip(payments["payee_amount_minor"], payments["payee_currency"], strict=True)
    )
    place = {id_: number for number, id_ in enumerate(ids)}
    taken_back = [(n, place[id_]) for n, id_ in enumerate(payments["reverses"]) if id_]
    assert taken_back, "a few are reversed"
    for back, first in taken_back:
        assert payments["payer"][back] == payments["payee"][first]
        assert payments["amount_minor"][back] == payments["amount_minor"][first]
    months = pc.month(tables["payments"]["at"]).unique()
    assert len(months) == 12


def test_nobody_pays_before_the_account_is_open(tables):
    opened = dict(
        zip(*(tables["customers"][name].to_pylist() for name in ("customer", "opened")), strict=True)
    )
    payments = tables["payments"]
    for side in ("payer", "payee"):
        for who, at in zip(payments[side].to_pylist(), payments["at"].to_pylist(), strict=True):
            assert who not in opened or at.date() >= opened[who]


def test_every_group_and_every_typology_is_there(made, tables):
    truth = tables["truth"].to_pydict()
    assert set(GROUPS) <= set(truth["group"])
    assert set(TYPOLOGIES) == set(truth["typology"]) - {None}
    assert made.typologies["livestream-payer"] == 20
    assert all(paid > 0 for _, paid in made.groups.values())
    assert "receiver of overseas-family" in truth["group"]
    paid = set(tables["payments"]["payee"].to_pylist())
    receivers = [
        who for who, what in zip(truth["subject"], truth["typology"], strict=True) if what == TYPOLOGIES[1]
    ]
    assert paid.issuperset(receivers)


def test_the_patterns_payments_are_named(made, tables):
    parts = pq.read_table(made.folder / "truth_payments.parquet").to_pydict()
    payments = tables["payments"].to_pydict()
    payer = dict(zip(payments["payment"], payments["payer"], strict=True))
    at = dict(zip(payments["payment"], payments["at"], strict=True))
    truth = dict(
        zip(tables["truth"]["subject"].to_pylist(), tables["truth"]["typology"].to_pylist(), strict=True)
    )
    bursts = {}
    for payment, typology in zip(*parts.values(), strict=True):
        if typology != "extortion-mule":
            assert truth[payer[payment]] == typology
        if typology == "extortion-victim":
            bursts.setdefault(payer[payment], []).append(at[payment])
    assert len(bursts) == made.typologies["extortion-victim"]
    assert all(max(burst) - min(burst) <= timedelta(hours=48) for burst in bursts.values())


def test_texts_are_of_the_guidance_and_nothing_else(tables):
    assert set(tables["payments"]["text"].to_pylist()) <= {None, *TEXTS}


def test_a_customer_has_about_twenty_payments_a_year(made):
    assert 18 < made.payments / made.customers < 23


def test_counts_give_the_published_totals():
    """256 payers and 2,714 payments; more than half paid again; 3 % make half, the lowest quarter 3 %."""
    prior, rng = load().payer, np.random.default_rng(0)
    cohorts = [np.sort(payment_counts(rng, 256, prior)) for _ in range(400)]
    totals = np.array([counts.sum() for counts in cohorts])
    assert 2400 < np.median(totals) < 2850
    assert 0.51 < np.mean([(counts > 1).mean() for counts in cohorts]) < 0.57
    assert 0.40 < np.mean([counts[-8:].sum() / counts.sum() for counts in cohorts]) < 0.55
    assert 0.02 < np.mean([counts[:64].sum() / counts.sum() for counts in cohorts]) < 0.035
    assert 0.08 < np.mean([(counts > 20).mean() for counts in cohorts]) < 0.12


def test_sums_and_gaps_of_payers_are_the_published_ones():
    prior, rng = load().payer, np.random.default_rng(1)
    counts = payment_counts(rng, 20_000, prior)
    euros = payment_sums(rng, counts, prior) / EUR
    assert 0.88 < ((euros >= 10) & (euros <= 200)).mean() < 0.94
    assert 0.005 < (euros > 500).mean() < 0.02
    few = np.full(2000, 4)
    day = payment_days(rng, few, 3650, prior).reshape(-1, 4)
    assert 25 < np.median(np.diff(day)) < 60
    many = np.full(500, 40)
    day = payment_days(rng, many, 3650, prior).reshape(-1, 40)
    assert 4 < np.median(np.diff(day)) < 15
    assert payment_days(rng, many, 365, prior).max() < 365


def test_a_burst_is_short_begins_small_and_stays_below_the_published_total():
    prior, rng = load().extortion, np.random.default_rng(2)
    counts = 2 + rng.choice(7, 5000, p=_burst_weights(*prior.count) / _burst_weights(*prior.count).sum())
    sums = _sums(rng, counts, prior.first, prior.total_max)
    owner, step = each(counts)
    assert (sums[step == 0] / EUR < 250).all()
    assert (np.bincount(owner, weights=sums) / EUR <= 1520).all()
    assert np.median(_reach_h(rng, counts, prior.gap_median_h)[np.cumsum(counts) - 1]) < 24


@pytest.mark.parametrize("shifted", ["A", "B"])
def test_a_shifted_world_differs_in_what_was_assumed(shifted, tmp_path):
    usual, moved = load(), load(shifted=shifted)
    assert moved.payer != usual.payer
    assert moved.mix != usual.mix
    assert moved.version.endswith(f"+{shifted}")
    generate(tmp_path, 600, 5, 1, shifted=shifted)
    assert pq.read_metadata(tmp_path / "payments.parquet").num_rows > 9000


def test_an_unknown_shift_and_too_small_a_population_are_refused(tmp_path):
    with pytest.raises(PolicyError, match="cannot be used"):
        load(shifted="Z")
    with pytest.raises(InputError, match="at least 500"):
        generate(tmp_path, 499, 1, 1)
    with pytest.raises(InputError, match="one in twenty"):
        generate(tmp_path, 1000, 51, 1)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_rows_belong_to_their_owners(counts):
    owner, step = each(np.array(counts))
    assert np.bincount(owner, minlength=len(counts)).tolist() == counts
    assert step.tolist() == [place for count in counts for place in range(count)]
    assert within(np.ones(len(owner)), np.array(counts)).tolist() == [one + 1.0 for one in step.tolist()]


@given(st.floats(0.02, 1e9))
def test_a_round_sum_is_near(sum_):
    found = float(menu(np.array([sum_]))[0])
    assert 0.77 < found / sum_ < 1.3
    assert float(menu(np.array([found]))[0]) == pytest.approx(found)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        small(tmp_path / "taken", seed=1)
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_scrambled_numbers_do_not_collide():
    assert len(np.unique(scramble(np.arange(100_000), 7))) == 100_000
