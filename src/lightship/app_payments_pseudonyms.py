"""Keys of pseudonyms, and datasets and seeds in which nobody can be read without one."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Any

from lightship.app_payments_data import connected, text_of
from lightship.core.errors import InputError
from lightship.core.payments import TABLES
from lightship.exchange.whole import write_folder, write_whole
from lightship.payments.hunt import read_seeds
from lightship.payments.pseudonyms import is_pseudonym, pseudonym

_KEY_BYTES = 32

_IDENTIFIERS = {
    "payments": ("payer", "payee"),
    "customers": ("customer",),
    "ties": ("customer",),
    "markers": ("subject",),
}
_DROPPED = {"payments": ("payee_name", "text")}


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
        seeds = read_seeds(text_of(source), str(source))
        write_whole(
            out, "".join(f"{one}\n" for one in sorted(pseudonym(key, seed) for seed in seeds)).encode()
        )
        return f"{len(seeds):,} seeds as pseudonyms: {out}"
    with connected(source) as con:
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
    wanted = sorted(set(re.findall(r"p1-[a-z2-7]{32}", text_of(names))))
    with connected(dataset) as con:
        known = identifiers(con, read_key(key_file))
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


def _hidden(con: Any, name: str, key: bytes) -> bytes:
    """Return a table as Parquet with pseudonyms for identifiers, in the order that it has."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = con.sql(f"select * from {name}").to_arrow_table()
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


def identifiers(con: Any, key: bytes) -> dict[str, str]:
    """Return every identifier of a dataset by its pseudonym."""
    rows = con.execute("select payer from payments union select payee from payments").fetchall()
    return {pseudonym(key, one): one for (one,) in rows}


def pseudonymous(con: Any) -> bool:
    """Return whether a dataset's identifiers are pseudonyms already."""
    rows = con.execute("select payer from payments limit 1").fetchall()
    return bool(rows) and is_pseudonym(rows[0][0])
