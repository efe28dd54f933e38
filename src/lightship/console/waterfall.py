"""Weights of evidence that add up, as a picture (SVG): each begins where the one before ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_REASON = re.compile(r"(?P<name>.*?): (?P<db>[+−-]?\d+(?:\.\d+)?) dB(?:, (?P<words>.*))?", re.DOTALL)
_LEFT, _RIGHT, _ROW, _TOP = 150, 60, 30, 8
_WIDTH = 500
_LABEL = 22
_ROUNDED_DB = 0.05
"""Each reason is rounded to a tenth, so that their sum may be off the whole by so much for each."""


@dataclass(frozen=True, slots=True)
class Step:
    """One weight.

    Parameters
    ----------
    from_db, to_db
        The sum before and after it.
    """

    name: str
    words: str
    from_db: float
    to_db: float

    @property
    def weight_db(self) -> float:
        """What it adds; below 0 where it speaks against."""
        return self.to_db - self.from_db


def steps(reasons: Sequence[str], weight_db: float) -> tuple[Step, ...]:
    """Return reasons, each ``name: +12.3 dB, in words``, one upon the other; what they leave of the whole comes last.

    Examples
    --------
    >>> [(one.name, one.weight_db) for one in steps(["email: +30.0 dB, the same", "name: -4.0 dB, differs"], 20.0)]
    [('email', 30.0), ('name', -4.0), ('the rest', -6.0)]
    """
    found: list[Step] = []
    at_db = 0.0
    for one in reasons:
        read = _REASON.fullmatch(one.strip())
        if read is None:
            found.append(Step(one, "", at_db, at_db))
            continue
        to_db = at_db + float(read["db"].replace("−", "-"))
        found.append(Step(read["name"], read["words"] or "", at_db, to_db))
        at_db = to_db
    if abs(weight_db - at_db) > _ROUNDED_DB * (len(reasons) + 1):
        found.append(Step("the rest", "what the reasons do not tell", at_db, weight_db))
    return tuple(found)


def drawn(found: Sequence[Step], weight_db: float) -> Markup:
    """Return the picture of steps and the whole; an empty one for no steps. Every text in it is escaped."""
    if not found:
        return Markup("")
    low = min(0.0, weight_db, *(one.to_db for one in found))
    high = max(1.0, weight_db, *(one.to_db for one in found))
    span = high - low

    def x(at_db: float) -> float:
        return round(_LEFT + (at_db - low) / span * (_WIDTH - _LEFT - _RIGHT), 1)

    height = 2 * _TOP + _ROW * (len(found) + 1)
    parts = [f'<line class="tl-line" x1="{x(0.0)}" x2="{x(0.0)}" y1="{_TOP}" y2="{height - _TOP}"/>']
    whole = Step("together", "", 0.0, weight_db)
    for row, one in enumerate((*found, whole)):
        y = _TOP + row * _ROW
        left, right = sorted((x(one.from_db), x(one.to_db)))
        kind = "sum" if one is whole else "for" if one.weight_db >= 0.0 else "against"
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 19}" text-anchor="end">{escape(_short(one.name))}</text>'
            f'<rect class="wf-{kind}" x="{left}" y="{y + 5}" width="{max(2.0, right - left):.1f}" height="20">'
            f"<title>{escape(f'{one.name}: {one.weight_db:+.1f} dB')}</title></rect>"
            f'<text x="{right + 6:.1f}" y="{y + 19}">{one.weight_db:+.1f}</text>'
        )
        if one is not whole:
            parts.append(
                f'<line class="wf-join" x1="{x(one.to_db)}" x2="{x(one.to_db)}" y1="{y + 25}" y2="{y + 35}"/>'
            )
    label = f"Weights in decibans, {whole.weight_db:+.1f} together; the table below says the same"
    return Markup(  # noqa: S704 - each part is made above of numbers and escaped text
        f'<svg class="waterfall" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _short(words: str) -> str:
    return words if len(words) <= _LABEL else f"{words[: _LABEL - 1]}…"
