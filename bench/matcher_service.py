"""The matcher service: real HTTP on loopback to a server process, batches of 64 hashes among a million."""

from __future__ import annotations

import json
import multiprocessing as mp
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h11
import httpx
import numpy as np
from numpy.typing import NDArray

from lightship.console.tenants import Tenant, add
from lightship.detect.pdq import to_hex

LENGTH, PEER_LENGTH, BATCH = 1_000_000, 100_000, 64
CONNECTIONS = 4
SECONDS = 8.0
PEER = """
import sys
import numpy as np
import uvicorn
from fastapi import FastAPI
from threatexchange.signal_type.pdq.pdq_index import PDQIndex
hashes = [row.tobytes().hex() for row in np.load(sys.argv[1])]
index = PDQIndex.build([(text, number) for number, text in enumerate(hashes)])
app = FastAPI()
@app.get("/m/raw_lookup")
def raw_lookup(signal: str, signal_type: str):
    return {"matches": [match.metadata for match in index.query(signal)]}
uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="error")
"""
Bodies = list[bytes]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, path: str, patience_s: float = 300.0) -> Iterator[None]:
    """Run a server until the work is done."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            began_s = time.monotonic()
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}{path}")
                    break
                except httpx.TransportError:
                    if process.poll() is not None or time.monotonic() - began_s > patience_s:
                        raise
                    time.sleep(0.2)
            yield
        finally:
            process.terminate()


def _raw_client(port: int, requests: Bodies, seconds: float) -> list[float]:
    """Send whole requests over one connection, one after the other; returns how long each took, ms.

    The client reads answers with h11 and does no more, since it shares the machine with the server.
    """
    taken: list[float] = []
    until_s = time.perf_counter() + seconds
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until_s:
            request = requests[len(taken) % len(requests)]
            began_s = time.perf_counter()
            line.sendall(request)
            _read_answer(line)
            taken.append((time.perf_counter() - began_s) * 1000)
    return taken


def _read_answer(line: socket.socket) -> bytes:
    reader, body = h11.Connection(h11.CLIENT), b""
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            reader.receive_data(line.recv(1 << 16))
        elif isinstance(event, h11.Response) and event.status_code != 200:
            raise RuntimeError(f"the service answered {event.status_code}")
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return body


def _work(port: int, requests: Bodies, seconds: float, out: mp.Queue[list[float]]) -> None:
    out.put(_raw_client(port, requests, seconds))


def _clients(port: int, requests: Bodies, number: int) -> tuple[list[float], float]:
    """Return all times, ms, and requests a second, of so many clients at once, each a process of its own."""
    spawn = mp.get_context("spawn")
    out: mp.Queue[list[float]] = spawn.Queue()
    workers = [spawn.Process(target=_work, args=(port, requests, SECONDS, out)) for _ in range(number)]
    for worker in workers:
        worker.start()
    taken = [one for _ in workers for one in out.get()]
    for worker in workers:
        worker.join()
    return taken, len(taken) / SECONDS


def _batches(
    hashes: NDArray[np.uint64], hits: int, token: str, rng: np.random.Generator, size: int = BATCH
) -> Bodies:
    """Return requests of some hashes of which some match, none like another."""
    found = []
    for _ in range(200):
        asked = _balanced(rng, size)
        asked[:hits] = hashes[rng.integers(0, len(hashes), hits)]
        body = json.dumps({"pdq": [{"hash": to_hex(row), "quality": 90} for row in asked]}).encode()
        head = (
            f"POST /v1/match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


def _balanced(rng: np.random.Generator, count: int) -> NDArray[np.uint64]:
    bits = np.zeros((count, 256), dtype=np.uint8)
    bits[:, :128] = 1
    packed = np.packbits(rng.permuted(bits, axis=1), axis=1)
    return np.ascontiguousarray(packed).view(">u8").astype(np.uint64)


def _said(taken: list[float], rate: float, each: int) -> str:
    p50, p95 = statistics.median(taken), float(np.percentile(taken, 95))
    return f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, {rate * each:,.0f} hashes/s"


def _peer(folder: Path, hashes: NDArray[np.uint64]) -> tuple[list[float], float, float]:
    """Return times and rate of one hash a request to a bare FastAPI application over threatexchange's index."""
    np.save(folder / "peer.npy", hashes[:PEER_LENGTH].astype(">u8").view(np.uint8).reshape(-1, 32))
    (folder / "peer.py").write_text(PEER)
    port = _free_port()
    requests = [
        f"GET /m/raw_lookup?signal_type=pdq&signal={to_hex(row)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        for row in _balanced(np.random.default_rng(9), 500)
    ]
    command = [sys.executable, str(folder / "peer.py"), str(folder / "peer.npy"), str(port)]
    with _running(command, port, "/openapi.json"):
        taken, one = _clients(port, requests, 1)
        _, several = _clients(port, requests, CONNECTIONS)
    return taken, one, several


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    rng = np.random.default_rng(7)
    hashes = _balanced(rng, LENGTH)
    rows = []
    # Not in /tmp, which may be memory: the record has to be on disk.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        (folder / "bank.csv").write_text("".join(f"{to_hex(row)}\n" for row in hashes))
        tenants = folder / "tenants.json"
        token = add(tenants, Tenant("bench", "", ("match",), ("*",), 10**9, 10**12))
        port = _free_port()
        command = [
            *(sys.executable, "-c", "from lightship.cli import main; main()", "matcher", "serve"),
            *("--list", str(folder / "bank.csv"), "--port", str(port)),
            *("--tenants", str(tenants), "--ledger", str(folder / "matcher.ledger")),
        ]
        with _running(command, port, "/readyz"):
            quiet = _batches(hashes, 0, token, rng)
            _clients(port, quiet, 1)  # what is compiled is compiled
            measured = {
                (BATCH, "no match in it", 1): quiet,
                (BATCH, f"no match in it, {CONNECTIONS} connections", CONNECTIONS): quiet,
                (BATCH, "one match in it", 1): _batches(hashes, 1, token, rng),
                (1, "no match in it", 1): _batches(hashes, 0, token, rng, 1),
            }
            ours = {what: _clients(port, asked, what[2]) for what, asked in measured.items()}
        peer_taken, peer_one, peer_several = _peer(folder, hashes)
    peer_p50 = statistics.median(peer_taken)
    for (size, what, connections), (taken, rate) in ours.items():
        several = connections > 1
        peer_rate = peer_several if several else peer_one
        met = rate * size >= 10_000 and (several or statistics.median(taken) <= 5.0)
        rows.append(
            {
                "what": f"a batch of {size} among {LENGTH:,}, {what}",
                "ours": _said(taken, rate, size),
                "peer": f"FastAPI over threatexchange's PDQIndex, {PEER_LENGTH:,} hashes, one a request: "
                f"p50 {peer_p50:.2f} ms, {peer_rate:,.0f} hashes/s",
                "ratio": f"{rate * size / peer_rate:.1f}× the hashes/s",
                "reach": "-" if size == 1 else "≥ 10,000 hashes/s" + ("" if several else ", p50 ≤ 5 ms"),
                "met": "-" if size == 1 else "yes" if met else "NO",
            }
        )
    rows.append(
        {
            "what": "HMA's own figure, for scale",
            "ours": "-",
            "peer": "HMA, published: about 5 ms a single look-up",
            "ratio": "-",
            "reach": "-",
            "met": "-",
        }
    )
    return rows
