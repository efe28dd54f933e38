"""From known facilitators' identifiers to unknown payers: at most two steps, never through a hub, always with the path.

Depth 1 are the people who paid a seed. Depth 2 goes on from them to the other receivers whom they paid in the shape
that counts, and to the people who paid those. A step from somebody with `n` ties passes on 1/n of the strength, so that
what is specific comes first. Where a relation is known (a tie to the country, a name in common) nothing is followed.

Nothing here says that anybody did wrong: a result is a place to look, and a receiver may be a victim.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import rustworkx as rx

from lightship.core.errors import InputError
from lightship.payments.network import ONE, Link, keep_ids, keep_links, links
from lightship.payments.shape import Shape
from lightship.payments.span import span

LINKS = 20_000
"""More links than this are no result that a person can work with."""

Side = Literal["payer", "receiver"]
_Key = tuple[Side, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A payer or receiver that the hunt came to.

    Parameters
    ----------
    depth
        1 for payers of a seed; 2 for what lies behind them.
    strength
        In millionths; a payer of one seed has one million.
    stopped
        Why it was not followed: a known relation to whom it paid, or too many ties; empty where neither is known.
    path
        From the seed to it, by the most specific way.
    way
        The path in words.
    markers
        What is known of it from outside, with its source.
    """

    id: str
    side: Side
    depth: int
    strength: int
    payments: int
    first_us: int
    last_us: int
    stopped: str
    path: tuple[str, ...]
    way: str
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a hunt found, and where it stopped.

    Parameters
    ----------
    unknown
        Seeds that nobody in the dataset paid.
    hub_seeds
        Seeds with too many payers to go on from: their payers are listed, weaker, and not followed.
    hubs
        Payers and receivers of depth 1 and 2 with too many ties to go on from.
    """

    seeds: tuple[str, ...]
    found: tuple[Found, ...]
    links: tuple[Link, ...]
    unknown: tuple[str, ...]
    hub_seeds: tuple[str, ...]
    hubs: tuple[str, ...]


def read_seeds(text: str, where: str) -> tuple[str, ...]:
    """Return the identifiers of a seed file: one a line, ``#`` begins a remark.

    Raises
    ------
    InputError
        If it names none.
    """
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    seeds = tuple(sorted({line for line in lines if line}))
    if not seeds:
        raise InputError("The file names no seed.", where, "Write one identifier a line.")
    return seeds


def hunt(con: Any, shape: Shape, seeds: Iterable[str], depth: int = 2) -> Hunt:
    """Go from the seeds to who paid them, and on.

    Parameters
    ----------
    con
        A DuckDB connection on which :func:`lightship.payments.network.lay_out` has run.
    depth
        1 or 2.

    Raises
    ------
    InputError
        If the network is too large to be of use.
    """
    seeds = tuple(sorted(set(seeds)))
    keep_ids(con, "seeds", seeds)
    keep_links(con, "hop1", "moves", "payee in (select id from seeds)")
    first = links(con, "hop1", LINKS)
    fans: dict[_Key, int] = {}
    for seed in seeds:
        fans["receiver", seed] = sum(link.payee == seed for link in first)
    hub_seeds = tuple(seed for seed in seeds if fans["receiver", seed] > shape.hub_payers)
    steps: list[tuple[_Key, _Key, Link]] = [
        (("receiver", one.payee), ("payer", one.payer), one) for one in first
    ]
    hubs: set[_Key] = set()
    if depth > 1:
        follow = {one.payer for one in first if not one.related and one.payee not in hub_seeds}
        second = _second(con, shape, follow, fans, hubs)
        third = _third(
            con,
            shape,
            {one.payee for one in second if not one.related},
            {one.payer for one in first},
            fans,
            hubs,
        )
        steps += [(("payer", one.payer), ("receiver", one.payee), one) for one in second if not one.related]
        steps += [(("receiver", one.payee), ("payer", one.payer), one) for one in third]
    for seed in seeds:  # a seed is known: all its payers matter alike, unless they are too many
        fans["receiver", seed] = max(1, -(-fans["receiver", seed] // shape.hub_payers))
    found = _walk(seeds, steps, fans, hubs, _markers(con))
    kept = sorted({step[2] for step in steps}, key=lambda link: (link.payer, link.payee))
    unknown = tuple(seed for seed in seeds if not any(link.payee == seed for link in first))
    return Hunt(seeds, found, tuple(kept), unknown, hub_seeds, tuple(sorted({id_ for _, id_ in hubs})))


def renamed(result: Hunt, name: Callable[[str], str]) -> Hunt:
    """Return a hunt with every identifier replaced and in the order of the new ones, without the names of receivers.

    Parameters
    ----------
    name
        Such as a :func:`lightship.payments.pseudonyms.pseudonym` under the bank's key.
    """

    def names(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(name(one) for one in ids))

    found = []
    for one in result.found:
        way = one.way
        for plain in sorted({one.id, *one.path}, key=len, reverse=True):
            way = way.replace(f"«{plain}»", f"«{name(plain)}»")
        found.append(replace(one, id=name(one.id), path=tuple(map(name, one.path)), way=way))
    kept = tuple(
        replace(link, payer=name(link.payer), payee=name(link.payee), name=None) for link in result.links
    )
    return Hunt(
        names(result.seeds),
        _in_order(found),
        tuple(sorted(kept, key=lambda link: (link.payer, link.payee))),
        names(result.unknown),
        names(result.hub_seeds),
        names(result.hubs),
    )


def _second(con: Any, shape: Shape, follow: set[str], fans: dict[_Key, int], hubs: set[_Key]) -> list[Link]:
    """Return the links from the payers of seeds to other receivers, past hubs."""
    keep_ids(con, "follow", follow)
    fan = "select payer, count(distinct payee) from shaped where payer in (select id from follow) group by payer"
    known = dict(con.execute(fan).fetchall())
    hubs |= {("payer", payer) for payer, many in known.items() if many > shape.hub_receivers}
    fans.update({("payer", payer): many for payer, many in known.items()})
    keep_ids(con, "follow", {payer for payer in follow if ("payer", payer) not in hubs})
    keep_links(
        con, "hop2", "shaped", "payer in (select id from follow) and payee not in (select id from seeds)"
    )
    return links(con, "hop2", LINKS)


def _third(
    con: Any, shape: Shape, receivers: set[str], before: set[str], fans: dict[_Key, int], hubs: set[_Key]
) -> list[Link]:
    """Return the links of the people who paid those receivers and no seed, past hubs and known relations."""
    keep_ids(con, "follow", receivers)
    fan = "select payee, count(distinct payer) from shaped where payee in (select id from follow) group by payee"
    known = dict(con.execute(fan).fetchall())
    many = {payee for payee, count in known.items() if count > shape.hub_payers}
    hubs |= {("receiver", payee) for payee in many}
    fans.update({("receiver", payee): count for payee, count in known.items()})
    keep_ids(con, "follow", receivers - many)
    keep_ids(con, "before", before)
    where = "payee in (select id from follow) and payer not in (select id from before)"
    keep_links(con, "hop3", "shaped", where)
    return [link for link in links(con, "hop3", LINKS) if not link.related]


def _walk(
    seeds: tuple[str, ...],
    steps: list[tuple[_Key, _Key, Link]],
    fans: dict[_Key, int],
    hubs: set[_Key],
    markers: dict[str, tuple[str, ...]],
) -> tuple[Found, ...]:
    """Pass the strength on, step by step, and name each node's most specific way."""
    graph: rx.PyDiGraph[_Key | None, tuple[float, Link | None]] = rx.PyDiGraph()
    root = graph.add_node(None)
    at: dict[_Key, int] = {}
    keys: list[_Key] = [("receiver", seed) for seed in seeds]
    for key in keys + [key for step in steps for key in step[:2]]:
        if key not in at:
            at[key] = graph.add_node(key)
    for seed in seeds:
        graph.add_edge(root, at["receiver", seed], (0.0, None))
    for before, after, link in steps:
        graph.add_edge(at[before], at[after], (math.log(fans[before]), link))
    strength = dict.fromkeys(graph.node_indices(), 0)
    for seed in seeds:
        strength[at["receiver", seed]] = ONE
    fan = {index: fans[key] for key, index in at.items() if key in fans}
    for index in rx.topological_sort(graph):
        if index != root:
            for _, target, _ in graph.out_edges(index):
                strength[target] += strength[index] // fan[index]
    paths = rx.dijkstra_shortest_paths(graph, root, weight_fn=lambda edge: edge[0])
    found = [
        _found(
            graph, index, list(paths[index])[1:], strength[index], fans[key] if key in hubs else 0, markers
        )
        for key, index in at.items()
        if not (key[0] == "receiver" and key[1] in seeds)
    ]
    return _in_order(found)


