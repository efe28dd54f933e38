"""Payments: ten million payments of half a million customers, from Parquet to alerts with their evidence."""

from __future__ import annotations

import multiprocessing as mp
import resource
import time
from collections.abc import Callable
from typing import Any

PAYMENTS, CUSTOMERS = 10_000_000, 500_000
GROWTH = (1_000_000, 10_000_000, 50_000_000)
HOUR = 500_000


def _measured(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return how long work took in a process of its own, s, its peak memory, GB, and what it returned."""
    receiving, sending = mp.get_context("fork").Pipe(duplex=False)

    def child() -> None:
        began_s = time.perf_counter()
        found = work()
        taken_s = time.perf_counter() - began_s
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        sending.send((taken_s, peak_gb, found))

    process = mp.get_context("fork").Process(target=child)
    process.start()
    taken_s, peak_gb, found = receiving.recv()
    process.join()
    return float(taken_s), float(peak_gb), found
