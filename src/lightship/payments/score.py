"""From a dataset to ranked alerts, sized to the people who look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from lightship.core.errors import InputError
from lightship.core.payments import Alert
from lightship.payments import keeper
from lightship.payments.baseline import Baseline, tables
from lightship.payments.evidence import alert
from lightship.payments.features import column, grouped, measured, resolved
from lightship.payments.history import History, covered, open_history
from lightship.payments.lane import QUIET_US
from lightship.payments.pack import Pack
from lightship.payments.rows import Flow, Moment, Row
from lightship.payments.vocabulary import Params
from lightship.payments.weigh import Weighed, weigh, weighed

__all__ = [
    "History",
    "Measured",
    "Nobody",
    "Scored",
    "fit",
    "measure",
    "open_history",
    "score",
    "weighed_table",
]

Tell = Callable[[str], None]
KEEPERS_PART = 5
"""One case in so many of the budget is for Watchkeepers alone: patterns whose whole window does not stand out."""

ROWS: dict[str, type] = {"payer": Row, "receiver": Row, "burst": Moment, "mule": Flow}


class Nobody(InputError):
    """A history in which nobody made a payment of the kind that a typology is about."""


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


@dataclass(frozen=True)
class Measured:
    """A typology's subjects, measured and not yet weighed.

    Parameters
    ----------
    pack
        With what the dataset cannot carry switched off.
    whole
        The digest of the pack as it was given.
    off
        Indicator to the reason it is off.
    params
        Parameters by indicator, as of the window's last day.
    rows, values
        Tables in the engine: the view's rows, and each subject's values and classes.
    """

    history: History
    pack: Pack
    whole: str
    off: Mapping[str, str]
    params: Mapping[str, Params]
    rows: Any
    values: Any


def measure(history: History, pack: Pack) -> Measured:
    """Return a typology's subjects with each indicator's value."""
    day, currencies = history.window.day, history.terms.currencies
    used, off = covered(pack.in_force(day), history.coverage)
    rows = history.rows(used.view)
    facts = history.facts if "payroll" in used.peers else None
    values = grouped(measured(rows, used, day, currencies), used, history.data, facts, history.window)
    params = {one.id: resolved(one, day, currencies) for one in used.computed}
    name = f"ls_values_{history.window.from_us}_{used.id.replace('-', '_')}"
    return Measured(history, used, pack.digest, off, params, rows, history.engine.keep(name, values))


def fit(found: Measured) -> Baseline:
    """Return the population's baseline, its thresholds still at the floor.

    Raises
    ------
    Nobody
        If there is nobody to measure.
    """
    pack, engine = found.pack, found.history.engine
    values = engine.arrow(found.values)
    if not len(values):
        raise Nobody(
            f"No payment of the window is what {pack.id} is about.", "payments", "Check corridors and dates."
        )
    groups, bins = tables(values, pack)
    cells: tuple[int, ...] = ()
    if pack.keeper:
        counts = engine.arrow(keeper.cell_counts(found.rows, pack, found.params))
        cells = keeper.weights(
            dict(zip(counts["cell"].to_pylist(), counts["parts"].to_pylist(), strict=True)), pack
        )
    return Baseline(
        typology=pack.id,
        pack=found.whole,
        jurisdiction=found.history.terms.jurisdiction.digest,
        to_us=found.history.window.to_us,
        subjects=len(values),
        groups=groups,
        tables=bins,
        off=dict(found.off),
        threshold_mdb=round(pack.floor_db * 1000),
        keeper_mdb=cells,
    )


def weighed_table(found: Measured, base: Baseline) -> Any:
    """Return every subject's values with ``group_id``, ``speaking``, ``total_mdb``, ``keeper_mdb``, ``highest_mdb``."""
    table = weighed(found.values, found.pack, base)
    if (kept := _kept_as(found.pack, base)).keeper:
        to_us = found.history.window.to_us
        level = keeper.levels(found.rows, kept, found.params, base.keeper_mdb, to_us)
        return table.left_join(level, table.subject == level.kept_whom).drop("kept_whom")
    nothing = ibis.literal(0, "int64")
    return table.mutate(keeper_mdb=nothing, highest_mdb=nothing)


