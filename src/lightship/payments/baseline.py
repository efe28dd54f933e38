"""The institution's own population: shares a bin and a peer group, shrunk where thin, and the weights they give.

The weight of a bin is ``10·log10(q/p)``: ``q`` the typology's share of that bin, from the pack's published priors,
``p`` the share among the institution's own customers of the same peer group. ``p`` is shrunk to the class of habit,
and that to all. Every weight is a whole number of thousandths of a deciban, divided among the family's members,
so that a total is a sum of whole numbers in every engine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightship.core.canonical import digest
from lightship.core.errors import InputError
from lightship.payments.features import AGE_DAYS, LATEST, column
from lightship.payments.pack import CountModel, Indicator, Model, Pack
from lightship.payments.vocabulary import FEATURES
from lightship.payments.wording import agreed

FORMAT = "lightship.payments-baseline/1"
SHARE_EDGES = (1, 250, 500, 750, 1000)
"""Bins of a share, thousandths: none, some, a quarter, half, three quarters, all."""

TO_ALL = 20.0
TO_HABIT = 50.0
"""Customers that the wider group's shares count for, when a class's or a peer group's are shrunk."""

DOUBT = 0.02
"""Part of a published share that is spread evenly over the bins: priors are few people's."""

AGES = len(AGE_DAYS) + 1
PAYROLLS = 2


@dataclass(frozen=True)
class Table:
    """One indicator's bins.

    Parameters
    ----------
    edges
        Where bins begin, after the first.
    members
        How many members its family has in this run.
    shares
        Population's share a group and bin, after shrinkage.
    weights_mdb
        The same shape; what a value in that bin brings to the total.
    """

    edges: tuple[int, ...]
    members: int
    shares: tuple[tuple[float, ...], ...]
    weights_mdb: tuple[tuple[int, ...], ...]

    def bin(self, value: int) -> int:
        """Return the bin of a value."""
        return sum(value >= edge for edge in self.edges)


@dataclass(frozen=True)
class Baseline:
    """What a typology's weights and thresholds are in one institution.

    Parameters
    ----------
    typology, pack, jurisdiction
        Whose; digests of what it was made with.
    to_us
        The last moment of the history.
    subjects
        How many subjects that history had.
    groups
        Subjects in each peer group, at ``(habit·3 + age)·2 + payroll``.
    tables
        Indicator to its bins; those that are off have none.
    off
        Indicator to the reason it is off.
    threshold_mdb
        What a total has to reach.
    keeper_mdb
        A payment's weight by its cell of traits.
    keeper_threshold_mdb
        What a keeper's level has to reach.
    """

    typology: str
    pack: str
    jurisdiction: str
    to_us: int
    subjects: int
    groups: tuple[int, ...]
    tables: Mapping[str, Table]
    off: Mapping[str, str]
    threshold_mdb: int
    keeper_mdb: tuple[int, ...] = ()
    keeper_threshold_mdb: int = 0

    @cached_property
    def digest(self) -> str:
        """``sha256:`` over the canonical JSON of what it says."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        told["tables"] = {key: vars(one) for key, one in self.tables.items()}
        return {"format": FORMAT, **told}

    @classmethod
    def from_json(cls, value: Any, where: str = "baseline") -> Baseline:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        InputError
            If it is not a baseline.
        """
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise InputError(
                "This is no baseline.", where, "Make it anew with `lightship payments score --out`."
            )
        try:
            tables = {
                key: Table(
                    tuple(one["edges"]),
                    int(one["members"]),
                    tuple(tuple(row) for row in one["shares"]),
                    tuple(tuple(int(item) for item in row) for row in one["weights_mdb"]),
                )
                for key, one in value["tables"].items()
            }
            rest = {key: item for key, item in value.items() if key not in ("format", "tables")}
            rest["groups"], rest["keeper_mdb"] = tuple(rest["groups"]), tuple(rest["keeper_mdb"])
            return cls(tables=tables, **rest)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"This is no baseline: {error}.", where, "Make it anew with `lightship payments score --out`."
            ) from error


def group_of(habit: Any, age: Any, payroll: Any) -> Any:
    """Return the number of a peer group, or of each of a column of them."""
    return (habit * AGES + age) * PAYROLLS + payroll


