"""The payments of an alert on one axis of time, drawn for people and still the same for the same payments."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lightship.payments.background import Background, Row
from lightship.payments.narrative import zone_of
from lightship.payments.shape import money, places_of
from lightship.payments.span import span
from lightship.payments.wording import agreed, counted

_MARKS = (("o", "#1d70b8"), ("D", "#b35c00"), ("s", "#00703c"), ("^", "#6b2a8c"), ("v", "#942514"))
"""Form and colour for the five others with most payments: neither alone has to tell them apart."""
_REST = ("x", "#6f777b")


@dataclass(frozen=True, slots=True)
class Timeline:
    """A drawing and the same in words.

    Parameters
    ----------
    words
        For who does not see it.
    """

    svg: bytes
    png: bytes
    words: str


def timeline(subject: str, evidence: Background) -> Timeline | None:
    """Return the drawing of an alert's payments; None where there are none."""
    if not evidence.rows:
        return None
    rows_in = Counter(row.currency for row in evidence.rows)
    currency = min(rows_in, key=lambda one: (-rows_in[one], one))
    rows = [row for row in evidence.rows if row.currency == currency]
    svg, png = _drawn(subject, evidence, rows, currency)
    return Timeline(svg, png, _words(subject, evidence, rows, currency))


def _words(subject: str, evidence: Background, rows: list[Row], currency: str) -> str:
    sums = [row.amount_minor for row in rows]
    cited = sum(bool(row.cited) for row in rows)
    left = len(evidence.rows) - len(rows)
    resting = agreed(f"{cited} of them are cited by an indicator.")
    return (
        f"{counted(len(rows), 'payments')} of {subject} in {currency} {span(rows[0].at_us, rows[-1].at_us)}, from "
        f"{money(min(sums), currency)} to {money(max(sums), currency)}; {resting}"
        f"{f' {left} in other currencies are only in the table.' if left else ''}"
    )


def _drawn(subject: str, evidence: Background, rows: list[Row], currency: str) -> tuple[bytes, bytes]:
    from matplotlib import rc_context
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    others = Counter(_other(subject, row) for row in rows)
    first = sorted(others, key=lambda one: (-others[one], one))[: len(_MARKS)]
    look = dict(zip(first, _MARKS, strict=False))
    zone = zone_of(evidence)
    style: Any = {
        "svg.hashsalt": "lightship",
        "font.family": "DejaVu Sans",
        "axes.grid": True,
        "grid.color": "#e3e6e8",
    }
    with rc_context(style):
        figure = Figure(figsize=(9, 5.2), layout="constrained")
        amounts, hours = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        unit = 10 ** places_of(currency)
        for name in (*first, None):
            theirs = [
                row
                for row in rows
                if (_other(subject, row) if name else None) == name
                and (name or _other(subject, row) not in look)
            ]
            if theirs:
                _scatter(
                    amounts,
                    theirs,
                    [row.amount_minor / unit for row in theirs],
                    look.get(name or "", _REST),
                    name or "others",
                )
                timed = [row for row in theirs if row.time_known]
                local = [datetime.fromtimestamp(row.at_us / 1e6, zone) for row in timed]
                _scatter(
                    hours,
                    timed,
                    [one.hour + one.minute / 60 for one in local],
                    look.get(name or "", _REST),
                    None,
                )
        amounts.set_ylabel(f"amount, {currency}")
        amounts.set_ylim(bottom=0)
        amounts.legend(fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        hours.set_ylabel("hour of day" if zone is not UTC else "hour of day (UTC)")
        hours.set_ylim(24, 0)
        hours.set_yticks((0, 6, 12, 18, 24))
        for start, end in ((0, 5), (21, 24)):
            hours.axhspan(start, end, color="#1d3557", alpha=0.08, lw=0)
        locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
        hours.xaxis.set_major_locator(locator)
        hours.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=130, metadata={"Software": None})
    return svg.getvalue(), png.getvalue()


def _scatter(
    axes: Any, rows: list[Row], heights: list[float], look: tuple[str, str], name: str | None
) -> None:
    """Draw payments; those that an indicator cites are filled."""
    marker, colour = look
    days = [datetime.fromtimestamp(row.at_us / 1e6, UTC) for row in rows]
    fill = [colour if row.cited else "none" for row in rows] if marker != "x" else colour
    axes.scatter(
        days,
        heights,
        marker=marker,
        s=34,
        c=fill,
        edgecolors=None if marker == "x" else colour,
        label=name,
        zorder=3,
        clip_on=False,
    )


def _other(subject: str, row: Row) -> str:
    return f"to {row.payee}" if row.payer == subject else f"from {row.payer}"
