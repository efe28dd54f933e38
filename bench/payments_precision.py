"""Who is found among half a million made-up customers, who is wronged, and what five other ways would find.

All of it is synthetic (docs/guides/payments-evaluation.md). Logistic regression and LightGBM were trained on the true
outcomes of two other seeds, the lane's LightGBM of four, which no institution has; ours has seen no outcome. The packs
were changed while looking at seeds 101 to 106 and 201 to 203; at the held-out ones only once they stood.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.payments_baselines import BASELINES, Customers, Floats, customers
from bench.payments_lane import (
    CUSTOMERS,
    DAYS,
    RATES,
    AboutMoments,
    Ranked,
    about_moments,
    children_of,
    draw,
    pooled,
    ranked,
    words,
)
from bench.payments_lane import training as lane_training
from bench.payments_receivers import Receivers, receivers, rows_of_receivers
from lightship.app_backtest import IN_50_000, LANE_ALLOWED, Outcomes, outcomes
from lightship.app_payments import currencies, jurisdiction, last_moment, scoring, typology
from lightship.payments.backtest import PER, carried, pooled_rates, standing
from lightship.payments.backtest_lane import LaneFigures, Moments, figures, moments, quietest
from lightship.payments.generate import generate
from lightship.payments.prepare import Terms, Window
from lightship.payments.score import History, fit, measure, open_history

TRAINING = (1, 2)
HELD_OUT = (11, 12, 13, 14, 15)
SHIFTED = ("A", "B")
MANY, FEW = 100, 10
OURS = "Lightship"
PICTURES = ("extortion-lane",)
Rank = Callable[[Customers], Floats]


@dataclass(frozen=True)
class Result:
    """One history's figures.

    Parameters
    ----------
    precision, recall
        Way of ranking to precision@50 and recall@200 of the payers with ten payments or more; NaN without any.
    false
        False alerts by group in our first 50 and 200, and how many innocents the groups have.
    about_receivers
        The same of the receivers.
    lane
        At the pack's floor, where false alerts keep to the aim, and the learned peer there.
    ranks
        How the pack and the learned peer rank the bursts.
    """

    precision: Mapping[str, float]
    recall: Mapping[str, float]
    recall_50: float
    false: Mapping[int, Mapping[str, int]]
    sizes: Mapping[str, int]
    about_receivers: Receivers
    lane: tuple[LaneFigures, ...] = field(default=())
    ranks: tuple[Ranked, ...] = field(default=())


def measured(
    folder: Path,
    trained: Mapping[str, Rank],
    lane: Callable[[AboutMoments], Floats] | None,
    children: int | None = None,
) -> Result:
    """Return a history's figures, ours and the baselines'.

    Parameters
    ----------
    trained
        The baselines.
    lane
        The lane's learned peer; without it the lane is not measured.
    children
        How many accounts are children's, where the groups do not say it.
    """
    facts = outcomes(folder, None)
    assert facts is not None
    known = facts.known["livestream-payer"]
    terms = Terms(jurisdiction("uk"), currencies())
    with scoring(folder, spill=folder) as (engine, data):
        pack = typology("livestream-payer")
        window = Window.ending(last_moment(engine, data), DAYS)
        history = open_history(engine, data, terms, window)
        found = measure(history, pack)
        ours = standing(found, fit(found)).subjects
        theirs = receivers(history, facts)
        said = _lane(history, facts, lane, children) if lane else ((), ())
        counts = found.values.select(["subject", "n"]).to_pydict()
    given = customers(folder, corridors(), known)
    often = {who for who, n in zip(counts["subject"], counts["n"], strict=True) if n >= 10} & known
    ranks: dict[str, Sequence[str]] = {OURS: ours}
    for name, rank in trained.items():
        order = np.argsort(-rank(given), kind="stable")
        ranks[name] = [given.ids[place] for place in order[:1000].tolist()]
    queue = ours[:50]
    innocents = Counter(
        group for who, group in facts.groups.items() if who not in known and not group.startswith("receiver")
    )
    return Result(
        {name: sum(who in known for who in queue_[:50]) / 50 for name, queue_ in ranks.items()},
        {
            name: len(often & set(queue_[:200])) / len(often) if often else float("nan")
            for name, queue_ in ranks.items()
        },
        len(known & set(queue)) / len(known),
        {size: Counter(facts.groups[who] for who in ours[:size] if who not in known) for size in (50, 200)},
        innocents,
        theirs,
        *said,
    )


def _lane(
    history: History, facts: Outcomes, peer: Callable[[AboutMoments], Floats], children: int | None
) -> tuple[tuple[LaneFigures, ...], tuple[Ranked, ...]]:
    pack = typology("extortion-victim")
    found = measure(history, pack)
    base = fit(found)
    every = moments(found, base)
    children = children or children_of(facts)
    allowed = int(LANE_ALLOWED * children * 12 / PER)
    about = about_moments(found, facts.bursts)
    learned = Moments(about.subject, about.at_us, np.rint(peer(about) * 1000.0).astype(np.int64))
    levels = [(every, base.threshold_mdb)]
    levels += [(one, quietest(one, facts.bursts, allowed)) for one in (every, learned)]
    return (
        tuple(figures(one, level, facts.bursts, children, DAYS) for one, level in levels),
        tuple(ranked(one, facts.bursts, children) for one in (every, learned)),
    )


def corridors() -> tuple[str, ...]:
    """Return the countries of the UK's corridors."""
    return tuple(sorted({one.country for one in jurisdiction("uk").corridors}))


