"""Reports: CyberTips built and validated, 10,000 generated ones, a 5 GB upload, and the outsider's verifier.

The floors: lxml validating the same bytes, MD5 over the same bytes, SHA-256 over the same lines.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import multiprocessing
import resource
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree

from bench.duties_made import details, made, spoiled, tip
from lightship.core.notes import SigningKey
from lightship.core.statements import sign_statement
from lightship.duties.filing_figures import figures
from lightship.exchange import cybertip_schema
from lightship.exchange.cybertip import build
from lightship.exchange.cybertip_client import CyberTipline
from lightship.exchange.faults import Refused
from lightship.infra.export import export
from lightship.infra.ledger_file import LedgerFile

BUILT_MS = 50.0  # the figures to reach
GENERATED = 10_000
VERIFIED_S = 20.0
ENTRIES = 1_000_000
TAMPERED = 1_000
UPLOAD = 5 * 10**9
FILES = 20
ROOT = Path(__file__).parents[1]
PLACE = Path("shared", "conformance", "cyber_tipline.xsd")
T0 = datetime(2026, 11, 28, 23, 40, tzinfo=UTC)


def run() -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met."""
    xsd = next((one / PLACE for one in ROOT.parents if (one / PLACE).exists()), None)
    rows = []
    if xsd is None:
        rows.append(
            {"what": "NCMEC's schema is not here: put it at ../shared/conformance", "met": "not measured"}
        )
    else:
        schema = cybertip_schema.load(xsd)
        rows += [_built(schema, xsd), _generated(schema, xsd)]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        return [*rows, _uploaded(), *_verified(Path(name))]


def _row(
    what: str, ours: str, peer: str = "", ratio: str = "", reach: str = "", *, met: bool
) -> dict[str, str]:
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "reach": reach,
        "met": "yes" if met else "**no**",
    }


def _built(schema: cybertip_schema.Schema, xsd: Path) -> dict[str, str]:
    judge = etree.XMLSchema(etree.parse(str(xsd)))
    ours, floor = [], []
    for _ in range(60):
        start = time.perf_counter()
        documents = [build(schema, "report", tip())]
        documents += [build(schema, "fileDetails", details(fileId=str(at))) for at in range(FILES)]
        ours.append(1000 * (time.perf_counter() - start))
        start = time.perf_counter()
        for one in documents:
            judge.assertValid(etree.fromstring(one))
        floor.append(1000 * (time.perf_counter() - start))
    p95, least = statistics.quantiles(ours, n=20)[-1], statistics.median(floor)
    what = f"CyberTip with {FILES} files: checked by field, built in the schema's order, validated"
    said = f"{statistics.median(ours):.1f} ms, p95 {p95:.1f} ms"
    peer = f"{least:.1f} ms lxml parsing and validating the same"
    return _row(
        what,
        said,
        peer,
        f"{statistics.median(ours) / least:.1f}×",
        f"≤ {BUILT_MS:.0f} ms",
        met=p95 <= BUILT_MS,
    )


def _generated(schema: cybertip_schema.Schema, xsd: Path) -> dict[str, str]:
    judge, random = etree.XMLSchema(etree.parse(str(xsd))), Random(1)
    valid = refused = wrong = 0
    for number in range(GENERATED):
        table = tip(additionalInfo=f"{number}") if number % 4 == 0 else made(schema, "report", random)
        name = ""
        if number % 3 == 0:
            table, name = spoiled(table, random)
        try:
            xml = build(schema, "report", table)
        except Refused as error:
            named = any(name in one.field for one in error.faults) and all(one.field for one in error.faults)
            refused += named and bool(name)
            wrong += not named or not name
        else:
            good = judge.validate(etree.fromstring(xml)) and not name
            valid += good
            wrong += not good
    return _row(
        f"{GENERATED:,} reports, from the schema and real-shaped, a third spoiled in one of 27 ways",
        f"{valid:,} valid, {refused:,} refused with the field named, {wrong} neither",
        reach="100 % one or the other",
        met=wrong == 0,
    )


class _Sink(BaseHTTPRequestHandler):
    """Takes an upload, and says its MD5 as NCMEC does."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Take it."""
        left = int(self.headers["Content-Length"])
        mark = self.headers["Content-Type"].partition("boundary=")[2].encode()
        head = b""
        while head.count(b"\r\n\r\n") < 2:
            head += self.rfile.read(1)
        tail = len(b"\r\n--" + mark + b"--\r\n")
        left -= len(head) + tail
        md5 = hashlib.md5(usedforsecurity=False)
        while left:
            piece = self.rfile.read(min(left, 1 << 20))
            md5.update(piece)
            left -= len(piece)
        self.rfile.read(tail)
        found = f"<fileId>f</fileId><hash>{md5.hexdigest()}</hash>"
        said = f"<reportResponse><responseCode>0</responseCode>{found}</reportResponse>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())


