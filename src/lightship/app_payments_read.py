"""Wires the reading of payments: files, messages and a mapping in, a dataset and what could not be used out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import duckdb

from lightship.app_payments_data import is_dataset
from lightship.core.errors import InputError, LightshipError
from lightship.exchange import fx, iso20022, payment_tables
from lightship.exchange.dataset import MANIFEST, Counts, Staging
from lightship.exchange.payment_rows import BY_PAYER, check_zone, checked
from lightship.exchange.rejects import LIMIT, Rejects
from lightship.exchange.whole import appearing, unwritten, write_whole
from lightship.payments.wording import counted

_MEMORY = "1GB"
DATA = "data"
"""Where a score leaves the dataset that it read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read, and how.

    Parameters
    ----------
    payments
        Files and folders: CSV, Parquet or ISO 20022.
    facts
        Files of the other tables, by the table's name.
    mapping
        What the columns of tables mean.
    rates
        A dated table of rates, or ``example`` for the one that is shipped.
    rail
        By which way the payments of messages went.
    latest
        The last day that a payment may be of.
    reject_limit
        So many rows may be unusable before the reading stops.
    """

    payments: Sequence[Path]
    latest: date
    facts: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    mapping: Path | None = None
    rates: str | None = None
    rail: str = "bank"
    reject_limit: int = LIMIT


def dataset_of(reading: Reading, out: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the dataset that is named, or the one that everything named was read into, ``data`` in `out`.

    Raises
    ------
    LightshipError
        If something cannot be read; see :func:`read`.
    """
    if len(reading.payments) != 1 or not is_dataset(reading.payments[0]):
        read(reading, out / DATA, say)
        return out / DATA
    if reading.mapping or reading.rates or any(reading.facts.values()):
        raise InputError(
            "A dataset has its customers, ties, markers and rates in it, and needs no mapping.",
            str(reading.payments[0]),
            "Leave them out, or name the files that it was read from.",
        )
    return reading.payments[0]


def rejects_file(out: Path) -> Path:
    """Return where what could not be used is written."""
    return out.with_name(f"{out.name}.rejects.csv")


def read(reading: Reading, out: Path, say: Callable[[str], None] = lambda _: None) -> Counts:
    """Read everything into a dataset at `out`; returns what became of the rows.

    Raises
    ------
    LightshipError
        If something cannot be read, too much of it is unusable, or the dataset cannot be written. Then nothing is
        changed but the rejects file.
    """
    rejects = Rejects(reading.reject_limit)
    try:
        with appearing(out, MANIFEST) as part:
            counts = _read(reading, part, rejects, out)
    except LightshipError:
        if len(rejects):
            write_whole(rejects_file(out), rejects.to_csv())
            say(f"What could not be used, with reasons: {rejects_file(out)}")
        raise
    write_whole(rejects_file(out), rejects.to_csv())
    for line in in_words(counts, out):
        say(line)
    return counts


def _read(reading: Reading, part: Path, rejects: Rejects, out: Path) -> Counts:
    mapping = payment_tables.read_mapping(reading.mapping) if reading.mapping else {}
    rates_path = None if reading.rates in {None, "example"} else Path(str(reading.rates))
    rates = fx.read(rates_path) if reading.rates else None
    with _staging(part, rejects, out) as staging:
        for table, one in mapping.items():
            check_zone(staging.db, one.zone, f"{reading.mapping}, [{table}]")
            _check_formats(staging.db, one.at_format, f"{reading.mapping}, [{table}]")
        for are_messages, alike in groupby(_files(reading.payments), _is_xml):
            paths = list(alike)
            if are_messages:
                _take_messages(paths, reading, mapping, staging)
            else:
                _take_tables(paths, "payments", reading, mapping, staging)
        for table, files in reading.facts.items():
            _take_tables(_files(files), table, reading, mapping, staging)
        staging.settle(rates)
        staging.write(part, fx.text_of(rates_path) if rates else None)
        return staging.counts


