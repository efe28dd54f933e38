"""Intake of referrals: each on disk, owned, due and on the journal before its receipt; and spoiled ones that are read.

The peer is SQLite alone, one row in one commit with `synchronous=FULL`, on the same disk: what any store that
acknowledges one referral at a time must pay. `LIGHTSHIP_BENCH_MALFORMED=1000000` reads a million spoiled referrals.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from lightship.casework.desk import Offices
from lightship.casework.intake import BATCH, Received, take_in
from lightship.casework.urgency import shipped
from lightship.exchange.referrals import FORMS, reader_of
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore

REACH = 500
NOW = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)
NUMBER, ROUNDS = 4_000, 3
MALFORMED = int(os.environ.get("LIGHTSHIP_BENCH_MALFORMED", "50000"))


def signals(count: int, series: int) -> list[bytes]:
    """Return referrals that are all new, each with four identifiers."""
    found = []
    for number in range(count):
        name = f"{series}-{number}"
        identifiers = [
            {"kind": "handle", "value": f"u{name}", "role": "suspect", "person": "p1"},
            {"kind": "email", "value": f"u{name}@example.org", "role": "suspect", "person": "p1"},
            {"kind": "phone", "value": f"+4477009{number:05}", "role": "suspect", "person": "p1"},
            {"kind": "ip", "value": "192.0.2.7", "role": "suspect", "person": "p1"},
        ]
        row: dict[str, object] = {
            "id": name,
            "kind": "signal",
            "platform": "chat",
            "observed_at": NOW.isoformat(),
        }
        row |= {"identifiers": identifiers, "facts": ["live=day"], "text": "words " * 40}
        found.append(json.dumps(row).encode())
    return found


def durable(store: SqlStore, data: list[bytes], batch: int) -> float:
    """Return referrals a second, from bytes to receipts, in batches of a size."""
    reader, ladder, began_s = reader_of("signal-json"), shipped(), time.perf_counter()
    for start in range(0, len(data), batch):
        part = [Received("signal-json", "s", one, reader(one, NOW)) for one in data[start : start + batch]]
        take_in(store, ladder, part, now=NOW, offices=Offices())
    return len(data) / (time.perf_counter() - began_s)


def plain(path: Path, data: list[bytes]) -> float:
    """Return rows a second that SQLite alone keeps, one a commit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE originals (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        began_s = time.perf_counter()
        for one in data:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO originals (data) VALUES (?)", (one,))
            db.execute("COMMIT")
        return len(data) / (time.perf_counter() - began_s)


def spoiled(count: int) -> tuple[float, int]:
    """Return spoiled referrals read in a second, and how many of them a reader had a defect with."""
    rng, defects = random.Random(3), 0
    forms = [one for one in FORMS if one != "csv"]
    good = signals(50, 0)
    readers = [reader_of(one) for one in forms]
    began_s = time.perf_counter()
    for number in range(count):
        data = bytearray(good[number % len(good)])
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        parsed = readers[number % len(readers)](bytes(data[: rng.randint(0, len(data))]), NOW)
        defects += any("defect" in one for one in parsed.notes)
    return count / (time.perf_counter() - began_s), defects


def run() -> list[dict[str, str]]:
    """Return the rows."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        floor = plain(Path(folder) / "plain", signals(NUMBER, 9))
        url = f"sqlite:///{folder}/s"
        upgrade(url)
        with SqlStore(url) as store:
            for batch in (BATCH, 50, 1):
                count = NUMBER if batch > 1 else NUMBER // 8
                rates = [durable(store, signals(count, 10 * batch + turn), batch) for turn in range(ROUNDS)]
                rate = statistics.median(rates)
                met = "" if batch != BATCH else "yes" if rate >= REACH else "no"
                rows.append(
                    {
                        "what": f"referrals taken in, {batch} a transaction ({len(rates)} × {count:,})",
                        "ours": f"{rate:,.0f}/s",
                        "peer": f"one row a commit, SQLite alone: {floor:,.0f}/s",
                        "ratio": f"{rate / floor:.2f}",
                        "reach": f"≥ {REACH}/s" if batch == BATCH else "",
                        "met": met,
                    }
                )
    rate, defects = spoiled(MALFORMED)
    rows.append(
        {
            "what": f"spoiled referrals read ({MALFORMED:,})",
            "ours": f"{rate:,.0f}/s, {defects} defects",
            "reach": "0 defects",
            "met": "no" if defects else "yes",
        }
    )
    return rows


def main() -> None:
    """Print the rows."""
    for row in run():
        print("  ".join(f"{name}: {value}" for name, value in row.items() if value))


if __name__ == "__main__":
    main()
