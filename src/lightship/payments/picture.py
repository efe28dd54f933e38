"""A network as an interactive page of one file, and the same as a still picture and as tables.

Where everything stands is worked out here, not in the browser, so that two people see the same picture.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

from lightship.exchange.one_page import table
from lightship.payments.network import Link
from lightship.payments.page_parts import DRAFT, page, part
from lightship.payments.shape import money
from lightship.payments.span import span

SHOWN = 150
"""Nodes in a picture: more are a cloud. The tables have them all."""

_APART = (260, 72)  # picture units between columns, at least, and between rows
_SHAPE = 1.7  # width to height of a screen's part that a picture fills
_SWEEPS = 4

Role = Literal["subject", "seed", "found", "context"]
_SHAPES = {"payer": "circle", "receiver": "diamond"}


@dataclass(frozen=True, slots=True)
class Node:
    """A payer or receiver in a picture.

    Parameters
    ----------
    layer
        Column, from the left.
    heavy
        What decides who is shown where there are too many; larger is more.
    words
        What is known of it in one or two sentences.
    """

    id: str
    side: Literal["payer", "receiver"]
    layer: int
    role: Role
    heavy: int
    words: str

    @property
    def key(self) -> str:
        """Return a name that is no other node's: somebody may pay and receive."""
        return f"{self.side}:{self.id}"


@dataclass(frozen=True, slots=True)
class Network:
    """What a picture shows.

    Parameters
    ----------
    same
        Pairs of nodes' keys that are, or may be, one.
    """

    title: str
    lead: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    notes: tuple[str, ...]
    same: tuple[tuple[str, str], ...] = ()


def short(id_: str) -> str:
    """Return a label that fits under a node."""
    return id_ if len(id_) <= 14 else f"{id_[:9]}…{id_[-3:]}"


def drawn(network: Network) -> tuple[dict[str, tuple[float, float]], tuple[Link, ...]]:
    """Return where each shown node stands, and the links between them.

    Columns are the layers. Within one, nodes stand near the middle of what they are tied to, so that few lines cross.
    """
    rank = {"subject": 0, "seed": 0, "found": 1, "context": 2}
    chosen = sorted(network.nodes, key=lambda node: (rank[node.role], -node.heavy, node.key))[:SHOWN]
    keys = {node.key for node in chosen}
    kept = tuple(
        link for link in network.links if f"payer:{link.payer}" in keys and f"receiver:{link.payee}" in keys
    )
    near: dict[str, list[str]] = defaultdict(list)
    for link in kept:
        near[f"payer:{link.payer}"].append(f"receiver:{link.payee}")
        near[f"receiver:{link.payee}"].append(f"payer:{link.payer}")
    columns: dict[int, list[str]] = defaultdict(list)
    for node in chosen:
        columns[node.layer].append(node.key)
    height = {key: float(row) for column in columns.values() for row, key in enumerate(column)}
    for sweep in range(_SWEEPS):
        for layer in sorted(columns, reverse=bool(sweep % 2)):
            middle = {
                key: sum(height[one] for one in near[key]) / len(near[key]) if near[key] else height[key]
                for key in columns[layer]
            }
            columns[layer].sort(key=lambda key: (middle[key], key))
            for row, key in enumerate(columns[layer]):
                height[key] = row - (len(columns[layer]) - 1) / 2
    across, down = _APART
    tall = down * max(map(len, columns.values()), default=1)
    across = max(across, round(tall * _SHAPE / max(1, max(columns, default=0) - min(columns, default=0))))
    return {key: (layer * across, height[key] * down) for layer in columns for key in columns[layer]}, kept


def network_page(network: Network, tables: Sequence[str] = ()) -> bytes:
    """Return the page: the picture, the same as tables, and notes.

    Parameters
    ----------
    tables
        Further tables, as markup, before that of the links.
    """
    at, kept = drawn(network)
    nodes = {node.key: node for node in network.nodes}
    left = len(nodes) - len(at)
    more = f" The {left:,} weakest of {len(nodes):,} are only in the table." if left else ""
    body = f"""<header><h1>{escape(network.title)}</h1>
<p class="draft">{DRAFT}</p>
<p>{escape(network.lead)}</p></header>
<main>
<h2 id="seen">Picture</h2>
<p id="help">The tables below say the same. In the picture, arrow keys go from one to the next, + and − zoom, 0 shows
all.{more}</p>
<ul class="key"><li><span aria-hidden="true">●</span> payer</li><li><span aria-hidden="true">◆</span> receiver</li>
<li><span aria-hidden="true">★</span> seed</li>
<li><span aria-hidden="true">◎</span> double ring: what this is about</li>
<li><span aria-hidden="true">╌</span> dashed: a relation is known</li>
<li><span aria-hidden="true">┈</span> dotted, no arrow: one person, or may be</li></ul>
<div class="bar" role="group" aria-label="Picture"><button type="button" data-act="in">Zoom in</button>
<button type="button" data-act="out">Zoom out</button><button type="button" data-act="fit">Show all</button></div>
<div id="picture" tabindex="0" role="application" aria-labelledby="seen" aria-describedby="help"></div>
<p id="detail" aria-live="polite" class="quiet">Choose a payer or receiver.</p>
<h2>Who is in it</h2>
{node_table(network.nodes, shown=at)}{"".join(tables)}
<h2>Who paid whom</h2>
{link_table(network.links)}
{_notes(network.notes)}
</main>
<footer><p>Drawn with Cytoscape.js:</p><pre>{escape(part("vendor/cytoscape/LICENSE.txt"))}</pre></footer>"""
    elements = [_node(nodes[key], *spot) for key, spot in at.items()] + [_edge(link) for link in kept]
    elements += [
        {"group": "edges", "classes": "same", "data": {"source": left, "target": right, "width": 2}}
        for left, right in network.same
        if left in at and right in at
    ]
    scripts = (part("vendor/cytoscape/cytoscape.min.js"), part("page/network.js"))
    return page(network.title, body, scripts, {"elements": elements})