def _check_formats(db: duckdb.DuckDBPyConnection, formats: Iterable[str], where: str) -> None:
    for one in formats:
        try:
            db.execute("SELECT try_strptime('', ?)", [one]).fetchall()
        except duckdb.InvalidInputException as error:
            todo = "Write it as strptime has it, such as %d/%m/%Y %H:%M."
            raise InputError(f"“{one}” is no form of a time.", where, todo) from error


def _take_messages(
    paths: Iterable[Path],
    reading: Reading,
    mapping: Mapping[str, payment_tables.TableMapping],
    staging: Staging,
) -> None:
    found = iso20022.Reading(staging.rejects, staging.counts.passed_over)
    query = checked(mapping["payments"].zone if "payments" in mapping else BY_PAYER, latest=reading.latest)
    numbered = ((staging.source(str(path)), path) for path in paths)
    for rows in iso20022.read(numbered, found, reading.rail):
        staging.take("payments", rows, query)


def _take_tables(
    paths: Iterable[Path],
    table: str,
    reading: Reading,
    mapping: Mapping[str, payment_tables.TableMapping],
    staging: Staging,
) -> None:
    for path in paths:
        number, said = staging.source(str(path)), mapping.get(table)
        for batch in payment_tables.read(path, number, table, said, staging.rejects, latest=reading.latest):
            staging.take(table, batch.rows, batch.query)


def _is_xml(path: Path) -> bool:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(200).lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t").startswith(b"<")
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def _files(sources: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and those in each folder, however deep, in order; hidden ones are left out."""
    for source in sources:
        if not source.is_dir():
            yield source
            continue
        if is_dataset(source):
            todo = "Score it as it is, alone; or name the files that it was read from."
            raise InputError("This is a dataset already.", str(source), todo)
        found: list[Path] = []
        for folder, within, names in os.walk(source, onerror=_refuse):
            within[:] = [name for name in within if not name.startswith(".")]
            found += [Path(folder, name) for name in names if not name.startswith(".")]
        files = [path for path in found if path.is_file()]
        if not files:
            raise InputError("The folder has no files in it.", str(source), "Check the path.")
        yield from sorted(files, key=lambda path: path.parts)


def _refuse(error: OSError) -> NoReturn:
    raise InputError(
        f"A folder in it cannot be read: {error.strerror}.",
        str(error.filename),
        "Let its owner allow it, or move it.",
    ) from error


@contextmanager
def _staging(part: Path, rejects: Rejects, out: Path) -> Iterator[Staging]:
    """Open a DuckDB in memory, which goes on beside what is written where its memory ends."""
    spill = part / ".spill"
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY,
        "temp_directory": str(spill),
    }
    try:
        with duckdb.connect(":memory:", config=config) as db:
            yield Staging(db, rejects)
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise unwritten(str(error).splitlines()[0].rstrip(".")[:200], out) from error
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def in_words(counts: Counts, out: Path) -> Iterator[str]:
    """Yield what became of the rows, for a person."""
    kept = ", ".join(counted(rows, table) for table, rows in counts.kept.items())
    of = f"{counted(sum(counts.read.values()), 'rows')} in {counted(len(counts.read), 'files')}"
    yield f"Wrote {out}: {kept}, of {of}."
    if counts.duplicates:
        yield f"Told again and counted once: {counts.duplicates:,}."
    if counts.reversals:
        yield f"Taking another back: {counts.reversals:,}, of which {counts.unmatched:,} name one that is not here."
    for reason, rows in sorted(counts.passed_over.items()):
        yield f"Passed over, {reason}: {rows:,}."
    if counts.customers_derived:
        yield "No customers were given: those whose payments these are stand for them, opened with the first."
    if counts.rejected:
        named = ", ".join(f"{name} {rows:,}" for name, rows in counts.rejected.items())
        unused = counted(sum(counts.rejected.values()), "rows")
        yield f"Not used: {unused} ({named}), with reasons in {rejects_file(out)}."