def _in_order(found: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(
        sorted(found, key=lambda one: (one.side, one.depth, bool(one.stopped), -one.strength, one.id))
    )


def _found(
    graph: Any, index: int, path: list[int], strength: int, fan: int, markers: dict[str, tuple[str, ...]]
) -> Found:
    side, id_ = graph[index]
    ties = [edge[2][1] for edge in graph.in_edges(index)]
    hub = [f"a hub of {fan:,} {'payers' if side == 'receiver' else 'receivers'}"] if fan else []
    words: list[str] = []
    for before, after in zip(path[-2::-1], path[:0:-1], strict=True):
        link = graph.get_edge_data(before, after)[1]
        words.append(_step(link, graph[after], first=not words, seed=before == path[0]))
    return Found(
        id=id_,
        side=side,
        depth=1 if len(path) == 2 else 2,
        strength=strength,
        payments=sum(link.payments for link in ties),
        first_us=min(link.first_us for link in ties),
        last_us=max(link.last_us for link in ties),
        stopped=", ".join([*sorted({link.related for link in ties if link.related}), *hub]),
        path=tuple(graph[one][1] for one in path),
        way=", ".join(words) + ".",
        markers=markers.get(id_, ()),
    )


def _step(link: Link, reached: _Key, *, first: bool, seed: bool) -> str:
    """Say one step of a path, seen from its end."""
    count = f"{link.payments} payment{'s' if link.payments > 1 else ''} {span(link.first_us, link.last_us)}"
    if reached[0] == "payer":
        whom = f"the seed «{link.payee}»" if seed else f"«{link.payee}»"
        return f"{'Paid' if first else 'who paid'} {whom} ({count})"
    return f"{'Was paid' if first else 'which was also paid'} by «{link.payer}» ({count})"


def _markers(con: Any) -> dict[str, tuple[str, ...]]:
    rows = con.execute("""
        select subject, list_sort(list(marker || ' since ' || since || ' (' || source || ')'))
        from markers group by subject
    """).fetchall()
    return {subject: tuple(words) for subject, words in rows}
