"""The demonstration's payments: a made-up population is scored, its first alerts are read, a child's burst is told."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape

from lightship import app_payments as wiring
from lightship import app_payments_live as living
from lightship import app_payments_outward as outward
from lightship import app_payments_score as scoring
from lightship.core.payments import Alert, Payment, Rail, us_of
from lightship.exchange.whole import write_each
from lightship.infra.payment_journal import SqlitePaymentJournal
from lightship.payments.acceptance import Intake
from lightship.payments.generate import generate
from lightship.payments.live import replay
from lightship.payments.proof import protected_families
from lightship.payments.vocabulary import FEATURES

CUSTOMERS, PAYERS, SEED = 8000, 60, 7
FIRST = 10
"""So many of the first alerts of livestreamed abuse are held against the truth."""
PACK = "uk"
LIVESTREAM = ("livestream-payer", "livestream-receiver")
BURST: tuple[tuple[int, Rail], ...] = (
    (30, "gift-card"),
    (60, "wallet"),
    (90, "gift-card"),
    (150, "bank"),
    (250, "gift-card"),
)
"""Pounds, and by which way."""

Claim = tuple[str, bool, str]
"""What a user would say, whether it held, and what was seen."""
Truth = Mapping[str, frozenset[str]]
"""Subject to its typologies."""


def play(out: Path, console: Console) -> list[Claim]:
    """Play the chapter; the alerts, the first case and the figures stay in the folder ``payments``."""
    kept = out / "payments"
    for name in ("alerts", "case"):
        shutil.rmtree(kept / name, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="lightship-payments-") as made:
        return _day(Path(made), kept, console)


def _day(folder: Path, kept: Path, console: Console) -> list[Claim]:
    people = folder / "people"
    made = generate(people, CUSTOMERS, PAYERS, SEED)
    console.print(
        f"  [dim]The data are synthetic: {made.payments:,} payments of {CUSTOMERS:,} customers who do not exist. "
        "What holds here says nothing about real customers.[/]"
    )
    began_s = time.monotonic()
    scored = scoring.score_dataset(people, kept / "alerts", PACK)
    score_s = time.monotonic() - began_s
    truth = _truth(people)
    queues = {name: one.alerts for name, one in scored.items()}
    alerts = [alert for queue in queues.values() for alert in queue]
    first = sorted((one for name in LIVESTREAM for one in queues[name]), key=lambda one: -one.total_mdb)[
        :FIRST
    ]
    for line in _queue_lines(queues, truth):
        console.print(f"  [dim]{escape(line)}[/]")
    for alert in first[:3]:
        for line in _alert_lines(alert):
            console.print(f"  [dim]{escape(line)}[/]")
    burst, figures = _burst(people, kept, folder, truth)
    hits = sum(one.typology in truth[one.subject] for one in first)
    figures |= {
        "synthetic": True,
        "score_s": round(score_s, 2),
        "true_of_first": [hits, len(first)],
        "queues": {
            name: {
                "alerts": len(queue),
                "true": sum(name in truth[one.subject] for one in queue),
                "in_the_data": sum(name in known for known in truth.values()),
            }
            for name, queue in queues.items()
        },
    }
    write_each(kept, {"payments.json": json.dumps(figures, indent=1).encode() + b"\n"})
    return [
        (
            "of the first alerts of livestreamed abuse, more than half are true",
            hits * 2 > len(first) >= FIRST // 2,
            f"{hits} of {len(first)}; synthetic data",
        ),
        _sourced(alerts, people),
        _unprotected(alerts),
        _case(first, people, kept),
        burst,
        _again(people, kept, folder),
    ]


def _truth(people: Path) -> Truth:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in pq.read_table(people / "truth.parquet").to_pylist():
        if row["typology"]:
            found[row["subject"]].add(row["typology"])
    return defaultdict(frozenset, {subject: frozenset(names) for subject, names in found.items()})


def _queue_lines(queues: Mapping[str, Sequence[Alert]], truth: Truth) -> Iterator[str]:
    for name, queue in queues.items():
        hits = sum(name in truth[one.subject] for one in queue)
        there = sum(name in known for known in truth.values())
        yield f"{name}: {len(queue)} alerts, {hits} of them true; {there} are in the data."


def _alert_lines(alert: Alert) -> Iterator[str]:
    """Yield who, why and why not, a line each."""
    yield f"{alert.subject}, consistent with {alert.typology}, {alert.total_mdb / 1000:+.1f} dB"
    for reason in alert.reasons[:2]:
        yield f"   why      {reason.weight_mdb / 1000:+.1f} dB  {_seen(reason.sentence)}"
    for reason in alert.counter[:1]:
        yield f"   why not  {reason.weight_mdb / 1000:+.1f} dB  {_seen(reason.sentence)}"
    if not alert.counter:
        yield f"   why not  nothing lowered it; {len(alert.off)} indicators were not looked at"


def _seen(sentence: str) -> str:
    """Return what was seen, without the comparison that follows it."""
    return sentence.split(" Of comparable subjects", maxsplit=1)[0]


def _sourced(alerts: Sequence[Alert], people: Path) -> Claim:
    """Look whether every reason has a source, and payments of the data behind it or other records."""
    elsewhere = {
        (name, one.id)
        for name in wiring.TYPOLOGIES
        for one in wiring.typology(name).computed
        if FEATURES[one.feature].elsewhere
    }
    ids = set(pq.read_table(people / "payments.parquet", columns=["payment"])["payment"].to_pylist())
    good = sum(
        bool(alert.reasons)
        and all(
            one.source.startswith("https://")
            and (one.payments or (alert.typology, one.indicator) in elsewhere)
            and ids.issuperset(one.payments)
            for one in alert.reasons
        )
        for alert in alerts
    )
    return (
        "every reason of every alert has a source, and payments or records behind it",
        0 < good == len(alerts),
        f"{good} of {len(alerts)} alerts",
    )


def _unprotected(alerts: Sequence[Alert]) -> Claim:
    """Look whether corridor, nationality, age or sex would have been enough for any alert."""
    packs = {name: wiring.typology(name) for name in {alert.typology for alert in alerts}}
    carried, most_mdb = 0, 0
    for alert in alerts:
        pack = packs[alert.typology]
        barred = protected_families(pack)
        brought = sum(one.weight_mdb for one in alert.reasons if one.family in barred)
        others = {one.family for one in alert.reasons} - barred
        most_mdb = max(most_mdb, brought)
        carried += brought >= alert.threshold_mdb or len(others) < pack.families_needed
    return (
        "no alert is carried by corridor, nationality, age or sex",
        carried == 0 < len(alerts),
        f"they bring at most {most_mdb / 1000:.1f} dB to any",
    )


def _case(first: Sequence[Alert], people: Path, kept: Path) -> Claim:
    """Write the first alert's case, and look whether it is whole and marked as a draft."""
    claim = "the first alert's case has page, network, timeline and a narrative marked DRAFT"
    if not first:
        return claim, False, "no alert"
    out = kept / "case"
    outward.bundle(kept / "alerts", people, out, glossary_name=PACK, shape_name="", only=first[0].alert)
    (case,) = (path.parent for path in out.glob("*/narrative.txt"))
    narrative = (case / "narrative.txt").read_text(encoding="utf-8")
    there = [
        (case / name).is_file() for name in ("index.html", "network.html", "network.svg", "timeline.svg")
    ]
    page = (case / "index.html").read_text(encoding="utf-8")
    held = all(there) and narrative.startswith("DRAFT") and "DRAFT" in page and len(narrative) <= 8000
    return claim, held, f"{len(narrative):,} characters; {case / 'index.html'}"


