"""The body's console with 100,000 open inquiries, and a case with 2,000 linked items: server time and bytes.

Each answer is whole: signed-in session, clearance, s.62 log and ledger entry on disk included. The peer is reading the
case's rows and one durable commit with SQLite alone, on the same file: what any page that logs its look must pay.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp

from bench.console import CHEAP, PASSWORD, SECRET, _csrf, _Unsaid
from lightship.app_deconflict import Bureau
from lightship.app_share import maker
from lightship.app_undercover import keep_trouble, opened
from lightship.casework import links
from lightship.casework.desk import Offices, founded
from lightship.casework.urgency import shipped
from lightship.console.application import create_body_console
from lightship.console.health import Health
from lightship.console.logs import quiet_server
from lightship.console.pages_send import Sharing
from lightship.console.settings import Settings
from lightship.console.tenants import Tenants, begin
from lightship.core.casework import Identifier, Inquiry, Link, Marking, Referral
from lightship.core.ledger import VerifyReport
from lightship.core.markings import marking_json
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.migrate import upgrade
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore

INQUIRIES, REFERRALS, EACH, ROUNDS = 100_000, 200, 9, 40
REACH_MS = 300.0
OWN = Marking(tlp="amber", pap="amber", originator="A force")


def _filled(store: SqlStore, now: datetime) -> str:
    """Put open inquiries into a store, each with a referral, and one with 2,000 linked items; returns its id."""
    rng, ladder, first = random.Random(5), shipped(), ""
    facts = [f"{name}={value}" for name, values in sorted(ladder.facts.items()) for value in sorted(values)]
    marked = marking_json(Marking(tlp="green", pap="green", originator="A sender"))
    for start in range(0, INQUIRIES, 5_000):
        rows: list[Any] = []
        for number in range(start, start + 5_000):
            at = now - timedelta(minutes=rng.randrange(20_000))
            said = tuple(rng.sample(facts, rng.randrange(4)))
            found = founded(
                ladder, said, key=f"{number}", title=f"Referral {number}", now=at, offices=Offices()
            )
            id_ = found[0].id
            rows += [*found, _referral(f"r{number}", id_, f"R-{number}", at, said, marked)]
            rows += [_identifier(f"r{number}", each, at, f"h{number}_{each}") for each in range(2)]
            first = first or id_
        with store.begin() as work:
            work.save(*rows)
    with store.begin() as work:
        for number in range(REFERRALS):
            at, name = now - timedelta(hours=number), f"big{number}"
            work.save(_referral(name, first, f"B-{number}", at, ("live=day", "payments=repeated"), marked))
            work.save(
                *(
                    _identifier(name, each, at, f"b{number}_{each}" if each else f"shared{number // 4}")
                    for each in range(EACH)
                )
            )
    reasons = ("handle: +18.0 dB, the same", "name: -3.0 dB, another", "device: +6.5 dB, one model")
    with store.begin() as work:
        links.propose(
            work,
            [
                Link(
                    "",
                    f"big{number}/suspect-0",
                    f"r{number}/suspect-0",
                    21.5,
                    reasons,
                    "A shared device.",
                    now,
                )
                for number in range(REFERRALS)
            ],
            now=now,
        )
    return first


def _referral(
    id_: str, inquiry: str, reference: str, at: datetime, facts: tuple[str, ...], marked: str
) -> Referral:
    words = "The sender's words. " * 20
    return Referral(
        id_, "partner", "A partner", reference, "tip", "tip", at, "0" * 64, inquiry, 0.5, facts, words, marked
    )


def _identifier(referral: str, each: int, at: datetime, value: str) -> Identifier:
    role = ("suspect", "child", "unknown")[each % 3]
    person = f"{referral}/{role}-{each // 3}"
    return Identifier(f"i-{referral}-{each}", referral, "handle", value, role, person, "chat.example", at, at)  # type: ignore[arg-type]


@contextmanager
def _console(folder: Path) -> Iterator[tuple[Any, SqlStore, Sealer]]:
    quiet_server()
    url = f"sqlite:///{folder / 'casework.db'}"
    upgrade(url)
    begin(folder / "tenants.json")
    key = load_or_create_key(folder / "a.key", "bench")
    with (
        SqlStore(url) as store,
        LedgerFile(folder / "casework.ledger", key) as ledger,
        Sealer(store, ledger) as sealer,
    ):
        settings = Settings(
            secret=SECRET,
            tenants=Tenants(folder / "tenants.json"),
            ledger=ledger,
            verify=lambda: VerifyReport("bench", 0, 0, 0),
            health=lambda: Health(datetime.now(UTC)),
            log=_Unsaid(),
            secure=False,
            hasher=CHEAP,
        )
        sharing = Sharing({}, OWN, maker(OWN.originator, None))
        app = create_body_console(
            store,
            settings,
            sharing,
            Bureau(folder / "deconflict"),
            lambda: opened(folder / "compartment"),
            told=lambda error: keep_trouble(folder / "compartment", error),
        )
        yield app, store, sealer


async def _asked(
    app: Any, secret: str, pages: list[tuple[str, str, dict[str, str]]]
) -> dict[str, tuple[list[float], float]]:
    """Return each page's times in milliseconds, and its size in kB as it was sent."""
    found: dict[str, tuple[list[float], float]] = {}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://console", headers={"accept": "text/html"}
    ) as who:
        form = _csrf((await who.get("/sign-in")).text, "form")
        code = pyotp.TOTP(secret).now()
        await who.post("/sign-in", data={"form": form, "name": "ann", "password": PASSWORD, "code": code})
        csrf = _csrf((await who.get("/keys")).text)
        for what, address, sent in pages:
            took_ms, size = [], 0
            for _ in range(ROUNDS):
                began_s = time.perf_counter()
                answer = await (who.post(address, data={"csrf": csrf, **sent}) if sent else who.get(address))
                took_ms.append(1000.0 * (time.perf_counter() - began_s))
                assert answer.status_code == 200, (address, answer.status_code, answer.text[-500:])
                size = answer.num_bytes_downloaded
            found[what] = (took_ms, size / 1000.0)
    return found


