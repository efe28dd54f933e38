"""The robustness report on paper: Markdown with tables, and two pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightship.core.errors import SinkError
from lightship.detect.robustness import WAYS, Report, Row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLOTS = ("robustness-recall.png", "robustness-distance.png")
_NAMED = 40  # pictures that the page names
_COLOURS = ("#d4351c", "#1d70b8", "#00703c")
_HEAD = """# Robustness

What a PDQ match survives, measured by `lightship match robustness FOLDER`. Each picture of the folder is altered, and
looked for in a list of the originals among {decoys:,} decoys (hashes of made pictures) within {limit} bits: as it is;
with the retries that `lightship match` makes where a picture is on no list (mirrored; without its border; both); and
with all eight turned forms of each (`--turned`).

{count} pictures, {created}: {names}.{left_out}{alike}

## Recall

Percent found, at each strength: as it is → with retries → with `--turned`, or one number where the three agree. Where
recall is lower than the distances below suggest, the alteration took the picture under the quality of 50 at which a
picture is matched at all.

| alteration | strength: percent found |
|---|---|
"""


def write(report: Report, folder: Path) -> list[Path]:
    """Write ``robustness.json``, ``robustness.md`` and the plots, in ``pictures/``; returns their paths.

    Raises
    ------
    SinkError
        If it cannot be written.
    """
    plots = folder / "pictures"
    paths = [folder / "robustness.json", folder / "robustness.md", *(plots / name for name in _PLOTS)]
    try:
        plots.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(
            json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        paths[1].write_text(to_markdown(report), encoding="utf-8")
        recall_plot(report).savefig(paths[2], dpi=90)
        distance_plot(report).savefig(paths[3], dpi=90)
    except OSError as error:
        raise SinkError(
            f"The report cannot be written: {error.strerror}.", str(folder), "Name another."
        ) from error
    return paths


def to_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    left_out = (
        f" Left out, as too flat or the same as another: {', '.join(report.left_out)}."
        if report.left_out
        else ""
    )
    pairs = ", ".join(" and ".join(pair) for pair in report.alike)
    alike = f" These match each other unaltered and do not count as false: {pairs}." if pairs else ""
    lines = [
        _HEAD.format(
            decoys=report.decoys,
            limit=report.limit,
            count=len(report.pictures),
            names=", ".join(report.pictures[:_NAMED])
            + (" and others" if len(report.pictures) > _NAMED else ""),
            created=report.created,
            left_out=left_out,
            alike=alike,
        ).rstrip()
    ]
    lines += _table_rows(report, _recall)
    lines += [
        "",
        f"![Recall](pictures/{_PLOTS[0]})",
        "",
        "## Distance",
        "",
        f"Bits from the altered picture, as it is, to its entry: median (last decile). Matches end at {report.limit}.",
        "",
        "| alteration | strength: distance |",
        "|---|---|",
    ]
    lines += _table_rows(report, lambda row: f"{row.bits[1]:.0f} ({row.bits[2]:.0f})")
    looks = len(report.pictures) * len(report.rows)
    false = [sum(row.false[way] for row in report.rows) for way in range(len(WAYS))]
    lines += [
        "",
        f"![Distance](pictures/{_PLOTS[1]})",
        "",
        "## False matches",
        "",
        f"Of {looks:,} looks, those that matched another picture's entry or a decoy: "
        + ", ".join(f"{count} {way}" for way, count in zip(WAYS, false, strict=True))
        + ".",
        "",
        "## What the retries cost",
        "",
        "Microseconds for a picture on no list, one thread, without the search (each further form is one more query).",
        "",
        "| picture | one hash | looking for a border | mirrored hash | cut and hashed twice, where there is a border |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {cost.width}×{cost.height} | "
        + " | ".join(f"{one:.0f}" for one in (cost.hash_us, cost.border_us, cost.mirror_us, cost.cut_us))
        + " |"
        for cost in report.costs
    ]
    return "\n".join(lines) + "\n"


def recall_plot(report: Report) -> Figure:
    """Return recall over strength, a panel for each alteration."""
    figure, panels = _panels(report)
    for axes, rows in panels:
        for way, colour in enumerate(_COLOURS):
            axes.plot(
                range(len(rows)),
                [100 * row.recall[way] for row in rows],
                "o-",
                color=colour,
                lw=3.6 - 1.2 * way,
                ms=6.5 - 1.5 * way,
                label=WAYS[way],
            )
        axes.set_ylim(-5, 105)
    figure.supylabel("percent found")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False
    )
    return figure


def distance_plot(report: Report) -> Figure:
    """Return distance over strength, a panel for each alteration."""
    figure, panels = _panels(report)
    for axes, rows in panels:
        places = range(len(rows))
        low, middle, high, most = zip(*(row.bits for row in rows), strict=True)
        axes.fill_between(places, low, high, color="#1d70b8", alpha=0.25, label="first to last decile")
        axes.plot(places, middle, "o-", color="#1d70b8", label="median")
        axes.plot(places, most, "_", color="#0b0c0c", label="largest")
        axes.axhline(report.limit, color="#d4351c", lw=1, ls="--", label=f"limit, {report.limit} bits")
        axes.set_ylim(-5, 165)
    figure.supylabel("bits from the entry, the picture as it is")
    figure.legend(
        *panels[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False
    )
    return figure


def _panels(report: Report) -> tuple[Figure, list[tuple[Any, list[Row]]]]:
    from matplotlib.figure import Figure

    groups = _grouped(report)
    columns = min(5, len(groups))
    down = -(-len(groups) // columns)
    figure = Figure(figsize=(2.9 * columns, 0.8 + 2.1 * down), layout="constrained")
    grid = figure.subplots(down, columns, squeeze=False).reshape(-1)
    for axes in grid[len(groups) :]:
        axes.set_axis_off()
    panels = []
    for axes, rows in zip(grid, groups.values(), strict=False):
        axes.set_title(_title(rows), fontsize=9)
        axes.set_xticks(range(len(rows)), [f"{row.strength:g}" for row in rows], fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
        axes.grid(color="#e8edf2")
        panels.append((axes, rows))
    return figure, panels


def _grouped(report: Report) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in report.rows:
        groups.setdefault(row.alteration, []).append(row)
    return groups


def _table_rows(report: Report, cell: Callable[[Row], str]) -> list[str]:
    lines = []
    for rows in _grouped(report).values():
        cells = [f"{row.strength:g}: {cell(row)}" if row.unit else cell(row) for row in rows]
        lines.append(f"| {_title(rows)} | {' · '.join(cells)} |")
    return lines


def _recall(row: Row) -> str:
    shares = [f"{100 * one:.0f}" for one in row.recall]
    return shares[0] if len(set(shares)) == 1 else " → ".join(shares)


def _title(rows: list[Row]) -> str:
    return rows[0].alteration + (f", {rows[0].unit}" if rows[0].unit else "")
