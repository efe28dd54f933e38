"""A dataset in the making: batches are checked and staged, settled as a whole, and put in place.

Settled are: a payment told twice is kept once; one id with two contents keeps the first; a reversal finds what it takes
back; several currencies need rates. Then the tables are written in order of time and id, so that the same sources give
the same bytes, and the folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lightship.core.errors import InputError
from lightship.core.payments import TABLES
from lightship.exchange.fx import RATES, Rates
from lightship.exchange.payment_rows import STAGED, prepare
from lightship.exchange.rejects import Reject, Rejects

MANIFEST = "dataset.json"
_ROWS = 122_880  # of a row group
_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int16": "SMALLINT", "bool": "BOOLEAN", "date": "DATE",
          "timestamp": "TIMESTAMP"}  # fmt: skip


@dataclass(slots=True)
class Counts:
    """What became of the rows.

    Parameters
    ----------
    read
        Rows of each source, by its name.
    passed_over
        Rows that are no payments, such as entries that are not booked yet, by reason.
    duplicates
        Rows that were told again, with the same contents.
    reversals, unmatched
        Payments that take another back, and those of them whose other is not here.
    customers_derived
        Whether no customers were given, so that those whose own payments these are stand for them.
    rejected
        Rows that cannot be used, by field.
    kept
        Rows of each table.
    """

    read: dict[str, int] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    reversals: int = 0
    unmatched: int = 0
    customers_derived: bool = False
    rejected: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)


class Staging:
    """Takes batches, settles them and writes the tables.

    Parameters
    ----------
    db
        A DuckDB connection in memory, with a bound and a place beyond it.
    """

    def __init__(self, db: Any, rejects: Rejects) -> None:
        self.db, self.rejects, self.counts = db, rejects, Counts()
        self._sources: list[str] = []
        # Rejects that were staged, and so are counted among the rows read.
        self._told: Counter[str] = Counter()
        prepare(db)
        for name, columns in TABLES.items():
            types = ", ".join(f'"{column}" {_TYPES[kind]}' for column, (kind, _) in columns.items())
            more = ", end_to_end VARCHAR, customer VARCHAR" if name == "payments" else ""
            db.execute(f"CREATE TABLE {name} ({types}{more}, of_source INTEGER, of_row BIGINT)")

    def source(self, name: str) -> int:
        """Return the number by which rows say that they are of a file."""
        self._sources.append(name)
        self.counts.read[name] = 0
        return len(self._sources) - 1

    def take(self, table: str, batch: Any, query: str) -> None:
        """Stage the good rows of a batch, and put the others to the rejects.

        Parameters
        ----------
        batch
            An Arrow table, which `query` knows as ``raw``.
        query
            Yields ``file``, ``row``, the staged columns, ``field`` and ``reason``.

        Raises
        ------
        InputError
            If the rejects are too many.
        """
        named = ", ".join(f'"{one}"' for one in (STAGED if table == "payments" else TABLES[table]))
        self.db.register("raw", batch)
        try:
            self._run(f"CREATE OR REPLACE TEMP TABLE checked AS {query}")
        finally:
            self.db.unregister("raw")
        for file, rows in self._run("SELECT file, count(*) FROM checked GROUP BY file"):
            self.counts.read[self._sources[file]] += rows
        self._run(f"INSERT INTO {table} SELECT {named}, file, row FROM checked WHERE reason IS NULL")
        wrong = self._run(
            "SELECT file, row, field, reason FROM checked WHERE reason IS NOT NULL ORDER BY file, row"
        )
        for file, row, name, reason in wrong:
            self._reject(file, row, name, reason)

    def settle(self, rates: Rates | None) -> None:
        """Settle what only the whole shows.

        Raises
        ------
        InputError
            If nothing is left, the rejects are too many, or several currencies came without rates.
        """
        self._once("payments", "payment", "(payer, payee, amount_minor, currency)", "NOT time_known, ")
        self._once("customers", "customer", "(kind, opened)")
        self._reversals()
        self._currencies(rates)
        if not self._one("SELECT count(*) FROM payments"):
            first = self.rejects.rows[0] if self.rejects.rows else None
            if first is None:
                raise InputError(
                    "There is no payment in it.", ", ".join(self._sources), "Name files of payments."
                )
            what = f"No payment can be used; of the first, {first.field}: {first.reason}."
            raise InputError(what, f"{first.file}, row {first.row}", "See the rejects file.")
        self._customers()
        self.counts.rejected = dict(self.rejects.counts())
        for source, rows in Counter(one.file for one in self.rejects.rows if one.row).items():
            self.counts.read[source] += rows - self._told[source]

    def _run(self, query: str, *values: object) -> list[Any]:
        """Run a statement to its end; returns its rows."""
        return list(self.db.execute(query, list(values)).fetchall())

    def _one(self, query: str) -> int:
        return int(self._run(query)[0][0])

    def _once(self, table: str, key: str, facts: str, order: str = "") -> None:
        """Keep the first of each key; what is told again is counted, what contradicts it rejected."""
        self._run(f"""
            CREATE OR REPLACE TEMP TABLE again AS
            WITH twice AS (SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1),
            told AS (
              SELECT {table}.rowid AS id, of_source, of_row, {facts} AS facts, row_number() OVER told AS place,
                first_value({facts}) OVER told AS first
              FROM {table} SEMI JOIN twice USING ({key})
              WINDOW told AS (PARTITION BY {key} ORDER BY {order}of_source, of_row))
            SELECT id, of_source, of_row, facts = first AS same FROM told WHERE place > 1""")
        self.counts.duplicates += self._one("SELECT count(*) FROM again WHERE same")
        others = self._run("SELECT of_source, of_row FROM again WHERE NOT same ORDER BY of_source, of_row")
        for source, row in others:
            self._reject(source, row, key, "another row with other contents has this id")
        self._run(f"DELETE FROM {table} WHERE rowid IN (SELECT id FROM again)")

    def _reject(self, source: int, row: int, name: str, reason: str) -> None:
        self._told[self._sources[source]] += 1
        self.rejects.add(Reject(self._sources[source], row, name, reason))

    def _reversals(self) -> None:
        """Let each reversal name what it takes back: by id, or the last before it with its reference and contents.

        One that names a payment between other people takes nothing back, and is rejected.
        """
        strange = self._run("""
            SELECT back.rowid, back.of_source, back.of_row, back.reverses FROM payments back
            JOIN payments named ON named.payment = back.reverses
            WHERE back.payer NOT IN (named.payer, named.payee) AND back.payee NOT IN (named.payer, named.payee)
            ORDER BY back.of_source, back.of_row""")
        for _, source, row, payment in strange:
            self._reject(source, row, "reverses", f"“{payment[:40]}” is a payment between other people")
        self._run("DELETE FROM payments WHERE list_contains(?, rowid)", [place for place, *_ in strange])
        self._run("""
            CREATE TEMP TABLE found AS
            SELECT back.rowid AS id, coalesce(any_value(named.payment), arg_max(same.payment, same."at")) AS original
            FROM payments back
            LEFT JOIN payments named ON named.payment = back.reverses
            LEFT JOIN payments same ON same.end_to_end = back.end_to_end AND same.reverses IS NULL
              AND same.payer = back.payee AND same.payee = back.payer
              AND same.amount_minor = back.amount_minor AND same.currency = back.currency AND same."at" <= back."at"
            WHERE back.reverses IS NOT NULL
            GROUP BY back.rowid""")
        self._run(
            "UPDATE payments SET reverses = original FROM found WHERE payments.rowid = id AND original IS NOT NULL"
        )
        self.counts.reversals = self._one("SELECT count(*) FROM found")
        self.counts.unmatched = self._one("SELECT count(*) FROM found WHERE original IS NULL")

    def _currencies(self, rates: Rates | None) -> None:
        """Reject payments of several currencies that cannot be compared, for want of a rate of their day."""
        days = self._run('SELECT DISTINCT currency, "at"::DATE FROM payments ORDER BY ALL')
        several = sorted({currency for currency, _ in days})
        if len(several) < 2:
            return
        if rates is None:
            row = self._run(
                "SELECT of_source, of_row FROM payments WHERE currency <> "
                "(SELECT currency FROM payments ORDER BY of_source, of_row LIMIT 1) ORDER BY of_source, of_row LIMIT 1"
            )[0]
            raise InputError(
                f"The payments are in several currencies ({', '.join(several[:5])}), and no rates were given.",
                f"{self._sources[row[0]]}, row {row[1]}, field currency",
                "Give a dated table with --fx; packs/payments/fx-example.csv shows the form.",
            )
        without = [one for one in days if rates.per_base(*one) is None]
        self._run("CREATE TEMP TABLE without (currency VARCHAR, day DATE)")
        for one in without:
            self._run("INSERT INTO without VALUES (?, ?)", *one)
        of_them = 'FROM without WHERE payments.currency = without.currency AND payments."at"::DATE = day'
        rows = self._run(
            f'SELECT of_source, of_row, currency, "at"::DATE FROM payments WHERE EXISTS ({"SELECT 1 " + of_them}) '
            "ORDER BY of_source, of_row"
        ) if without else []  # fmt: skip
        for source, row, currency, day in rows:
            self._reject(source, row, "currency", f"the rates say nothing of {currency} on {day}")
        self._run(f"DELETE FROM payments WHERE EXISTS ({'SELECT 1 ' + of_them})")

    def _customers(self) -> None:
        """Fill in customers' zones; where no customers were given, derive them."""
        if not self._one("SELECT count(*) FROM customers"):
            self.counts.customers_derived = True
            self._run("""
                INSERT INTO customers BY NAME
                SELECT customer, 'person' AS kind, min(day) AS opened,
                  arg_min(country, (day, country)) AS country
                FROM (
                  SELECT payer AS customer, "at"::DATE AS day, payer_country AS country FROM payments
                  WHERE customer IN ('payer', 'both') AND reverses IS NULL
                  UNION ALL
                  SELECT payee, "at"::DATE, payee_country FROM payments
                  WHERE customer IN ('payee', 'both') AND reverses IS NULL)
                GROUP BY customer""")
        self._run("""
            UPDATE customers SET zone = countries.zone FROM countries
            WHERE customers.zone IS NULL AND customers.country = countries.country""")

    def write(self, folder: Path, rates: bytes | None) -> None:
        """Write the tables that have rows, the rates and the manifest into a folder, and flush them to disk."""
        for name, columns in TABLES.items():
            if not (rows := self._one(f"SELECT count(*) FROM {name}")):
                continue
            self.counts.kept[name] = rows
            named = ", ".join(
                f'timezone(\'UTC\', "{column}") AS "{column}"' if kind == "timestamp" else f'"{column}"'
                for column, (kind, _) in columns.items()
            )
            order = '"at", payment' if name == "payments" else "ALL"
            distinct = "" if name in {"payments", "customers"} else "DISTINCT "
            path = str(folder / f"{name}.parquet").replace("'", "''")
            self._run(
                f"COPY (SELECT {distinct}{named} FROM {name} ORDER BY {order}) TO '{path}' "
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS})"
            )
        if rates is not None:
            (folder / RATES).write_bytes(rates)
        files = {
            path.name: _digest(path)
            for path in sorted(folder.iterdir())
            if path.suffix in {".parquet", ".csv"}
        }
        manifest = {
            "lightship": "payments dataset",
            "version": 1,
            "files": files,
            "counts": asdict(self.counts),
        }
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
