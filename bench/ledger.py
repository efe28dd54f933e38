"""The ledger's speed: durable appends and verification, against the least that any such thing costs here.

The peers: SQLite itself, one row a transaction, ``synchronous=FULL`` (no hashing, no signature, nothing to
verify), and SHA-256 over the same bytes.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from lightship.core.canonical import canonical
from lightship.infra.keys import create_key
from lightship.infra.ledger_file import LedgerFile, verify_file

ENTRY = {
    "at": "2026-11-01T12:00:00.000000Z",
    "kind": "decision",
    "rung": "blur",
    "before": None,
    "by": "evidence",
    "total_db": 31.5,
    "policy": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
}
APPENDS_PER_S = 10_000  # the figures to reach
VERIFIED_PER_S = 200_000
VERIFIED = 200_000
SLICES = 5


def run(seconds: float = 3.0) -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met.

    Parameters
    ----------
    seconds
        Time for each row, split into five slices; the median slice counts.
    """
    with tempfile.TemporaryDirectory(
        dir=Path.cwd()
    ) as name:  # /tmp may be memory, where durable means nothing
        folder = Path(name)
        key = create_key(folder / "ledger.key", "bench.example.org/ledger")
        floor = _plain_sqlite(folder / "plain", seconds)
        with LedgerFile(folder / "appends", key) as ledger:
            one = _rate(lambda: _one(ledger), seconds)
            eight = _threads(ledger, 8, seconds)
            hundred = _rate(lambda: _hundred(ledger), seconds)
        with LedgerFile(folder / "verify", key) as ledger:
            for _ in range(VERIFIED // 100):
                ledger.append_all([ENTRY] * 100)
        verified = _verification(folder / "verify", str(key.verifier))
    plain = f"{floor:,.0f}/s SQLite, a row a commit"
    bytes_ = [canonical(ENTRY)] * VERIFIED
    start = time.perf_counter()
    for entry in bytes_:
        sha256(entry).digest()
    raw = VERIFIED / (time.perf_counter() - start)
    return [
        _row("ledger: durable appends, 1 thread", one, floor, plain),
        _row("ledger: durable appends, 8 threads", eight, floor, plain, APPENDS_PER_S),
        _row("ledger: durable appends, batches of 100", hundred, floor, plain, APPENDS_PER_S),
        _row(
            f"ledger: verify {VERIFIED:,} entries",
            verified,
            raw,
            f"{raw:,.0f}/s bare SHA-256",
            VERIFIED_PER_S,
        ),
    ]


def _row(what: str, ours: float, peer: float, peer_text: str, reach: int | None = None) -> dict[str, str]:
    return {
        "what": what,
        "ours": f"{ours:,.0f}/s",
        "peer": peer_text,
        "ratio": f"{ours / peer:.2f}",
        "reach": f"≥ {reach:,}/s" if reach else "",
        "met": ("yes" if ours >= reach else "no") if reach else "",
    }


def _one(ledger: LedgerFile) -> int:
    ledger.append(ENTRY)
    return 1


def _hundred(ledger: LedgerFile) -> int:
    ledger.append_all([ENTRY] * 100)
    return 100


def _rate(act: Callable[[], int], seconds: float) -> float:
    """Return the median over slices of what ``act`` counts, a second."""
    rates = []
    for _ in range(SLICES):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / SLICES:
            count += act()
        rates.append(count / (time.perf_counter() - start))
    return statistics.median(rates)


def _threads(ledger: LedgerFile, number: int, seconds: float) -> float:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            ledger.append(ENTRY)

    def watch() -> int:
        before = ledger.size
        time.sleep(seconds / SLICES)
        return ledger.size - before

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        return _rate(watch, seconds)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _plain_sqlite(path: Path, seconds: float) -> float:
    row = canonical(ENTRY)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE entries (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL)")

        def act() -> int:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO entries (entry) VALUES (?)", (row,))
            db.execute("COMMIT")
            return 1

        return _rate(act, seconds)


def _verification(path: Path, key: str) -> float:
    rates = []
    for _ in range(3):
        start = time.perf_counter()
        report = verify_file(path, key)
        rates.append(report.size / (time.perf_counter() - start))
        if not report.ok:
            raise SystemExit(str(report))
    return statistics.median(rates)


def main() -> None:
    """Print the rows."""
    for row in run():
        print("  ".join(f"{name}: {value}" for name, value in row.items() if value))


if __name__ == "__main__":
    main()