def _kept_as(pack: Pack, base: Baseline) -> Pack:
    """Return the pack with the Watchkeeper that a baseline has weights for, or none where its traits are off by now."""
    if pack.keeper is None:
        return pack
    pack = pack.without(one for one in pack.keeper.traits if one not in base.tables)
    fits = pack.keeper is not None and len(base.keeper_mdb) == 1 << len(pack.keeper.traits)
    return pack if fits else replace(pack, keeper=None)


def score(
    history: History,
    pack: Pack,
    *,
    budget: int | None = None,
    base: Baseline | None = None,
    tell: Tell = lambda _: None,
) -> Scored:
    """Score one typology.

    Parameters
    ----------
    budget
        Cases a month that people can look at; the pack's unless given.
    base
        Weigh with this baseline; one is fitted on the history itself unless given.
    """
    budget = budget or pack.budget
    tell(f"{pack.title}: measuring")
    found = measure(history, pack)
    tell(f"{pack.title}: weighing")
    fitted = base or fit(found)
    engine, pack = history.engine, found.pack
    name = f"ls_weighed_{pack.id.replace('-', '_')}"
    table = engine.keep(name, weighed_table(found, fitted))
    eligible = table.filter(
        table.total_mdb >= round(pack.floor_db * 1000), table.speaking >= pack.families_needed
    )
    if base is None and pack.lane == "slow":
        fitted = _with_thresholds(
            fitted, engine.arrow(eligible.select("total_mdb", "highest_mdb")), budget, pack
        )
    reached = eligible.filter(
        (eligible.total_mdb >= fitted.threshold_mdb)
        | ((eligible.keeper_mdb >= fitted.keeper_threshold_mdb) & (fitted.keeper_threshold_mdb > 0))
    )
    if pack.lane == "fast":
        reached = first_of_episode(reached)
    order = [ibis.desc("total_mdb"), ibis.desc("keeper_mdb"), "subject", "last_us"]
    queue = engine.arrow(reached.order_by(order).limit(budget))
    above = engine.arrow(reached.aggregate(above=reached.count()))["above"][0].as_py()
    tell(f"{pack.title}: {len(queue)} cases")
    return Scored(_alerts(found, fitted, queue), fitted, above)


def first_of_episode(reached: Any) -> Any:
    """Return the first moment of each episode: none that reached the threshold in the 30 days before it."""
    before = reached.last_us.lag().over(ibis.window(group_by="subject", order_by=["last_us", "payment"]))
    reached = reached.mutate(before_us=before)
    return reached.filter(reached.before_us.isnull() | (reached.last_us - reached.before_us >= QUIET_US))


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


def _alerts(found: Measured, base: Baseline, queue: pa.Table) -> tuple[Alert, ...]:
    """Return the queue's alerts; only its subjects' rows leave the engine."""
    cases = queue.to_pylist()
    if not cases:
        return ()
    pack, engine, rows = found.pack, found.history.engine, found.rows
    wanted = engine.lookup("ls_queue", pa.table({"wanted": sorted({case["subject"] for case in cases})}))
    mine = rows.semi_join(wanted, rows.subject == wanted.wanted)
    kind = ROWS[pack.view]
    mine = mine.select("subject", *(one.name for one in fields(kind)))
    by_subject: dict[str, list[Any]] = {}
    for row in engine.arrow(mine.order_by(["subject", "at_us", "payment"])).to_pylist():
        by_subject.setdefault(row.pop("subject"), []).append(kind(**row))
    return tuple(
        alert(
            case["subject"],
            _up_to(by_subject[case["subject"]], case),
            found.params,
            _weighed(case, pack, base),
            pack,
            base,
            rank=rank,
            keeper_mdb=case["keeper_mdb"] or 0,
        )
        for rank, case in enumerate(cases, 1)
    )


def _up_to(rows: list[Any], case: Mapping[str, Any]) -> list[Any]:
    """Return the rows of a case; of a moment's account, those up to that moment."""
    if "payment" not in case:
        return rows
    return [row for row in rows if (row.at_us, row.payment) <= (case["last_us"], case["payment"])]


def _weighed(case: Mapping[str, Any], pack: Pack, base: Baseline) -> Weighed:
    values = {one.id: case[column(one.id)] for one in pack.computed}
    return weigh(values, case["habit"], case["age"], case["payroll"], pack, base)
