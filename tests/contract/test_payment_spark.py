"""One history, two engines: Spark measures what DuckDB does, and raises the same alerts."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightship.payments.engine import DuckEngine
from tests.contract.payment_history import batch, random_history, write


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
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
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
    _, bases, expected = batch(duck, tmp_path)
    duck.close()
    _, own, found = batch(SparkEngine(spark), tmp_path)
    assert {name: base.digest for name, base in own.items()} == {
        name: base.digest for name, base in bases.items()
    }
    assert found == expected
