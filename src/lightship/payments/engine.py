"""The two engines that run the same expressions: DuckDB in this process, and Spark.

Each reads Parquet, takes small tables, keeps a result for later expressions, and hands rows back as Arrow. Nothing
else of an engine is used, so that what runs is what Ibis made of one definition.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa

ibis.options.sql.fuse_selects = False  # both engines merge selects themselves, and take less time over it

_TIME = dt.Timestamp()


def _builtin(name: str) -> Any:
    """Return an engine's own function from a timestamp to microseconds, as Ibis calls it."""

    def function(at):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        """Microseconds since 1970."""

    function.__name__ = name
    return ibis.udf.scalar.builtin(function, name=name, signature=((_TIME,), dt.int64))


class Engine(Protocol):
    """What runs expressions."""

    def read(self, name: str, path: Path) -> Any:
        """Return a Parquet file or folder as a table."""
        ...

    def lookup(self, name: str, table: pa.Table) -> Any:
        """Return a small table for joins."""
        ...

    def keep(self, name: str, expression: Any) -> Any:
        """Compute an expression once and return it as a table."""
        ...

    def arrow(self, expression: Any) -> pa.Table:
        """Return an expression's rows."""
        ...

    def microseconds(self, column: Any) -> Any:
        """Return a timestamp column as microseconds since 1970."""
        ...


class DuckEngine:
    """DuckDB in this process.

    Parameters
    ----------
    memory
        What it may hold before it writes to disk, such as ``"3GB"``; empty for DuckDB's own limit.
    threads
        0 for all cores.
    cursor
        Another engine's, to be beside it.
    """

    def __init__(
        self, memory: str = "", threads: int = 0, spill: Path | None = None, cursor: Any = None
    ) -> None:
        self._ibis = ibis.duckdb.from_connection(cursor) if cursor else ibis.duckdb.connect()
        settings = {"memory_limit": memory, "threads": threads, "temp_directory": str(spill or "")}
        for name, value in settings.items():
            if value:
                self._ibis.raw_sql(f"SET {name} = '{value}'")
        self._ibis.raw_sql("SET preserve_insertion_order = false")
        self._ibis.raw_sql("SET TimeZone = 'UTC'")

    def beside(self) -> DuckEngine:
        """Return an engine for another thread: what either keeps both have, within the same memory.

        What is read or looked up stays each one's own.
        """
        return DuckEngine(cursor=self._ibis.con.cursor())

    def interrupt(self) -> None:
        """Stop what it computes; whoever waits for it sees an error."""
        self._ibis.con.interrupt()

    def read(self, name: str, path: Path) -> Any:
        """Return a Parquet file or folder as a table."""
        pattern = str(path / "*.parquet") if path.is_dir() else str(path)
        return self._ibis.read_parquet(pattern, table_name=name)

    def lookup(self, name: str, table: pa.Table) -> Any:
        """Return a small table for joins."""
        self._ibis.con.register(name, table)
        return self._ibis.table(name)

    def keep(self, name: str, expression: Any) -> Any:
        """Compute an expression once and return it as a table."""
        self._ibis.raw_sql(f"DROP TABLE IF EXISTS {name}")
        # With the expression's own types: DuckDB's sums would be of 128 bits otherwise.
        return self._ibis.create_table(name, obj=expression)

    def arrow(self, expression: Any) -> pa.Table:
        """Return an expression's rows."""
        return self._ibis.to_pyarrow(expression)

    def microseconds(self, column: Any) -> Any:
        """Return a timestamp column as microseconds since 1970."""
        return _builtin("epoch_us")(column)

    def close(self) -> None:
        """Free what it holds."""
        self._ibis.disconnect()


class SparkEngine:
    """A Spark session of the caller's, whose time zone must be UTC."""

    def __init__(self, session: Any) -> None:
        self._session = session
        # Times without a zone are UTC, as the tables say.
        session.conf.set("spark.sql.parquet.inferTimestampNTZ.enabled", "false")
        self._ibis = ibis.pyspark.connect(session)

    def read(self, name: str, path: Path) -> Any:
        """Return a Parquet file or folder as a table."""
        self._session.read.parquet(str(path)).createOrReplaceTempView(name)
        return self._ibis.table(name)

    def lookup(self, name: str, table: pa.Table) -> Any:
        """Return a small table for joins."""
        self._session.createDataFrame(table).createOrReplaceTempView(name)
        return self._ibis.table(name)

    def keep(self, name: str, expression: Any) -> Any:
        """Compute an expression once and return it as a table."""
        frame = self._session.sql(self._ibis.compile(expression)).cache()
        frame.createOrReplaceTempView(name)
        return self._ibis.table(name)

    def arrow(self, expression: Any) -> pa.Table:
        """Return an expression's rows."""
        # Ibis would go by way of pandas.
        return self._session.sql(self._ibis.compile(expression)).toArrow()

    def microseconds(self, column: Any) -> Any:
        """Return a timestamp column as microseconds since 1970."""
        return _builtin("unix_micros")(column)
