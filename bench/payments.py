"""Payments: ten million payments of half a million customers, from Parquet to alerts with their evidence.

The precision of those alerts is another benchmark's; this one fills columns quickly and measures time and memory.
"""

from __future__ import annotations

import math
import multiprocessing as mp
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from bench.payments_fill import fill
from lightship import app_payments, app_payments_score
from lightship.core.payments import Payment
from lightship.payments.engine import DuckEngine
from lightship.payments.features import column
from lightship.payments.history import open_history
from lightship.payments.live import Account, Profile, World, step
from lightship.payments.pack import Pack
from lightship.payments.prepare import Terms, Window
from lightship.payments.score import fit, measure
from lightship.payments.vocabulary import Params

PAYMENTS, CUSTOMERS = 10_000_000, 500_000
GROWTH = (1_000_000, 10_000_000, int(os.environ.get("LIGHTSHIP_BENCH_PAYMENTS", "50000000")))
HOUR = 500_000
STEPS = 100_000


def measured(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return how long work took in a process of its own, s, its peak memory, GB, and what it returned."""
    context = mp.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)

    def child() -> None:
        began_s = time.perf_counter()
        found = work()
        taken_s = time.perf_counter() - began_s
        sending.send((taken_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, found))

    process = context.Process(target=child)
    process.start()
    sending.close()
    taken_s, peak_gb, found = receiving.recv()
    process.join()
    return float(taken_s), float(peak_gb), found


def _score(folder: Path, out: Path, **more: Any) -> dict[str, tuple[int, int]]:
    found = app_payments_score.score_dataset(folder, out, "uk", **more)
    return {name: (len(one.alerts), one.baseline.subjects) for name, one in found.items()}


def _terms() -> Terms:
    return Terms(app_payments.jurisdiction("uk"), app_payments.currencies())


def _ours(folder: Path) -> tuple[Window, Pack, Mapping[str, Params], dict[str, dict[str, Any]]]:
    """Return the payer's values by our engine."""
    engine = DuckEngine("3GB")
    data = app_payments.open_dataset(engine, folder)
    window = Window.ending(app_payments.last_moment(engine, data), 365)
    found = measure(open_history(engine, data, _terms(), window), app_payments.typology("livestream-payer"))
    values = {
        row["subject"]: {one.id: row[column(one.id)] for one in found.pack.computed} | {"n": row["n"]}
        for row in found.values.to_pylist()
    }
    return window, found.pack, found.params, values


def _pandas(
    folder: Path, window: Window, pack: Pack, params: Mapping[str, Params]
) -> dict[str, dict[str, Any]]:
    import pandas as pd

    from bench.payments_peers import with_pandas

    found = with_pandas(folder, _terms(), window, pack, params).drop(columns="months").to_dict("index")
    return {
        str(who): {str(key): None if pd.isna(one) else int(one) for key, one in row.items()}
        for who, row in found.items()
    }


def _polars(
    folder: Path, window: Window, pack: Pack, params: Mapping[str, Params]
) -> dict[str, dict[str, Any]]:
    from bench.payments_peers import with_polars

    rows = with_polars(folder, _terms(), window, pack, params).drop("months").to_dicts()
    return {row.pop("payer"): row for row in rows}


def _world(folder: Path) -> World:
    """Return the live step's world, its baselines fitted on the history."""
    engine = DuckEngine("3GB")
    data = app_payments.open_dataset(engine, folder)
    terms, packs, bases = _terms(), [], {}
    for name in app_payments.TYPOLOGIES:
        pack = app_payments.typology(name)
        window = Window.ending(app_payments.last_moment(engine, data), pack.window_days)
        found = measure(open_history(engine, data, terms, window), pack)
        packs.append(found.pack)
        bases[name] = fit(found)
    engine.close()
    ties: dict[str, set[str]] = {}
    for row in pq.read_table(folder / "ties.parquet").to_pylist():
        ties.setdefault(row["customer"], set()).add(row["country"])
    people = {
        row["customer"]: Profile(
            row["kind"],
            row["opened"] or date(2020, 1, 1),
            row["country"],
            row["zone"],
            row["born_year"],
            frozenset(ties.get(row["customer"], ())),
        )
        for row in pq.read_table(folder / "customers.parquet").to_pylist()
    }
    return World(terms, tuple(packs), bases, people.get)


def _live(folder: Path) -> tuple[float, float, float]:
    """Return payments a second of the live step, and the 50th and 99th percentile of one, µs."""
    world = _world(folder)
    table = pq.read_table(folder / "payments.parquet").slice(0, STEPS).sort_by("at")
    history = [Payment(at_us=int(row.pop("at").timestamp() * 1_000_000), **row) for row in table.to_pylist()]
    state: dict[str, Account] = {}
    taken_us = np.zeros(len(history))
    for place, payment in enumerate(history):
        began_ns = time.perf_counter_ns()
        state |= step(world, state, payment).accounts
        taken_us[place] = (time.perf_counter_ns() - began_ns) / 1000
    return (
        len(history) / (taken_us.sum() / 1e6),
        float(np.median(taken_us)),
        float(np.percentile(taken_us, 99)),
    )


def _row(what: str, ours: str, peer: str, ratio: str, reach: str, met: bool | None) -> dict[str, str]:
    said = "" if met is None else "yes" if met else "no"
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "reach": reach, "met": said}


