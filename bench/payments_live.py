"""The live path: real HTTP on the loopback to `lightship payments serve`, each payment on disk before its answer.

A request's client shares the machine with the server. How many payments a request carries is in every row, and so is
what SQLite alone needs to put one row, or as many in one commit, on the same disk.
"""

from __future__ import annotations

import json
import multiprocessing as mp
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow.parquet as pq

from bench.matcher_service import _free_port, _running
from bench.payments_fill import fill
from lightship.infra.durable import make_durable

HISTORY, CUSTOMERS = 400_000, 40_000
SHAPES = ((1, 1), (1, 8), (1, 32), (10, 2), (50, 2))
"""Payments a request, connections."""
REACH, P99_MS = 3_000, 20.0
LIGHTSHIP = (sys.executable, "-c", "from lightship.cli import main; main()")


def _requests(token: str, rows: list[dict[str, Any]], each: int, series: str) -> list[bytes]:
    """Return requests of payments that are all new."""
    found = []
    now = datetime.now(UTC)
    for start in range(0, len(rows) - each + 1, each):
        part = []
        for place, row in enumerate(rows[start : start + each], start):
            at = now - timedelta(seconds=len(rows) - place)
            part.append({**row, "payment": f"{series}-{place}", "at": at.isoformat()})
        body = json.dumps({"payments": part}).encode()
        head = (
            f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


def _drive(port: int, requests: list[bytes], connections: int, seconds: float) -> tuple[list[float], float]:
    """Return times in ms and requests a second, of one client process with so many connections, each request once."""
    spawn = mp.get_context("spawn")
    out: Any = spawn.Queue()
    client = spawn.Process(target=_send, args=(port, requests, connections, seconds, out))
    client.start()
    taken, lasted_s = out.get()
    client.join()
    return taken, len(taken) / lasted_s


def _send(port: int, requests: list[bytes], connections: int, seconds: float, out: Any) -> None:
    """Keep one request under way on each connection; what the client needs is taken from the server's own machine."""
    waiting = iter(requests)
    taken: list[float] = []
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        began_s = time.perf_counter()
        for request in islice(waiting, connections):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(line, selectors.EVENT_READ, _Exchange(line, time.perf_counter()))
            line.sendall(request)
        while ready.get_map():
            for key, _ in ready.select():
                if not key.data.whole():
                    continue
                now_s = time.perf_counter()
                taken.append((now_s - key.data.sent_s) * 1000)
                request = next(waiting, b"") if now_s - began_s < seconds else b""
                if request:
                    ready.modify(key.fileobj, selectors.EVENT_READ, _Exchange(key.data.line, now_s))
                    key.data.line.sendall(request)
                else:
                    ready.unregister(key.fileobj)
        lasted_s = time.perf_counter() - began_s
    out.put((taken, lasted_s))


@dataclass(slots=True)
class _Exchange:
    """One request under way: its connection, when it was sent, and what has come back of its answer."""

    line: socket.socket
    sent_s: float
    came: bytes = b""

    def whole(self) -> bool:
        """Take in what has come; whether the answer is whole."""
        self.came += self.line.recv(1 << 16)
        head, end, body = self.came.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the service answered {head[:20]!r}")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return len(body) >= length


def _floor(folder: Path, each: int, seconds: float = 2.0) -> tuple[float, float]:
    """Return rows a second and the 99th percentile of a commit in ms, of SQLite alone with so many rows a commit."""
    body = b"x" * 250
    with closing(sqlite3.connect(folder / f"floor-{each}.db", isolation_level=None)) as db:
        make_durable(db)
        db.execute("CREATE TABLE payments (seq INTEGER PRIMARY KEY, payment TEXT UNIQUE, body BLOB)")
        taken: list[float] = []
        number, began_s = 0, time.perf_counter()
        while (now_s := time.perf_counter()) - began_s < seconds:
            db.execute("BEGIN IMMEDIATE")
            rows = [(f"p{number + place}", body) for place in range(each)]
            db.executemany("INSERT INTO payments (payment, body) VALUES (?, ?)", rows)
            db.execute("COMMIT")
            taken.append((time.perf_counter() - now_s) * 1000)
            number += each
        return number / (time.perf_counter() - began_s), float(np.percentile(taken, 99))


def run(seconds: float = 8.0) -> list[dict[str, str]]:
    """Return the table's rows."""
    rows = []
    with tempfile.TemporaryDirectory(
        dir=Path.cwd()
    ) as name:  # /tmp may be memory, where durable means nothing
        folder = Path(name)
        fill(folder / "history", HISTORY, CUSTOMERS)
        fill(folder / "more", 200_000, CUSTOMERS, seed=2)
        subprocess.run(
            [*LIGHTSHIP, "payments", "score", str(folder / "history"), "--out", str(folder / "scored")],
            check=True,
        )
        words = ["payments", "token", "bench", "--tenants", str(folder / "tenants.json")]
        quota = ["--per-minute", "100000000", "--per-day", "1000000000"]
        made = subprocess.run([*LIGHTSHIP, *words, *quota], check=True, capture_output=True, text=True)
        token = made.stdout.strip()
        kept = {"at", "time_known"}
        columns = [
            name for name in pq.read_schema(folder / "more" / "payments.parquet").names if name not in kept
        ]
        payments = [
            {name: value for name, value in row.items() if value is not None}
            for row in pq.read_table(folder / "more" / "payments.parquet", columns=columns).to_pylist()
        ]
        floors = {each: _floor(folder, each) for each in sorted({each for each, _ in SHAPES})}
        port = _free_port()
        command = [
            *LIGHTSHIP, "payments", "serve", "--data", str(folder / "history"), "--baseline",
            str(folder / "scored" / "baseline"), "--state", str(folder / "live"), "--tenants",
            str(folder / "tenants.json"), "--port", str(port),
        ]  # fmt: skip
        with _running(command, port, "/readyz", 600.0):
            _drive(port, _requests(token, payments[:2000], 10, "warm"), 2, 2.0)
            for each, connections in SHAPES:
                requests = _requests(token, payments, each, f"s{each}x{connections}")
                taken, rate = _drive(port, requests, connections, seconds)
                rows.append(_row(each, connections, taken, rate * each, floors[each]))
            ready = httpx.get(f"http://127.0.0.1:{port}/readyz").json()
        rows[-1]["what"] += f"; {ready['payments']:,} payments were kept, {ready['accounts']:,} accounts held"
    return rows


def _row(
    each: int, connections: int, taken: list[float], rate: float, floor: tuple[float, float]
) -> dict[str, str]:
    p99 = float(np.percentile(taken, 99))
    met = rate >= REACH and p99 <= P99_MS
    return {
        "what": f"payments a request: {each}; connections: {connections}",
        "ours": f"{rate:,.0f} payments/s, p50 {statistics.median(taken):.1f} ms, p99 {p99:.1f} ms a request",
        "peer": f"SQLite alone, {each} a commit, synchronous=FULL: {floor[0]:,.0f} rows/s, p99 {floor[1]:.1f} ms",
        "ratio": f"{rate / floor[0]:.2f}× the floor",
        "reach": f"≥ {REACH:,} payments/s, p99 ≤ {P99_MS:.0f} ms",
        "met": "yes" if met else "NO",
    }
