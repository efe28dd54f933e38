"""What a hunt leaves behind: a table to work with, the same for machines, and a picture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from lightship.payments.hunt import Found, Hunt
from lightship.payments.network import ONE
from lightship.payments.picture import Network, Node, network_page
from lightship.payments.span import day

MARK = "hunt.json"
"""The file by which a hunt's folder is known."""

_LEAD = (
    "From identifiers that are known already to the people who paid them, and on to others whom those paid. "
    "A result is a place to look. A receiver may be a victim, or a relative whose account is used."
)


def hunt_files(result: Hunt, provenance: Mapping[str, str], pseudonyms: bool) -> dict[str, bytes]:
    """Return the files of a hunt by name; the same hunt gives the same bytes.

    Parameters
    ----------
    provenance
        What it was made from, by name.
    pseudonyms
        Whether identifiers are pseudonyms, which the page says.
    """
    notes = _notes(result, pseudonyms) + [f"{name}: {value}" for name, value in sorted(provenance.items())]
    value = {
        "draft": True,
        "provenance": dict(provenance),
        "pseudonyms": pseudonyms,
        "seeds": list(result.seeds),
        "seeds_unknown": list(result.unknown),
        "seeds_hub": list(result.hub_seeds),
        "hubs": list(result.hubs),
        "found": [asdict(one) for one in result.found],
        "links": [asdict(link) for link in result.links],
    }
    return {
        "hunt.csv": _csv(result.found),
        MARK: (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode(),
        "network.html": network_page(
            Network("Hunt from known receivers", _LEAD, _nodes(result), result.links, tuple(notes))
        ),
    }


def summary(result: Hunt, limit: int = 10) -> str:
    """Return a hunt for a terminal."""
    payers = [one for one in result.found if one.side == "payer"]
    near, far = (sum(one.depth == depth and not one.stopped for one in payers) for depth in (1, 2))
    related = sum(bool(one.stopped) for one in payers)
    receivers = sum(one.side == "receiver" for one in result.found)
    lines = [
        (
            f"{len(result.seeds):,} seeds: {near:,} unrelated payers of a seed, {far:,} more behind "
            f"{receivers:,} other receivers; {related:,} payers with a known relation were not followed."
        )
    ]
    lines += [f"  {_strength(one)}  {one.id}: {one.way}" for one in payers if not one.stopped][:limit]
    return "\n".join(lines + _notes(result, pseudonyms=False))


def _notes(result: Hunt, pseudonyms: bool) -> list[str]:
    notes = []
    if result.unknown:
        notes.append(f"Nobody here paid: {', '.join(result.unknown)}.")
    if result.hub_seeds:
        notes.append(f"Too many payers to go on from: {', '.join(result.hub_seeds)}.")
    if result.hubs:
        notes.append(f"Hubs, not followed: {', '.join(result.hubs)}.")
    if pseudonyms:
        notes.append(
            "Identifiers are pseudonyms; whoever holds the key can read them with `lightship payments reveal`."
        )
    return notes


def _strength(one: Found) -> str:
    return f"{one.strength / ONE:.3f}"


def _nodes(result: Hunt) -> tuple[Node, ...]:
    known = {link.payee: f"Known beforehand. {link.country or 'Country UNKNOWN'}." for link in result.links}
    seeds = [
        Node(seed, "receiver", 0, "seed", 0, known.get(seed, "Known beforehand; nobody here paid it."))
        for seed in result.seeds
    ]
    layers = {("payer", 1): 1, ("receiver", 2): 2, ("payer", 2): 3}
    return tuple(seeds) + tuple(
        Node(
            one.id,
            one.side,
            layers[one.side, one.depth],
            "context" if one.stopped else "found",
            one.strength,
            _words(one),
        )
        for one in result.found
    )


def _words(one: Found) -> str:
    words = [one.way, f"Strength {_strength(one)}."]
    if one.stopped:
        words.append(f"Not followed: {one.stopped}.")
    words += [f"Marked: {marker}." for marker in one.markers]
    return " ".join(words)


def _csv(found: Sequence[Found]) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        (
            "side",
            "identifier",
            "depth",
            "strength",
            "payments",
            "first_day",
            "last_day",
            "not_followed",
            "path",
            "in_words",
            "markers",
        )
    )
    for one in found:
        rows.writerow(
            safe(str(cell))
            for cell in (
                one.side, one.id, one.depth, _strength(one), one.payments, day(one.first_us), day(one.last_us),
                one.stopped, " > ".join(one.path), one.way, "; ".join(one.markers),
            )
        )  # fmt: skip
    return out.getvalue().encode()


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> safe("=1+1"), safe("Ana")
    ("'=1+1", 'Ana')
    """
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
