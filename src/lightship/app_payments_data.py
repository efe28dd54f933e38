"""Opens datasets for the payments room, and says what they are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lightship.core.errors import InputError
from lightship.core.payments import LATER, TABLES
from lightship.exchange.dataset import MANIFEST
from lightship.payments.schema import schema

_NEEDED = ("payments", "customers")
_TODO = "Make the dataset with `lightship payments read`."


def is_dataset(path: Path) -> bool:
    """Return whether a folder is a dataset, whole or not: one of payments alone may be anybody's."""
    found = {name for name in TABLES if any(_places(path, name))}
    return (path / MANIFEST).is_file() or ("payments" in found and len(found) > 1)


def _places(folder: Path, name: str) -> Iterator[Path]:
    """Yield where a table may lie: a file, or a folder of files."""
    yield from (one for one in (folder / f"{name}.parquet", folder / name) if one.exists())


def files(path: Path) -> list[Path]:
    """Return a table's files."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def tables_of(folder: Path) -> dict[str, Path]:
    """Return where the tables of a dataset lie, each a file or a folder of files.

    Raises
    ------
    InputError
        If a table that is needed is missing, or a column or its type is not that of a dataset.
    """
    found = {}
    for name in TABLES:
        path = next(_places(folder, name), None)
        if path is not None:
            _check(name, path)
            found[name] = path
        elif name in _NEEDED:
            raise InputError(f"The dataset has no {name}.parquet.", str(folder), _TODO)
    return found


def _check(table: str, path: Path) -> None:
    parts = files(path)
    if not parts:
        raise InputError("The folder holds no Parquet file.", str(path), _TODO)
    without: set[str] | None = None
    for part in parts:
        try:
            held = pq.read_schema(part)
        except (OSError, ValueError) as error:
            raise InputError("This is not a Parquet file.", str(part), _TODO) from error
        lacking = {name for name in TABLES[table] if name not in held.names}
        if missing := [name for name in TABLES[table] if name in lacking - {*LATER.get(table, ())}]:
            raise InputError(f"The column {', '.join(missing)} is missing.", str(part), _TODO)
        if without not in (None, lacking):
            what = f"The column {', '.join(sorted(lacking ^ without))} is in some files of the table only."
            raise InputError(what, str(part), _TODO)
        without = lacking
        for one in (one for one in schema(table) if one.name not in lacking):
            kind = held.field(one.name).type
            if not _fits(kind, one.type):
                wanted = TABLES[table][one.name][0]
                raise InputError(f"The column {one.name} is {kind}, not {wanted}.", str(part), _TODO)


def _fits(held: pa.DataType, wanted: pa.DataType) -> bool:
    """Return whether a column is of the type that is wanted, as whatever writer has it."""
    if pa.types.is_dictionary(held):
        held = held.value_type
    if pa.types.is_timestamp(held) and pa.types.is_timestamp(wanted):  # an instant, whatever zone shows it
        return held.unit in ("us", "ms")
    return held == wanted or (wanted == pa.string() and held in (pa.large_string(), pa.string_view()))


@contextmanager
def connected(folder: Path) -> Iterator[Any]:
    """Open a dataset's tables as views on a DuckDB connection; tables that it may lack are empty.

    Raises
    ------
    InputError
        If a table that is needed is missing, or a column or its type is not that of a dataset.
    """
    import duckdb

    found = tables_of(folder)
    con = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    )
    try:
        for name in TABLES:
            if name in found:
                held = con.read_parquet([str(part) for part in files(found[name])])
                later = [f"NULL::SMALLINT AS {one}" for one in LATER.get(name, ()) if one not in held.columns]
                held.project(", ".join(["*", *later])).create_view(name)
            else:
                con.register(name, schema(name).empty_table())
        yield con
    finally:
        con.close()


def provenance(folder: Path) -> dict[str, str]:
    """Return the digests of a dataset's tables by name."""
    made = {}
    for name in TABLES:
        for path in (part for place in _places(folder, name) for part in files(place)):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            made[str(path.relative_to(folder))] = f"sha256:{digest}"
    return made


def text_of(path: Path) -> str:
    """Return a file's text, without the mark that some editors begin it with.

    Raises
    ------
    InputError
        If it cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The file cannot be read: {error}.", str(path), "Name a file of UTF-8 text."
        ) from error
