"""The record book as a document to read, print and keep."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any

from lightship.core.duties import Paper
from lightship.duties.measures_figures import FIGURES
from lightship.duties.record_book_html import code, days, document, listed, note
from lightship.duties.record_book_words import in_words
from lightship.exchange.one_page import facts, table

STANDS = {"taken": "Taken", "alternative": "Alternative", "does-not-apply": "Does not apply"}


_FOOT = (
    "</main>\n<footer><p>Figures are of what happened, by when it happened; of those who were looked at nobody is "
    "named, and nothing that was seen is told.</p></footer>"
)


def book_page(book: Mapping[str, Any], paper: Paper) -> bytes:
    """Return the document of a book.

    Parameters
    ----------
    paper
        The version that holds it.
    """
    period = book["period"]
    title = f"Record book {period['name']}: {book['service'] or 'service not named'}"
    binding = [one for one in book["measures"] if one["binds"]]
    lacking = [one for one in binding if one["missing"]]
    approved = (
        f"Approved by {escape(paper.approved_by)} on {paper.approved_at:%-d %B %Y}"
        if paper.approved_at
        else '<span class="bad">Not approved yet</span>'
    )
    head = facts(
        [
            ("Period", days(period)),
            ("Version", f"{paper.version}, made on {paper.made_at:%-d %B %Y} by {escape(paper.author)}"),
            ("State", approved),
            ("Measures", f"{escape(book['table']['title'])}, data of {escape(book['table']['version'])}"),
            (
                "That bind",
                f"{len(binding)} of {len(book['measures'])}; something is missing of {len(lacking)}",
            ),
        ]
    )
    body = "".join(
        (
            f"<header><h1>{escape(title)}</h1>{head}</header>\n<main>\n",
            note("The period was not over when this was made: its figures will still change.")
            if paper.made_at < datetime.fromisoformat(period["ends"])
            else "",
            note("To be put right:", book["flags"])
            if book["flags"]
            else "<p>Nothing is to be put right.</p>\n",
            "<h2>Measures</h2>\n",
            _measures(book, binding, "Measures that bind the service"),
            _measures(
                book, [one for one in book["measures"] if not one["binds"]], "Measures that do not bind it"
            ),
            "<h2>Risk assessment</h2>\n",
            _assessment(book),
            "<h2>Figures and what they count</h2>\n",
            table(
                "Figures of the period",
                ("Figure", "What it says", "What it counts"),
                (
                    (escape(one.title), escape(in_words(name, book["figures"].get(name))), escape(one.says))
                    for name, one in FIGURES.items()
                ),
                wide=(1, 2),
            ),
            "<h2>Versions</h2>\n",
            _versions(book),
            "<h2>What it was made from</h2>\n",
            facts(
                [
                    ("This version", code(paper.id)),
                    ("Definitions", code(book["definitions"])),
                    ("Table of measures", code(book["table"]["digest"])),
                    ("Configuration", code(book["configuration"])),
                    ("Release", escape(book["code"]["release"])),
                    ("Code", code(book["code"]["digest"])),
                ]
            ),
            _FOOT,
        )
    )
    return document(title, body)


def _measures(book: Mapping[str, Any], rows: list[dict[str, Any]], caption: str) -> str:
    if not rows:
        return ""

    def stated(row: Mapping[str, Any]) -> str:
        said = row["stated"]
        if said is None:
            return '<span class="bad">Not stated</span>' if row["binds"] else "Not stated"
        parts = [f"<p><strong>{STANDS[row['stands']]}</strong>{_since(said)}</p>"]
        parts += [f"<p>{escape(str(said[name]))}</p>" for name in ("how", "instead") if said.get(name)]
        parts += [f"<p>Why: {escape(str(said['why']))}</p>"] if said.get("why") else []
        parts += [listed(map(str, said["evidence"]))] if said.get("evidence") else []
        return "".join(parts)

    def figures(row: Mapping[str, Any]) -> str:
        told = ((FIGURES[name].title, in_words(name, book["figures"].get(name))) for name in row["figures"])
        return "".join(f"<p><strong>{escape(title)}:</strong> {escape(words)}</p>" for title, words in told)

    def source(row: Mapping[str, Any]) -> str:
        unsure = f'<br><span class="quiet">To be verified: {escape(row["tbv"])}</span>' if row["tbv"] else ""
        return f"In force {row['in_force']}, grade {row['grade']}{unsure}"

    return table(
        caption,
        ("Measure", "What and for whom", "Stands", "Figures", "Missing", "Source"),
        (
            (
                escape(row["id"]),
                f'<p>{escape(row["says"])}</p><p class="quiet">For: {escape(row["who"])}.</p>',
                stated(row),
                figures(row) or escape(f"None: {row['no_figure']}" if row.get("no_figure") else row["owes"]),
                f'<div class="bad">{listed(row["missing"])}</div>' if row["missing"] else "Nothing",
                source(row),
            )
            for row in rows
        ),
        wide=(1, 2, 3, 4),
    )


def _since(said: Mapping[str, Any]) -> str:
    return f" since {escape(str(said['since']))}" if said.get("since") else ""


def _assessment(book: Mapping[str, Any]) -> str:
    says, paper = book["assessment"]["says"], book["assessment"]["paper"]
    if says is None:
        return note("No risk assessment was approved by the end of the period.")
    steps = {
        "understand": "1. The harms and the Risk Profiles",
        "assess": "2. The risk of each",
        "decide": "3. The measures",
        "report": "4. Report and review",
    }
    return facts(
        [
            ("Version", f"{paper['version']}, approved by {escape(paper['approved_by'])}"),
            ("Author", escape(says["author"])),
            ("Responsible", escape(says["responsible"])),
            ("Users", f"{says['users']:,} a month in the country"),
            ("Declared", escape(", ".join(says.get("declares", ())) or "nothing")),
            ("Risk Profiles", escape("; ".join(says["profiles"]))),
            ("Went to", escape(says["governance"])),
            *((words, escape(says["steps"][name])) for name, words in steps.items()),
        ]
    ) + table(
        "Risk of each kind of harm",
        ("Kind", "Likelihood", "Impact", "Level", "Risk factors", "Findings", "Evidence"),
        (
            (
                escape(one["id"]),
                one["likelihood"],
                one["impact"],
                f"<strong>{one['level']}</strong>",
                escape(", ".join(one.get("factors", ()))) or "none",
                escape(one["findings"]) + (f" Why: {escape(one['why'])}" if one.get("why") else ""),
                listed(map(str, one["evidence"])),
            )
            for one in sorted(says["harms"], key=lambda one: not one["id"].startswith("csea"))
        ),
        wide=(5, 6),
    )


def _versions(book: Mapping[str, Any]) -> str:
    if not book["versions"]:
        return "<p>There is none.</p>\n"
    return table(
        "Versions of assessment and statement",
        ("Paper", "Version", "Made", "Author", "Approved", "Id"),
        (
            (
                escape(one["kind"]),
                str(one["version"]),
                one["made_at"][:10],
                escape(one["author"]),
                f"{one['approved_at'][:10]} by {escape(one['approved_by'])}" if one["approved_at"] else "no",
                code(one["id"]),
            )
            for one in book["versions"]
        ),
        numbers=(1,),
    )
