"""Linking and bundling on made-up people: how often right, how fast, and beside exact matching of identifiers.

The chances of the shipped model are counted on the truth of other seeds than those that are measured here;
``python -m bench.casework_links estimate`` counts them anew and prints them. The hard cases are those of
``packs/casework/people.toml``. The peer joins by DuckDB whoever shares an e-mail address, number, handle on one
platform, account, wallet, payment token or device exactly; it keeps children apart from adults as told, and knows no
time.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lightship import packs
from lightship.casework import linking, resolving
from lightship.casework.linking import COMPARISONS, Held, Model, Profile, Weighed, profiles
from lightship.casework.made_people import World, parse_world, people_told

HELD_OUT = (1, 2, 3, 4, 5)
LEARNED = (101, 102, 103)
SCALED = 104
REFERRALS = 20_000
EXACT = ("email", "phone", "handle", "account", "wallet", "payment-token", "device")
BINS = 10


@dataclasses.dataclass(frozen=True)
class Made:
    """A made-up store with its truth."""

    held: list[Held]
    truth: dict[str, int]
    children: frozenset[int]


@dataclasses.dataclass(frozen=True)
class Quality:
    """How right groups of people are: over pairs, after what hangs together is one."""

    precision: float
    recall: float
    mixed: int


def world() -> World:
    """Return what people are drawn from."""
    path, text = packs.read("casework", "people", ".toml", "made-up people")
    return parse_world(text, str(path))


def made(drawn: World, referrals: int, seed: int) -> Made:
    """Return made-up referrals as linking sees them."""
    held, truth, children = list[Held](), dict[str, int](), set[int]()
    for told in people_told(drawn, referrals, seed):
        truth |= told.truth
        children |= told.children
        at_s = (told.referral.happened_at or told.referral.received_at).timestamp()
        held += [
            Held(one.person, one.role, one.kind, one.value, one.platform, at_s, at_s)
            for one in told.identifiers
        ]
    return Made(held, truth, frozenset(children))


def compared(model: Model, one: Made) -> tuple[dict[str, Profile], list[Weighed], dict[str, float]]:
    """Return everybody's profile, every pair that shares something with its weight, and how rare names are."""
    people = profiles(model, one.held)
    rarity = resolving.rarities(model, one.held)
    return people, resolving.compare(model, people, rarity, least_db=-math.inf), rarity


def quality(one: Made, groups: Iterable[Sequence[str]]) -> Quality:
    """Return how right groups are; ``mixed`` counts those that hold a real child and a real adult."""
    right = said = mixed = 0
    for group in groups:
        numbers = [one.truth[person] for person in group]
        said += math.comb(len(group), 2)
        right += sum(math.comb(many, 2) for many in Counter(numbers).values())
        mixed += len({number in one.children for number in numbers}) > 1
    true = sum(math.comb(many, 2) for many in Counter(one.truth.values()).values())
    return Quality(right / max(1, said), right / true, mixed)


def calibration_error(one: Made, pairs: Sequence[Weighed]) -> float:
    """Return the expected calibration error of the pairs' chances, over ten bins."""
    bins: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    for pair in pairs:
        chance = pair.chance
        bins[min(BINS - 1, int(chance * BINS))].append((chance, one.truth[pair.one] == one.truth[pair.other]))
    off = (abs(sum(chance for chance, _ in those) - sum(hit for _, hit in those)) for those in bins.values())
    return sum(off) / len(pairs)


def exact(people: Mapping[str, Profile], one: Made) -> list[tuple[str, ...]]:
    """Return the peer's groups: whoever shares an identifier exactly, by a join of DuckDB, and what hangs together."""
    import duckdb
    import pyarrow as pa
    import rustworkx as rx

    con = duckdb.connect()
    rows = [
        (each.person, linking.key_of(each), people[each.person].side)
        for each in one.held
        if each.kind in EXACT and each.person in people
    ]
    con.register("held", pa.table({"person": [a for a, *_ in rows], "key": [b for _, b, _ in rows],
                                   "side": [c for *_, c in rows]}))  # fmt: skip
    found = con.execute("""
        select distinct one.person, other.person from held one join held other on one.key = other.key
        where one.person < other.person and split_part(one.person, '/', 1) <> split_part(other.person, '/', 1)
            and not (least(one.side, other.side) = 'adult' and greatest(one.side, other.side) = 'child')
    """).fetchall()
    graph: rx.PyGraph[str, None] = rx.PyGraph()
    at = {person: graph.add_node(person) for person in people}
    graph.add_edges_from([(at[first], at[second], None) for first, second in found])
    return [
        tuple(graph[node] for node in group) for group in rx.connected_components(graph) if len(group) > 1
    ]


def ceiling(one: Made, people: Mapping[str, Profile], pairs: Sequence[Weighed]) -> float:
    """Return the recall of somebody who knows the truth of every pair that shares something, and nothing of others."""
    of: dict[str, str] = {}

    def root(person: str) -> str:
        while of.setdefault(person, person) != person:
            person = of[person]
        return person

    for pair in pairs:
        if one.truth[pair.one] == one.truth[pair.other]:
            of[root(pair.one)] = root(pair.other)
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for person in people:
        grouped[root(person)].append(person)
    return quality(one, grouped.values()).recall


def estimate(referrals: int = REFERRALS) -> Model:
    """Return the model with its chances counted on the truth of the seeds that are learned from."""
    drawn, model = world(), linking.shipped()
    model = dataclasses.replace(model, slope=1.0, offset_db=0.0)
    counts = {name: {level: [1, 1] for level in levels} for name, levels in COMPARISONS.items()}
    total = [0, 0]
    for seed in LEARNED:
        one = made(drawn, referrals, seed)
        for pair in compared(model, one)[1]:
            wrong = one.truth[pair.one] != one.truth[pair.other]
            total[wrong] += 1
            for part in pair.parts:
                if part.comparison in counts:
                    counts[part.comparison][part.level][wrong] += 1
    levels = {}
    for name, each in counts.items():
        sums = [sum(many[side] for many in each.values()) for side in (0, 1)]
        levels[name] = {
            level: dataclasses.replace(
                model.levels[name][level], one=_round(many[0] / sums[0]), other=_round(many[1] / sums[1])
            )
            for level, many in each.items()
        }
    return _scaled(dataclasses.replace(model, levels=levels, start=_round(total[0] / sum(total))), referrals)


def _scaled(model: Model, referrals: int) -> Model:
    """Return a model with the slope and offset of a logistic regression of the truth on its sums, on one more seed."""
    from sklearn.linear_model import LogisticRegression

    one = made(world(), referrals, SCALED)
    _, pairs, _ = compared(model, one)
    nat = math.log(10) / 10
    fitted = LogisticRegression(C=1e6).fit(
        [[pair.weight_db * nat] for pair in pairs],
        [one.truth[pair.one] == one.truth[pair.other] for pair in pairs],
    )
    offset_db = round(float(fitted.intercept_[0]) / nat, 2)
    return dataclasses.replace(model, slope=round(float(fitted.coef_[0, 0]), 3), offset_db=offset_db)


def _round(share: float) -> float:
    return float(f"{share:.3g}")


def chances(model: Model) -> str:
    """Return the chances as the lines of ``packs/casework/linking.toml``."""
    lines = [f"start = {model.start}", f"slope = {model.slope}", f"offset_db = {model.offset_db}"]
    for name, levels in model.levels.items():
        lines.append(f"[chances.{name}]")
        lines += [f"{level}: one = {one.one}, other = {one.other}" for level, one in levels.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["estimate"]:
        print(chances(estimate(*(int(one) for one in sys.argv[2:]))))
