"""Plots of the yearly report as SVG, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY, INK = "#1d70b8", "#b35c00", "#dfe3e6", "#0b0c0c"
_SERIES = ((BLUE, ""), (ORANGE, "//"), ("#5694ca", ".."))


def months_plot(table: Mapping[str, Any]) -> bytes:
    """Return what was found in each month as bars; a withheld month is a grey band that says so."""
    names, values = table["columns"][:-1], table["cells"][0][:-1]

    def draw(axes: Axes) -> None:
        most = max((one for one in values if one is not None), default=1) or 1
        for place, value in enumerate(values):
            if value is None:
                axes.axvspan(place - 0.4, place + 0.4, color=GREY, hatch="///", ec="#7a8288", lw=0)
                axes.annotate(
                    "withheld", (place, most / 2), rotation=90, ha="center", va="center", fontsize=8
                )
            else:
                axes.bar(place, value, width=0.8, color=BLUE)
                axes.annotate(
                    f"{value:,}", (place, value), (0, 2), textcoords="offset points", ha="center", fontsize=8
                )
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_xlim(-0.6, max(6, len(names)) - 0.4)
        axes.set_ylim(0, most * 1.15)
        axes.set_ylabel("detections")

    return _drawn(draw, 9.0, 3.6)


def kinds_plot(table: Mapping[str, Any]) -> bytes:
    """Return what was found by kind and by how, as bars side by side; withheld counts say so."""
    rows, columns = table["rows"][:-1], table["columns"][:-1]

    def draw(axes: Axes) -> None:
        thick = 0.8 / max(1, len(columns))
        most = (
            max((one for line in table["cells"][:-1] for one in line[:-1] if one is not None), default=1) or 1
        )
        for number, (name, (colour, hatch)) in enumerate(zip(columns, _SERIES, strict=False)):
            places = [row + (number - (len(columns) - 1) / 2) * thick for row in range(len(rows))]
            cells = [table["cells"][row][number] for row in range(len(rows))]
            axes.barh(
                places, [one or 0 for one in cells], height=thick * 0.92, color=colour, hatch=hatch, ec="white",
                label={"machine": "by a machine", "report": "by a report", "person": "by a person"}.get(name, name),
            )  # fmt: skip
            for place, cell in zip(places, cells, strict=True):
                axes.annotate(
                    "withheld" if cell is None else f"{cell:,}", (cell or 0, place), (3, 0),
                    textcoords="offset points", va="center", fontsize=8,
                )  # fmt: skip
        axes.set_yticks(range(len(rows)), rows)
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.15)
        axes.set_xlabel("detections")
        axes.legend(loc="lower right", fontsize=8)

    return _drawn(draw, 9.0, 1.2 + 0.75 * max(1, len(rows)))


def stopped_plot(months: Mapping[str, Mapping[str, float | None]]) -> bytes:
    """Return within how long streams were stopped in each month: half of them, and 95 % of them."""
    names = list(months)

    def draw(axes: Axes) -> None:
        for key, colour, marker, words in (("p50_s", BLUE, "o", "half"), ("p95_s", ORANGE, "s", "95 %")):
            known = {
                place: value for place, name in enumerate(names) if (value := months[name][key]) is not None
            }
            axes.plot(
                list(known),
                list(known.values()),
                color=colour,
                marker=marker,
                label=words,
            )
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("seconds from aware to stopped")
        axes.legend(loc="upper right", fontsize=8)

    return _drawn(draw, 9.0, 3.4)


def series_plot(names: Sequence[str], values: Sequence[int], usual: float, high: float) -> bytes:
    """Return one series of counts with what is usual, and above which a count is a rise."""

    def draw(axes: Axes) -> None:
        axes.bar(range(len(values)), values, color=[ORANGE if one > high else BLUE for one in values])
        axes.axhline(usual, color=INK, lw=1, label=f"usual: {usual:.3g}")
        axes.axhline(high, color=INK, lw=1, ls="--", label=f"a rise: above {high:.3g}")
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.legend(loc="upper left", fontsize=8)

    return _drawn(draw, 7.0, 2.8)


def _drawn(draw: Any, wide: float, tall: float) -> bytes:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "lightship", "font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(figsize=(wide, tall), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
