"""How the fast lane does at every allowance of false alerts, and how well it could: LightGBM, trained on the truth.

`python -m bench.payments_lane 101 102` prints, for the seeds that are named, both, and which bursts are missed.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from lightgbm import LGBMClassifier
from numpy.typing import NDArray

from lightship.app_backtest import LANE_ALLOWED, Outcomes, outcomes
from lightship.app_payments import currencies, jurisdiction, last_moment, scoring, typology
from lightship.payments.backtest import PER
from lightship.payments.backtest_lane import IN_TIME, MONTH_DAYS, Moments, episodes, moments, quietest
from lightship.payments.generate import generate
from lightship.payments.prepare import Terms, Window, grown_us
from lightship.payments.score import Measured, fit, measure, open_history

Floats = NDArray[np.float64]
KNOWN = (
    *("ref", "burst", "spent", "opener", "least", "growth", "rush", "same", "nights"),
    *("gifts", "coins", "games", "children", "passes", "abroad", "depletion"),
)
"""Columns of a moment, as they are, without bins."""

RATES = (1, 2, 5, 10, 20, 50)
"""Allowances: false alerts for 100,000 children's accounts a month. Each is a call to a family."""

REACH = 0.8
PICTURE = Path("docs/pictures")
CUSTOMERS = int(os.environ.get("LIGHTSHIP_BENCH_CUSTOMERS", "500000"))
DAYS = 365
PAYERS = 100
TRAINING = (1, 2, 3, 4)


@dataclass(frozen=True)
class AboutMoments:
    """Moments of children's accounts, in the order of subject and time.

    Parameters
    ----------
    subject, at_us
        Account and time.
    values
        (n, columns) float64.
    victim
        (n,) bool, the truth: a payment of a burst.
    """

    subject: NDArray[np.str_]
    at_us: NDArray[np.int64]
    values: Floats
    victim: NDArray[np.bool_]


def about_moments(found: Measured, bursts: Mapping[str, Sequence[int]]) -> AboutMoments:
    """Return them, by the engine."""
    rows = found.history.engine.arrow(found.rows.select("subject", "at_us", *KNOWN))
    subject = np.array(rows["subject"].to_pylist(), dtype=object).astype(str)
    at_us = rows["at_us"].to_numpy()
    values = np.stack([rows[name].to_numpy().astype(np.float64) for name in KNOWN], axis=1)
    spans = {who: (burst[0], burst[-1]) for who, burst in bursts.items()}
    victim = np.array(
        [
            who in spans and spans[who][0] <= when <= spans[who][1]
            for who, when in zip(subject.tolist(), at_us.tolist(), strict=True)
        ]
    )
    order = np.lexsort((at_us, subject))
    return AboutMoments(subject[order], at_us[order], values[order], victim[order])


def best_lane(parts: Sequence[AboutMoments]) -> Callable[[AboutMoments], Floats]:
    """Return what ranks moments, learned from other seeds; of ordinary moments with nothing before them a tenth."""
    values = np.concatenate([one.values for one in parts])
    victim = np.concatenate([one.victim for one in parts])
    drawn = np.random.default_rng(1).random(len(victim))
    keep = victim | (drawn < np.where(values[:, KNOWN.index("burst")] > 1, 1.0, 0.1))
    model = LGBMClassifier(
        n_estimators=300,
        num_leaves=15,
        learning_rate=0.04,
        reg_lambda=5.0,
        verbose=-1,
        random_state=1,
        n_jobs=1,
    ).fit(values[keep], victim[keep])
    return lambda given: np.asarray(model.predict_proba(given.values, raw_score=True), dtype=np.float64)


