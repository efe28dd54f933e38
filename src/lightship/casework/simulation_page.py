"""A simulation for people: one table, one picture, one page that holds both and needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import math
import statistics
from collections.abc import Mapping, Sequence

from lightship.casework.made import Priors
from lightship.casework.simulate import Waits

Runs = Mapping[int, Sequence[Waits]]
"""By seed."""

COLUMNS = (
    "order",
    "live: mean wait, h",
    "live: 95 % within, h",
    "times sooner than first come",
    "others: median wait, h",
    "others: longest wait, h",
    "live in the top 5 %",
)
CAVEAT = (
    "Made-up weeks: which order is better under the assumptions of the priors' file, and nothing about real children. "
    "“Best possible” orders by the very chances that the weeks were drawn with: no order of these facts does better in "
    "the long run. No fact of the ladder is a criminal record, so removing every one of them changes nothing; the row "
    "“if a record counted” shows what it would do."
)


def rows_of(runs: Runs) -> list[tuple[str, ...]]:
    """Return the table: means over seeds, with the lowest and highest share in the top 5 %."""
    first = statistics.fmean(one[0].mean_h for one in runs.values())
    found: list[tuple[str, ...]] = []
    for place in range(len(next(iter(runs.values())))):
        these = [one[place] for one in runs.values()]
        mean_h, tops = statistics.fmean(one.mean_h for one in these), [one.top for one in these]
        found.append(
            (
                these[0].order,
                f"{mean_h:.1f}",
                f"{statistics.fmean(one.late_h for one in these):.1f}",
                f"{first / mean_h:.1f}" if mean_h else "-",
                f"{statistics.fmean(one.other_h for one in these):.1f}",
                f"{max(one.other_most_h for one in these):.0f}",
                f"{statistics.fmean(tops):.3f} ({min(tops):.3f}-{max(tops):.3f})",
            )
        )
    return found


def as_text(runs: Runs) -> str:
    """Return the table as aligned text."""
    rows: list[tuple[str, ...]] = [COLUMNS, *rows_of(runs)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def picture(runs: Runs) -> bytes:
    """Return the share of live cases that had a first look within so many hours, by order, as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for place, style in enumerate(("-", "--", "-", ":", "-.")):
        waits = sorted(wait for one in runs.values() for wait in one[place].live_h)
        shares = [(number + 1) / len(waits) for number in range(len(waits))]
        name = next(iter(runs.values()))[place].order
        axes.step([max(wait, 0.01) for wait in waits], shares, style, where="post", label=name)
    axes.set_xscale("log")
    axes.set_xlabel("hours from receipt to a first look")
    axes.set_ylabel("share of live cases")
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110, format="png", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def page(runs: Runs, priors: Priors, said: str, png: bytes) -> str:
    """Return the page."""
    head = "".join(f"<th scope=col>{html.escape(one)}</th>" for one in COLUMNS)
    body = "".join(
        f"<tr><th scope=row>{html.escape(row[0])}</th>"
        + "".join(f"<td>{html.escape(one)}</td>" for one in row[1:])
        + "</tr>"
        for row in rows_of(runs)
    )
    live = sum(len(one[0].live_h) for one in runs.values())
    shown = base64.b64encode(png).decode()
    alt = "Share of live cases with a first look within so many hours, by order; the table holds its figures."
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Orders of the queue, compared</title>"
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse}th,td{border-bottom:1px solid #bbb;padding:.3rem .6rem;text-align:right}"
        "th[scope=row]{text-align:left}img{max-width:100%}</style>"
        f"<h1>Orders of the queue, compared</h1><p>{html.escape(said)}</p><p>{live} live cases; priors "
        f"{html.escape(priors.name)} {html.escape(priors.version)}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<p><img alt="{alt}" src="data:image/png;base64,{shown}"></p><p>{html.escape(CAVEAT)}</p></html>\n'
    )


def as_json(runs: Runs) -> list[dict[str, object]]:
    """Return the figures as values that JSON has."""
    return [
        {
            "seed": seed,
            "order": one.order,
            "live": len(one.live_h),
            "live_mean_h": one.mean_h,
            "live_95_h": one.late_h,
            "other_median_h": one.other_h,
            "other_longest_h": one.other_most_h,
            "top_5_percent": None if math.isnan(one.top) else one.top,
        }
        for seed, these in runs.items()
        for one in these
    ]