def _floor_ms(path: Path, inquiry: str) -> float:
    """Return what SQLite alone takes for the case's rows and one durable commit, milliseconds."""
    took = []
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=FULL")
        for number in range(ROUNDS):
            began_s = time.perf_counter()
            db.execute("BEGIN IMMEDIATE")
            ids = [row[0] for row in db.execute("SELECT * FROM referrals WHERE inquiry_id = ?", (inquiry,))]
            marks = ",".join("?" * len(ids))
            db.execute(f"SELECT * FROM identifiers WHERE referral_id IN ({marks})", ids).fetchall()  # noqa: S608
            db.execute("SELECT * FROM tasks WHERE inquiry_id = ?", (inquiry,)).fetchall()
            db.execute("CREATE TABLE IF NOT EXISTS floor (number INTEGER)")
            db.execute("INSERT INTO floor VALUES (?)", (number,))
            db.execute("COMMIT")
            took.append(1000.0 * (time.perf_counter() - began_s))
    return statistics.median(took)


def run() -> list[dict[str, str]]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with _console(folder) as (app, store, sealer):
            secret = app.state.room.accounts.add(
                "ann", "Ann", "analyst", PASSWORD, datetime.now(UTC) + timedelta(days=9)
            )
            case = _filled(store, datetime.now(UTC))
            while sealer.seal():
                pass
            with store.look() as work:
                items = REFERRALS * (1 + EACH)
                assert work.count(Inquiry, {"state": "new"}) == INQUIRIES
            pages: list[tuple[str, str, dict[str, str]]] = [
                (f"case page, {items:,} linked items", f"/cases/{case}", {}),
                ("first screen", "/cases", {}),
                ("a search that finds one of them by a handle", "/cases/search", {"words": "@SHARED7"}),
                (f"links that wait, {REFERRALS}", "/links", {}),
            ]
            gc.collect()
            gc.freeze()  # as the server does once it has loaded everything
            found = asyncio.run(_asked(app, secret, pages))
        floor_ms = _floor_ms(folder / "casework.db", case)
    rows = []
    for what, (took_ms, kb) in found.items():
        p95 = statistics.quantiles(took_ms, n=20)[-1]
        reach = what.startswith("case page")
        rows.append(
            {
                "what": f"{what}, {INQUIRIES:,} open inquiries ({ROUNDS} ×)",
                "ours": f"p95 {p95:.0f} ms, median {statistics.median(took_ms):.0f}; {kb:.0f} kB",
                "peer": f"SQLite alone, the rows and a commit: {floor_ms:.1f} ms" if reach else "",
                "ratio": f"{statistics.median(took_ms) / floor_ms:.0f}" if reach else "",
                "reach": f"≤ {REACH_MS:.0f} ms" if reach else "",
                "met": ("yes" if p95 <= REACH_MS else "no") if reach else "",
            }
        )
    return rows


def main() -> None:
    """Print the rows."""
    for row in run():
        print("  ".join(f"{name}: {value}" for name, value in row.items() if value))


if __name__ == "__main__":
    main()
