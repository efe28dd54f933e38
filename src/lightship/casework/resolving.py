"""Whole stores resolved: Splink on DuckDB compares people, children apart from adults, and what is one hangs together.

A person whose role nobody told is compared with both; whoever they hang together with decides on which side they are.
No group ever holds a child and an adult suspect, or two people whom one referral names.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightship.casework.link_model import COMPARISONS, TOKENS, Model
from lightship.casework.linking import DB_A_BIT, Weighed, rarity_of, stands, weigh, weighed
from lightship.casework.profiles import Held, Pair, Profile, Side, comparable, together

_SIDES: tuple[Side, ...] = ("child", "adult")


def rarities(model: Model, held: Iterable[Held]) -> dict[str, float]:
    """Return the share of people who bear each name."""
    count = Counter(one.value for one in held if one.kind == "name")
    total = count.total()
    return {name: rarity_of(model, many, total) for name, many in count.items()}


def compare(
    model: Model, people: Mapping[str, Profile], rarity: Mapping[str, float], *, least_db: float
) -> list[Weighed]:
    """Return the pairs that weigh so much, the heaviest first; compared are pairs that share something.

    Parameters
    ----------
    least_db
        ``-math.inf`` for every pair that was compared.
    """
    found: dict[tuple[str, str], Weighed] = {}
    for side in _SIDES:
        group = [one for one in people.values() if one.side in {side, "unknown"} and one.keys]
        for one in _compared(model, group, rarity, least_db):
            if comparable(people[one.one], people[one.other]):
                found[one.one, one.other] = one
    return sorted(found.values(), key=lambda one: (-one.weight_db, one.one, one.other))


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who is one person.

    Parameters
    ----------
    groups
        Persons who are one, two at least each.
    links
        What holds them together: of each group one link fewer than it has persons, the heaviest that do.
    """

    groups: tuple[tuple[str, ...], ...]
    links: tuple[Weighed, ...]


@dataclass(eq=False)
class _Group:
    """People who are one, as far as was seen, and all that is known of them together."""

    members: list[str]
    referrals: set[str]
    known: Profile


def resolve(
    model: Model, people: Mapping[str, Profile], pairs: Iterable[Weighed], rarity: Mapping[str, float]
) -> Resolved:
    """Return who is one person, from the heaviest pair on; two groups stay two where they may never be one.

    Two groups become one only where all that is known of each, taken together, stands as a link of two people does.
    """
    of: dict[str, _Group] = {}
    links = []
    for pair in sorted(pairs, key=lambda one: (-one.weight_db, one.one, one.other)):
        if not stands(model, Pair(people[pair.one], people[pair.other]), pair):
            continue
        first, second = (of.setdefault(one, _alone(people[one])) for one in (pair.one, pair.other))
        if first is second or not _may(model, first, second, rarity):
            continue
        small, large = sorted((first, second), key=lambda one: len(one.members))
        large.members += small.members
        large.referrals |= small.referrals
        large.known = together(large.known, small.known)
        of |= dict.fromkeys(small.members, large)
        links.append(pair)
    those = {id(one): one for one in of.values() if len(one.members) > 1}
    return Resolved(tuple(sorted(tuple(sorted(one.members)) for one in those.values())), tuple(links))


def _alone(one: Profile) -> _Group:
    return _Group([one.person], {one.referral}, one)


def _may(model: Model, first: _Group, second: _Group, rarity: Mapping[str, float]) -> bool:
    if first.referrals & second.referrals or not comparable(first.known, second.known):
        return False
    if len(first.members) == len(second.members) == 1:
        return True
    pair = Pair(first.known, second.known)
    return stands(model, pair, weigh(model, pair, rarity))


