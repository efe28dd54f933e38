"""The console with 100,000 cases on a real store: server time and bytes of its pages, and a report before a person."""

from __future__ import annotations

import asyncio
import queue
import random
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
from argon2 import PasswordHasher

from lightship import packs
from lightship.app_serve import served
from lightship.console.application import create_console
from lightship.console.desk import WatchDesk
from lightship.console.health import Health
from lightship.console.logs import quiet_server
from lightship.console.settings import Settings
from lightship.console.tenants import Tenant, Tenants, add
from lightship.core.cases import Case, CaseState, Effect, Judgement, Stream
from lightship.core.ledger import VerifyReport
from lightship.infra.bus import LocalBus
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.watch.priority import together

CASES, STREAMS, LIVE, ENTRIES = 100_000, 20_000, 400, 200_000
ROUNDS, PRESSES = 60, 40
_STATES: tuple[CaseState, ...] = ("open", "decided", "closed", "appealed")
REACH_MS, REACH_KB, REACH_REPORT_S = 150.0, 120.0, 1.0
SECRET, PASSWORD = b"the benchmark's, and nobody else's", "the benchmark's own"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PAGES = {
    "lee": ("/queue", "/queue?live=yes", "/items/{case}", "/wall", "/subjects/{host}", "/health", "/shift", "/audit",
            "/audit?kind=verdict", "/audit?about={case}"),
    "root": ("/people",),
}  # fmt: skip


def _filled(store: SqlStore, ledger: LedgerFile, now: datetime) -> tuple[str, str]:
    """Put a busy platform's year into the store; returns a case that is open, and a host."""
    rng = random.Random(7)
    streams = [
        Stream(f"s{n}", "rtmp://media.example/live/key", f"host-{n % 5_000}", "public", "terms", "public-live",
               now - timedelta(minutes=n % 500_000), None if n < LIVE else now, viewers=rng.randrange(100_000),
               title=f"Stream {n}")
        for n in range(STREAMS)
    ]  # fmt: skip
    cases = []
    for n in range(CASES):
        reach, severity, likelihood = rng.random(), rng.random(), rng.random()
        state: CaseState = rng.choices(_STATES, (20, 70, 9, 1))[0]
        words = f"A picture on a list of known abuse material. Found by known-media, entry {n}. Seen 0:05 in."
        at = now - timedelta(seconds=rng.randrange(10**7))
        live = n < LIVE // 4  # a live stream has one open case, hardly ever more
        stream, state = (n, "open") if live else (LIVE + n % (STREAMS - LIVE), state)
        cases.append(
            Case(f"{n:032x}", f"s{stream}", "machine", at, at, words,
                 rng.uniform(30, 110), "end", reach, severity, likelihood, state, live=live,
                 place=together(reach, severity, likelihood))
        )  # fmt: skip
    decided = [one for one in cases if one.state != "open"]
    for start in range(0, CASES, 10_000):
        with store.begin() as work:
            work.save(*streams[start : start + 10_000], *cases[start : start + 10_000])
    for start in range(0, len(decided), 10_000):
        with store.begin() as work:
            some = decided[start : start + 10_000]
            work.save(
                *(Judgement(f"j{one.id}", one.id, "mo", now, "abuse", "abuse-known", "seen") for one in some)
            )
            work.save(
                *(
                    Effect(f"e{one.id}", one.id, one.stream_id, "stop-stream", "mo", now, now, "done")
                    for one in some
                )
            )
    for start in range(0, ENTRIES, 10_000):
        ledger.append_all(_entry(n, now) for n in range(start, start + 10_000))
    first = next(one for one in cases if one.state == "open")
    return first.id, next(one.host for one in streams if one.id == first.stream_id)


def _entry(number: int, now: datetime) -> dict[str, Any]:
    at = (now - timedelta(seconds=ENTRIES - number)).isoformat()
    if number % 50 == 0:
        case = f"{number % CASES:032x}"
        return {"kind": "verdict", "at": at, "by": "mo", "case": case, "verdict": "abuse", "clause": "abuse-known",
                "reason": "seen", "seen": False, "reused_of": ""}  # fmt: skip
    looked = {
        "pictures": 60,
        "looks": 60,
        "model_looks": 2,
        "model_passed_over": 0,
        "gap_s": 0.0,
        "late_s": 0.1,
    }
    return {
        "kind": "coverage",
        "at": at,
        "stream": f"s{number % LIVE}",
        "run": 1,
        "minute": number // LIVE,
        **looked,
    }


@contextmanager
def _console() -> Iterator[tuple[Any, SqlStore, LedgerFile, str]]:
    quiet_server()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url = f"sqlite:///{folder / 'platform.db'}"
        upgrade(url)
        with (
            SqlStore(url) as store,
            LedgerFile(folder / "platform.ledger", load_or_create_key(folder / "a.key", "bench")) as ledger,
            LedgerFile(folder / "looks.ledger", load_or_create_key(folder / "b.key", "bench")) as looks,
        ):
            bus = LocalBus()
            token = add(folder / "tenants.json", Tenant("bench", "", ("reports",), (), 10_000, 10_000))
            settings = Settings(
                secret=SECRET,
                tenants=Tenants(folder / "tenants.json"),
                ledger=ledger,
                verify=lambda: VerifyReport("bench", 0, 0, 0),
                health=lambda: Health(datetime.now(UTC), LIVE, LIVE, 6.0, 0.4, 0, 3),
                log=_Unsaid(),
                policies=(packs.policy("public-live"),),
                secure=False,
                hasher=CHEAP,
            )
            vault = FileVault(folder / "vault", looks)
            yield create_console(store, bus, vault, WatchDesk(store, bus), settings), store, ledger, token


