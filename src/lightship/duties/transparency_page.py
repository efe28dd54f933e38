"""The yearly report as a document: each plot with its table, and why counts are missing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from lightship.duties.record_book_html import code, document, listed, picture
from lightship.duties.record_book_words import lasting
from lightship.duties.transparency import TITLES, report_digest
from lightship.duties.transparency_plots import kinds_plot, months_plot, stopped_plot
from lightship.exchange.one_page import facts, table

_TIMES = {
    "aware-to-stopped": "From aware to stopped",
    "time-to-decision": "From a case to a person's decision",
    "report-to-person": "From a user's report to a person",
    "appeal-to-answer": "From an appeal to its answer",
    "aware-to-filed": "From aware to filed with an authority",
}
_SHARES = {
    "accuracy": "Machine's cases that people confirmed",
    "overturned": "Appeals that were answered and overturned the decision",
}


def report_page(report: Mapping[str, Any]) -> bytes:
    """Return the document."""
    period = report["period"]
    title = f"Transparency report {period['name']}"
    tables = report["tables"]
    withheld = sum(one["withheld_small"] + one["withheld_others"] for one in tables.values())
    least = report["least"]
    said = (
        f"Counts from 1 to {least - 1} are withheld, and as many others as it takes so that those cannot be worked out "
        f"from the totals: {withheld} in this report. Zero is published. Times are told of {least} or more, 95 % of "
        f"{4 * least} or more; shares in whole percent of {4 * least} or more."
    )
    watch = report["watch"]
    body = "".join(
        (
            f"<header><h1>{escape(title)}</h1><p>{escape(said)}</p></header>\n<main>\n",
            "<h2>What was found</h2>\n",
            picture(
                months_plot(tables["months"]),
                f"Bars of detections by month; the table “{TITLES['months']}” has the same figures.",
                "Detections by month.",
            ),
            _shown("months", tables["months"]),
            picture(
                kinds_plot(tables["found"]),
                f"Bars of detections by kind and by how; the table “{TITLES['found']}” has the same figures.",
                "Detections by kind, and by what found them.",
            ),
            _shown("found", tables["found"]),
            listed(
                f"{one}: {report['labels'][one]}."
                for one in tables["found"]["rows"]
                if one in report["labels"]
            ),
            "<h2>What was done</h2>\n",
            *(_shown(name, tables[name]) for name in ("owed", "verdicts", "acts", "reports", "appeals")),
            "<h2>How long it took</h2>\n",
            picture(
                stopped_plot(report["stopped_by_month"]),
                "Lines of the seconds from aware to stopped by month: half, and 95 % of them. The table below has "
                "the same figures.",
                "From aware to stopped, by month.",
            ),
            table(
                "From aware to stopped, by month",
                ("Month", "Half within", "95 % within"),
                (
                    (name, lasting(one["p50_s"]), lasting(one["p95_s"]))
                    for name, one in report["stopped_by_month"].items()
                ),
                numbers=(1, 2),
            ),
            table(
                "Times",
                ("What", "Half within", "95 % within"),
                (
                    (
                        escape(words),
                        lasting(report["times"][name]["p50_s"]),
                        lasting(report["times"][name]["p95_s"]),
                    )
                    for name, words in _TIMES.items()
                ),
                numbers=(1, 2),
            ),
            table(
                "Shares, with exact 95 % bounds",
                ("What", "Percent", "Between"),
                [
                    *((escape(words), *_share(report["shares"][name])) for name, words in _SHARES.items()),
                    *(
                        (f"Cases of the detector {escape(name)} that people said were no abuse", *_share(one))
                        for name, one in report["reversed_by_detector"].items()
                    ),
                ],
                numbers=(1, 2),
            ),
            "<h2>How much was looked at</h2>\n",
            facts(
                [
                    ("Minutes of public streams", f"{watch['stream_minutes']:,}"),
                    ("Looked at", "–" if watch["looked_at"] is None else f"{100 * watch['looked_at']:.2f} %"),
                    ("Pictures of private streams", f"{watch['private_pictures']:,}"),
                ]
            ),
            "<h2>What it was made from</h2>\n",
            facts(
                [
                    ("This report", code(report_digest(report))),
                    ("Labels", code(report["mapping"])),
                    ("Definitions", code(report["definitions"])),
                    ("Release", escape(report["code"]["release"])),
                    ("Code", code(report["code"]["digest"])),
                ]
            ),
            "</main>",
        )
    )
    return document(title, body)


def _shown(name: str, found: Mapping[str, Any]) -> str:
    lines = list(zip(found["rows"], found["cells"], strict=True))
    lines = lines[:-1] if len(lines) == 2 else lines  # of one row the totals are that row again
    return table(
        TITLES[name],
        ("", *found["columns"]),
        (
            (escape(row), *("withheld" if cell is None else f"{cell:,}" for cell in cells))
            for row, cells in lines
        ),
        numbers=range(1, len(found["columns"]) + 1),
    )


def _share(one: Mapping[str, Any]) -> tuple[str, str]:
    if one["percent"] is None:
        return "–", "too few"
    return f"{one['percent']} %", f"{one['lower_95']} % and {one['upper_95']} %"
