"""The answer to an information notice: numbers, what each counts, and what they were worked out by; no content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from lightship.core.canonical import canonical, digest
from lightship.core.duties import Paper
from lightship.core.errors import InputError
from lightship.duties.measures import MeasureTable
from lightship.duties.measures_figures import DEFINITIONS, FIGURES
from lightship.duties.measures_period import Period
from lightship.duties.measures_tally import Value
from lightship.duties.record_book_html import code as monospaced
from lightship.duties.record_book_html import days, document
from lightship.duties.record_book_words import in_words
from lightship.exchange.one_page import facts, table

FORMAT = "lightship.notice-answer/1"


def answer_of(
    period: Period,
    figures: Mapping[str, Value],
    kept: Sequence[Paper],
    table: MeasureTable,
    mapping: str,
    code: Mapping[str, str],
) -> dict[str, Any]:
    """Return the answer for a period as JSON; it says not when or where it was made, so that it can be made again.

    Parameters
    ----------
    kept
        The store's papers.
    mapping
        Of the labels.
    code
        The release, and the digest of the code that counted.
    """
    before = [one for one in kept if one.made_at < period.ends]
    configurations = sorted(
        {
            (one.made_at.isoformat(), one.configuration)
            for one in before
            if one.kind == "configuration" and (one.made_at >= period.begins or one is _last(before, period))
        }
    )
    return {
        "format": FORMAT,
        "period": period.told(),
        "figures": {name: dict(one) for name, one in figures.items()},
        "definitions": {
            name: {"title": FIGURES[name].title, "counts": FIGURES[name].says} for name in figures
        },
        "digests": {
            "definitions": DEFINITIONS,
            "release": code["release"],
            "code": code["digest"],
            "measures": table.digest,
            "labels": mapping,
            "policies": list(figures["policies"]["digests"]),
            "configurations": [{"from": at, "digest": name} for at, name in configurations],
        },
    }


def _last(kept: Sequence[Paper], period: Period) -> Paper | None:
    """Return the configuration that ran when the period began."""
    found = [one for one in kept if one.kind == "configuration" and one.made_at < period.begins]
    return max(found, key=lambda one: one.made_at, default=None)


def answer_bytes(answer: Mapping[str, Any]) -> bytes:
    """Return the answer's canonical JSON: the same answer is the same bytes."""
    return canonical(answer) + b"\n"


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in what two answers differ, as paths of names.

    Examples
    --------
    >>> compare({"figures": {"cases": {"total": 1}}}, {"figures": {"cases": {"total": 2}}})
    ['figures.cases.total']
    """
    found = []
    for name in sorted(before.keys() | now.keys()):
        then, later = before.get(name), now.get(name)
        if isinstance(then, dict) and isinstance(later, dict):
            found += [f"{name}.{one}" for one in compare(then, later)]
        elif then != later:
            found.append(name)
    return found


def check_period(period: Period, now: Any) -> None:
    """Find out whether a period can be answered for.

    Raises
    ------
    InputError
        If it is not over: its numbers would still change.
    """
    if not period.over(now):
        raise InputError(
            f"The period {period.name} is not over.",
            "--period",
            f"Its numbers still change; ask from {period.after:%-d %B %Y} on.",
        )


def answer_page(answer: Mapping[str, Any]) -> bytes:
    """Return the answer as a document."""
    period, digests = answer["period"], answer["digests"]
    title = f"Answer to an information notice, {period['name']}"
    rows = [
        (
            escape(answer["definitions"][name]["title"]),
            escape(in_words(name, value)),
            escape(answer["definitions"][name]["counts"]),
        )
        for name, value in answer["figures"].items()
    ]
    return document(
        title,
        f"<header><h1>{escape(title)}</h1>"
        + facts(
            [
                ("Period", days(period)),
                ("This answer", monospaced(digest(answer))),
            ]
        )
        + "</header>\n<main>\n"
        + table("Figures", ("Figure", "What it says", "What it counts"), rows, wide=(1, 2))
        + "<h2>What it was worked out by</h2>\n"
        + facts(
            [
                ("Release", escape(digests["release"])),
                ("Code", monospaced(digests["code"])),
                ("Definitions", monospaced(digests["definitions"])),
                ("Measures", monospaced(digests["measures"])),
                ("Labels", monospaced(digests["labels"])),
                *(("Policy", monospaced(one)) for one in digests["policies"]),
                *(
                    (f"Configuration from {one['from'][:10]}", monospaced(one["digest"]))
                    for one in digests["configurations"]
                ),
            ]
        )
        + "</main>\n<footer><p>The file beside it, answer.json, has every number. Made again for the same period it is "
        "the same, byte for byte; if a number changed since, the command says which.</p></footer>",
    )
