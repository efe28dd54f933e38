"""Receivers of different identifiers that may be one: names as remitters wrote them, compared by Splink on DuckDB.

Compared are name and country, nothing else. Each pair shows what spoke for it, in decibans; a name that many bear says
little. It is a lead for a person: people share names, and a receiver may be a victim.

References
----------
Fellegi, Sunter (1969): A theory for record linkage.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import rustworkx as rx

ENOUGH_DB = 10
"""Ten to one, the rarity of matches counted in: from here on two identifiers are shown as linked."""

CAP_DB = 24
"""No single comparison says more: what was hardly ever seen by accident in one dataset is not therefore impossible."""

_Chances = tuple[tuple[float, ...], tuple[float, ...]]
_DB_A_BIT = 10 * math.log10(2)
_PAIRS = 1e6  # random pairs from which the chance of an accidental likeness is estimated
_SEED = 1

# How a receiver's name varies between two remitters, by judgement: mostly written alike, often with a letter off or a
# part left out. The chance of the same by accident is counted in the data; the second row stands where they have none.
_GIVEN = ((0.70, 0.12, 0.08, 0.05, 0.05), (0.01, 0.01, 0.05, 0.05, 0.88))
_FAMILY = ((0.80, 0.10, 0.04, 0.06), (0.01, 0.01, 0.02, 0.96))
_MIDDLE = ((0.55, 0.35, 0.10), (0.02, 0.05, 0.93))
_COUNTRY = ((0.97, 0.03), (0.5, 0.5))


@dataclass(frozen=True, slots=True)
class NameLink:
    """Two identifiers that may be one receiver.

    Parameters
    ----------
    left_name, right_name
        As written, of the two names that agree best.
    weight_db
        For their being one, the rarity of matches counted in.
    parts
        What each comparison adds, ``(comparison, what was seen, decibans)``.
    """

    left: str
    right: str
    left_name: str
    right_name: str
    weight_db: float
    parts: tuple[tuple[str, str, float], ...]


def link_names(con: Any, receivers: str) -> tuple[NameLink, ...]:
    """Return which receivers may be one, the heaviest first.

    Parameters
    ----------
    con
        A DuckDB connection on which :func:`lightship.payments.network.lay_out` has run.
    receivers
        The name of a table with an ``id`` for each receiver to compare; ten thousands, not millions.
    """
    con.execute(f"""
        create or replace temp table spellings as
        with written as (
            select distinct payee, payee_name as name, payee_country as country,
                list_filter(
                    regexp_split_to_array(strip_accents(lower(payee_name)), '[^a-z]+'), lambda part: part <> ''
                ) as parts
            from across where payee in (select id from {receivers}) and payee_name is not null
        )
        select row_number() over (order by payee, name, country) as unique_id, payee, name, country,
            parts[1] as given, parts[-1] as family, nullif(array_to_string(parts[2:-2], ' '), '') as middle
        from written where len(parts) >= 2
    """)
    records = con.execute("select count(*) from spellings").fetchall()[0][0]
    if records < 2:
        return ()
    linker = _linker(con, records)
    linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=_SEED)
    pairs = linker.inference.predict(threshold_match_weight=ENOUGH_DB / _DB_A_BIT)
    rows = con.execute(f"""
        select payee_l, payee_r, name_l, name_r, gamma_given, mw_given + coalesce(mw_tf_adj_given, 0),
            gamma_family, mw_family + coalesce(mw_tf_adj_family, 0), gamma_middle, mw_middle, gamma_country, mw_country
        from {pairs.physical_name} where payee_l <> payee_r
    """).fetchall()
    best: dict[tuple[str, str], NameLink] = {}
    for row in rows:
        link = _named(row, records)
        if link.weight_db < ENOUGH_DB:
            continue
        before = best.get((link.left, link.right))
        if before is None or (link.weight_db, link.left_name) > (before.weight_db, before.left_name):
            best[link.left, link.right] = link
    return tuple(sorted(best.values(), key=lambda one: (-one.weight_db, one.left, one.right)))


def groups(links: Iterable[NameLink]) -> tuple[tuple[str, ...], ...]:
    """Return the identifiers that hang together, each group in order."""
    graph: rx.PyGraph[str, None] = rx.PyGraph()
    at: dict[str, int] = {}
    for link in links:
        for one in (link.left, link.right):
            if one not in at:
                at[one] = graph.add_node(one)
        graph.add_edge(at[link.left], at[link.right], None)
    return tuple(
        sorted(tuple(sorted(graph[node] for node in group)) for group in rx.connected_components(graph))
    )


_SEEN = {
    "given": (
        "given names differ",
        "given names are somewhat alike",
        "same initial",
        "given names are alike",
        "same given name",
    ),
    "family": (
        "family names differ",
        "family names are somewhat alike",
        "family names are alike",
        "same family name",
    ),
    "middle": ("middle names differ", "same middle initial", "same middle name"),
    "country": ("countries differ", "same country"),
}
"""In words, by Splink's number of the level: 0 is the last, -1 is missing."""


def _named(row: tuple[Any, ...], records: int) -> NameLink:
    left, right, left_name, right_name = row[:4]
    parts = []
    for place, name in enumerate(_SEEN):
        level, bits = row[4 + 2 * place], row[5 + 2 * place]
        if level >= 0:
            parts.append((name, _SEEN[name][level], round(min(CAP_DB, bits * _DB_A_BIT), 1)))
    if left > right:
        left, right, left_name, right_name = right, left, right_name, left_name
    weight = 10 * math.log10(_rarity(records) / (1 - _rarity(records))) + sum(part[2] for part in parts)
    return NameLink(left, right, left_name, right_name, round(weight, 1), tuple(parts))


def _rarity(records: int) -> float:
    """Return the share of pairs that are one receiver: as if each spelling had one other."""
    return min(0.5, 1 / records)


def _linker(con: Any, records: int) -> Any:
    """Return the model, its chances of accidental likeness still to be counted."""
    import splink.comparison_level_library as levels
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)

    def compared(column: str, chances: _Chances, *between: Any, usual: bool) -> dict[str, Any]:
        exact = levels.ExactMatchLevel(column, term_frequency_adjustments=usual)
        steps = [exact, *between, levels.ElseLevel()]
        for step, one, other in zip(steps, *chances, strict=True):
            step.configure(m_probability=one, u_probability=other)
        return {"output_column_name": column, "comparison_levels": [levels.NullLevel(column), *steps]}

    given = (
        levels.JaroWinklerLevel("given", 0.92),
        levels.CustomLevel(
            "left(given_l, 1) = left(given_r, 1) and least(length(given_l), length(given_r)) = 1"
        ),
        levels.JaroWinklerLevel("given", 0.8),
    )
    family = (levels.JaroWinklerLevel("family", 0.92), levels.JaroWinklerLevel("family", 0.85))
    settings = SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=_rarity(records),
        comparisons=[
            compared("given", _GIVEN, *given, usual=True),
            compared("family", _FAMILY, *family, usual=True),
            compared(
                "middle", _MIDDLE, levels.CustomLevel("left(middle_l, 1) = left(middle_r, 1)"), usual=False
            ),
            compared("country", _COUNTRY, usual=False),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("family", "left(given, 1)"),
            block_on("given", "left(family, 3)"),
        ],
        retain_intermediate_calculation_columns=True,
        additional_columns_to_retain=["payee", "name"],
    )
    api = DuckDBAPI(connection=con)
    return Linker(api.register("spellings", table_name="spellings_in"), settings, log_level=None)
