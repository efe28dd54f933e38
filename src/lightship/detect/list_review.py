"""Reviewing a list's matches: a sample is drawn, a person says of each what it is, and the settings are decided on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from lightship.core.errors import InputError
from lightship.core.governance import Item
from lightship.core.tuning import CONFIRMED, FALSE, UNSURE, draw
from lightship.detect.lists import Lists

_LINE_CHARACTERS = 1 << 20


def matches_of(name: str, lines: Iterable[str], where: str) -> Iterator[Item]:
    """Yield a list's matches among the lines that ``lightship match --json`` prints.

    Raises
    ------
    InputError
        If a line is something else.
    """
    for number, line in enumerate(lines, 1):
        try:
            look: Any = json.loads(line[:_LINE_CHARACTERS])
            for match in look["matches"]:
                if match["list"] == name:
                    yield _item(str(look["source"]), float(look["at_s"]), match, float(look["weight_db"]))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"Line {number} is not one that `lightship match --json` prints ({error}).",
                where,
                "Give its output.",
            ) from error


def _item(source: str, at_s: float, match: dict[str, Any], weight_db: float) -> Item:
    reference = str(match["entry"])
    named = hashlib.sha256(f"{source}\0{reference}".encode()).hexdigest()[:8]
    return Item(named, source, at_s, reference, int(match["distance"]), weight_db)


def draw_sample(
    lists: Lists, name: str, matches: Iterable[Item], seed: int, number: int, by: str
) -> list[Item]:
    """Draw a sample for review and put it on record.

    Raises
    ------
    InputError
        If there is nothing to draw from.
    """
    lists.listed(name)
    sample, among = draw(matches, seed, number)
    if not sample:
        raise InputError("There is no match of the list to draw from.", f"list {name}", "Check the file.")
    lists.record("sample drawn", name, seed=seed, matches=among, items=[asdict(one) for one in sample], by=by)
    return sample


def review(lists: Lists, name: str, item: str, verdict: str, reason: str, by: str) -> None:
    """Put on record what a person says of a match that was drawn.

    Raises
    ------
    InputError
        If it was not drawn, or the verdict is none.
    """
    sample = lists.listed(name).sample
    if item not in sample:
        raise InputError(
            f"The item “{item}” is not in the list's sample.", f"list {name}", "Draw one with --sample."
        )
    if verdict not in (CONFIRMED, FALSE, UNSURE):
        raise InputError(f"“{verdict}” is no verdict.", "", f"Say {CONFIRMED}, {FALSE} or {UNSURE}.")
    lists.record(
        "match reviewed",
        name,
        item=item,
        reference=sample[item].reference,
        what=verdict,
        reason=reason,
        by=by,
    )


def decide(lists: Lists, name: str, decision: str, reason: str, by: str) -> None:
    """Put on record what was decided of a list's settings, from when the next six months count.

    Raises
    ------
    InputError
        If no reason is given.
    """
    lists.listed(name)
    if not reason.strip():
        raise InputError("A reason is needed.", "", "Give one with --reason; it goes on record.")
    lists.record("settings decided", name, what=decision, reason=reason, by=by)
