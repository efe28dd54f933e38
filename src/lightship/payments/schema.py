"""A dataset's tables as Arrow knows them."""

from __future__ import annotations

import pyarrow as pa

from lightship.core.payments import TABLES

ARROW = {
    "string": pa.string(),
    "int64": pa.int64(),
    "int16": pa.int16(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def schema(table: str) -> pa.Schema:
    """Return a table's Arrow schema."""
    return pa.schema(
        [pa.field(name, ARROW[kind], nullable=null) for name, (kind, null) in TABLES[table].items()]
    )
