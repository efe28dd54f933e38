"""From measured values to a total: each value's bin, the bin's weight in the subject's peer group, and the sum.

In NumPy for a batch, whichever engine measured it, and in Python for the live step; both add the same whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightship.payments.baseline import Baseline, group_of
from lightship.payments.features import column
from lightship.payments.pack import Pack
from lightship.payments.proof import free_families

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weighed:
    """One subject's evidence.

    Parameters
    ----------
    group
        Number of the peer group.
    parts
        What each indicator that has a value brings to the total, thousandths of a deciban.
    total_mdb
        Their sum.
    speaking
        Families free of protected attributes that speak for it.
    """

    group: int
    parts: Mapping[str, int]
    total_mdb: int
    speaking: int


def weigh(
    values: Mapping[str, int | None], habit: int, age: int, payroll: int, pack: Pack, base: Baseline
) -> Weighed:
    """Return a subject's evidence from its values by indicator."""
    group = group_of(habit, age, payroll)
    parts = {}
    for one in pack.computed:
        value = values[one.id]
        if one.id in base.tables and value is not None:
            table = base.tables[one.id]
            parts[one.id] = table.weights_mdb[group][table.bin(value)]
    family: dict[str, int] = {}
    for one in pack.computed:
        family[one.family] = family.get(one.family, 0) + parts.get(one.id, 0)
    speaking = sum(family[name] > 0 for name in free_families(pack))
    if speaking < pack.families_needed:
        parts = {
            one.id: min(0, parts[one.id]) if one.only_joined else parts[one.id]
            for one in pack.computed
            if one.id in parts
        }
    return Weighed(group, parts, sum(parts.values()), speaking)


def weighed(values: pa.Table, pack: Pack, base: Baseline) -> pa.Table:
    """Return the measured subjects, a row each, with ``group_id``, ``speaking`` and ``total_mdb``, int64."""
    group = group_of(*(values[name].to_numpy() for name in ("habit", "age", "payroll")))
    parts = parts_of(values, group, pack, base)
    nothing = np.zeros(len(values), dtype=np.int64)
    family: dict[str, Ints] = {}
    for one in pack.computed:
        family[one.family] = family.get(one.family, nothing) + parts.get(one.id, nothing)
    speaking = sum((family[name] > 0 for name in free_families(pack)), nothing)
    joined = speaking >= pack.families_needed
    total = nothing
    for one in pack.computed:
        part = parts.get(one.id, nothing)
        total = total + (np.where(joined, part, np.minimum(part, 0)) if one.only_joined else part)
    for name, column_ in (("group_id", group), ("speaking", speaking), ("total_mdb", total)):
        values = values.append_column(name, pa.array(column_))
    return values


def parts_of(values: pa.Table, group: Ints, pack: Pack, base: Baseline) -> dict[str, Ints]:
    """Return what each indicator brings to each subject's total: ``(subjects,) int64``, 0 where it is not known."""
    found = {}
    for one in pack.computed:
        if one.id in base.tables:
            table, value = base.tables[one.id], values[column(one.id)]
            which = np.searchsorted(table.edges, value.fill_null(0).to_numpy(), side="right")
            weights = np.asarray(table.weights_mdb)[group, which]
            found[one.id] = np.where(value.is_valid().to_numpy(), weights, 0)
    return found