def _burst(people: Path, kept: Path, folder: Path, truth: Truth) -> tuple[Claim, dict[str, Any]]:
    """Let a child's account pay strangers in a burst, live and durable, until it is told."""
    world = living.world_of(living.Live(people, kept / "alerts" / "baseline", PACK, folder))
    rows = pq.read_table(people / "payments.parquet").to_pylist()
    child = _child(people, rows, truth)
    history = [row for row in rows if child in (row["payer"], row["payee"])]
    told_by, waits_s = 0, []
    with SqlitePaymentJournal(folder / "journal") as journal:
        intake = Intake(
            journal,
            living.scoring_of(world),
            begin=lambda: replay(world, map(living.payment_of_row, history))[0],
        )
        try:
            for number, payment in enumerate(_payments(child, max(row["at"] for row in rows)), 1):
                sent_s = time.monotonic()
                (outcome,) = intake.put([payment]).result(timeout=10.0)
                waits_s.append(time.monotonic() - sent_s)
                fast = [one for one in map(json.loads, outcome.alerts) if one["lane"] == "fast"]
                if fast and fast[0]["subject"] == child:
                    told_by = number
                    break
        finally:
            intake.close()
    seen = (
        f"by payment {told_by}, {waits_s[-1]:.3f} s after it"
        if told_by
        else f"not in {len(waits_s)} payments"
    )
    claim = (
        "a burst out of a child's account, written for this, is told within a second",
        told_by > 0 and waits_s[-1] < 1.0,
        seen,
    )
    return claim, {"burst_told_by_payment": told_by, "burst_told_after_s": round(waits_s[-1], 4)}