def node_table(nodes: Iterable[Node], shown: Iterable[str] = ()) -> str:
    """Return the payers and receivers as a table; those in the picture can be pressed."""
    pressed = set(shown)
    rows = []
    for node in sorted(nodes, key=lambda one: (one.layer, -one.heavy, one.key)):
        name = escape(node.id)
        if node.key in pressed:
            name = f'<button type="button" data-node="{escape(node.key)}">{name}</button>'
        rows.append((name, node.side, escape(node.words)))
    return table("Payers and receivers", ("identifier", "side", "what is known"), rows, wide=(2,))


def link_table(links: Iterable[Link]) -> str:
    """Return the links as a table."""
    rows = [
        (
            escape(link.payer),
            escape(link.payee),
            escape(link.country or "UNKNOWN"),
            f"{link.payments:,}",
            "several currencies"
            if link.amount_minor is None
            else money(link.amount_minor, link.currency or ""),
            span(link.first_us, link.last_us),
            escape(link.related or "none known"),
        )
        for link in links
    ]
    heads = ("payer", "receiver", "country", "payments", "in all", "when (UTC)", "relation")
    return table("Links", heads, rows, numbers=(3, 4))


def network_still(network: Network) -> bytes:
    """Return the picture as SVG, for a page or a print."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    at, kept = drawn(network)
    nodes = {node.key: node for node in network.nodes}
    xs, ys = [x for x, _ in at.values()] or [0.0], [y for _, y in at.values()] or [0.0]
    tall = min(12.0, 1.6 + (max(ys) - min(ys)) / 110)
    with rc_context({"svg.hashsalt": "lightship", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(9, tall), layout="constrained")
        axes = figure.subplots()
        for link in kept:
            (x0, y0), (x1, y1) = at[f"payer:{link.payer}"], at[f"receiver:{link.payee}"]
            axes.plot(
                [x0, x1],
                [-y0, -y1],
                color="#7a8288",
                lw=_width(link) * 0.7,
                ls="--" if link.related else "-",
                zorder=1,
            )
        for key, (x, y) in at.items():
            node = nodes[key]
            marker = "*" if node.role == "seed" else "o" if node.side == "payer" else "D"
            ring = node.role in {"subject", "seed"}
            axes.scatter(
                x, -y, s=260 if ring else 110, marker=marker, zorder=2, alpha=0.45 if node.role == "context" else 1,
                c="#1d70b8" if node.side == "payer" else "#b35c00", edgecolors="#0b0c0c" if ring else "none",
                linewidths=2,
            )  # fmt: skip
            axes.annotate(
                short(node.id),
                (x, -y),
                (0, -11),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=8,
            )
        axes.set_xlim(min(xs) - 90, max(xs) + 90)
        axes.set_ylim(-max(ys) - 60, -min(ys) + 40)
        axes.set_axis_off()
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _node(node: Node, x: float, y: float) -> dict[str, Any]:
    data = {
        "id": node.key,
        "label": short(node.id),
        "side": node.side,
        "role": node.role,
        "size": 34 if node.role in {"subject", "seed"} else 22,
        "words": f"{node.id}: {node.words}",
    }
    return {"group": "nodes", "data": data, "position": {"x": x, "y": y}}


def _edge(link: Link) -> dict[str, Any]:
    data: dict[str, Any] = {
        "source": f"payer:{link.payer}",
        "target": f"receiver:{link.payee}",
        "width": _width(link),
    }
    if link.related:
        data["related"] = link.related
    return {"group": "edges", "data": data}


def _width(link: Link) -> float:
    """Return a line's width in pixels: more payments, up to a limit, are thicker."""
    return 1 + min(link.payments, 12) / 3


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>"