@contextmanager
def _sink() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _upload(address: str, told: Any) -> None:
    piece = bytes(1 << 20)
    with CyberTipline(address, "a", "b") as line:
        line.upload("1", "warm", [piece], len(piece))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        whole, rest = divmod(UPLOAD, len(piece))
        line.upload("1", "large", ([piece] * whole + [piece[:rest]]).__iter__(), UPLOAD)
        took_s = time.perf_counter() - start
        told.put((took_s, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def _uploaded() -> dict[str, str]:
    children = multiprocessing.get_context("spawn")
    with _sink() as address:
        told = children.Queue()
        child = children.Process(target=_upload, args=(address, told))
        child.start()
        took_s, grew_mb = told.get(timeout=900)
        child.join()
    start, md5, piece = time.perf_counter(), hashlib.md5(usedforsecurity=False), bytes(1 << 20)
    for _ in range(UPLOAD // len(piece)):
        md5.update(piece)
    floor_s = time.perf_counter() - start
    said = f"{UPLOAD / took_s / 1e6:,.0f} MB/s, {grew_mb:.0f} MB more memory"
    peer = f"{UPLOAD / floor_s / 1e6:,.0f} MB/s MD5 alone"
    return _row("upload of 5 GB over the loopback, MD5 on both sides", said, peer, f"{took_s / floor_s:.1f}×",
                "≤ 64 MB more", met=grew_mb <= 64)  # fmt: skip


def _filed(number: int, key: SigningKey) -> list[dict[str, Any]]:
    facts = {
        "filing": f"d{number}.1",
        "duty": f"d{number}",
        "snapshot": f"{number:064x}",
        "declared_by": "ada",
    }
    note = sign_statement("snapshot", facts, key)
    filed = {
        "authority": "ncmec",
        "supplement_of": "",
        "aware_at": T0.isoformat(),
        "filed_at": T0.isoformat(),
    }
    return [{"kind": "report-declared", **facts, "note": note}, {"kind": "report-filed", **facts, **filed}]


def _export(folder: Path, entries: int) -> tuple[Path, Path]:
    folder.mkdir()
    key = SigningKey.from_seed("bench.example.org/duties", bytes(32))
    (folder / "duties.pub").write_text(str(key.verifier))
    plain = {
        "kind": "effect-done",
        "effect": "e" * 32,
        "case": "c" * 32,
        "act": "stop-stream",
        "aware_to_stopped_s": 1.5,
    }
    with LedgerFile(folder / "ledger", key) as ledger:
        for number in range(0, entries, 500):
            ledger.append_all([*_filed(number, key), *[plain] * (min(500, entries - number) - 2)])
    export(folder / "out", {"platform": folder / "ledger"}, {"platform": str(key.verifier)}, key, T0, figures)
    return folder / "out", folder / "duties.pub"


def _verified(folder: Path) -> list[dict[str, str]]:
    spec = importlib.util.spec_from_file_location("verify_export", ROOT / "tools" / "verify_export.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def verify(out: Path, key: Path) -> tuple[int, str]:
        said = StringIO()
        with redirect_stdout(said):
            code = tool.main([str(out), "--key", str(key)])
        return code, said.getvalue()

    out, key = _export(folder / "million", ENTRIES)
    gc.collect()
    start = time.perf_counter()
    code, said = verify(out, key)
    took_s = time.perf_counter() - start
    assert code == 0, said
    start = time.perf_counter()
    with (out / "platform.entries.jsonl").open("rb") as lines:
        for line in lines:
            hashlib.sha256(line).digest()
    floor_s = time.perf_counter() - start
    peer = f"{floor_s:.1f} s SHA-256 of each line"
    rows = [_row(f"outside verifier: {ENTRIES:,} entries", f"{took_s:.1f} s", peer, f"{took_s / floor_s:.1f}×",
                 f"≤ {VERIFIED_S:.0f} s", met=took_s <= VERIFIED_S)]  # fmt: skip
    out, key = _export(folder / "small", 2_000)
    found = _tampered(out, key, verify)
    rows.append(_row(f"outside verifier: {TAMPERED:,} single bytes changed, anywhere", f"{found:,} found, file named",
                     reach=f"{TAMPERED:,}", met=found == TAMPERED))  # fmt: skip
    return rows


def _tampered(out: Path, key: Path, verify: Any) -> int:
    random, found = Random(2), 0
    files = [one for one in sorted(out.iterdir()) if one.stat().st_size]
    for number in range(TAMPERED):
        # each file in turn, so that the small ones are met as often as the large
        path = files[number % len(files)]
        data = path.read_bytes()
        at = random.randrange(len(data))
        other = (data[at] + random.randrange(1, 256)) % 256
        path.write_bytes(data[:at] + bytes([other]) + data[at + 1 :])
        code, said = verify(out, key)
        found += code == 1 and path.name in said
        path.write_bytes(data)
    assert verify(out, key)[0] == 0
    shutil.rmtree(out)
    return found