def training() -> dict[str, Rank]:
    """Return the baselines, trained on other seeds."""
    parts = []
    for seed in TRAINING:
        with _world(MANY, seed) as folder:
            facts = outcomes(folder, None)
            assert facts is not None
            parts.append(customers(folder, corridors(), facts.known["livestream-payer"]))
    whole = Customers(
        sum((part.ids for part in parts), ()),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.pays for part in parts]),
    )
    return {name: train(whole) for name, train in BASELINES.items()}


@contextmanager
def _world(payers: int, seed: int, shifted: str = "") -> Iterator[Path]:
    """Yield a made-up population that lies on the disk for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="people-") as folder:
        generate(Path(folder), CUSTOMERS, payers, seed, shifted=shifted)
        yield Path(folder)


def run() -> list[dict[str, str]]:
    """Return the rows of the figures table."""
    trained, lane = training(), lane_training()
    rows, worlds = [], {}
    for shifted in ("", *SHIFTED):
        for payers in (MANY, FEW):
            seeds = HELD_OUT if not shifted else HELD_OUT[:2]
            results = []
            for seed in seeds:
                with _world(payers, seed, shifted) as folder:
                    results.append(measured(folder, trained, lane if payers == MANY else None))
            rows += rows_of(results, payers, f"shifted {shifted}, " if shifted else "", len(seeds))
            if payers == MANY:
                worlds[f"shifted {shifted}" if shifted else "as drawn"] = both(results)
    draw(worlds, PICTURES[0])
    return rows


def rows_of(results: Sequence[Result], payers: int, world: str, seeds: int) -> list[dict[str, str]]:
    """Return the rows of one kind of population."""
    name = f"{world}{payers} payers in {CUSTOMERS:,}, {seeds} seeds"
    goal = payers == MANY and not world
    ours = float(np.mean([one.precision[OURS] for one in results]))
    rows = [
        _row(f"{name}: precision@50", "precision", results, 0.6 if goal else None),
        _row(f"{name}: recall@200 of those with ≥ 10 payments", "recall", results, 0.7 if goal else None),
    ]
    recall = float(np.mean([one.recall_50 for one in results]))
    rare = carried(ours, recall, payers / CUSTOMERS, IN_50_000)
    rows.append({"what": f"{name}: precision of the first 50 carried to 1 in 50,000", "ours": f"{rare:.2f}"})
    if payers == MANY:
        rows += [*(_group_row(results, name, size) for size in (50, 200)), *_lane_rows(results, name)]
        rows += rows_of_receivers([one.about_receivers for one in results], name)
    return rows


def _row(what: str, field_: str, results: Sequence[Result], reach: float | None) -> dict[str, str]:
    own = [getattr(one, field_)[OURS] for one in results]
    others = {name: float(np.nanmean([getattr(one, field_)[name] for one in results])) for name in BASELINES}
    mean, best = float(np.nanmean(own)), max(others.values())
    return {
        "what": what,
        "ours": f"{mean:.2f} ({np.nanmin(own):.2f}-{np.nanmax(own):.2f})",
        "peer": ", ".join(f"{name} {share:.2f}" for name, share in others.items()),
        "ratio": f"{mean / best:.2f}× the best" if best else "",
        "reach": f"≥ {reach}" if reach else "",
        "met": ("yes" if mean >= reach else "no") if reach else "",
    }


def _group_row(results: Sequence[Result], name: str, size: int) -> dict[str, str]:
    """Return the group with the highest false-alert rate of a queue, to the mean of the groups' rates."""
    false: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for one in results:
        false.update(one.false[size])
        sizes.update(one.sizes)
    rates = pooled_rates({group: false[group] for group in sizes}, sizes)
    mean = float(np.mean([one.rate for one in rates]))
    shown = ", ".join(f"{one.group} {one.rate:.1f} ({one.false_alerts})" for one in rates if one.false_alerts)
    worst = rates[0].rate / mean if mean else 0.0
    surely = sum(
        (one.ratio_at_least or 0.0) * sum(false.values()) / sum(sizes.values()) * PER > 3 * mean
        for one in rates
    )
    return {
        "what": f"{name}: first {size}, false alerts in 100,000 of a group (count): {shown}",
        "ours": f"highest {worst:.1f}× the groups' mean; {surely} group(s) above 3× beyond chance",
        "reach": "≤ 3× the mean",
        "met": "yes" if worst <= 3.0 else "no",
    }


def both(results: Sequence[Result]) -> tuple[Ranked, Ranked]:
    """Return how the pack and its learned peer rank all bursts, one threshold for all seeds."""
    ours, learned = (pooled([one.ranks[which] for one in results]) for which in (0, 1))
    return ours, learned


def _lane_rows(results: Sequence[Result], name: str) -> list[dict[str, str]]:
    rows = []
    for place, what in enumerate(("at the pack's floor", "where ≤ 2 false alerts remain")):
        lanes = [one.lane[place] for one in results]
        share, best = (
            sum(one.lane[which].in_time for one in results) / sum(one.victims for one in lanes)
            for which in (place, 2)
        )
        rate = float(np.mean([one.false_rate for one in lanes]))
        rows.append(
            {
                "what": f"{name}: extortion lane {what}",
                "ours": f"{share:.0%} said by the third payment, {rate:.1f} false for 100,000 children a month",
                "peer": f"LightGBM, trained on the truth: {best:.0%}" if place else "",
                "ratio": f"{share / best:.2f}" if place and best else "",
                "reach": "≥ 80 %, ≤ 2",
                "met": "yes" if share >= 0.8 and rate <= LANE_ALLOWED else "no",
            }
        )
    ours, learned = map(words, both(results))
    allowed = ", ".join(map(str, RATES))
    what = f"{name}: extortion lane where {allowed} false alerts for 100,000 children a month are allowed"
    return [*rows, {"what": what, "ours": ours, "peer": f"LightGBM, trained on the truth: {learned}"}]
