"""Known media: PDQ a picture, and exact search within 31 bits, against the libraries that others use."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import faiss
import numpy as np
import pdqhash
from numpy.typing import NDArray
from threatexchange.signal_type.pdq.pdq_index import PDQIndex

from bench.footage import photograph
from lightship.detect.multi_index import MultiIndex
from lightship.detect.pdq import dihedral, pdq, to_hex
from lightship.detect.pdq_compiled import weigh_rows

QUERIES = 1_000
LENGTHS = (100_000, 1_000_000, 10_000_000)
REACH = {100_000: 20_000, 1_000_000: 4_000, 10_000_000: 400}
Row = dict[str, str]


def _median_s(work: Callable[[], object], times: int) -> float:
    work()
    taken = []
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began_s)
    return float(np.median(taken))


def _row(what: str, ours: str, peer: str, ratio: str, reach: str, met: bool | None) -> Row:
    said = "-" if met is None else "yes" if met else "NO"
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "reach": reach, "met": said}


def _hashing() -> list[Row]:
    rows = []
    for width, height, reach in ((512, 512, 20), (640, 360, 0), (1280, 720, 0), (1920, 1080, 40)):
        rgb = cv2.resize(photograph("astronaut.png"), (width, height))
        luma = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        one = _median_s(partial(pdq, luma, weigh_rows), 200)
        plain = _median_s(partial(pdq, luma), 100)
        eight = _median_s(partial(dihedral, luma, weigh_rows), 100)
        peer = _median_s(partial(pdqhash.compute, rgb), 15)
        ours = f"{one * 1e6:.0f} µs (numpy alone {plain * 1e6:.0f})"
        what = f"PDQ of a {width}×{height} picture, with quality"
        wanted = f"≥ {reach}×" if reach else "-"
        met = peer / one >= reach if reach else None
        rows.append(_row(what, ours, f"pdqhash {peer * 1e6:.0f} µs", f"{peer / one:.0f}×", wanted, met))
        what = f"all eight mirrored and turned forms of {width}×{height}"
        price = f"{eight / one:.2f}× of one"
        rows.append(_row(what, f"{eight * 1e6:.0f} µs", "one form", price, "< 2×", eight < 2 * one))
    return rows


def _queries(rng: np.random.Generator, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return random hashes, every other one three bits from an entry."""
    queries = rng.integers(0, 2**64, (QUERIES, 4), dtype=np.uint64)
    queries[::2] = hashes[rng.integers(0, len(hashes), QUERIES // 2)]
    queries[::2, 0] ^= np.uint64(0b111)
    return queries


def _rate(index: MultiIndex, queries: NDArray[np.uint64], times: int = 3) -> float:
    return len(queries) / _median_s(lambda: [index.pairs(one[None]) for one in queries], times)


def _together(pool: ThreadPoolExecutor, index: MultiIndex, parts: list[NDArray[np.uint64]]) -> None:
    for _ in pool.map(index.pairs, parts):
        pass


def _search() -> list[Row]:
    rows: list[Row] = []
    rng = np.random.default_rng(7)
    for length in LENGTHS:
        hashes = rng.integers(0, 2**64, (length, 4), dtype=np.uint64)
        queries = _queries(rng, hashes)
        began_s = time.perf_counter()
        index = MultiIndex(hashes)
        build_s = time.perf_counter() - began_s
        single = _rate(index, queries)
        peers = _faiss(hashes, queries)
        if length == 1_000_000:
            peers["threatexchange PDQIndex"] = _threatexchange(hashes, queries)
        for name, rate in peers.items():
            wanted = f"≥ {REACH[length]:,}/s" + (", ≥ 4×" if length == 1_000_000 else "")
            met = single >= REACH[length] and (length != 1_000_000 or single >= 4 * rate)
            what = f"single queries among {length:,}"
            rows.append(
                _row(what, f"{single:,.0f}/s", f"{name} {rate:,.0f}/s", f"{single / rate:.1f}×", wanted, met)
            )
        batch = QUERIES / _median_s(partial(index.pairs, queries), 5)
        with ThreadPoolExecutor(2) as pool:
            halves = np.array_split(queries, 2)
            both = QUERIES / _median_s(partial(_together, pool, index, halves), 5)
        wanted = "≥ 2× single" if length == 1_000_000 else "-"
        twice = batch >= 2 * single if length == 1_000_000 else None
        said = f"{batch:,.0f}/s; on 2 threads {both:,.0f}/s"
        ratio = f"{batch / single:.1f}×, {both / single:.1f}×"
        rows.append(_row(f"a batch of 1,000 among {length:,}", said, "single queries", ratio, wanted, twice))
        peer = _faiss_batch(hashes, queries)
        what = f"the same against faiss's batch, {length:,}"
        rows.append(
            _row(what, f"{batch:,.0f}/s", f"faiss flat {peer:,.0f}/s", f"{batch / peer:.1f}×", "-", None)
        )
        limits = {1_000_000: 1.0, 10_000_000: 12.0}
        if length in limits:
            what, wanted = f"build {length:,}; memory an entry", f"≤ {limits[length]:g} s; ≤ 128 B"
            room = index.nbytes / length
            met = build_s <= limits[length] and room <= 128
            rows.append(_row(what, f"{build_s:.2f} s; {room:.0f} B", "-", "-", wanted, met))
        if length == 1_000_000:
            rows.append(_skewed(rng, hashes, queries, single))
    return rows


def _skewed(
    rng: np.random.Generator, hashes: NDArray[np.uint64], queries: NDArray[np.uint64], uniform: float
) -> Row:
    flat = hashes.copy()
    centres = rng.integers(0, 2**64, (50, 4), dtype=np.uint64)
    rows = rng.choice(len(flat), int(0.3 * len(flat)), replace=False)
    noise = np.ones((len(rows), 4), np.uint64)
    for _ in range(5):  # a word's bit is flipped with probability 1/32: 8 of 256 on average
        noise &= rng.integers(0, 2**64, noise.shape, dtype=np.uint64)
    flat[rows] = centres[rng.integers(0, 50, len(rows))] ^ noise
    rate = _rate(MultiIndex(flat), queries)
    what = "a list of 1,000,000 of which 30 % are near-flat pictures' alike hashes"
    slower = uniform / rate
    return _row(
        what, f"{rate:,.0f}/s", f"uniform {uniform:,.0f}/s", f"{slower:.2f}× slower", "≤ 2×", slower <= 2
    )


def _faiss(hashes: NDArray[np.uint64], queries: NDArray[np.uint64]) -> dict[str, float]:
    """Return the rates of faiss's exact scan and, up to a million, of its multi-index."""
    faiss.omp_set_num_threads(1)
    data, asked = hashes.view(np.uint8).reshape(-1, 32), queries.view(np.uint8).reshape(-1, 32)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(data)
    few = asked[: 100 if len(hashes) > 1_000_000 else 300]
    found = {"faiss flat": len(few) / _median_s(lambda: [flat.range_search(one[None], 32) for one in few], 1)}
    if len(hashes) <= 1_000_000:
        hashed = faiss.IndexBinaryMultiHash(256, 16, 16)
        hashed.nflip = 1
        hashed.add(data)
        found["faiss MultiHash"] = len(few) / _median_s(
            lambda: [hashed.range_search(one[None], 32) for one in few], 1
        )
    return found


def _faiss_batch(hashes: NDArray[np.uint64], queries: NDArray[np.uint64]) -> float:
    """Return the rate of faiss's exact scan asked for many at once, on one thread."""
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexBinaryFlat(256)
    flat.add(hashes.view(np.uint8).reshape(-1, 32))
    few = queries.view(np.uint8).reshape(-1, 32)[: 200 if len(hashes) > 1_000_000 else 1_000]
    return len(few) / _median_s(lambda: flat.range_search(few, 32), 1)


def _threatexchange(hashes: NDArray[np.uint64], queries: NDArray[np.uint64]) -> float:
    index = PDQIndex.build([(to_hex(one), None) for one in hashes])
    asked = [to_hex(one) for one in queries[:300]]
    return len(asked) / _median_s(lambda: [index.query(one) for one in asked], 1)


def run() -> list[Row]:
    """Return the table's rows."""
    return _hashing() + _search()
