"""One history, three engines: DuckDB, Spark and the live step measure the same values and raise the same alerts."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightship import app_payments
from lightship.app_payments_live import Live, world_of
from lightship.payments.engine import DuckEngine, Engine
from lightship.payments.live import look, replay, step
from tests.contract.payment_history import (
    baselines,
    batch_scores,
    histories,
    live_score,
    random_history,
    world,
    write,
)


def _batch(engine: Engine, folder: Path, bases: Any = None, to_us: int | None = None) -> tuple[Any, Any, Any]:
    data = app_payments.open_dataset(engine, folder)
    measured = histories(engine, data, to_us or app_payments.last_moment(engine, data))
    bases = bases or baselines(engine, measured)
    return measured, bases, batch_scores(engine, measured, bases)


def test_a_batch_and_the_live_path_read_payments_by_the_same_terms(tmp_path: Path, monkeypatch: Any) -> None:
    used = []
    opening = app_payments.open_history

    def noting(engine: Any, data: Any, terms: Any, *more: Any, **named: Any) -> Any:
        used.append(terms)
        return opening(engine, data, terms, *more, **named)

    monkeypatch.setattr(app_payments, "open_history", noting)
    write(tmp_path / "data", random_history(random.Random(3), 60))
    (tmp_path / "data" / "rates.csv").write_text("# base: EUR\nday,GBP,JPY\n2025-01-01,0.8,150\n")
    app_payments.score_dataset(tmp_path / "data", tmp_path / "out", "uk")
    live = Live(tmp_path / "data", tmp_path / "out" / "baseline", "uk", tmp_path / "state")
    assert {repr(one) for one in used} == {repr(world_of(live).terms)}
    assert used[0].zones["GB"] == "Europe/London"  # for customers of whom no zone is known


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(40, 160))
def test_the_step_measures_what_duckdb_does(tmp_path: Path, seed: int, count: int) -> None:
    history = random_history(random.Random(seed), count)
    folder = tmp_path / f"{seed}-{count}"
    write(folder, history)
    with_engine = DuckEngine()
    measured, bases, batch = _batch(with_engine, folder)
    with_engine.close()
    state, steps = replay(world(measured, bases), history)
    end_us = history[-1].at_us
    seen = set()
    for name, one in measured.items():
        if name not in bases or name == "extortion-victim":
            continue
        for subject in state:
            score = look(world(measured, bases), state, one.pack, subject, end_us)
            if score is not None:
                key, found = live_score(score, None)
                assert found == batch[key], (key, found, batch[key])
                seen.add(key)
    assert seen == {key for key in batch if key[0] != "extortion-victim"}
    # Moments of a child's account are looked at as they come; reversals may take one back afterwards.
    moments = {}
    for payment, one_step in zip(history, steps, strict=True):
        for score in one_step.scores:
            if score.typology == "extortion-victim":
                key, found = live_score(score, payment.payment)
                moments[key] = found
    if not any(payment.reverses for payment in history):
        assert {key for key in batch if key[0] == "extortion-victim"} == set(moments)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(60, 160), part=st.floats(0.3, 1.0))
def test_a_step_says_what_a_batch_up_to_that_payment_says(
    tmp_path: Path, seed: int, count: int, part: float
) -> None:
    history = random_history(random.Random(seed), count)
    prefix = history[: max(1, int(len(history) * part))]
    write(tmp_path / "all", history)
    write(tmp_path / "prefix", prefix)
    engine = DuckEngine()
    _, bases, _ = _batch(engine, tmp_path / "all")
    engine.close()
    engine = DuckEngine()
    now, _, batch = _batch(engine, tmp_path / "prefix", bases, prefix[-1].at_us)
    engine.close()
    before, _ = replay(world(now, bases), prefix[:-1])
    for score in step(world(now, bases), before, prefix[-1]).scores:
        key, found = live_score(score, prefix[-1].payment)
        assert found == batch[key], key


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, and there is none here.")
    sql = pytest.importorskip("pyspark.sql", reason="Spark parity needs the extra lightship[spark].")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Py4J's sockets
def test_spark_measures_what_duckdb_does(tmp_path: Path, spark: Any) -> None:
    from lightship.payments.engine import SparkEngine

    history = random_history(random.Random(7), 150)
    write(tmp_path, history)
    duck = DuckEngine()
    _, bases, expected = _batch(duck, tmp_path)
    duck.close()
    _, own, found = _batch(SparkEngine(spark), tmp_path)
    assert {name: base.digest for name, base in own.items()} == {
        name: base.digest for name, base in bases.items()
    }
    assert found == expected
