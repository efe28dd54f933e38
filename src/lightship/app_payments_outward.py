"""Wires what the payments room gives outward: opens datasets and keys, writes hunts, bundles and drafts."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightship import packs
from lightship.core.errors import InputError, PolicyError
from lightship.core.payments import TABLES, Alert
from lightship.exchange.alerts_file import read_alerts
from lightship.exchange.whole import write_folder, write_whole
from lightship.payments import bundle as bundling
from lightship.payments import hunt as hunting
from lightship.payments.evidence import gather
from lightship.payments.glossary import Glossary, parse_glossary
from lightship.payments.hunt_files import MARK as HUNT_MARK
from lightship.payments.hunt_files import hunt_files
from lightship.payments.network import lay_out
from lightship.payments.pseudonyms import is_pseudonym, pseudonym
from lightship.payments.shape import Shape, parse_shape

if TYPE_CHECKING:
    from lightship.payments.hunt import Hunt

_SQL = {
    "string": "varchar",
    "int64": "bigint",
    "int16": "smallint",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
_NEEDED = ("payments", "customers")
_KEY_BYTES = 32


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


def shape(name: str) -> Shape:
    """Return the shape of payments that count, by path, or ours.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path = Path(name) if name else packs.root() / "payments" / "shape.toml"
    return parse_shape(_pack_text(path, "shape"), str(path))


def hunt(
    dataset: Path, seed_file: Path, out: Path, *, depth: int, key_file: Path | None, shape_name: str
) -> Hunt:
    """Hunt from the seeds of a file and write what was found; with a key, everything that leaves is pseudonyms.

    Raises
    ------
    LightshipError
        If a file cannot be used or the result cannot be written.
    """
    key = read_key(key_file) if key_file else None
    seeds = hunting.read_seeds(_text(seed_file), str(seed_file))
    counted = shape(shape_name)
    with open_dataset(dataset) as con:
        lay_out(con, counted)
        if key is not None and any(map(is_pseudonym, seeds)):
            known = _identifiers(con, key)
            seeds = tuple(known.get(seed, seed) for seed in seeds)
        result = hunting.hunt(con, counted, seeds, depth)
        plain = not _pseudonymous(con)
    if key is not None:
        result = hunting.renamed(result, lambda one: pseudonym(key, one))
    made = {**provenance(dataset), "shape": counted.digest}
    write_folder(out, hunt_files(result, made, pseudonyms=key is not None or not plain), HUNT_MARK)
    return result


def bundle(
    alerts_file: Path, dataset: Path, out: Path, *, glossary_name: str, shape_name: str, only: str = ""
) -> int:
    """Write the bundles of a file's alerts, and return how many there are.

    Parameters
    ----------
    only
        The id of one alert; all unless named.

    Raises
    ------
    LightshipError
        If a file cannot be used or the result cannot be written.
    """
    alerts = chosen(alerts_file, only)
    counted, words = shape(shape_name), glossary(glossary_name)
    made = {**provenance(dataset), "shape": counted.digest}
    with open_dataset(dataset) as con:
        lay_out(con, counted)
        found = gather(con, alerts, counted.hub_payers)
        each = {
            alert.alert: bundling.bundle(alert, evidence, words, made)
            for alert, evidence in zip(alerts, found, strict=True)
        }
    write_folder(out, bundling.bundles(each, alerts, words), bundling.MARK)
    return len(alerts)


def chosen(alerts_file: Path, only: str) -> tuple[Alert, ...]:
    """Return a file's alerts, or the one that is named.

    Raises
    ------
    InputError
        If there is none.
    """
    alerts = read_alerts(alerts_file)
    if only:
        alerts = tuple(alert for alert in alerts if alert.alert == only)
        if not alerts:
            raise InputError(f"The file has no alert {only!r}.", str(alerts_file), "Name one that it has.")
    return alerts


def glossary(name: str) -> Glossary:
    """Return the words and codes of a jurisdiction, by name or path.

    Raises
    ------
    PolicyError
        If they cannot be read or are refused.
    """
    path = Path(name) if name.endswith(".toml") else packs.root() / "payments" / f"{name}-glossary.toml"
    return parse_glossary(_pack_text(path, "glossary"), str(path))


