"""From a dataset to ranked alerts, sized to the people who look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from lightship.core.errors import InputError
from lightship.core.payments import Alert
from lightship.payments import keeper
from lightship.payments.baseline import Baseline, tables
from lightship.payments.engine import Engine
from lightship.payments.evidence import alert
from lightship.payments.features import (
    column,
    grouped,
    measured,
    payer_rows,
    receiver_rows,
    resolved,
)
from lightship.payments.pack import Pack
from lightship.payments.prepare import Dataset, Terms, Window, context, lookups, sends
from lightship.payments.vocabulary import FEATURES, Params, Row
from lightship.payments.weigh import Weighed, weighed

Tell = Callable[[str], None]
KEEPERS_PART = 5
"""One case in so many of the budget is for Watchkeepers alone: patterns whose whole window does not stand out."""

_ROW = tuple(Row.__slots__)


@dataclass(frozen=True)
class Prepared:
    """What packs share: the rows that :mod:`prepare` kept in the engine.

    Parameters
    ----------
    coverage
        Letters of :data:`lightship.payments.vocabulary.DATA` that the dataset holds.
    """

    engine: Engine
    data: Dataset
    terms: Terms
    window: Window
    sends: Any
    facts: Any
    coverage: frozenset[str]


@dataclass(frozen=True)
class Scored:
    """One typology's result.

    Parameters
    ----------
    alerts
        Ranked, the heaviest first.
    baseline
        What they were weighed with.
    above
        How many subjects reached the threshold, in the queue or not.
    """

    alerts: tuple[Alert, ...]
    baseline: Baseline
    above: int


def prepare(
    engine: Engine, data: Dataset, terms: Terms, window: Window, tell: Tell = lambda _: None
) -> Prepared:
    """Keep the rows that every pack measures.

    Raises
    ------
    InputError
        If a payment's currency has no rate, or the dataset has no payment in the window.
    """
    tell("reading payments")
    zones = engine.arrow(data.customers.select("zone").distinct())["zone"].to_pylist()
    small = lookups(engine, terms, window, [zone for zone in zones if zone])
    kept = engine.keep("ls_sends", sends(data, terms, window, small))
    unrated = engine.arrow(kept.filter(kept.ref.isnull()).select("currency", "payment").limit(1)).to_pylist()
    if unrated:
        raise InputError(
            f"There is no rate for {unrated[0]['currency']}.",
            f"payment {unrated[0]['payment']}",
            "Add the currency to the table of exchange rates, with its day.",
        )
    tell("what else is known of those who sent")
    senders = kept.select(sender=kept.payer).distinct()
    facts = engine.keep("ls_facts", context(data, terms, window, small, senders))
    return Prepared(engine, data, terms, window, kept, facts, _coverage(engine, data))


def _coverage(engine: Engine, data: Dataset) -> frozenset[str]:
    found = set("pfg")
    held = engine.arrow(
        data.payments.aggregate(t=data.payments.text.count() > 0, m=data.payments.merchant_code.count() > 0)
    ).to_pylist()[0]
    found |= {letter for letter in "tm" if held[letter]}
    found |= {letter for letter, table in (("k", data.ties), ("o", data.markers)) if table is not None}
    return frozenset(found)


def covered(pack: Pack, coverage: frozenset[str]) -> tuple[Pack, dict[str, str]]:
    """Return the pack with what the dataset cannot carry switched off, and all that is off with its reason."""
    missing = {
        one.id: f"needs {', '.join(_words(set(FEATURES[one.feature].needs) - coverage))}, which this dataset lacks"
        for one in pack.computed
        if set(FEATURES[one.feature].needs) - coverage
    }
    off = {one.id: missing.get(one.id) or one.off for one in pack.indicators if one.id in missing or one.off}
    return pack.without(missing), off


def _words(letters: set[str]) -> list[str]:
    from lightship.payments.vocabulary import DATA

    return [DATA[letter] for letter in sorted(letters)]


def score(
    ready: Prepared,
    pack: Pack,
    *,
    budget: int | None = None,
    base: Baseline | None = None,
    tell: Tell = lambda _: None,
) -> Scored:
    """Score one slow typology.

    Parameters
    ----------
    budget
        Cases a month that people can look at; the pack's unless given.
    base
        Weigh with this baseline; one is fitted on the history itself unless given.
    """
    budget = budget or pack.budget
    whole = pack
    pack, off = covered(pack.in_force(ready.window.day), ready.coverage)
    day, currencies = ready.window.day, ready.terms.currencies
    params = {one.id: resolved(one, day, currencies) for one in pack.computed}
    engine = ready.engine
    tell(f"{pack.title}: measuring")
    rows = engine.keep(f"ls_rows_{pack.view}", view_rows(ready, pack))
    values = grouped(measured(rows, pack, day, currencies), pack, ready.data, ready.facts, ready.window)
    values = engine.keep(f"ls_values_{pack.view}", values)
    if base is None:
        base = fit(ready, whole, pack, off, engine.arrow(values), rows, params)
        thresholds = None
    else:
        thresholds = base
    tell(f"{pack.title}: weighing")
    table = weighed(values, pack, base)
    if pack.keeper:
        level = keeper.levels(rows, pack, params, base.keeper_mdb, ready.window.to_us)
        table = table.left_join(level, table.subject == level.kept_whom).drop("kept_whom")
    else:
        table = table.mutate(keeper_mdb=ibis.literal(0, "int64"), highest_mdb=ibis.literal(0, "int64"))
    table = engine.keep(f"ls_weighed_{pack.view}", table)
    eligible = table.filter(
        table.total_mdb >= round(pack.floor_db * 1000), table.speaking >= pack.families_needed
    )
    if thresholds is None:
        base = _with_thresholds(base, engine.arrow(eligible.select("total_mdb", "highest_mdb")), budget, pack)
    reached = eligible.filter(
        (eligible.total_mdb >= base.threshold_mdb)
        | ((eligible.keeper_mdb >= base.keeper_threshold_mdb) & (base.keeper_threshold_mdb > 0))
    )
    queue = engine.arrow(
        reached.order_by([ibis.desc("total_mdb"), ibis.desc("keeper_mdb"), "subject"]).limit(budget)
    )
    above = int(engine.arrow(reached.count().as_table())[0][0].as_py())
    tell(f"{pack.title}: {len(queue)} cases")
    return Scored(_alerts(ready, pack, base, queue, rows, params), base, above)


def view_rows(ready: Prepared, pack: Pack) -> Any:
    """Return the rows of a pack's view."""
    if pack.view == "payer":
        return payer_rows(ready.sends, ready.facts, ready.data.markers)
    return receiver_rows(ready.sends, ready.data.markers)


