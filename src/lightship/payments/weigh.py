"""From measured values to a total: each value's bin, the bin's weight in the subject's peer group, and the sum.

In Ibis for the batch engines and in Python for the live step; both add the same whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis

from lightship.payments.baseline import AGES, PAYROLLS, Baseline, group_of
from lightship.payments.features import column
from lightship.payments.pack import Pack
from lightship.payments.proof import free_families


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


def weighed(values: Any, pack: Pack, base: Baseline) -> Any:
    """Return the table of measured subjects with ``group_id``, ``speaking`` and ``total_mdb``."""
    values = values.mutate(group_id=(values.habit * AGES + values.age) * PAYROLLS + values.payroll)
    on = [one for one in pack.computed if one.id in base.tables]
    parts = {f"w_{column(one.id)}": _part(values, one.id, base) for one in on}
    values = values.mutate(**parts)
    nothing = ibis.literal(0, "int64")
    families = {
        family: sum((values[f"w_{column(one.id)}"] for one in on if one.family == family), nothing)
        for family in free_families(pack)
    }
    values = values.mutate(speaking=sum(((total > 0).cast("int64") for total in families.values()), nothing))
    total = nothing
    for one in on:
        part = values[f"w_{column(one.id)}"]
        if one.only_joined:
            part = (values.speaking >= pack.families_needed).ifelse(part, ibis.least(part, nothing))
        total = total + part
    return values.mutate(total_mdb=total).drop(*parts)


def _part(values: Any, indicator: str, base: Baseline) -> Any:
    table = base.tables[indicator]
    value = values[column(indicator)]
    bins = len(table.edges) + 1
    which = sum(((value >= edge).cast("int64") for edge in table.edges), ibis.literal(0, "int64"))
    flat = ibis.literal([weight for row in table.weights_mdb for weight in row], "array<int64>")
    place = (values.group_id * bins + which).cast("int32")
    return value.notnull().ifelse(flat[place], 0).cast("int64")
