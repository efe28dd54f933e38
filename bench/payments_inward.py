"""Payments coming in: ISO 20022 messages against a plain ElementTree reading, and memory on large files."""

from __future__ import annotations

import io
import multiprocessing as mp
import os
import resource
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from lightship.app_payments_read import Reading, read
from lightship.exchange import iso20022
from lightship.exchange.rejects import Rejects

SPACE = "urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"
HEAD = (
    f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{SPACE}"><FIToFICstmrCdtTrf><GrpHdr><MsgId>M1</MsgId>'
    "<CreDtTm>2026-03-01T21:30:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs><SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
    "</GrpHdr>"
)
TRANSFER = (
    "<CdtTrfTxInf><PmtId><InstrId>I{n}</InstrId><EndToEndId>E{n}</EndToEndId><TxId>T{n}</TxId>"
    "<UETR>00000000-0000-4000-8000-{n:012d}</UETR></PmtId><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>"
    '<IntrBkSttlmAmt Ccy="GBP">12.50</IntrBkSttlmAmt><IntrBkSttlmDt>2026-03-01</IntrBkSttlmDt>'
    '<InstdAmt Ccy="GBP">12.50</InstdAmt><ChrgBr>SHAR</ChrgBr><Dbtr><Nm>Ann Lee</Nm><PstlAdr><TwnNm>Leeds</TwnNm>'
    "<Ctry>GB</Ctry></PstlAdr></Dbtr><DbtrAcct><Id><IBAN>GB33BUKB20201555555555</IBAN></Id></DbtrAcct><DbtrAgt>"
    "<FinInstnId><BICFI>BUKBGB22XXX</BICFI></FinInstnId></DbtrAgt><CdtrAgt><FinInstnId><BICFI>MBTCPHMMXXX</BICFI>"
    "</FinInstnId></CdtrAgt><Cdtr><Nm>Maria Cruz</Nm><PstlAdr><Ctry>PH</Ctry></PstlAdr></Cdtr><CdtrAcct><Id><Othr>"
    "<Id>0012345678</Id></Othr></Id></CdtrAcct><Purp><Cd>FAMI</Cd></Purp><RmtInf><Ustrd>school fees</Ustrd></RmtInf>"
    "</CdtTrfTxInf>"
)
TAIL = "</FIToFICstmrCdtTrf></Document>"
PATHS = (
    "PmtId/EndToEndId", "PmtId/TxId", "PmtId/UETR", "IntrBkSttlmAmt", "InstdAmt", "Dbtr/Nm", "Dbtr/PstlAdr/Ctry",
    "DbtrAcct/Id/IBAN", "DbtrAgt/FinInstnId/BICFI", "CdtrAgt/FinInstnId/BICFI", "Cdtr/Nm", "Cdtr/PstlAdr/Ctry",
    "CdtrAcct/Id/IBAN", "CdtrAcct/Id/Othr/Id", "RmtInf/Ustrd",
)  # fmt: skip
MANY, SINGLE = 50_000, 20_000
GIGABYTE = 1_000_000_000
CSV_ROWS = 10_000_000
REACH = 20_000


def message(count: int) -> bytes:
    """Return one message of so many transfers."""
    transfers = "".join(TRANSFER.format(n=number) for number in range(count))
    return (HEAD.format(count=count) + transfers + TAIL).encode()


def _naive(data: bytes) -> int:
    """Read a message as one would write it down: the whole tree, then a path a value."""
    space = f"{{{SPACE}}}"
    paths = ["/".join(space + step for step in path.split("/")) for path in PATHS]
    count = 0
    for transfer in ET.parse(io.BytesIO(data)).getroot().iter(f"{space}CdtTrfTxInf"):  # noqa: S314 - our own
        [transfer.findtext(path) for path in paths]
        count += 1
    return count


def _parsed(path: Path) -> int:
    """Read and parse a file, and take nothing from it."""
    return 1 if etree.fromstring(path.read_bytes()) is not None else 0


def _ours(*paths: Path) -> int:
    found = iso20022.Reading(Rejects(), Counter())
    return sum(len(batch) for batch in iso20022.read(enumerate(paths), found))