def fit(
    ready: Prepared,
    whole: Pack,
    pack: Pack,
    off: Mapping[str, str],
    values: pa.Table,
    rows: Any,
    params: Mapping[str, Params],
) -> Baseline:
    """Return the population's baseline, its thresholds still at the floor."""
    if not len(values):
        raise InputError(
            f"No payment of the window is what {pack.id} is about.", "payments", "Check corridors and dates."
        )
    groups, found = tables(values, pack)
    cells: tuple[int, ...] = ()
    if pack.keeper:
        counts = ready.engine.arrow(keeper.cell_counts(rows, pack, params))
        cells = keeper.weights(
            dict(zip(counts["cell"].to_pylist(), counts["parts"].to_pylist(), strict=True)), pack
        )
    return Baseline(
        typology=pack.id,
        pack=whole.digest,
        jurisdiction=ready.terms.jurisdiction.digest,
        to_us=ready.window.to_us,
        subjects=len(values),
        groups=groups,
        tables=found,
        off=dict(off),
        threshold_mdb=round(pack.floor_db * 1000),
        keeper_mdb=cells,
    )


def _with_thresholds(base: Baseline, eligible: pa.Table, budget: int, pack: Pack) -> Baseline:
    """Return the baseline with thresholds that its own history reaches no more often than the budget allows."""
    to_keepers = budget // KEEPERS_PART if pack.keeper else 0
    totals = np.sort(eligible["total_mdb"].to_numpy())[::-1]
    highest = np.sort(eligible["highest_mdb"].fill_null(0).to_numpy())[::-1]
    return replace(
        base,
        threshold_mdb=max(base.threshold_mdb, beyond(totals, budget - to_keepers)),
        keeper_threshold_mdb=max(1, beyond(highest, to_keepers)) if pack.keeper else 0,
    )


def beyond(highest_first: Any, allowed: int) -> int:
    """Return the least value that at most `allowed` of the numbers reach.

    Examples
    --------
    >>> beyond([9, 7, 7, 2], 1), beyond([9, 7, 7, 2], 3), beyond([9], 5)
    (8, 3, 0)
    """
    return int(highest_first[allowed]) + 1 if len(highest_first) > allowed else 0


def _alerts(
    ready: Prepared, pack: Pack, base: Baseline, queue: pa.Table, rows: Any, params: Mapping[str, Params]
) -> tuple[Alert, ...]:
    cases = queue.to_pylist()
    if not cases:
        return ()
    wanted = ready.engine.lookup("ls_queue", pa.table({"wanted": [case["subject"] for case in cases]}))
    mine = rows.semi_join(wanted, rows.subject == wanted.wanted)
    mine = mine.select("subject", *_ROW).order_by(["subject", "at_us", "payment"])
    by_subject: dict[str, list[Row]] = {}
    for row in ready.engine.arrow(mine).to_pylist():
        by_subject.setdefault(row.pop("subject"), []).append(Row(**row))
    return tuple(
        alert(
            case["subject"],
            by_subject[case["subject"]],
            params,
            _weighed(case, pack, base),
            pack,
            base,
            rank=rank,
            keeper_mdb=case["keeper_mdb"] or 0,
        )
        for rank, case in enumerate(cases, 1)
    )


def _weighed(case: Mapping[str, Any], pack: Pack, base: Baseline) -> Weighed:
    from lightship.payments.weigh import weigh

    values = {one.id: case[column(one.id)] for one in pack.computed}
    return weigh(values, case["habit"], case["age"], case["payroll"], pack, base)