@dataclass(frozen=True)
class Ranked:
    """How one way of weighing ranks bursts, and the moments of everybody else.

    Parameters
    ----------
    said
        (bursts,) float64: the most that a burst weighs by its third payment, -inf where it is never looked at.
    others
        Moments of accounts that are no victim's.
    children
        True children's accounts; those who come of age within the year are looked at as well, and not counted.
    """

    said: Floats
    others: Moments
    children: int

    def bar(self, rate: float) -> float:
        """Return what a burst has to outweigh where so many false alerts are allowed."""
        level = quietest(self.others, {}, int(rate * self.children * DAYS / MONTH_DAYS / PER))
        lower = self.others.total_mdb[self.others.total_mdb < level]
        return float(lower.max()) if len(lower) else -math.inf

    def share(self, rate: float) -> float:
        """Return the share of bursts said in time where so many false alerts are allowed."""
        return float(np.mean(self.said > self.bar(rate)))

    def rate(self, share: float) -> float:
        """Return how many false alerts it takes to say a share of the bursts in time."""
        level = np.sort(self.said)[::-1][math.ceil(share * len(self.said)) - 1]
        if level == -np.inf:
            return math.inf
        false = len(episodes(self.others, int(level)).subject)
        return false / (self.children * DAYS / MONTH_DAYS) * PER


def children_of(facts: Outcomes) -> int:
    """Return how many are children all year, by the truth."""
    return sum(group in ("child", "child-gamer") for group in facts.groups.values())


def ranked(found: Moments, bursts: Mapping[str, Sequence[int]], children: int) -> Ranked:
    """Return how moments rank against known bursts."""
    theirs = np.isin(found.subject, list(bursts))
    ends = {who: (burst[0], burst[min(IN_TIME, len(burst)) - 1]) for who, burst in bursts.items()}
    said = dict.fromkeys(bursts, -np.inf)
    rows = (found.subject[theirs].tolist(), found.at_us[theirs].tolist(), found.total_mdb[theirs].tolist())
    for who, at_us, total_mdb in zip(*rows, strict=True):
        if ends[who][0] <= at_us <= ends[who][1]:
            said[who] = max(said[who], total_mdb)
    others = Moments(found.subject[~theirs], found.at_us[~theirs], found.total_mdb[~theirs])
    return Ranked(np.array(list(said.values())), others, children)


def pooled(parts: Sequence[Ranked]) -> Ranked:
    """Return several populations as one, with one threshold for all."""
    subjects = [np.char.add(f"{number}-", one.others.subject) for number, one in enumerate(parts)]
    others = Moments(
        np.concatenate(subjects),
        np.concatenate([one.others.at_us for one in parts]),
        np.concatenate([one.others.total_mdb for one in parts]),
    )
    return Ranked(np.concatenate([one.said for one in parts]), others, sum(one.children for one in parts))


def words(found: Ranked) -> str:
    """Return the shares at each allowance, and what the share that is asked takes."""
    shares = ", ".join(f"{found.share(rate):.0%}" for rate in RATES)
    takes = found.rate(REACH)
    return f"{shares}; {REACH:.0%} " + ("never" if takes == math.inf else f"at {takes:.0f}")


def draw(worlds: Mapping[str, tuple[Ranked, Ranked]], name: str) -> None:
    """Draw the share said in time against the allowance, the pack and its learned peer, to docs/pictures."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    rates = np.geomspace(RATES[0], RATES[-1], 24)
    for place, (world, (ours, learned)) in enumerate(worlds.items()):
        for one, label, line in ((ours, "pack", "-"), (learned, "LightGBM, trained on the truth", "--")):
            shares = [one.share(rate) for rate in rates]
            axes.plot(rates, shares, line, color=f"C{place}", label=f"{world}: {label}")
    axes.axhline(REACH, linestyle=":", color="black")
    axes.axvline(2, linestyle=":", color="black")
    axes.set_xscale("log")
    axes.set_xticks(RATES, [str(rate) for rate in RATES])
    axes.minorticks_off()
    axes.set_ylim(0, 1)
    axes.set_xlabel("false alerts for 100,000 children's accounts a month")
    axes.set_ylabel("bursts said by the third payment")
    axes.legend(loc="lower right", fontsize=8)
    PICTURE.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE / f"{name}.png", dpi=110, metadata={"Software": None})
    plt.close(figure)


UNSEEN = ("the holder is of age, or no year of birth is known", "fewer than two payments can be seen")


def ways(folder: Path, found: Measured, bursts: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Return how each burst is paid by its third payment, or why no lane can see it."""
    columns = ["payment", "payer", "rail", "payee_country", "payer_country", "at"]
    filters = [("payer", "in", list(bursts))]
    rows = pq.read_table(folder / "payments.parquet", columns=columns, filters=filters)
    rows = rows.set_column(rows.column_names.index("at"), "at", rows["at"].cast("int64"))
    truth = pq.read_table(folder / "truth_payments.parquet")
    theirs = {one["payment"] for one in truth.to_pylist() if one["typology"] == "extortion-victim"}
    paid: dict[str, list[dict[str, object]]] = {}
    for row in sorted(rows.to_pylist(), key=lambda row: row["at"]):
        if row["payment"] in theirs and len(paid.setdefault(row["payer"], [])) < IN_TIME:
            paid[row["payer"]].append(row)
    moments_ = found.rows.filter(found.rows.subject.isin(list(bursts))).select("subject", "at_us", "burst")
    seen: Counter[str] = Counter()
    for row in found.history.engine.arrow(moments_).to_pylist():
        burst = bursts[row["subject"]]
        if burst[0] <= row["at_us"] <= burst[min(IN_TIME, len(burst)) - 1]:
            seen[row["subject"]] = max(seen[row["subject"]], row["burst"])
    people = pq.read_table(
        folder / "customers.parquet",
        columns=["customer", "born_year", "born_month"],
        filters=[("customer", "in", list(bursts))],
    )
    grown = {
        row["customer"]: -1
        if row["born_year"] is None
        else grown_us(row["born_year"], row["born_month"] or 12, found.history.terms.jurisdiction.adult_age)
        for row in people.to_pylist()
    }
    return {who: _way(paid[who], seen[who], grown[who] <= bursts[who][0]) for who in bursts}