def _rate(work: Callable[[], int], slices: int = 5) -> float:
    """Return the median of what one core does in a second of its own time: reading is one thread's work."""
    rates = []
    for _ in range(slices):
        began_s = time.process_time()
        count = work()
        rates.append(count / (time.process_time() - began_s))
    return sorted(rates)[slices // 2]


def _apart(work: Callable[[], int]) -> tuple[int, float, float]:
    """Return what work counted, its seconds and its peak of memory in MB, in a process of its own."""
    receiving, sending = mp.get_context("fork").Pipe(duplex=False)

    def child() -> None:
        began_s = time.perf_counter()
        count = work()
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        sending.send((count, time.perf_counter() - began_s, peak_mb))
        os._exit(0)

    process = mp.get_context("fork").Process(target=child)
    process.start()
    found: tuple[int, float, float] = receiving.recv()
    process.join()
    return found


def _large(path: Path, size: int) -> int:
    """Write a message of about so many bytes; returns its transfers."""
    each = len(TRANSFER.format(n=0))
    count = size // (each + 8)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD.format(count=count))
        for start in range(0, count, 10_000):
            file.write("".join(TRANSFER.format(n=n) for n in range(start, min(count, start + 10_000))))
        file.write(TAIL)
    return count


def _table(path: Path, rows: int) -> None:
    """Write a CSV of so many payments, one of them bad."""
    countries = ("PH", "GB", "KE", "US")
    with path.open("w", encoding="utf-8") as file:
        file.write("payment,at,payer,payee,amount,currency,rail,payer_country,payee_country\n")
        for n in range(rows):
            day, second = n % 28 + 1, n * 7919 % 86_400
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            amount = "twelve" if n == rows // 3 else f"{n % 500 + 1}.{n % 100:02d}"
            file.write(
                f"P{n},2026-{n % 10 + 1:02d}-{day:02d}T{clock}Z,c{n * 31 % (rows // 20)},r{n * 17 % (rows // 5)},"
                f"{amount},GBP,bank,GB,{countries[n % 4]}\n"
            )


def run() -> list[dict[str, Any]]:
    """Return the table's rows."""
    rows = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        data = message(MANY)
        (folder / "many.xml").write_bytes(data)
        ours = _rate(lambda: _ours(folder / "many.xml"))
        naive = _rate(lambda: _naive(data))
        rows.append(
            _row(f"pacs.008, {MANY:,} transfers in one message, {len(data) // MANY} bytes each", ours, naive)
        )
        ones = [message(1)] * SINGLE
        (folder / "ones").mkdir()
        paths = [folder / "ones" / str(place) for place in range(SINGLE)]
        for path, one in zip(paths, ones, strict=True):
            path.write_bytes(one)
        ours = _rate(lambda: _ours(*paths), 3)
        naive = _rate(lambda: sum(_naive(path.read_bytes()) for path in paths), 3)
        floor = _rate(lambda: sum(_parsed(path) for path in paths), 3)
        what = f"pacs.008, {SINGLE:,} messages of one transfer, a file each"
        rows.append(
            _row(what, ours, naive, f"; floor, each file read and parsed by lxml alone: {floor:,.0f}/s")
        )
        rows.append(_memory_row(folder, data))
        rows.append(_csv_row(folder))
    return rows


def _row(what: str, ours: float, naive: float, beside: str = "") -> dict[str, Any]:
    return {
        "what": what,
        "ours": f"{ours:,.0f}/s a core, to checked columns",
        "peer": f"ElementTree, whole tree, a path a value: {naive:,.0f}/s{beside}",
        "ratio": f"{ours / naive:.1f}×",
        "reach": f"≥ {REACH:,}/s a core",
        "met": "yes" if ours >= REACH else "NO",
    }


def _memory_row(folder: Path, small: bytes) -> dict[str, Any]:
    path = folder / "large.xml"
    _large(path, GIGABYTE)
    _, _, little_mb = _apart(lambda: _ours(folder / "many.xml"))
    count, seconds, peak_mb = _apart(lambda: _ours(path))
    _, _, peer_mb = _apart(lambda: _naive(small))
    path.unlink()
    grown_mb = peak_mb - little_mb
    return {
        "what": f"memory on a message of 1 GB, {count:,} transfers ({count / seconds:,.0f}/s)",
        "ours": f"peak {peak_mb:.0f} MB, {grown_mb:+.0f} MB against a message of {len(small) / 1e6:.0f} MB",
        "peer": f"ElementTree needs {peer_mb:.0f} MB for {len(small) / 1e6:.0f} MB",
        "ratio": "-",
        "reach": "flat: < 50 MB more",
        "met": "yes" if grown_mb < 50 else "NO",
    }


def _csv_row(folder: Path) -> dict[str, Any]:
    path = folder / "rows.csv"
    _table(path, CSV_ROWS)
    reading = Reading([path], date(2026, 11, 24))
    count, seconds, peak_mb = _apart(lambda: read(reading, folder / "ds").kept["payments"])
    rejected = (folder / "ds.rejects.csv").read_text(encoding="utf-8").splitlines()
    path.unlink()
    found = count == CSV_ROWS - 1 and len(rejected) == 2 and f",{CSV_ROWS // 3 + 1},amount," in rejected[1]
    return {
        "what": f"`payments read`, CSV of {CSV_ROWS:,} rows of which one is bad, to a sorted dataset",
        "ours": f"{seconds:.0f} s, peak {peak_mb / 1000:.1f} GB, the bad row named",
        "peer": "-",
        "ratio": "-",
        "reach": "one reject, the rest kept",
        "met": "yes" if found else "NO",
    }