def _against_peers(folder: Path) -> list[dict[str, str]]:
    """Return the rows that set the payer's features beside pandas and polars, once all three agree."""
    ours_s, _, (window, pack, params, values) = measured(lambda: _ours(folder))
    rows = []
    for name, other in (("pandas", _pandas), ("polars", _polars)):
        peer_s, peer_gb, found = measured(partial(other, folder, window, pack, params))
        if found != values:
            raise RuntimeError(f"{name} has other values than ours")
        rows.append(
            _row(
                f"all values of the payer's {len(pack.computed)} indicators, against {name}",
                f"{ours_s:.1f} s",
                f"{peer_s:.1f} s, {peer_gb:.1f} GB",
                f"{peer_s / ours_s:.1f}",
                "8 times as fast" if name == "pandas" else "",
                peer_s / ours_s >= 8 if name == "pandas" else None,
            )
        )
    return rows


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    # Not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        root = Path(name)
        times = {}
        rows = []
        for payments in GROWTH:
            folder = root / str(payments)
            fill(folder, payments, payments // (PAYMENTS // CUSTOMERS))
            memory = f"{max(3, round(3 * payments / PAYMENTS))}GB"
            taken_s, peak_gb, found = measured(partial(_score, folder, root / "out", memory=memory))
            times[payments] = taken_s
            if payments == PAYMENTS:
                cases = sum(cases for cases, _ in found.values())
                what = f"{payments:,} payments × {CUSTOMERS:,} customers to {cases} alerts of {len(found)} typologies"
                rows.append(
                    _row(
                        what,
                        f"{taken_s:.1f} s, {peak_gb:.2f} GB",
                        "",
                        "",
                        "60 s, 4 GB",
                        taken_s <= 60 and peak_gb <= 4,
                    )
                )
                rows += _against_peers(folder)
                rows.append(_hour(root, folder))
                rate, p50_us, p99_us = _live(folder)
                said = f"{rate:,.0f} payments/s, p50 {p50_us:.0f} µs, p99 {p99_us:.0f} µs"
                rows.append(
                    _row(
                        "the live step alone, four typologies, extortion lane among them",
                        said,
                        "",
                        "",
                        "seconds",
                        True,
                    )
                )
            else:
                shutil.rmtree(folder)
        rows.append(_growth(times))
    return rows


def _growth(times: Mapping[int, float]) -> dict[str, str]:
    """Return the row of growth: the exponent from each size to the next, and over all by least squares."""
    sizes = sorted(times)
    steps = [math.log(times[high] / times[low]) / math.log(high / low) for low, high in pairwise(sizes)]
    over_all = float(np.polyfit(np.log(sizes), np.log([times[size] for size in sizes]), 1)[0])
    each = ", ".join(f"{size / 1e6:g} M {times[size]:.1f} s" for size in sizes)
    said = f"{each}; exponent {over_all:.2f} ({', '.join(f'{step:.2f}' for step in steps)} from each to the next)"
    return _row("growth with the number of payments", said, "", "", "close to 1", max(steps) <= 1.15)


def _hour(root: Path, folder: Path) -> dict[str, str]:
    """Return the row of an hour's payments on a kept history."""
    measured(lambda: _score(folder, root / "out", keep=root / "kept"))
    fill(root / "hour", HOUR, CUSTOMERS, seed=2, hours=1)
    taken_s, peak_gb, _ = measured(
        lambda: _score(root / "hour", root / "more", onto=root / "kept", baselines=root / "out" / "baseline")
    )
    what = f"an hour's {HOUR:,} payments on the same history"
    return _row(what, f"{taken_s:.1f} s, {peak_gb:.2f} GB", "", "", "5 s", taken_s <= 5)
