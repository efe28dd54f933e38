"""Receivers that stand out, with the identifiers that may be the same person put together.

A group counts each payer once: somebody who paid one person under two identifiers is one payer.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from lightship.exchange.one_page import table
from lightship.payments.hunt_files import safe
from lightship.payments.names import NameLink, groups, link_names
from lightship.payments.network import (
    ONE,
    Link,
    Ranking,
    Receiver,
    keep_ids,
    keep_links,
    links,
    rank_receivers,
    share_of,
)
from lightship.payments.picture import Network, Node, network_page
from lightship.payments.shape import Shape
from lightship.payments.span import day, span
from lightship.payments.wording import counted

MARK = "receivers.json"
"""The file by which a folder of receivers is known."""

COMPARED = 20_000
"""Receivers whose names are compared, the heaviest first."""

_DRAWN = 30
_LINKS = 5_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A receiver, or several identifiers that may be one.

    Parameters
    ----------
    payers, weight
        Of all of them together, each payer once; the weight in millionths.
    """

    members: tuple[Receiver, ...]
    payers: int
    weight: int

    @property
    def payments(self) -> int:
        """Return how many payments their unrelated payers made."""
        return sum(member.payments for member in self.members)

    @property
    def key(self) -> str:
        """Return the identifier of the heaviest of them."""
        return self.members[0].receiver


@dataclass(frozen=True, slots=True)
class Receivers:
    """What stands out.

    Parameters
    ----------
    linked
        Pairs of identifiers that may be one, with what spoke for it.
    links
        Who paid the first of them.
    """

    standing: tuple[Standing, ...]
    linked: tuple[NameLink, ...]
    links: tuple[Link, ...]
    ranking: Ranking


def receivers(con: Any, shape: Shape, limit: int) -> Receivers:
    """Return the receivers that stand out, the heaviest first.

    Parameters
    ----------
    con
        A DuckDB connection on which :func:`lightship.payments.network.lay_out` has run.
    limit
        How many to return.
    """
    ranking = rank_receivers(con, shape, COMPARED, least=1)
    keep_ids(con, "compared", {one.receiver for one in ranking.receivers})
    linked = link_names(con, "compared")
    known = {one.receiver: one for one in ranking.receivers}
    grouped = [tuple(known[id_] for id_ in group) for group in groups(linked)]
    inside = {one.receiver for group in grouped for one in group}
    standing = [
        Standing((one,), one.payers, one.weight) for one in ranking.receivers if one.receiver not in inside
    ]
    standing += [_together(con, group, shape) for group in grouped]
    standing = sorted(
        (one for one in standing if one.payers > 1),
        key=lambda one: (not shape.come_back(one.payers, one.payments), -one.weight, -one.payers, one.key),
    )[:limit]
    shown = {member.receiver for one in standing[:_DRAWN] for member in one.members}
    keep_ids(con, "shown", shown)
    keep_links(con, "shown_links", "shaped", "payee in (select id from shown)")
    kept = {member.receiver for one in standing for member in one.members}
    pairs = tuple(link for link in linked if link.left in kept and link.right in kept)
    return Receivers(tuple(standing), pairs, tuple(links(con, "shown_links", _LINKS)), ranking)


def _together(con: Any, group: Sequence[Receiver], shape: Shape) -> Standing:
    ids = [one.receiver for one in group]
    others = "count(*) - count(*) filter (list_contains($ids, other.payee)) + 1"
    payers, weight = con.execute(
        f"""
        select count(*), coalesce(sum(share), 0)::bigint from (
            select payer, (select {share_of(others, shape)}
                from links other where other.payer = links.payer) as share
            from links where list_contains($ids, payee) and related = '' group by payer
        )
        """,
        {"ids": ids},
    ).fetchall()[0]
    return Standing(tuple(sorted(group, key=lambda one: (-one.weight, one.receiver))), payers, weight)


