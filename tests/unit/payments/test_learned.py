"""The learned model: monotone, exact, deaf to protected attributes, and refused where it does not belong."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship import app_payments
from lightship.core.errors import InputError
from lightship.payments import learned
from lightship.payments.baseline import Baseline, Table
from lightship.payments.lane import BURST_US
from lightship.payments.learned import Learned, Rows

PACK = app_payments.typology("livestream-payer")
BASE = Baseline(
    typology=PACK.id,
    pack=PACK.digest,
    jurisdiction="",
    to_us=0,
    subjects=0,
    groups=(),
    tables={one.id: Table((1,), 1, ((0.5, 0.5),), ((0, 1000),)) for one in PACK.computed},
    off={},
    threshold_mdb=0,
)
NAMES = learned.learnable(PACK, BASE)


def made(size: int = 900, known: int = 60, seed: int = 1) -> tuple[Rows, set[str]]:
    """Return made-up rows: the known weigh more in the first two indicators, and only together."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0.0, 3.0, (size, len(NAMES)))
    values[:known, :2] += 5.0
    total = np.rint(values.sum(axis=1) * 1000).astype(np.int64)
    who = np.array([f"s{number}" for number in range(size)])
    return Rows(who, np.arange(size), total, values, np.zeros(size, dtype=np.int64)), set(
        who[:known].tolist()
    )


@pytest.fixture(scope="module")
def model() -> Learned:
    rows, known = made()
    return learned.train(rows, known, PACK, BASE)


def test_it_finds_what_the_sum_of_weights_drowns(model: Learned) -> None:
    assert model.known == 60
    assert model.trial.learned_hits > model.trial.pack_hits


def test_protected_attributes_are_not_among_its_features(model: Learned) -> None:
    protected = {one.id for one in PACK.computed if one.protected}
    assert "C9" in protected
    assert not protected & set(model.indicators)


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 899), which=st.integers(0, len(NAMES) - 1), more=st.floats(0.0, 20.0))
def test_more_evidence_never_lowers_it(model: Learned, place: int, which: int, more: float) -> None:
    row = made()[0].take([place])
    raised = row.learnable.copy()
    raised[0, which] += more
    before, after = (
        learned.weights_mdb(model, row),
        learned.weights_mdb(model, replace(row, learnable=raised)),
    )
    assert after[0] >= before[0]


def test_its_parts_sum_to_what_it_says(model: Learned) -> None:
    rows = replace(made()[0].take(slice(0, 20)), fixed_mdb=np.full(20, 700))
    for said, whole in zip(learned.told(model, rows), learned.weights_mdb(model, rows), strict=True):
        assert said.start_mdb + sum(said.parts.values()) + said.fixed_mdb == said.learned_mdb
        assert abs(said.learned_mdb - whole) <= len(NAMES)  # each part is rounded by itself
        assert tuple(said.parts) == NAMES


def test_training_again_gives_the_same_bytes_and_they_read_back(model: Learned) -> None:
    rows, known = made()
    again = learned.train(rows, known, PACK, BASE)
    assert again.digest == model.digest
    assert Learned.from_json(json.loads(json.dumps(model.to_json())), "model.json") == model


def test_of_a_victim_only_the_heaviest_moment_and_those_before_it_are_learned_from() -> None:
    subject = np.array(["v", "v", "v", "v", "w"])
    at_us = np.array([0, 10 * BURST_US, 10 * BURST_US + 5, 30 * BURST_US, 0])
    weight = np.array([1000, 9000, 20_000, 2000, 500])
    rows = Rows(subject, at_us, weight, np.zeros((5, 1)), np.zeros(5, dtype=np.int64))
    seen, truth = learned.marked(rows, {"v"})
    assert list(zip(seen.subject.tolist(), seen.at_us.tolist(), truth.tolist(), strict=True)) == [
        ("v", 10 * BURST_US, True),
        ("v", 10 * BURST_US + 5, True),
        ("w", 0, False),
    ]


def test_too_few_known_are_not_learned_from() -> None:
    rows, _ = made()
    with pytest.raises(InputError, match="2 known subjects"):
        learned.train(rows, {"s1", "s2", "nobody"}, PACK, BASE)


@pytest.mark.parametrize(
    "other",
    [
        {"typology": "extortion-victim"},
        {"pack": "sha256:0"},
        {"indicators": NAMES[1:]},
    ],
)
def test_a_model_of_another_pack_is_refused(model: Learned, other: dict[str, Any]) -> None:
    assert learned.suits(model, PACK, BASE) is model
    with pytest.raises(InputError, match="does not fit"):
        learned.suits(replace(model, **other), PACK, BASE)


@pytest.mark.parametrize("value", [[], {}, {"format": learned.FORMAT}, {"format": "x", "model": ""}])
def test_what_is_no_model_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="no trained model"):
        Learned.from_json(value, "model.json")


def test_a_spoilt_model_is_refused(model: Learned) -> None:
    with pytest.raises(InputError, match="LightGBM cannot read"):
        learned.weights_mdb(replace(model, model="tree\nnonsense"), made()[0])


def test_without_lightgbm_it_says_what_to_install(model: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(InputError, match="not installed"):
        learned.weights_mdb(model, made()[0])
    assert importlib.import_module("lightship.payments.learned") is learned
