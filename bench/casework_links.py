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
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from multiprocessing.queues import Queue

import sqlalchemy as sa

from lightship import packs
from lightship.casework import resolving
from lightship.casework.bundling import Told, bundles_of
from lightship.casework.link_model import COMPARISONS, Model, shipped
from lightship.casework.link_pass import Passed, link_all, link_one
from lightship.casework.linking import Weighed
from lightship.casework.links import ADULT
from lightship.casework.made_people import Told as People
from lightship.casework.made_people import World, incidents_told, parse_world, people_told
from lightship.casework.profiles import Held, Profile, key_of, profiles
from lightship.core.casework import Identifier
from lightship.infra.migrate import upgrade
from lightship.infra.store import SqlStore

HELD_OUT = (1, 2, 3, 4, 5)
LEARNED = (101, 102, 103)
SCALED = 104
REFERRALS = 20_000
EXACT = ("email", "phone", "handle", "account", "wallet", "payment-token", "device")
BINS = 10
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
WHOLE = int(os.environ.get("LIGHTSHIP_BENCH_REFERRALS", "100000"))
ONE_MORE = int(os.environ.get("LIGHTSHIP_BENCH_STORE", "740000"))
"""Referrals that name a million people."""
MORE = 300
HARD = (
    "lives_with",
    "joint_account",
    "recycled_phone",
    "second_hand",
    "reused_word",
    "reused_handle",
    "stranger_email",
)


@dataclasses.dataclass(frozen=True)
class Made:
    """A made-up store with its truth."""

    held: list[Held]
    truth: dict[str, int]
    children: frozenset[int]


@dataclasses.dataclass(frozen=True)
class Quality:
    """How right groups of people are: over pairs, after what hangs together is one.

    Parameters
    ----------
    mixed, told
        Groups that hold a real child and a real adult, and those of them of whom both roles were told.
    """

    precision: float
    recall: float
    mixed: int
    told: int


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
    """Return how right groups are."""
    right = said = mixed = told = 0
    adults = {each.person for each in one.held if each.role in ADULT}
    children = {each.person for each in one.held if each.role == "child"}
    for group in groups:
        numbers = [one.truth[person] for person in group]
        said += math.comb(len(group), 2)
        right += sum(math.comb(many, 2) for many in Counter(numbers).values())
        mixed += len({number in one.children for number in numbers}) > 1
        told += not (adults.isdisjoint(group) or children.isdisjoint(group))
    true = sum(math.comb(many, 2) for many in Counter(one.truth.values()).values())
    return Quality(right / max(1, said), right / true, mixed, told)


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
        (each.person, key_of(each), people[each.person].side)
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
    drawn, model = world(), shipped()
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


def _quality_rows() -> list[dict[str, str]]:
    drawn, model = world(), shipped()
    ours, peers, errors, tops, doubled = [], [], [], [], []
    for seed in HELD_OUT:
        one = made(drawn, REFERRALS, seed)
        people, pairs, rarity = compared(model, one)
        ours.append(quality(one, resolving.resolve(model, people, pairs, rarity).groups))
        peers.append(quality(one, exact(people, one)))
        errors.append(calibration_error(one, pairs))
        tops.append(ceiling(one, people, pairs))
    harder = dataclasses.replace(
        drawn, share={**drawn.share, **{name: 2 * drawn.share[name] for name in HARD}}
    )
    one = made(harder, REFERRALS, HELD_OUT[0])
    people, pairs, rarity = compared(model, one)
    doubled.append(quality(one, resolving.resolve(model, people, pairs, rarity).groups))
    doubled.append(quality(one, exact(people, one)))
    worst = min(one.precision for one in ours)
    recall = min(one.recall for one in ours)
    mixed, told = sum(one.mixed for one in ours), sum(one.told for one in ours)
    name = f"{len(HELD_OUT)} held-out seeds of {REFERRALS:,} referrals"
    return [
        _row(f"link: pair precision, worst of {name}", f"{worst:.4f}", "≥ 0.99", worst >= 0.99,
             peer=f"exact matching {min(one.precision for one in peers):.4f}"),
        _row(f"link: pair recall, worst of them (who knows all that is shared: {min(tops):.4f})", f"{recall:.4f}",
             "≥ 0.95", recall >= 0.95, peer=f"exact matching {min(one.recall for one in peers):.4f}"),
        _row("link: pair precision and recall, mean",
             _mean(ours), peer=f"exact matching {_mean(peers)}"),
        _row("link: calibration error, worst", f"{max(errors):.4f}", "≤ 0.05", max(errors) <= 0.05),
        _row("link: groups that hold a child and an adult suspect, as told, all seeds", f"{told}", "0", told == 0),
        _row("link: groups that hold a real child and a real adult, where a role was not told", f"{mixed - told}", "0",
             mixed == told, peer=f"exact matching {sum(one.mixed for one in peers)}"),
        _row("link: hard cases twice as often, one seed: precision, recall, mixed",
             f"{doubled[0].precision:.4f}, {doubled[0].recall:.4f}, {doubled[0].mixed}",
             peer=f"exact matching {doubled[1].precision:.4f}, {doubled[1].recall:.4f}, {doubled[1].mixed}"),
    ]  # fmt: skip


