"""Payments, customers, ties and markers as CSV or Parquet, with a mapping that names the institution's own columns.

A mapping is a small TOML file (``packs/payments/mappings/``) with a part for each of the dataset's tables::

    [payments]
    zone = "Europe/London"             # of times without an offset; "payer": that of the payer's country
    at_format = ["%d/%m/%Y %H:%M"]     # ISO 8601 where it is not given
    decimal = ","                      # also: thousands, delimiter, encoding
    [payments.columns]
    payment = "Transaction"
    at = ["Day", "Time"]               # several columns are joined by a space
    [payments.constants]
    rail = "remittance"
    [payments.values.payee_country]    # what the file says, and what it means
    UK = "GB"

Where there is no mapping, the columns are called as the dataset's own. A file is read in batches, so that its size does
not matter. Rows are counted from 1; the header is not counted.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lightship.core.errors import InputError
from lightship.core.payments import TABLES
from lightship.exchange.payment_rows import BY_PAYER, RAW, checked, checked_facts
from lightship.exchange.rejects import Reject, Rejects

_BLOCK = 16 << 20
_LOOK = 1 << 18  # so little at once that memory is used again and stays in the processor's cache
_ROWS = 250_000
_TODO = "See packs/payments/mappings/ for examples."
_EITHER = ("amount", "amount_minor")


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns of one table's file mean.

    Parameters
    ----------
    columns
        Of each of our columns, those of the file that hold it; joined by a space.
    constants
        What holds for every row.
    values
        Of each of our columns, what the file's values mean.
    zone
        In which times without an offset are read; :data:`BY_PAYER` for that of the payer's country.
    at_format
        How the file writes times (``strptime``); ISO 8601 where none is given.
    decimal, thousands, delimiter, encoding
        How a CSV is written.
    where
        The file that says so, for errors.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    zone: str = BY_PAYER
    at_format: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    where: str = ""


def known_columns(table: str) -> tuple[str, ...]:
    """Return the columns that a mapping of a table may name."""
    return RAW if table == "payments" else tuple(TABLES[table])


def _needed(table: str) -> tuple[str, ...]:
    """Return the columns without which nothing can be read."""
    given = (name for name, (_, may_be_null) in TABLES[table].items() if not may_be_null)
    return tuple(name for name in given if name not in {"time_known", "amount_minor"})


def read_mapping(path: Path) -> dict[str, TableMapping]:
    """Return a mapping file's parts by table.

    Raises
    ------
    InputError
        If it cannot be read, names what there is not, or leaves out what is needed.
    """
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The mapping cannot be read: {error}.", str(path), _TODO) from error
    value.pop("note", None)
    _refuse_unknown(value, TABLES, str(path))
    if not value:
        raise InputError(
            "The mapping names no table.", str(path), f"It may have {', '.join(TABLES)}. {_TODO}"
        )
    return {table: _part(table, part, f"{path}, [{table}]") for table, part in value.items()}


def _refuse_unknown(value: object, known: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise InputError("The mapping is refused: a table is expected here.", where, _TODO)
    unknown = [name for name in value if name not in known]
    if unknown:
        what = f"The mapping is refused: it names “{unknown[0]}”, which is nothing that could be mapped."
        raise InputError(what, where, f"It may name {', '.join(known)}.")


def _part(table: str, part: dict[str, Any], where: str) -> TableMapping:
    _refuse_unknown(part, [one.name for one in fields(TableMapping) if one.name != "where"], where)
    names = known_columns(table)
    for key in ("columns", "constants", "values"):
        _refuse_unknown(part.get(key, {}), names, f"{where}, {key}")
    for name, meant in part.get("values", {}).items():
        if not isinstance(meant, dict):
            raise InputError(
                "The mapping is refused: a table is expected here.", f"{where}, values, {name}", _TODO
            )
    columns = {
        name: tuple(one if isinstance(one, list) else [one]) for name, one in part.get("columns", {}).items()
    }
    formats = part.get("at_format", [])
    given = {
        **part,
        "columns": columns,
        "at_format": tuple([formats] if isinstance(formats, str) else formats),
        "values": {
            name: {str(said): str(means) for said, means in one.items()}
            for name, one in part.get("values", {}).items()
        },
        "constants": {name: str(one) for name, one in part.get("constants", {}).items()},
    }
    texts = [given.get(name, "") for name in ("zone", "decimal", "thousands", "delimiter", "encoding")]
    flat = [name for one in columns.values() for name in one]
    if not all(isinstance(one, str) for one in [*texts, *flat, *given["at_format"]]):
        raise InputError("The mapping is refused: a text is expected.", where, _TODO)
    mapping = TableMapping(**given, where=where)
    _complete(table, mapping)
    return mapping


def _complete(table: str, mapping: TableMapping) -> None:
    """Refuse a mapping that leaves out what is needed.

    Raises
    ------
    InputError
        If so.
    """
    if missing := _missing(table, {*mapping.columns, *mapping.constants}):
        raise InputError(f"The mapping names no column for {', '.join(missing)}.", mapping.where, _TODO)


def _missing(table: str, named: Collection[str]) -> list[str]:
    """Return what is needed and not named."""
    missing = [name for name in _needed(table) if name not in named]
    if table == "payments" and not any(name in named for name in _EITHER):
        missing.append("amount")
    return missing


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a file, and the query that checks them.

    Parameters
    ----------
    rows
        An Arrow table; the query knows it as ``raw``.
    """

    rows: Any
    query: str


