"""Opens datasets for the payments room, and says what they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightship.core.errors import InputError
from lightship.core.payments import TABLES

_SQL = {
    "string": "varchar",
    "int64": "bigint",
    "int16": "smallint",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
_NEEDED = ("payments", "customers")


@contextmanager
def open_dataset(folder: Path) -> Iterator[Any]:
    """Open a dataset's tables as views on a DuckDB connection; tables that it may lack are empty.

    Raises
    ------
    InputError
        If a table that is needed is missing, or a column or its type is not that of a dataset.
    """
    import duckdb

    con = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    try:
        for name, columns in TABLES.items():
            path = folder / f"{name}.parquet"
            if path.is_file():
                _view(con, name, path)
            elif name in _NEEDED:
                raise InputError(
                    f"The dataset has no {name}.parquet.",
                    str(folder),
                    "Make one with `lightship payments read`.",
                )
            else:
                typed = ", ".join(f'"{column}" {_SQL[kind]}' for column, (kind, _) in columns.items())
                con.execute(f"create temp table {name} ({typed})")
        yield con
    finally:
        con.close()


def _view(con: Any, name: str, path: Path) -> None:
    import duckdb

    todo = "Make the dataset again with `lightship payments read`."
    try:
        con.read_parquet(str(path)).create_view(name)
        found = {row[0]: row[1] for row in con.execute(f"describe {name}").fetchall()}
    except duckdb.Error as error:
        raise InputError("This is not a Parquet file.", str(path), todo) from error
    fits = {
        "string": {"VARCHAR"}, "int64": {"BIGINT"}, "int16": {"SMALLINT"}, "bool": {"BOOLEAN"}, "date": {"DATE"},
        "timestamp": {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"},
    }  # fmt: skip
    for column, (kind, _) in TABLES[name].items():
        if column not in found:
            raise InputError(f"The column {column!r} is missing.", str(path), todo)
        if found[column] not in fits[kind]:
            raise InputError(
                f"The column {column!r} is {found[column].lower()}, not {kind}.", str(path), todo
            )


def provenance(folder: Path) -> dict[str, str]:
    """Return the digests of a dataset's tables by name."""
    made = {}
    for name in TABLES:
        path = folder / f"{name}.parquet"
        if path.is_file():
            with path.open("rb") as file:
                made[f"{name}.parquet"] = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return made


def text_of(path: Path) -> str:
    """Return a file's text.

    Raises
    ------
    InputError
        If it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The file cannot be read: {error}.", str(path), "Name a file of UTF-8 text."
        ) from error