def _way(paid: Sequence[Mapping[str, object]], seen: int, grown: bool) -> str:
    if seen < 2:
        return UNSEEN[0] if grown and not seen else UNSEEN[1]
    rails = {row["rail"] for row in paid}
    if "crypto" in rails:
        return "in part by crypto"
    if rails <= {"gift-card", "gaming"}:
        return "by gift card alone"
    if any(row["payee_country"] not in (None, row["payer_country"]) for row in paid):
        return "to people abroad"
    return "to people at home"


@contextmanager
def _measured(seed: int) -> Iterator[tuple[Path, Measured]]:
    with tempfile.TemporaryDirectory(prefix="people-") as name:
        folder = Path(name)
        generate(folder, CUSTOMERS, PAYERS, seed)
        with scoring(folder, spill=folder) as (engine, data):
            window = Window.ending(last_moment(engine, data), DAYS)
            history = open_history(engine, data, Terms(jurisdiction("uk"), currencies()), window)
            yield folder, measure(history, typology("extortion-victim"))


def training() -> Callable[[AboutMoments], Floats]:
    """Return the learned peer, trained on the true outcomes of other seeds."""
    parts = []
    for seed in TRAINING:
        with _measured(seed) as (folder, found):
            facts = outcomes(folder, None)
            assert facts is not None
            parts.append(about_moments(found, facts.bursts))
    return best_lane(parts)


def main(seeds: Sequence[int]) -> None:
    """Print the shares at each allowance, and at two false alerts by way of payment."""
    peer = training()
    ours, learned, by_way = [], [], []
    for seed in seeds:
        with _measured(seed) as (folder, found):
            facts = outcomes(folder, None)
            assert facts is not None
            children = children_of(facts)
            about = about_moments(found, facts.bursts)
            totals = np.rint(peer(about) * 1000.0).astype(np.int64)
            ours.append(ranked(moments(found, fit(found)), facts.bursts, children))
            learned.append(ranked(Moments(about.subject, about.at_us, totals), facts.bursts, children))
            by_way += list(ways(folder, found, facts.bursts).values())
    both = pooled(ours), pooled(learned)
    draw({f"seeds {', '.join(map(str, seeds))}": both}, "extortion-lane-development")
    for name, one in zip(("pack", "LightGBM"), both, strict=True):
        print(f"{name}, at {', '.join(map(str, RATES))}: {words(one)}")
    way = np.array(by_way)
    bars = [one.bar(LANE_ALLOWED) for one in both]
    for name, count in Counter(by_way).most_common():
        shares = [np.mean(one.said[way == name] > bar) for one, bar in zip(both, bars, strict=True)]
        print(f"| {name} | {count} | {' | '.join(f'{share:.0%}' for share in shares)} |")


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]])