class _Unsaid:
    """A log that says nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


async def _asked(
    app: Any, secrets: dict[str, str], fill: dict[str, str]
) -> dict[str, tuple[list[float], float]]:
    """Return each page's times in milliseconds, and its first paint in kB: the page and all that it names."""
    found: dict[str, tuple[list[float], float]] = {}
    for name, pages in PAGES.items():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://console", headers={"accept": "text/html"}
        ) as who:
            form = _csrf((await who.get("/sign-in")).text, "form")
            code = pyotp.TOTP(secrets[name]).now()
            sent = {"form": form, "name": name, "password": PASSWORD, "code": code}
            await who.post("/sign-in", data=sent)
            await who.post("/shift/begin", data={"csrf": _csrf((await who.get("/shift")).text)})
            for page in pages:
                address, took_ms = page.format(**fill), []
                for _ in range(ROUNDS):
                    began_s = time.perf_counter()
                    answer = await who.get(address)
                    took_ms.append(1000.0 * (time.perf_counter() - began_s))
                    assert answer.status_code == 200, (address, answer.status_code)
                size = answer.num_bytes_downloaded
                for asset in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)):
                    size += (await who.get(asset)).num_bytes_downloaded
                found[page] = (took_ms, size / 1000.0)
    return found


def _reported(app: Any, secret: str, token: str) -> list[float]:
    """Return how long it took, seconds, from a pressed button to the item before a moderator who has the console open.

    Over real connections: the report is posted, the open page is told by its stream of events, asks for the next item,
    and has the reported one.
    """
    took_s = []
    told: queue.Queue[str] = queue.Queue()
    with served(app, "127.0.0.1", 0) as address, httpx.Client(base_url=address, follow_redirects=True) as who:
        who.headers["accept"] = "text/html"
        form = _csrf(who.get("/sign-in").text, "form")
        code = pyotp.TOTP(secret).now()
        who.post("/sign-in", data={"form": form, "name": "mo", "password": PASSWORD, "code": code})
        csrf = _csrf(who.get("/shift").text)
        who.post("/shift/begin", data={"csrf": csrf})
        threading.Thread(target=_listen, args=(address, dict(who.cookies), told), daemon=True).start()
        told.get(timeout=10.0)
        for number in range(PRESSES):
            while not told.empty():
                told.get()
            body = {"stream_id": f"s{number}", "kind": "child-at-risk-now"}
            began_s = time.perf_counter()
            who.post(
                "/v1/reports", json=body, headers={"authorization": f"Bearer {token}"}
            ).raise_for_status()
            told.get(timeout=10.0)
            page = who.post("/queue/next", data={"csrf": csrf})
            took_s.append(time.perf_counter() - began_s)
            assert f"Stream {number}," in page.text, page.url
            why = {"verdict": "not-abuse", "clause": "none", "reason": "words", "then": "queue"}
            who.post(f"{page.url.path}/judge", data={"csrf": csrf, **why}).raise_for_status()
    return took_s


def _listen(address: str, cookies: dict[str, str], told: queue.Queue[str]) -> None:
    """Put into a queue what an open page is told, from its first sign of life on."""
    with httpx.Client(base_url=address, cookies=cookies, timeout=60.0) as page, suppress(httpx.HTTPError):
        while True:
            with page.stream("GET", "/events") as events:
                for line in events.iter_lines():
                    if line.startswith(("data:", "retry:")):
                        told.put(line)


def _csrf(text: str, name: str = "csrf") -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    return found[1] if found else ""


def _left(app: Any) -> int:
    """Return how many entries of the record the console has not read yet."""
    with app.state.room.record.still() as left:
        return int(left)


def run() -> list[dict[str, str]]:
    """Return a row a page, and one of reports."""
    with _console() as (app, store, ledger, token):
        accounts, until = app.state.room.accounts, datetime.now(UTC) + timedelta(days=30)
        secrets = {
            name: accounts.add(name, name.title(), role, PASSWORD, until)
            for name, role in (("lee", "lead"), ("root", "administrator"), ("mo", "moderator"))
        }
        case, host = _filled(store, ledger, datetime.now(UTC))
        began_s = time.perf_counter()
        while _left(app):
            time.sleep(0.02)
        read_s = time.perf_counter() - began_s
        found = asyncio.run(_asked(app, secrets, {"case": case, "host": host}))
        waits_s = _reported(app, secrets["mo"], token)
    reading = f"{ENTRIES / read_s / 1000:.0f} k entries/s, after a start"
    rows = [{"what": "the record is indexed, beside the pages", "ours": reading}]
    for page, (took_ms, kb) in found.items():
        p95 = statistics.quantiles(took_ms, n=20)[-1]
        rows.append(
            {
                "what": f"`{page}`, {CASES:,} cases, {ENTRIES:,} entries",
                "ours": f"p50 {statistics.median(took_ms):.0f} ms, p95 {p95:.0f} ms; first paint {kb:.0f} kB",
                "reach": f"p95 ≤ {REACH_MS:g} ms, ≤ {REACH_KB:g} kB",
                "met": "yes" if p95 <= REACH_MS and kb <= REACH_KB else "NO",
            }
        )
    p95 = statistics.quantiles(waits_s, n=20)[-1]
    rows.append(
        {
            "what": f"report pressed → item before a moderator, {CASES:,} cases, {PRESSES} presses",
            "ours": f"p50 {statistics.median(waits_s):.2f} s, p95 {p95:.2f} s",
            "reach": f"p95 ≤ {REACH_REPORT_S:g} s",
            "met": "yes" if p95 <= REACH_REPORT_S else "NO",
        }
    )
    return rows