def receiver_files(found: Receivers, provenance: Mapping[str, str]) -> dict[str, bytes]:
    """Return the files by name; the same dataset gives the same bytes."""
    value = {
        "draft": True,
        "provenance": dict(provenance),
        "hubs_left_out": found.ranking.hubs,
        "payments_in_other_currencies": found.ranking.outside,
        "receivers": [asdict(one) for one in found.standing],
        "names": [asdict(one) for one in found.linked],
    }
    return {
        "receivers.csv": _csv(found.standing),
        MARK: (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode(),
        "network.html": network_page(_network(found), [_name_table(found.linked)]),
    }


def summary(found: Receivers, limit: int = 10) -> str:
    """Return the receivers for a terminal."""
    left = f"{found.ranking.hubs:,} hubs and {found.ranking.outside:,} payments in currencies without a band left out"
    many = f"{len(found.standing):,} receivers with two or more unrelated payers from abroad"
    lines = [f"{many}; {left}. A receiver may be a victim."]
    lines += [f"  {one.weight / ONE:.2f}  {_ids(one)}: {_words(one)}" for one in found.standing[:limit]]
    return "\n".join(lines)


def _ids(one: Standing) -> str:
    return " = ".join(member.receiver for member in one.members)


def _words(one: Standing) -> str:
    first = min(member.first_us for member in one.members)
    last = max(member.last_us for member in one.members)
    related = sum(member.related for member in one.members)
    names = sorted({name for member in one.members for name in member.names})
    words = (
        f"{counted(one.payers, 'unrelated payers')}, {counted(one.payments, 'payments')} {span(first, last)}"
    )
    words += f"; {related:,} related payers are not counted" if related else ""
    words += f"; named {', '.join(names[:3])}" if names else ""
    marks = [mark for member in one.members for mark in member.markers]
    words += f"; marked {', '.join(marks)}" if marks else ""
    return f"{words}."


def _network(found: Receivers) -> Network:
    nodes = []
    shown = found.standing[:_DRAWN]
    for one in shown:
        nodes += [
            Node(member.receiver, "receiver", 1, "found", one.weight, f"{_words(one)} May be a victim.")
            for member in one.members
        ]
    payers = sorted({link.payer for link in found.links})
    nodes += [Node(payer, "payer", 0, "context", 0, "Paid a receiver that stands out.") for payer in payers]
    lead = (
        "Receivers with unrelated payers from abroad, those to whom payers come back first. A payer of many counts "
        "less. A receiver may be a victim, or a relative whose account is used."
    )
    same = tuple((f"receiver:{one.left}", f"receiver:{one.right}") for one in found.linked)
    notes = (
        f"The first {len(shown):,} of {len(found.standing):,} are drawn; receivers.csv has all.",
        f"Left out: {found.ranking.hubs:,} hubs, and {found.ranking.outside:,} payments in currencies without a band.",
    )
    return Network("Receivers that stand out", lead, tuple(nodes), found.links, notes, same)


def _name_table(linked: Sequence[NameLink]) -> str:
    rows = [
        (
            escape(one.left),
            escape(one.right),
            escape(f"{one.left_name} / {one.right_name}"),
            f"{one.weight_db:+.1f} dB",
            escape("; ".join(f"{seen} {db:+.1f} dB" for _, seen, db in one.parts)),
        )
        for one in linked
    ]
    heads = ("identifier", "may be", "names as written", "weight", "what was compared")
    return "<h2>Identifiers that may be one</h2>" + table(
        "By name and country alone", heads, rows, numbers=(3,), wide=(4,)
    )


def _csv(standing: Sequence[Standing]) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        (
            "rank",
            "weight",
            "unrelated_payers",
            "identifiers",
            "country",
            "names",
            "payments",
            "first_day",
            "last_day",
            "markers",
        )
    )
    for rank, one in enumerate(standing, 1):
        members = one.members
        rows.writerow(
            safe(str(cell))
            for cell in (
                rank, f"{one.weight / ONE:.3f}", one.payers, _ids(one), members[0].country or "UNKNOWN",
                " / ".join(sorted({name for member in members for name in member.names})),
                one.payments, day(min(member.first_us for member in members)),
                day(max(member.last_us for member in members)),
                "; ".join(mark for member in members for mark in member.markers),
            )
        )  # fmt: skip
    return out.getvalue().encode()
