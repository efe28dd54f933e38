"""From a dataset to ranked alerts, sized to the people who look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

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
    rows
        The view's rows, a table in the engine.
    values
        Each subject's values and classes.
    """

    history: History
    pack: Pack
    whole: str
    off: Mapping[str, str]
    params: Mapping[str, Params]
    rows: Any
    values: pa.Table


def measure(history: History, pack: Pack) -> Measured:
    """Return a typology's subjects with each indicator's value."""
    day, currencies = history.window.day, history.terms.currencies
    used, off = covered(pack.in_force(day), history.coverage)
    rows = history.rows(used.view)
    facts = history.facts if "payroll" in used.peers else None
    values = grouped(measured(rows, used, day, currencies), used, history.data, facts, history.window)
    params = {one.id: resolved(one, day, currencies) for one in used.computed}
    return Measured(history, used, pack.digest, off, params, rows, history.engine.arrow(values))


def fit(found: Measured) -> Baseline:
    """Return the population's baseline, its thresholds still at the floor.

    Raises
    ------
    Nobody
        If there is nobody to measure.
    """
    pack, engine, values = found.pack, found.history.engine, found.values
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


def weighed_table(found: Measured, base: Baseline) -> pa.Table:
    """Return every subject's values with ``group_id``, ``speaking``, ``total_mdb``, ``keeper_mdb``, ``highest_mdb``."""
    table = weighed(found.values, found.pack, base)
    if (kept := _kept_as(found.pack, base)).keeper:
        history = found.history
        level = keeper.levels(found.rows, kept, found.params, base.keeper_mdb, history.window.to_us)
        return table.join(history.engine.arrow(level), "subject", "kept_whom")
    nothing = pa.array(np.zeros(len(table), dtype=np.int64))
    return table.append_column("keeper_mdb", nothing).append_column("highest_mdb", nothing)


def eligible(table: pa.Table, pack: Pack) -> pa.Table:
    """Return the subjects of a weighed table that may be alerted about: families enough speak, and to the floor."""
    speak = pc.greater_equal(table["speaking"], pack.families_needed)
    return table.filter(pc.and_(speak, pc.greater_equal(table["total_mdb"], round(pack.floor_db * 1000))))


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
    pack = found.pack
    may = eligible(weighed_table(found, fitted), pack)
    if base is None and pack.lane == "slow":
        fitted = _with_thresholds(fitted, may, budget, pack)
    reached = pc.greater_equal(may["total_mdb"], fitted.threshold_mdb)
    if fitted.keeper_threshold_mdb > 0:
        reached = pc.or_(reached, pc.greater_equal(may["keeper_mdb"], fitted.keeper_threshold_mdb))
    above = may.filter(reached)
    if pack.lane == "fast":
        above = above.sort_by([("subject", "ascending"), ("last_us", "ascending"), ("payment", "ascending")])
        above = above.filter(first_of_episode(above["subject"].to_numpy(), above["last_us"].to_numpy()))
    queue = above.sort_by(
        [
            ("total_mdb", "descending"),
            ("keeper_mdb", "descending"),
            ("subject", "ascending"),
            ("last_us", "ascending"),
        ]
    )[:budget]
    tell(f"{pack.title}: {len(queue)} cases")
    return Scored(_alerts(found, fitted, queue), fitted, len(above))


def first_of_episode(subject: NDArray[Any], at_us: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which moments, in the order of subject and time, begin an episode: none in the 30 days before."""
    first = np.ones(len(subject), dtype=bool)
    first[1:] = (subject[1:] != subject[:-1]) | (at_us[1:] - at_us[:-1] >= QUIET_US)
    return first


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
