"""Timelines as pictures of lanes on one axis (SVG); the page has the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Literal

from markupsafe import Markup, escape

Lane = Literal[
    "stream", "signal", "report", "decision", "effect", "gap", "referral", "task", "hand-off", "sent", "clock"
]
LANES: tuple[Lane, ...] = ("stream", "signal", "report", "decision", "effect", "gap")
"""Of a stream."""
CASE_LANES: tuple[Lane, ...] = ("referral", "decision", "hand-off", "task", "sent", "clock")
"""Of an investigating body's case."""

_SQUARE, _TRIANGLE = {"decision"}, {"effect", "hand-off", "sent"}
_LEFT, _WIDTH, _LANE, _TOP = 90, 860, 34, 10
_TICKS = 5
_STACK, _DEEPEST = 15, 5
"""How far below another a span stands that overlaps it, and how many rows a lane has below its first at most."""
_MARK_PX = 12
"""Moments nearer than a mark is wide are one mark that tells how many it is."""
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a time, for a timeline.

    Parameters
    ----------
    lane
        ``"gap"`` is a span in which a stream was not looked at; ``"clock"`` one that runs out at its end.
    until
        The end of a span; None for a moment.
    """

    at: datetime
    lane: Lane
    words: str
    until: datetime | None = None


def drawn(
    marks: Sequence[Mark], now: datetime, lanes: Sequence[Lane] = LANES, until: datetime | None = None
) -> Markup:
    """Return the picture; an empty one for no marks.

    Every text in it is escaped, and every number is made here.

    Parameters
    ----------
    until
        Where the axis ends at the latest: now, unless something to come is told, and then a line stands at now.
    """
    if not marks:
        return Markup("")
    begin = min(one.at for one in marks)
    end = max([one.until or one.at for one in marks] + [begin + timedelta(seconds=1)])
    end = min(end, max(until or now, begin + timedelta(seconds=1)))
    span_s = (end - begin).total_seconds()

    def x(at: datetime) -> float:
        along = min(1.0, max(0.0, (at - begin).total_seconds() / span_s))
        return round(_LEFT + 10 + along * (_WIDTH - 20), 1)

    spans, deep = _stacked(marks)
    tops = dict(
        zip(
            lanes,
            accumulate((_LANE + _STACK * deep.get(one, 0) for one in lanes), initial=_TOP),
            strict=False,
        )
    )
    height = _TOP + sum(_LANE + _STACK * deep.get(one, 0) for one in lanes) + 30
    parts: list[str] = []
    for lane, top in tops.items():
        y = top + _STACK * deep.get(lane, 0)
        parts.append(f'<text class="tl-name" x="0" y="{top + 20}">{lane}</text>')
        parts.append(
            f'<line class="tl-line" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y + 28}" y2="{y + 28}"/>'
        )
    if until is not None and begin <= now <= end:
        parts.append(f'<line class="tl-now" x1="{x(now)}" x2="{x(now)}" y1="{_TOP}" y2="{height - 24}"/>')
        parts.append(f'<text class="tl-tick" x="{x(now)}" y="{_TOP - 1}" text-anchor="middle">now</text>')
    for mark, last, row in spans:
        beyond = f"→ {last:%-d %b %Y}" if last > end else ""
        parts.append(_span(mark, x(mark.at), x(last), tops[mark.lane] + 8 + _STACK * row, beyond))
    moments: dict[tuple[Lane, int], list[Mark]] = {}
    for mark in marks:
        if mark.until is None:
            moments.setdefault((mark.lane, int(x(mark.at) // _MARK_PX)), []).append(mark)
    for (lane, _), near in moments.items():
        parts.append(_moment(lane, x(near[0].at), tops[lane] + 14, near))
    for tick in range(_TICKS + 1):
        at = begin + timedelta(seconds=span_s * tick / _TICKS)
        anchor = "start" if tick == 0 else "end" if tick == _TICKS else "middle"
        parts.append(
            f'<text class="tl-tick" x="{x(at)}" y="{height - 8}" text-anchor="{anchor}">{_said(at, span_s)}</text>'
        )
    said = f"Timeline from {begin:%-d %B %Y %H:%M:%S} to {end:%-d %B %Y %H:%M:%S} UTC; the table below says the same"
    return Markup(  # noqa: S704 - each part is made above of numbers and escaped text
        f'<svg class="timeline" viewBox="0 0 {_LEFT + _WIDTH} {height}" role="img" aria-label="{said}">'
        f"{''.join(parts)}</svg>"
    )


def _stacked(marks: Sequence[Mark]) -> tuple[list[tuple[Mark, datetime, int]], dict[Lane, int]]:
    """Return each span with its end and its row, below those of its lane that it overlaps, and each lane's last row."""
    ends: dict[Lane, list[datetime]] = {}
    found: list[tuple[Mark, datetime, int]] = []
    for mark in sorted(marks, key=lambda one: one.at):
        if mark.until is None:
            continue
        rows = ends.setdefault(mark.lane, [])
        row = next((number for number, end in enumerate(rows) if end <= mark.at), min(len(rows), _DEEPEST))
        rows[row : row + 1] = [mark.until]
        found.append((mark, mark.until, row))
    return found, {lane: len(rows) - 1 for lane, rows in ends.items()}


def _span(mark: Mark, left: float, right: float, y: int, beyond: str) -> str:
    """Return a span's bar; ``beyond`` is when it ends, where that is outside the picture."""
    bar = f'<rect x="{left}" y="{y}" width="{max(3.0, right - left):.1f}" height="12" class="tl-{mark.lane}">'
    far = (
        f'<text class="tl-many" x="{right - 5}" y="{y + 10}" text-anchor="end">{beyond}</text>'
        if beyond
        else ""
    )
    return f"{bar}<title>{escape(mark.words)}</title></rect>{far}"


def _moment(lane: Lane, x: float, y: int, near: Sequence[Mark]) -> str:
    """Return a mark for moments that stand together, with what it tells and how many it is."""
    words = "; ".join(one.words for one in near[:_TOLD])
    if len(near) > _TOLD:
        words = f"{len(near)}: {words}; and more"
    if lane in _SQUARE:
        shape = f'<rect x="{x - 6:.1f}" y="{y - 6}" width="12" height="12"'
    elif lane in _TRIANGLE:
        shape = f'<path d="M{x} {y - 7} l7 13 h-14 z"'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="6"'
    many = (
        f'<text class="tl-many" x="{x}" y="{y - 8}" text-anchor="middle">{len(near)}</text>'
        if len(near) > 1
        else ""
    )
    return f'{shape} class="tl-{lane}"><title>{escape(words)}</title></{shape[1:].split(" ", 1)[0]}>{many}'


def _said(at: datetime, span_s: float) -> str:
    """Return a tick's time, as fine as the axis is long."""
    if span_s < 86_400.0:
        return f"{at:%H:%M:%S}"
    return f"{at:%-d %b %H:%M}" if span_s < 6 * 86_400.0 else f"{at:%-d %b %Y}"