def _child(people: Path, rows: Sequence[Mapping[str, Any]], truth: Truth) -> str:
    """Return the child of whom the most is known: who paid most often, and is in no typology."""
    lives = pq.read_table(people / "truth.parquet").to_pylist()
    children = {row["subject"] for row in lives if row["group"] == "child" and not truth[row["subject"]]}
    paid = Counter(str(row["payer"]) for row in rows if row["payer"] in children)
    return min(paid, key=lambda child: (-paid[child], child))


def _payments(child: str, last: datetime) -> Iterator[Payment]:
    """Yield growing sums to people and by vouchers never used before, an hour apart, late in the evening."""
    start = last.astimezone(UTC).replace(hour=22, minute=10, second=0, microsecond=0) + timedelta(days=1)
    for number, (pounds, rail) in enumerate(BURST):
        yield Payment(
            payment=f"burst-{number + 1}",
            at_us=us_of(start + timedelta(minutes=40 * number)),
            payer=child,
            payee=f"stranger-{number + 1}",
            amount_minor=pounds * 100,
            currency="GBP",
            rail=rail,
            payer_country="GB",
            payee_country="CI" if rail != "gift-card" else "GB",
        )


def _again(people: Path, kept: Path, folder: Path) -> Claim:
    """Make the population once more, score it for livestreamed abuse, and compare the bytes."""
    other, alerts = folder / "again", folder / "alerts"
    generate(other, CUSTOMERS, PAYERS, SEED)
    scoring.score_dataset(other, alerts, PACK, typologies=LIVESTREAM)
    lines = (kept / "alerts" / "alerts.jsonl").read_bytes().splitlines()
    same = {
        "payments": _same("payments.parquet", people, other),
        "alerts": [line for line in lines if json.loads(line)["typology"] in LIVESTREAM]
        == (alerts / "alerts.jsonl").read_bytes().splitlines(),
        "baselines": all(_same(f"baseline/{name}.json", kept / "alerts", alerts) for name in LIVESTREAM),
    }
    differ = [name for name, held in same.items() if not held]
    return "made and scored again, it is the same bytes", not differ, ", ".join(differ or same)


def _same(name: str, one: Path, other: Path) -> bool:
    return (one / name).read_bytes() == (other / name).read_bytes()