def group_words(pack: Pack, group: int) -> str:
    """Return a peer group in words."""
    habit, rest = divmod(group, AGES * PAYROLLS)
    age, payroll = divmod(rest, PAYROLLS)
    low = (1, *pack.habit)[habit]
    high = (*pack.habit, 0)[habit] - 1
    many = f"{low} or more" if high < 0 else f"{low} to {high}" if high > low else f"{low}"
    what = "fresh payments in 48 hours" if pack.view == "burst" else "such payments"
    words = [agreed(f"{many} {what}") if pack.habit else "all"]
    if "age" in pack.peers:
        words.append(
            ("account under a year old", "account one to five years old", "account over five years old")[age]
        )
    if "payroll" in pack.peers:
        words.append("paid into it each month" if payroll else "no regular pay into it")
    return ", ".join(words)


@cache
def class_sizes(
    count: CountModel | None, habit: tuple[int, ...]
) -> tuple[tuple[tuple[int, float], ...], ...]:
    """Return, for each class of habit, numbers of payments with their probabilities in that class, summing to 1."""
    numbers = range(1, LATEST + 1)
    if count is None:
        weights = [1.0 / n**2 for n in numbers]
    else:
        edge = [_normal((math.log(n + 0.5) - count.mu) / count.sigma) for n in (0, *numbers)]
        weights = [
            high - (low if n > 1 else 0.0) for n, low, high in zip(numbers, edge, edge[1:], strict=False)
        ]
    found = []
    for low, high in zip((1, *habit), (*habit, LATEST + 1), strict=True):
        part = [(n, weights[n - 1]) for n in range(low, high)]
        total = sum(weight for _, weight in part)
        found.append(tuple((n, weight / total) for n, weight in part))
    return tuple(found)


def _normal(z: float) -> float:
    return 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))


def beta_binomial(n: int, mean: float, concentration: float) -> list[float]:
    """Return the chances of 0 to n hits among n, when the subject's own share is Beta."""
    a, b = mean * concentration, (1.0 - mean) * concentration
    constant = (
        math.lgamma(n + 1) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) - math.lgamma(n + a + b)
    )
    return [
        math.exp(
            constant
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + math.lgamma(k + a)
            + math.lgamma(n - k + b)
        )
        for k in range(n + 1)
    ]


def expected(indicator: Indicator, pack: Pack) -> NDArray[np.float64]:
    """Return the typology's share of each bin, one row a class of habit: ``(classes, bins) float64``."""
    model = indicator.model
    assert model is not None
    if model.kind == "bins":
        rows = np.tile(model.shares, (len(pack.habit) + 1, 1))
    elif model.kind == "upto":
        rows = np.array([_upto(model.shares, sizes) for sizes in class_sizes(pack.count, pack.habit)])
    else:
        less = int(FEATURES[indicator.feature].after_first)
        rows = np.array([_share_bins(model, sizes, less) for sizes in class_sizes(pack.count, pack.habit)])
    bins = rows.shape[1]
    return np.asarray((1.0 - DOUBT) * rows + DOUBT / bins, dtype=np.float64)


