"""Who is named by what, as a picture (SVG): persons at the left, their identifiers at the right, and lines between.

The page has the same as a table. What ties persons together is drawn first; what there is no room for is in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from lightship.casework.normal import platform_name
from lightship.core.casework import Identifier, Link, PersonRole

SHOWN = 30
"""Persons, and identifiers, that are drawn at most: more would be lines that nobody can follow."""

_ROLES: tuple[PersonRole, ...] = ("child", "suspect", "facilitator", "unknown")
_SWEEPS = 4
_ROW, _TOP, _WIDTH = 26, 14, 900
_PERSON_X, _VALUE_X = 280, 550
_LABEL = 34
_SHAPES: Mapping[PersonRole, str] = {
    "child": '<circle cx="{x}" cy="{y}" r="7"',
    "suspect": '<rect x="{x0}" y="{y0}" width="13" height="13"',
    "facilitator": '<path d="M{x} {y0} l8 14 h-16 z"',
    "unknown": '<path d="M{x} {y0} l8 8 l-8 8 l-8 -8 z"',
}


@dataclass(frozen=True, slots=True)
class Tie:
    """Two persons who are, or may be, one.

    Parameters
    ----------
    how
        ``"accepted"`` by reviewers, or ``"proposed"``.
    """

    one: str
    other: str
    how: Literal["accepted", "proposed"]


def ties_of(links: Sequence[Link]) -> list[Tie]:
    """Return what links say of who may be one; a refused one says nothing."""
    return [
        Tie(one.one, one.other, "accepted" if one.state == "accepted" else "proposed")
        for one in links
        if one.state != "refused"
    ]


def key_of(one: Identifier) -> str:
    """Return an identifier in words."""
    return f"{one.kind} {one.value}" + (f" on {one.platform}" if one.platform else "")


def drawn(named: Sequence[Identifier], ties: Sequence[Tie] = ()) -> Markup:
    """Return the picture; an empty one where nobody is named. Every text in it is escaped."""
    role: dict[str, PersonRole] = {one.person: one.role for one in named}
    by: dict[str, set[str]] = {}
    said: dict[tuple[str, ...], str] = {}
    place = {one: platform_name(one) for one in {one.platform for one in named}}
    for one in named:
        same = (one.kind, one.value, place[one.platform])
        by.setdefault(said.setdefault(same, key_of(one)), set()).add(one.person)
    tied = {person for one in ties for person in (one.one, one.other)}
    gravest = {one: min(_ROLES.index(role[person]) for person in each) for one, each in by.items()}
    values = sorted(by, key=lambda one: (-len(by[one]), not by[one] & tied, gravest[one], one))[:SHOWN]
    has = {person: [one for one in values if person in by[one]] for person in role}
    widest = {person: max((len(by[one]) for one in each), default=0) for person, each in has.items()}
    persons = sorted(
        (one for one in role if has[one] or one in tied),
        key=lambda one: (one not in tied, -widest[one], _ROLES.index(role[one]), one),
    )[:SHOWN]
    if not persons:
        return Markup("")
    shown = set(persons)
    values = [one for one in values if by[one] & shown]
    persons, values = _ordered(persons, values, has)
    tall = max(len(persons), len(values))
    at_person = {one: _spot(row, len(persons), tall) for row, one in enumerate(persons)}
    at_value = {one: _spot(row, len(values), tall) for row, one in enumerate(values)}
    parts = [
        _line(at_person[person], at_value[value], shared=len(by[value]) > 1)
        for person in persons
        for value in has[person]
        if value in at_value
    ]
    parts += [
        _arc(one.how, at_person[one.one], at_person[one.other])
        for one in ties
        if one.one in shown and one.other in shown
    ]
    parts += [_person(one, role[one], at_person[one]) for one in persons]
    parts += [_value(one, len(by[one]), at_value[one]) for one in values]
    label = "Persons and what names them; the table below says the same"
    return Markup(  # noqa: S704 - each part is made above of numbers and escaped text
        f'<svg class="ties" viewBox="0 0 {_WIDTH} {2 * _TOP + tall * _ROW}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def person_name(person: str) -> str:
    """Return a person's name within its referral, with the referral's."""
    referral, _, name = person.partition("/")
    return f"{name or person} of {referral[:8]}" if name else person


def _ordered(
    persons: list[str], values: list[str], has: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str]]:
    """Return both columns in an order in which few lines cross: each near the middle of what it is tied to."""
    for _ in range(_SWEEPS):
        row = {one: number for number, one in enumerate(persons)}
        near = {one: [row[each] for each in persons if one in has[each]] for one in values}
        values = sorted(values, key=lambda one: sum(near[one]) / max(1, len(near[one])))
        row = {one: number for number, one in enumerate(values)}
        seat = {one: [row[each] for each in has[one] if each in row] for one in persons}
        persons = sorted(persons, key=lambda one: sum(seat[one]) / max(1, len(seat[one])))
    return persons, values


def _spot(row: int, rows: int, tall: int) -> int:
    """Return where a row of a column stands, with both columns' middles at one height."""
    return _TOP + round((row + 0.5 + (tall - rows) / 2) * _ROW)


def _line(from_y: int, to_y: int, *, shared: bool) -> str:
    kind = "tie-line tie-shared" if shared else "tie-line"
    bend = f"C{_PERSON_X + 130} {from_y} {_VALUE_X - 130} {to_y} {_VALUE_X} {to_y}"
    return f'<path class="{kind}" d="M{_PERSON_X} {from_y} {bend}"/>'


def _arc(how: str, from_y: int, to_y: int) -> str:
    bend = f"q60 {(to_y - from_y) / 2:.0f} 0 {to_y - from_y}"
    return f'<path class="tie-{how}" d="M{_PERSON_X} {from_y} {bend}"><title>{how}: one person</title></path>'


def _person(person: str, role: PersonRole, y: int) -> str:
    shape = _SHAPES[role].format(x=_PERSON_X, y=y, x0=_PERSON_X - 6, y0=y - 7)
    name = person_name(person)
    return (
        f'{shape} class="tie-{role}"/><text x="{_PERSON_X - 14}" y="{y + 4}" text-anchor="end">'
        f"{escape(_short(name))}<title>{escape(f'{name}, {role}')}</title></text>"
    )


def _value(words: str, many: int, y: int) -> str:
    shared = ' class="tie-many"' if many > 1 else ""
    said = f"{_short(words)} ({many})" if many > 1 else _short(words)
    return (
        f'<circle class="tie-value" cx="{_VALUE_X}" cy="{y}" r="4"/><text{shared} x="{_VALUE_X + 10}" y="{y + 4}">'
        f"{escape(said)}<title>{escape(words)}</title></text>"
    )


def _short(words: str) -> str:
    return words if len(words) <= _LABEL else f"{words[: _LABEL - 1]}…"