def _mean(found: Sequence[Quality]) -> str:
    precision, recall = (
        statistics.fmean(values)
        for values in zip(*((one.precision, one.recall) for one in found), strict=True)
    )
    return f"{precision:.4f}, {recall:.4f}"


def _bundle_rows() -> list[dict[str, str]]:
    found = []
    for seed in HELD_OUT:
        told = incidents_told(REFERRALS, seed)
        truth = {one.report: one.number for one in told}
        said = bundles_of([Told(one.report, one.at, one.values) for one in told], shipped().bundles)
        pairs = sum(math.comb(len(members), 2) for _, members in said)
        hits = 0
        for _, members in said:
            hits += sum(
                math.comb(many, 2)
                for number, many in Counter(truth[one] for one in members).items()
                if number
            )
        true = sum(math.comb(many, 2) for number, many in Counter(truth.values()).items() if number)
        found.append((hits / pairs, hits / true))
    precision, recall = (min(one[place] for one in found) for place in (0, 1))
    return [
        _row(
            f"bundle: pair precision, worst of {len(HELD_OUT)} seeds",
            f"{precision:.4f}",
            "≥ 0.99",
            precision >= 0.99,
        ),
        _row("bundle: pair recall, worst", f"{recall:.4f}", "≥ 0.95", recall >= 0.95),
    ]


def _whole(folder: str, out: Queue[tuple[float, float, Passed]]) -> None:
    """Put the seconds and the megabytes that a whole pass takes, in a process of its own."""
    with SqlStore(f"sqlite:///{folder}/s") as store:
        began_s = time.perf_counter()
        passed = link_all(store, shipped(), now=NOW)
        took_s = time.perf_counter() - began_s
    out.put((took_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, passed))


def _fill(folder: str, referrals: int, seed: int) -> deque[People]:
    """Keep made-up referrals in a store; returns the last of them."""
    last: deque[People] = deque(maxlen=MORE)
    url = f"sqlite:///{folder}/s"
    upgrade(url)
    with SqlStore(url) as store:
        told = iter(people_told(world(), referrals, seed))
        while part := list(islice(told, 5_000)):
            last.extend(part)
            with store.begin() as work:
                work.save(*(one.referral for one in part))
                work.save(*(each for one in part for each in one.identifiers))
    return last


def _speed_rows() -> list[dict[str, str]]:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        _fill(folder, WHOLE, 6)
        out: Queue[tuple[float, float, Passed]] = context.Queue()
        process = context.Process(target=_whole, args=(folder, out))
        process.start()
        took_s, megabytes, passed = out.get()
        process.join()
    what = f"link: {WHOLE:,} referrals from nothing ({passed.persons:,} people, {passed.proposed:,} proposed)"
    rows = [
        _row(what, f"{took_s:.0f} s", "≤ 300 s", took_s <= 300),
        _row("link: memory that takes", f"{megabytes / 1024:.1f} GB", "≤ 4 GB", megabytes <= 4096),
    ]
    with tempfile.TemporaryDirectory() as folder:
        new = _fill(folder, ONE_MORE, 7)
        with SqlStore(f"sqlite:///{folder}/s") as store:
            with store.look() as work:
                persons = work.connection.execute(
                    sa.text("select count(distinct person) from identifiers")
                ).scalar_one()
            ours, peers = list[float](), list[float]()
            for told in new:
                began_s = time.perf_counter()
                with store.look() as work:
                    for one in told.identifiers:
                        work.find(Identifier, {"kind": one.kind, "value": one.value}, limit=1000)
                peers.append(1e3 * (time.perf_counter() - began_s))
            for told in new:
                began_s = time.perf_counter()
                with store.begin() as work:
                    link_one(work, shipped(), told.referral.id, now=NOW)
                ours.append(1e3 * (time.perf_counter() - began_s))
    late, peer = (sorted(one)[int(0.99 * len(one))] for one in (ours, peers))
    rows.append(
        _row(f"link: one more referral into {persons:,} people, durable, 99th of {len(ours)}", f"{late:.0f} ms",
             "≤ 200 ms", late <= 200, peer=f"exact look-up of its identifiers alone: {peer:.0f} ms",
             ratio=f"{peer / late:.2f}")
    )  # fmt: skip
    rows.append(
        _row(
            "link: the same, median",
            f"{statistics.median(ours):.1f} ms",
            peer=f"{statistics.median(peers):.1f} ms",
        )
    )
    return rows


def _row(
    what: str, ours: str, reach: str = "", met: bool | None = None, *, peer: str = "", ratio: str = ""
) -> dict[str, str]:
    said = "" if met is None else "yes" if met else "no"
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "reach": reach, "met": said}


def run() -> list[dict[str, str]]:
    """Measure, and return table rows."""
    return [*_quality_rows(), *_bundle_rows(), *_speed_rows()]


def main() -> None:
    """Print the rows, or the chances counted anew."""
    if sys.argv[1:2] == ["estimate"]:
        print(chances(estimate(*(int(one) for one in sys.argv[2:]))))
        return
    parts = {"quality": _quality_rows, "bundles": _bundle_rows, "speed": _speed_rows}
    for row in parts[sys.argv[1]]() if len(sys.argv) > 1 else run():
        print("  ".join(f"{name}: {value}" for name, value in row.items() if value))


if __name__ == "__main__":
    main()
