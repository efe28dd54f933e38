"""What is owed, of a million detections on SQLite: the whole view, beside the same figures asked for by hand."""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lightship.core.duties import Detection, Duty
from lightship.duties import states
from lightship.duties.chooser import choose, urgency
from lightship.duties.law import load
from lightship.duties.owed import standing
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore

DETECTIONS = int(os.environ.get("LIGHTSHIP_BENCH_DETECTIONS", "1000000"))
WAITING = 20_000
ROUNDS = 60
REACH_MS = 300.0
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
FACTS = {"csea": "yes", "provider": "uk", "arrangements": "none", "reported-to": "nobody", "live": "yes"}


def _fill(store: SqlStore, waiting: int) -> None:
    """Keep a service's year of detections, of which the newest wait: one in fifty of those in live danger."""
    law, rng = load("gb"), random.Random(7)
    kinds = {}
    for danger in ("yes", "no"):
        facts = {**FACTS, "danger": danger}
        kinds[danger] = choose(facts, law, law.day(NOW)), urgency(facts, law, law.day(NOW))
    none = choose({**FACTS, "csea": "no"}, law, law.day(NOW))
    year_s = 365 * 86_400
    values: list[Detection | Duty] = []
    for number in range(DETECTIONS):
        aware = NOW - timedelta(seconds=year_s * (1 - number / DETECTIONS))
        danger = "yes" if number % 50 == 0 else "no"
        one = Detection(
            f"{rng.getrandbits(128):032x}", f"c{number}", f"s{number}", "csea-livestream", "machine", "terms", aware,
            ("csea=yes", "reported-to=nobody", "live=yes"), danger == "yes",
        )  # fmt: skip
        (choice, urgent), duty = kinds[danger], states.begun(one)
        waits = number >= DETECTIONS - waiting
        if waits and number % 10 == 0:
            duty = replace(duty, priority=urgent.priority if urgent else "")
        elif not waits and number % 3 == 0:
            duty = states.decided(duty, none, by="law", now=aware)
        else:
            duty = states.decided(
                duty, choice, by="law", now=aware, priority=urgent.priority if urgent else "",
                due_at=aware + timedelta(minutes=urgent.target_min if urgent else 0),
            )  # fmt: skip
        if duty.state == "owed" and not waits:
            duty = states.filed(duty, reference=f"NCA-{number}", now=aware)
            duty = states.closed(duty, now=aware) if number % 2 else duty
        values += [one, duty]
        if len(values) >= 20_000 or number == DETECTIONS - 1:
            with store.begin() as work:
                work.save(*values)
            values = []


def _by_hand(path: Path) -> None:
    """Ask SQLite itself for the figures of the view, in as few statements as it takes."""
    with sqlite3.connect(path) as db:
        db.execute("SELECT state, count(*) FROM duties GROUP BY state").fetchall()
        for state in ("open", "owed"):
            db.execute(
                "SELECT * FROM duties WHERE state = ? ORDER BY priority, aware_at, id LIMIT 50", (state,)
            ).fetchall()
        db.execute("SELECT * FROM clocks WHERE ended_at IS NULL ORDER BY due_at LIMIT 50").fetchall()
    db.close()


def _times_ms(do: Callable[[], object]) -> list[float]:
    do()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


def rows() -> list[dict[str, str]]:
    """Measure."""
    law = load("gb")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "platform.db"
        upgrade(f"sqlite:///{path}")
        with SqlStore(f"sqlite:///{path}") as store:
            _fill(store, WAITING)

            def view() -> None:
                with store.look() as work:
                    standing(work, law, NOW)

            ours, hand = _times_ms(view), _times_ms(lambda: _by_hand(path))
    return [
        {
            "what": f"what is owed of {DETECTIONS:,} detections, {WAITING:,} of them waiting, SQLite, p95",
            "ours": f"{_p95(ours):.0f} ms",
            "peer": f"the same by hand-written SQL: {_p95(hand):.0f} ms",
            "ratio": f"{statistics.median(ours) / statistics.median(hand):.2f} (medians)",
            "reach": f"≤ {REACH_MS:.0f} ms",
            "met": "yes" if _p95(ours) <= REACH_MS else "NO",
        }
    ]
