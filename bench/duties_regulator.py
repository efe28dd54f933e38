"""What a regulator asks for, over a month of a million detections: the record book, an answer, the yearly report."""

from __future__ import annotations

import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lightship import app_regulator, packs
from lightship.app_platform import Deployment, ledger_of
from lightship.duties.measures_period import period_of
from lightship.infra.migrate import upgrade

DETECTIONS, CASES, ENTRIES = 1_000_000, 250_000, 1_500_000
REACH_S = 60.0
LONDON = ZoneInfo("Europe/London")
MONTH = period_of("2026-10", LONDON)
_AT_ONCE = 50_000
_LABELS = ("csea-livestream", "csea-image", "csea-other", "csea-grooming")


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


def _rows(rng: random.Random) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield rows by table, as the store writes them; written past it, since a million would take it minutes."""
    span_s = int(MONTH.seconds) - 40_000
    for n in range(DETECTIONS):
        at = MONTH.begins + timedelta(seconds=rng.randrange(span_s), microseconds=n % 1000)
        case, late = f"c{n % CASES}", rng.expovariate(1 / 3600.0)
        filed = _text(at + timedelta(seconds=late)) if n % 50 else None
        found_by = "report" if n % 9 == 0 else "machine"
        yield (
            "detections",
            (f"d{n}", case, f"s{n % CASES}", _LABELS[n % 4], found_by, "terms", _text(at), "[]", n % 40 == 0),
        )
        decided = _text(at + timedelta(minutes=2))
        yield (
            "duties",
            (f"d{n}", case, "filed" if filed else "owed", _text(at), "nca", ("P1", "P2", "P3")[n % 3], "sha256:0",
             "[]", "owed", _text(at + timedelta(hours=4)), "mo", decided, f"N{n}" if filed else "", filed, None),
        )  # fmt: skip
    for n in range(CASES):
        at = MONTH.begins + timedelta(seconds=rng.randrange(span_s))
        stopped = _text(at + timedelta(seconds=rng.expovariate(0.3)))
        opener = "report" if n % 9 == 0 else "machine"
        yield (
            "cases",
            (
                f"c{n}",
                f"s{n}",
                opener,
                _text(at),
                _text(at),
                "words",
                60.0,
                "end",
                0.5,
                1.0,
                0.9,
                "decided",
                False,
                False,
                stopped,
                "",
                None,
                "",
                False,
                "",
                0.5,
                '["known-media"]',
                '["iwf/A-1"]',
            ),
        )
        yield "streams", (f"s{n}", "rtmp://x", f"h{n}", "public", "terms", "public-live", _text(at), stopped,
                          n % 7 == 0, 9, "", None)  # fmt: skip
        verdict = "not-abuse" if n % 20 == 0 else "abuse"
        yield "judgements", (f"j{n}", f"c{n}", "mo", _text(at + timedelta(minutes=5)), verdict, "abuse-live", "seen",
                             "", None, "")  # fmt: skip
        yield "effects", (f"e{n}", f"c{n}", f"s{n}", "stop-stream", "policy sha256:0", _text(at), _text(at), "done", 1,
                          None, stopped, "", "")  # fmt: skip
        if n % 9 == 0:
            yield "reports", (f"r{n}", f"s{n}", "child-at-risk-now", "text", _text(at), f"c{n}",
                              _text(at + timedelta(seconds=30)))  # fmt: skip


def _fill(path: Path) -> None:
    waiting: dict[str, list[tuple[Any, ...]]] = {}
    with sqlite3.connect(path) as db:

        def write(table: str) -> None:
            rows = waiting.pop(table)
            marks = ", ".join("?" * len(rows[0]))
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - our own tables' names

        for table, row in _rows(random.Random(7)):
            rows = waiting.setdefault(table, [])
            rows.append(row)
            if len(rows) >= _AT_ONCE:
                write(table)
        for table in list(waiting):
            write(table)
    db.close()


def _entries() -> Iterator[dict[str, Any]]:
    digest = packs.policy("public-live").digest
    step_s = MONTH.seconds / ENTRIES
    for n in range(ENTRIES):
        at = (MONTH.begins + timedelta(seconds=n * step_s)).isoformat()
        if n % 10 < 4:
            yield {"kind": "coverage", "at": at, "stream": f"s{n % CASES}", "run": 1, "minute": n, "pictures": 60,
                   "looks": 60, "model_looks": 2, "model_passed_over": 0, "gap_s": 0.0, "late_s": 0.1}  # fmt: skip
        elif n % 10 < 5:
            yield {"kind": "scans", "at": at, "stream": f"s{n % CASES}", "at_s": 60.0, "visibility": "public",
                   "basis": "terms", "detector": "known-media", "version": "1", "pictures": 60}  # fmt: skip
        elif n % 1000 == 5:
            yield {"kind": "appeal", "at": at, "case": f"c{n % CASES}", "text": "x"}
        elif n % 1000 == 6:
            yield {
                "kind": "appeal-answered",
                "at": at,
                "case": f"c{(n - 1) % CASES}",
                "by": "lee",
                "overturned": n % 3 == 0,
                "reason": "",
            }
        elif n % 10 == 8:
            yield {"kind": "claim", "at": at, "case": f"c{n // 6}", "by": "mo"}
        elif n % 10 == 7:
            yield {
                "kind": "watch-began",
                "at": at,
                "stream": f"s{n % CASES}",
                "policy": "public-live",
                "policy_digest": digest,
                "absent": {},
            }
        else:
            yield {"kind": "decision", "at": at, "stream": f"s{n % CASES}", "run": 1, "at_s": 5.0, "rung": "end",
                   "before": None, "by": "evidence", "policy_digest": digest, "basis": "terms", "reasons": [
                       {"detector": "known-media", "label": "known-media", "weight_db": 60.0}]}  # fmt: skip


def run() -> list[dict[str, str]]:
    """Return a row a document."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        deployment = Deployment(folder)
        upgrade(deployment.url)
        _fill(folder / "platform.db")
        with ledger_of(folder / "platform.ledger", "lightship-platform") as ledger:
            some: list[dict[str, Any]] = []
            for entry in _entries():
                some.append(entry)
                if len(some) == _AT_ONCE:
                    ledger.append_all(some)
                    some = []
            ledger.append_all(some)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
        took = {}
        with app_regulator.open_desk(deployment) as desk:
            documents: dict[str, Callable[[], object]] = {
                "monthly record book": lambda: app_regulator.write_book(
                    desk, MONTH, folder / "book", "bench"
                ),
                "answer to a notice for the month": lambda: app_regulator.write_answer(
                    desk, MONTH, folder / "answer", "bench"
                ),
                "report of the year": lambda: app_regulator.write_transparency(
                    desk, period_of("2026", LONDON), folder / "report", (), "bench"
                ),
            }
            for name, write in documents.items():
                began_s, began_cpu_s = time.perf_counter(), time.process_time()
                write()
                took[name] = (time.perf_counter() - began_s, time.process_time() - began_cpu_s)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    of = f"{DETECTIONS:,} detections and duties, {CASES:,} cases, {ENTRIES:,} entries ({size:.1f} GB, SQLite)"
    return [
        {
            "what": f"{name}: {of}",
            "ours": f"{wall_s:.1f} s ({cpu_s:.1f} s of processor); peak of all {peak_mb:,.0f} MB",
            "reach": f"≤ {REACH_S:g} s on 2 cores" if name == "monthly record book" else "",
            "met": ("yes" if wall_s <= REACH_S else "NO") if name == "monthly record book" else "",
        }
        for name, (wall_s, cpu_s) in took.items()
    ]


if __name__ == "__main__":
    print(datetime.now(UTC).date(), *run(), sep="\n")