def read(
    path: Path, number: int, table: str, mapping: TableMapping | None, rejects: Rejects, *, latest: date
) -> Iterator[Batch]:
    """Yield a file's rows in batches.

    Parameters
    ----------
    number
        By which its rows say that they are of this file.
    mapping
        None where the columns are called as ours.
    rejects
        Gets the rows that cannot be taken apart.
    latest
        The last day that a payment may be of.

    Raises
    ------
    InputError
        If the file cannot be read, or lacks a column.
    """
    parquet = path.suffix.lower() in {".parquet", ".pq"}
    try:
        names = pq.read_schema(path).names if parquet else _header(path, mapping or TableMapping())
        mapping = mapping or _by_name(table, names, path)
        used = _used(names, mapping, path)
        batches = _parquet(path, used) if parquet else _csv(path, names, used, mapping, rejects)
        for batch in batches:
            source = f"(SELECT {number} AS file, {_select(table, batch.schema, mapping)} FROM raw)"
            query = (
                checked(mapping.zone, mapping.at_format, latest=latest, source=source)
                if table == "payments"
                else checked_facts(table, source=source)
            )
            yield Batch(batch, query)
    except OSError as error:
        what = f"The file cannot be read: {error.strerror or _first_line(error)}."
        raise InputError(what, str(path), "Check the path.") from error
    except (pa.ArrowInvalid, pa.ArrowKeyError, pa.ArrowNotImplementedError) as error:
        todo = "Is it whole, and of the kind that its name says?"
        raise InputError(f"The file cannot be read: {_first_line(error)}.", str(path), todo) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["it is damaged"])[0].rstrip(".")[:200]


def _by_name(table: str, names: list[str], path: Path) -> TableMapping:
    """Return the mapping of a file whose columns are called as ours."""
    columns = {name: (name,) for name in names if name in known_columns(table)}
    mapping = TableMapping(columns=columns, where=str(path))
    if missing := _missing(table, columns):
        shown = ", ".join(names)[:200].encode("ascii", "backslashreplace").decode()
        todo = f"It has: {shown}. Name what they mean with --mapping, also another delimiter or encoding. {_TODO}"
        raise InputError(f"The file has no column called {', '.join(missing)}.", str(path), todo)
    return mapping


def _used(names: list[str], mapping: TableMapping, path: Path) -> list[str]:
    """Return the file's columns that the mapping names.

    Raises
    ------
    InputError
        If one is missing, or there twice.
    """
    used = sorted({name for one in mapping.columns.values() for name in one})
    for name in used:
        if names.count(name) != 1:
            how = "has no column" if name not in names else "has more than one column"
            shown = ", ".join(names[:30])
            raise InputError(
                f"The file {how} “{name}”, which the mapping names.", str(path), f"It has: {shown}."
            )
    return used


def _header(path: Path, mapping: TableMapping) -> list[str]:
    try:
        encoding = "utf-8-sig" if mapping.encoding.lower() in {"utf-8", "utf8"} else mapping.encoding
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            names = next(csv.reader(file, delimiter=mapping.delimiter), [])
    except (LookupError, csv.Error, TypeError) as error:
        todo = "Name its encoding and delimiter in the mapping."
        raise InputError(f"The CSV's header cannot be read: {error}.", str(path), todo) from error
    if not names:
        raise InputError("The file is empty.", str(path), "It needs a header and rows.")
    return names


def _parquet(path: Path, used: list[str]) -> Iterator[pa.Table]:
    start = 1
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=used):
            yield _numbered(pa.table(batch), np.arange(start, start + batch.num_rows))
            start += batch.num_rows


def _numbered(rows: pa.Table, numbers: Any) -> pa.Table:
    return rows.append_column("lightship_row", pa.array(numbers, pa.int64()))


def _csv(
    path: Path, names: list[str], used: list[str], mapping: TableMapping, rejects: Rejects
) -> Iterator[pa.Table]:
    """Yield a CSV's rows as texts; those with too many or too few values, or not in its encoding, are rejected.

    So are those in which a quotation mark is not closed: such a value goes on into the rows after it, whether the
    mapping names it or not, so that where there are quotation marks all columns are looked at.
    """
    broken: list[int] = []
    quoted = _has_quotes(path)

    def skip(row: Any) -> str:
        broken.append(row.number - 1)  # it counts the header
        what = f"it has {row.actual_columns} values, the header {row.expected_columns}"
        rejects.add(Reject(str(path), row.number - 1, "row", what))
        return "skip"

    reader = pa_csv.open_csv(
        path,
        pa_csv.ReadOptions(  # one thread alone knows the numbers of rows
            use_threads=False, block_size=_BLOCK, encoding=mapping.encoding, column_names=names, skip_rows=1
        ),
        pa_csv.ParseOptions(delimiter=mapping.delimiter, newlines_in_values=True, invalid_row_handler=skip),
        pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()), include_columns=[] if quoted else used
        ),
    )
    start = 1
    with reader:
        for batch in _blocks(reader, path, broken):
            gone = [
                number for number in broken if number >= start
            ]  # it reads ahead: some are of later batches
            room = np.arange(start, start + batch.num_rows + len(gone))
            numbers = np.setdiff1d(room, gone)[: batch.num_rows]
            start = int(numbers[-1]) + 1 if len(numbers) else start
            rows = pa.table(batch)
            if quoted:
                rows, numbers = _unswallowed(rows, numbers, mapping.delimiter, path, rejects)
            yield from _as_text(rows.select(used), numbers, path, rejects)