def _compared(
    model: Model, group: Sequence[Profile], rarity: Mapping[str, float], least_db: float
) -> list[Weighed]:
    """Return the pairs of a group by Splink, with its own numbers of each comparison."""
    if len(group) < 2:
        return []
    import duckdb
    import pyarrow as pa

    con = duckdb.connect()
    try:
        people = pa.table(_columns(group))
        con.register("people_in", people)
        con.execute("create table people as from people_in")
        linker = _linker(model, con, rarity)
        bits = -1e6 if least_db < -1e6 else (least_db - model.offset_db) / model.slope / DB_A_BIT
        pairs = linker.inference.predict(threshold_match_weight=bits)
        names = list(COMPARISONS)
        columns = ", ".join(f"gamma_{name}, mw_{name}" for name in names)
        rows = con.execute(
            f"select person_l, person_r, {columns}, coalesce(mw_tf_adj_name, 0) from {pairs.physical_name}"
        )
        found = []
        while part := rows.fetchmany(50_000):
            found += [_weighed(model, names, row) for row in part]
        return found
    finally:
        con.close()


def _weighed(model: Model, names: Sequence[str], row: tuple[Any, ...]) -> Weighed:
    seen: dict[str, tuple[str, float]] = {}
    for place, name in enumerate(names):
        gamma, bits = row[2 + 2 * place], row[3 + 2 * place]
        if gamma >= 0:
            level = COMPARISONS[name][len(COMPARISONS[name]) - 1 - gamma]
            seen[name] = (level, bits + (row[-1] if name == "name" else 0.0))
    return weighed(model, row[0], row[1], seen)


def _columns(group: Sequence[Profile]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unique_id": list(range(len(group))),
        "person": [one.person for one in group],
        "referral": [one.referral for one in group],
        "side": [one.side for one in group],
        "keys": [sorted(one.keys) for one in group],
        "platforms": [sorted(one.platforms) for one in group],
        "name": [one.name or None for one in group],
        "given": [one.given for one in group],
        "family": [one.family for one in group],
    }
    for name in ("email", "phone", "money", "place"):
        found[f"has_{name}"] = [name in one.has for one in group]
    return found | {column: [sorted(one.tokens[column]) for one in group] for column in TOKENS}


def _linker(model: Model, con: Any, rarity: Mapping[str, float]) -> Any:
    """Return Splink's model; every chance is given, and nothing is learned here."""
    import pyarrow as pa
    import splink.comparison_level_library as levels
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)

    def both(column: str) -> str:
        return f"list_has_any({column}_l, {column}_r)"

    def chances(name: str, level: str, step: Any) -> Any:
        one = model.levels[name][level]
        return step.configure(m_probability=one.one, u_probability=one.other)

    def compared(name: str) -> dict[str, Any]:
        shared = {level: both(f"{name}_{level}") for level in COMPARISONS[name][:-1]}
        asked = both("platforms") if name == "handle" else f"(has_{name}_l and has_{name}_r)"
        none = f"not ({' or '.join((*shared.values(), asked))})"
        steps = [
            levels.CustomLevel(none, label_for_charts="nothing to compare").configure(is_null_level=True)
        ]
        steps += [chances(name, level, levels.CustomLevel(sql)) for level, sql in shared.items()]
        steps.append(chances(name, "differ", levels.ElseLevel()))
        return {"output_column_name": name, "comparison_levels": steps}

    def near(column: str) -> str:
        one, other = f"{column}_l", f"{column}_r"
        enough = f"least(length({one}), length({other})) >= 3"
        return f"({one} = {other} or ({enough} and levenshtein({one}, {other}) <= 1))"

    first = "(least(length(given_l), length(given_r)) = 1 and left(given_l, 1) = left(given_r, 1))"
    names = {
        "output_column_name": "name",
        "comparison_levels": [
            levels.NullLevel("name"),
            chances("name", "same", levels.ExactMatchLevel("name", term_frequency_adjustments=True)),
            chances(
                "name", "alike", levels.CustomLevel(f"{near('family')} and ({near('given')} or {first})")
            ),
            chances("name", "family", levels.CustomLevel(near("family"))),
            chances("name", "differ", levels.ElseLevel()),
        ],
    }
    settings = SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=model.start,
        comparisons=[*(compared(name) for name in COMPARISONS if name != "name"), names],
        blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
        retain_intermediate_calculation_columns=True,
        additional_columns_to_retain=["person"],
    )
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("people", table_name="people_splink"), settings, log_level=None)
    known = api.register(
        pa.table({"name": list(rarity), "tf_name": list(rarity.values())}), table_name="rarity_splink"
    )
    linker.table_management.register_term_frequency_lookup(known, "name")
    return linker
