"""A subject's timeline as a picture of lanes on one axis (SVG); the page has the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from markupsafe import Markup, escape

LANES = ("stream", "signal", "report", "decision", "effect", "gap")
_LEFT, _WIDTH, _LANE, _TOP = 90, 860, 34, 10
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """Something of a stream at a time, for its timeline.

    Parameters
    ----------
    lane
        ``"gap"`` is a span in which it was not looked at.
    until
        The end of a span; None for a moment.
    """

    at: datetime
    lane: Literal["stream", "signal", "report", "decision", "effect", "gap"]
    words: str
    until: datetime | None = None


def drawn(marks: Sequence[Mark], now: datetime) -> Markup:
    """Return the picture; an empty one for no marks.

    Every text in it is escaped, and every number is made here.
    """
    if not marks:
        return Markup("")
    begin = min(one.at for one in marks)
    end = max([one.until or one.at for one in marks] + [begin + timedelta(seconds=1)])
    end = min(end, max(now, begin + timedelta(seconds=1)))
    span_s = (end - begin).total_seconds()

    def x(at: datetime) -> float:
        along = min(1.0, max(0.0, (at - begin).total_seconds() / span_s))
        return round(_LEFT + 10 + along * (_WIDTH - 20), 1)

    height = _TOP + _LANE * len(LANES) + 30
    parts: list[str] = []
    for row, lane in enumerate(LANES):
        y = _TOP + row * _LANE
        parts.append(f'<text class="tl-name" x="0" y="{y + 20}">{lane}</text>')
        parts.append(
            f'<line class="tl-line" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y + 28}" y2="{y + 28}"/>'
        )
    for mark in marks:
        y = _TOP + LANES.index(mark.lane) * _LANE + 14
        words = escape(mark.words)
        if mark.until is not None:
            width = max(3.0, x(mark.until) - x(mark.at))
            shape = f'<rect x="{x(mark.at)}" y="{y - 6}" width="{width:.1f}" height="12"'
        elif mark.lane == "decision":
            shape = f'<rect x="{x(mark.at) - 6}" y="{y - 6}" width="12" height="12"'
        elif mark.lane == "effect":
            shape = f'<path d="M{x(mark.at)} {y - 7} l7 13 h-14 z"'
        else:
            shape = f'<circle cx="{x(mark.at)}" cy="{y}" r="6"'
        parts.append(f'{shape} class="tl-{mark.lane}"><title>{words}</title></{shape[1:].split(" ", 1)[0]}>')
    for tick in range(_TICKS + 1):
        at = begin + timedelta(seconds=span_s * tick / _TICKS)
        anchor = "start" if tick == 0 else "end" if tick == _TICKS else "middle"
        parts.append(
            f'<text class="tl-tick" x="{x(at)}" y="{height - 8}" text-anchor="{anchor}">{at:%H:%M:%S}</text>'
        )
    said = f"Timeline from {begin:%-d %B %Y %H:%M:%S} to {end:%H:%M:%S} UTC; the table below says the same"
    return Markup(  # noqa: S704 - each part is made above of numbers and escaped text
        f'<svg class="timeline" viewBox="0 0 {_LEFT + _WIDTH} {height}" role="img" aria-label="{said}">'
        f"{''.join(parts)}</svg>"
    )
