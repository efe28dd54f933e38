"""A Watchkeeper a customer: weeks of payments accumulate, old ones fade.

Each payment falls into a cell of yes-or-no traits, and a cell weighs ``10·log10(q/p)``: `q` from the pack, `p` the
population's own joint share, so that traits which go together in ordinary life count once. A week's payments resemble
each other, so they count as one block, by the mean of their weights (the geometric mean of the ratios, which is at
most the arithmetic one). Levels follow Lindley's recursion ``L ← max(0, L - fade·weeks + w)``, whose closed form
is a cumulative sum minus its running minimum: a window function in every engine, and a loop in the live step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from lightship.payments.baseline import DOUBT
from lightship.payments.pack import Pack
from lightship.payments.rows import Row
from lightship.payments.vocabulary import FEATURES, Params

WEEK_US = 7 * 86_400_000_000
PARTS = 1_000_000
"""A customer's payments share this number of parts, so that each customer counts once and sums stay whole."""


def cell(row: Any, pack: Pack, params: Mapping[str, Params]) -> Any:
    """Return the cell of a row's traits: a number below ``2^k``."""
    assert pack.keeper is not None
    total = row.ref * 0
    for place, name in enumerate(pack.keeper.traits):
        one = next(item for item in pack.computed if item.id == name)
        hit = FEATURES[one.feature].measure.hit(row, params[name])
        number = int(hit) if isinstance(hit, bool) else hit.cast("int64")
        total = total + number * (1 << place)
    return total


def cell_counts(rows: Any, pack: Pack, params: Mapping[str, Params]) -> Any:
    """Return ``cell, parts``: the population's payments by cell, each customer counted once."""
    rows = rows.mutate(cell=cell(rows, pack, params))
    each = rows.mutate(part=PARTS // rows.n)
    return each.group_by("cell").aggregate(parts=each.part.sum())


def weights(counts: Mapping[int, int], pack: Pack) -> tuple[int, ...]:
    """Return a payment's weight by cell, thousandths of a deciban."""
    assert pack.keeper is not None
    means = [next(one.model for one in pack.computed if one.id == name) for name in pack.keeper.traits]
    cells = 1 << len(means)
    whole = sum(counts.values())
    found = []
    for number in range(cells):
        q = math.prod(
            (model.mean if number >> place & 1 else 1.0 - model.mean)
            for place, model in enumerate(means)
            if model is not None
        )
        q = (1.0 - DOUBT) * q + DOUBT / cells
        p = (counts.get(number, 0) + PARTS / cells) / (whole + PARTS)
        weight = 10.0 * math.log10(q / p)
        cap = pack.keeper.cap_db
        found.append(math.floor(max(-cap, min(cap, weight)) * 1000 + 0.5))
    return tuple(found)


def levels(rows: Any, pack: Pack, params: Mapping[str, Params], cells_mdb: Sequence[int], to_us: int) -> Any:
    """Return ``kept_whom, keeper_mdb, highest_mdb``: each subject's level now and at its highest."""
    assert pack.keeper is not None
    fade = round(pack.keeper.fade_db * 1000)
    table = ibis.literal(list(cells_mdb), "array<int64>")
    rows = rows.mutate(
        weight=table[cell(rows, pack, params).cast("int32")].cast("int64"), week=rows.at_us // WEEK_US
    )
    blocks = rows.group_by(["subject", "week"]).aggregate(sum=rows.weight.sum(), rows=rows.weight.count())
    order = ibis.window(group_by="subject", order_by="week")
    blocks = blocks.mutate(since=(blocks.week - blocks.week.lag().over(order)).fill_null(0))
    blocks = blocks.mutate(change=blocks["sum"] // blocks["rows"] - blocks.since * fade)
    so_far = ibis.window(group_by="subject", order_by="week", rows=(None, 0))
    blocks = blocks.mutate(walk=blocks.change.sum().over(so_far))
    blocks = blocks.mutate(lowest=blocks.walk.min().over(so_far))
    blocks = blocks.mutate(level=blocks.walk - ibis.least(blocks.lowest, 0))
    last = blocks.mutate(is_last=blocks.week == blocks.week.max().over(ibis.window(group_by="subject")))
    weeks = to_us // WEEK_US - last.week
    now = ibis.greatest(last.level - weeks * fade, 0)
    return last.group_by(kept_whom=last.subject).aggregate(
        keeper_mdb=last.is_last.ifelse(now, 0).max(), highest_mdb=last.level.max()
    )


def level(
    rows: Sequence[Row], pack: Pack, params: Mapping[str, Params], cells_mdb: Sequence[int], to_us: int
) -> int:
    """Return a subject's level at a moment, from its rows in order of time."""
    assert pack.keeper is not None
    fade = round(pack.keeper.fade_db * 1000)
    blocks: dict[int, list[int]] = {}
    for row in rows:
        blocks.setdefault(row.at_us // WEEK_US, []).append(cells_mdb[cell(row, pack, params)])
    now, last = 0, None
    for week, found in blocks.items():
        since = 0 if last is None else week - last
        now = max(0, now - since * fade + sum(found) // len(found))
        last = week
    return max(0, now - (to_us // WEEK_US - last) * fade) if last is not None else 0