def _share_bins(model: Model, sizes: tuple[tuple[int, float], ...], less: int) -> list[float]:
    """Return the chance of each bin of a share for a number of payments spread as `sizes` says."""
    found = [0.0] * (len(SHARE_EDGES) + 1)
    # Beyond 60 the shares of the bins hardly change: the rest of the class stands at 60.
    merged: dict[int, float] = {}
    for n, weight in sizes:
        trials = min(n, 60) - less
        merged[trials] = merged.get(trials, 0.0) + weight
    for trials, weight in merged.items():
        if trials == 0:
            found[0] += weight
            continue
        for k, chance in enumerate(beta_binomial(trials, model.mean, model.concentration)):
            found[sum(k * 1000 // trials >= edge for edge in SHARE_EDGES)] += weight * chance
    return found


def _upto(shares: tuple[float, ...], sizes: tuple[tuple[int, float], ...]) -> list[float]:
    """Return the chances of 1, 2, 3 and so on, never more than there are payments."""
    found = [0.0] * len(shares)
    for n, weight in sizes:
        for place, share in enumerate(shares):
            found[min(place, n - 1)] += weight * share
    return found


def edges_of(indicator: Indicator) -> tuple[int, ...]:
    """Return where an indicator's bins begin."""
    assert indicator.model is not None
    return SHARE_EDGES if indicator.model.kind == "share" else indicator.model.edges


def beyond_caps(base: Baseline, pack: Pack) -> tuple[str, ...]:
    """Return the indicators whose table is not one that :func:`tables` could have made with a pack.

    What a pack may never do is shown from its caps (see `proof`), so a table from a file has to keep to them.
    """
    family_of = {one.id: one.family for one in pack.indicators}
    members = Counter(family_of.get(name) for name in base.tables)
    groups = (len(pack.habit) + 1) * AGES * PAYROLLS
    found = [name for name in base.tables if name not in family_of]
    for one in pack.computed:
        table = base.tables.get(one.id)
        if table is None:
            continue
        edges, of = edges_of(one), members[one.family]
        high = math.floor(one.cap_db * 1000 / of + 0.5)
        fits = (
            (table.edges, table.members) == (edges, of)
            and len(table.weights_mdb) == len(table.shares) == groups
            and all(len(row) == len(edges) + 1 for row in (*table.weights_mdb, *table.shares))
            and all(
                -high <= weight <= (0 if one.counter else high) for row in table.weights_mdb for weight in row
            )
        )
        if not fits:
            found.append(one.id)
    return tuple(found)


def tables(values: pa.Table, pack: Pack) -> tuple[tuple[int, ...], dict[str, Table]]:
    """Return the subjects in each peer group and each indicator's bins, from the measured population."""
    groups = (len(pack.habit) + 1) * AGES * PAYROLLS
    group = group_of(*(values[name].to_numpy() for name in ("habit", "age", "payroll")))
    members: dict[str, int] = {}
    for one in pack.computed:
        members[one.family] = members.get(one.family, 0) + 1
    found = {
        one.id: _table(values.column(column(one.id)), group, groups, one, pack, members[one.family])
        for one in pack.computed
    }
    return tuple(int(count) for count in np.bincount(group, minlength=groups)), found


def _table(
    value: pa.ChunkedArray, group: NDArray[np.int64], groups: int, one: Indicator, pack: Pack, members: int
) -> Table:
    edges = edges_of(one)
    bins = len(edges) + 1
    known = ~np.asarray(value.is_null())
    number = np.asarray(value.fill_null(0))
    which = np.searchsorted(np.asarray(edges), number, side="right")
    counts = np.bincount(group[known] * bins + which[known], minlength=groups * bins).reshape(groups, bins)
    q = expected(one, pack)
    if one.among_all:
        counts[:] = counts.sum(axis=0)
    shares = _shrunk(counts.astype(np.float64), bins)
    ratio = 10.0 * np.log10(np.repeat(q, AGES * PAYROLLS, axis=0) / shares)
    low = -one.cap_db
    high = 0.0 if one.counter else one.cap_db
    weights = np.floor(np.clip(ratio, low, high) * 1000 / members + 0.5).astype(np.int64)
    if one.silent:
        weights[:, 0] = 0
    elif one.model is not None and one.model.kind == "share":
        # That none of a subject's payments is of a kind never speaks for it, however rare that is among others.
        weights[:, 0] = np.minimum(weights[:, 0], 0)
    return Table(
        edges,
        members,
        tuple(tuple(round(float(share), 9) for share in row) for row in shares),
        tuple(tuple(int(weight) for weight in row) for row in weights),
    )


def _shrunk(counts: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Return shares of bins, one row a group, each shrunk to its class of habit, and that to all."""
    everyone = counts.sum(axis=0)
    base = (everyone + 0.5) / (everyone.sum() + 0.5 * bins)
    of_class = counts.reshape(-1, AGES * PAYROLLS, bins).sum(axis=1)
    of_class = (of_class + TO_ALL * base) / (of_class.sum(axis=1, keepdims=True) + TO_ALL)
    wide = np.repeat(of_class, AGES * PAYROLLS, axis=0)
    return np.asarray((counts + TO_HABIT * wide) / (counts.sum(axis=1, keepdims=True) + TO_HABIT))