def hide(source: Path, out: Path, key_file: Path) -> str:
    """Write a dataset, or a file of seeds, with pseudonyms for its identifiers; names and texts are left out.

    Returns
    -------
    One sentence on what was written.

    Raises
    ------
    LightshipError
        If something cannot be read or written.
    """
    key = read_key(key_file)
    if not source.is_dir():
        seeds = hunting.read_seeds(_text(source), str(source))
        write_whole(
            out, "".join(f"{one}\n" for one in sorted(pseudonym(key, seed) for seed in seeds)).encode()
        )
        return f"{len(seeds):,} seeds as pseudonyms: {out}"
    with open_dataset(source) as con:
        files = {f"{name}.parquet": _hidden(con, name, key) for name in TABLES}
        rows = con.execute("select count(*) from payments").fetchall()[0][0]
    write_folder(out, files, "payments.parquet")
    return f"{rows:,} payments as pseudonyms, without names and texts: {out}"


def reveal(names: Path, dataset: Path, key_file: Path) -> list[tuple[str, str]]:
    """Return whom the pseudonyms of a text file mean, of those in a dataset.

    Raises
    ------
    LightshipError
        If something cannot be read.
    """
    import re

    wanted = sorted(set(re.findall(r"p1-[a-z2-7]{32}", _text(names))))
    with open_dataset(dataset) as con:
        known = _identifiers(con, read_key(key_file))
    return [(one, known[one]) for one in wanted if one in known]


def read_key(path: Path) -> bytes:
    """Return the bank's key: 64 hexadecimal characters in a file that nobody else can read.

    Raises
    ------
    InputError
        If it is missing, damaged or open to others.
    """
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = bytes.fromhex(file.read(4096))
    except (OSError, ValueError) as error:
        raise InputError(
            f"The key of pseudonyms cannot be read: {error}.",
            str(path),
            "Make one with `lightship payments key`.",
        ) from error
    if mode & 0o077:
        raise InputError(f"Others can read the key (mode {mode:o}).", str(path), f"Run: chmod 600 {path}.")
    if len(key) != _KEY_BYTES:
        raise InputError("The key is not 64 hexadecimal characters.", str(path), "Restore it from a copy.")
    return key


def make_key(path: Path) -> None:
    """Make a new key of pseudonyms; one that is there is never overwritten.

    Raises
    ------
    InputError
        If the file is there or cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"The key cannot be made: {error.strerror}.", str(path), "Name a file that is not there yet."
        ) from error


_IDENTIFIERS = {
    "payments": ("payer", "payee"),
    "customers": ("customer",),
    "ties": ("customer",),
    "markers": ("subject",),
}
_DROPPED = {"payments": ("payee_name", "text")}


def _hidden(con: Any, name: str, key: bytes) -> bytes:
    """Return a table as Parquet with pseudonyms for identifiers, in the order that it has."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = con.execute(f"select * from {name}").to_arrow_table()
    for column in _IDENTIFIERS[name]:
        coded = rows[column].combine_chunks().dictionary_encode()
        hidden = pa.array([pseudonym(key, one) for one in coded.dictionary.to_pylist()], pa.string())
        index = rows.schema.get_field_index(column)
        rows = rows.set_column(index, pa.field(column, pa.string()), hidden.take(coded.indices))
    for column in _DROPPED.get(name, ()):
        index = rows.schema.get_field_index(column)
        rows = rows.set_column(index, pa.field(column, pa.string()), pa.nulls(len(rows), pa.string()))
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()


def _identifiers(con: Any, key: bytes) -> dict[str, str]:
    """Return every identifier of a dataset by its pseudonym."""
    rows = con.execute("select payer from payments union select payee from payments").fetchall()
    return {pseudonym(key, one): one for (one,) in rows}


def _pseudonymous(con: Any) -> bool:
    """Return whether a dataset's identifiers are pseudonyms already."""
    rows = con.execute("select payer from payments limit 1").fetchall()
    return bool(rows) and is_pseudonym(rows[0][0])


def _pack_text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"The {what} cannot be read: {error}.", str(path), "Name another file.") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The file cannot be read: {error}.", str(path), "Name a file of UTF-8 text."
        ) from error