def _blocks(reader: Any, path: Path, broken: Sequence[int]) -> Iterator[Any]:
    """Yield a CSV's blocks.

    Raises
    ------
    InputError
        If a row has no end within one.
    """
    rows = 0
    try:
        for batch in reader:
            rows += batch.num_rows
            yield batch
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        raise InputError(
            "A row has no end.",
            f"{path}, after row {rows + len(broken)}",
            f"A quotation mark is not closed, or a value is longer than {_BLOCK >> 20} MB: correct the row.",
        ) from error


def _has_quotes(path: Path) -> bool:
    with path.open("rb", buffering=0) as file:
        return any(b'"' in part for part in iter(lambda: file.read(_LOOK), b""))


def _unswallowed(
    rows: pa.Table, numbers: Any, delimiter: str, path: Path, rejects: Rejects
) -> tuple[pa.Table, Any]:
    """Return the rows without those that hold others within a value, for want of a closing quotation mark."""
    whole = np.ones(len(rows), dtype=bool)
    split = delimiter.encode()
    for place, column in enumerate(rows.columns):
        for index in np.flatnonzero(pc.match_substring(column, "\n").fill_null(False).to_numpy()):
            value = column[int(index)].as_py()
            lines = [line.count(split) for line in value.splitlines()[1:]]
            # Up to the file's end it holds whole rows; up to the next quotation mark in its column a row's beginning.
            if rows.num_columns - 1 in lines or (b'"' in value and place > 1 and place in lines):
                whole[index] = False
                what = f"a quotation mark in it is not closed; this row is lost, with {len(lines)} after it"
                rejects.add(Reject(str(path), int(numbers[index]), rows.column_names[place], what))
    return rows.filter(pa.array(whole)), numbers[whole]


def _as_text(rows: pa.Table, numbers: Any, path: Path, rejects: Rejects) -> Iterator[pa.Table]:
    """Yield rows whose bytes are UTF-8 as text."""
    schema = pa.schema([(name, pa.string()) for name in rows.column_names])
    try:
        yield _numbered(rows.cast(schema), numbers)
    except pa.ArrowInvalid:
        bad: dict[int, str] = {}
        for name in rows.column_names:
            for place, value in enumerate(rows[name].to_pylist()):
                try:
                    (value or b"").decode()
                except UnicodeDecodeError:
                    bad.setdefault(place, name)
        for place, name in sorted(bad.items()):
            rejects.add(
                Reject(
                    str(path), int(numbers[place]), name, "it is not UTF-8 text; name the mapping's encoding"
                )
            )
        good = np.ones(len(rows), dtype=bool)
        good[list(bad)] = False
        yield _numbered(rows.filter(pa.array(good)).cast(schema), numbers[good])


def _select(table: str, schema: pa.Schema, mapping: TableMapping) -> str:
    """Return the columns of a query that makes our texts of a file's values."""
    found = ["lightship_row AS row"]
    for name in known_columns(table):
        parts = [_text(schema.field(one), name, mapping) for one in mapping.columns.get(name, ())]
        if name in mapping.constants:
            value = _literal(mapping.constants[name])
        elif parts:
            value = parts[0] if len(parts) == 1 else f"concat_ws(' ', {', '.join(parts)})"
        else:
            value = "NULL::VARCHAR"
        if name in mapping.values and parts:
            cases = " ".join(
                f"WHEN {_literal(a)} THEN {_literal(b)}" for a, b in mapping.values[name].items()
            )
            value = f"CASE trim({value}) {cases} ELSE {value} END"
        found.append(f'{value} AS "{name}"')
    return ", ".join(found)


def _text(column: Any, name: str, mapping: TableMapping) -> str:
    quoted = '"' + column.name.replace('"', '""') + '"'
    if pa.types.is_floating(column.type):
        exact = f"CAST(try_cast({quoted} AS DECIMAL(28, 6)) AS VARCHAR)"  # not 1e-05
        return f"coalesce({exact}, CAST({quoted} AS VARCHAR))"
    text = f"CAST({quoted} AS VARCHAR)"
    if name in {"amount", "payee_amount"}:
        if mapping.thousands:
            text = f"replace({text}, {_literal(mapping.thousands)}, '')"
        if mapping.decimal != ".":
            text = f"replace({text}, {_literal(mapping.decimal)}, '.')"
    return text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
