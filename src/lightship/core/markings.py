"""How markings compare: the strictest of several wins, dimension by dimension, and only an originator lowers one.

References
----------
FIRST, Traffic Light Protocol 2.0; OASIS STIX 2.1 PAP marking definition; 3x5x2 handling codes P and C.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, get_args, get_type_hints

from lightship.core.canonical import canonical
from lightship.core.casework import Marking
from lightship.core.errors import AccessDenied, InputError

_HINTS = get_type_hints(Marking)
SCALES: dict[str, tuple[str, ...]] = {
    name: get_args(_HINTS[name]) for name in ("gsc", "tlp", "pap", "handling")
}
"""The steps of each dimension, the strictest last."""

_NAMES = {one.name for one in fields(Marking)}


def marking_json(marking: Marking) -> str:
    """Return a marking as it is kept in a value's ``marking``."""
    return canonical(asdict(marking)).decode()


def read_marking(text: str) -> Marking:
    """Return the marking in a value's ``marking``.

    Raises
    ------
    InputError
        If it is none, or has a step that its scale does not have.
    """
    try:
        table = json.loads(text)
    except ValueError:
        table = None
    known = (
        isinstance(table, dict) and table.keys() <= _NAMES and all(isinstance(v, str) for v in table.values())
    )
    if not known or any(table[name] not in steps for name, steps in SCALES.items() if name in table):
        raise InputError("This is no marking.", text[:80], "Write it again, or ask its originator.")
    return Marking(**table)


def rank(marking: Marking) -> tuple[int, ...]:
    """Return the step of each scale, in the order of :data:`SCALES`."""
    return tuple(steps.index(getattr(marking, name)) for name, steps in SCALES.items())


def strictest(markings: Iterable[Marking]) -> Marking:
    """Return the marking that is as strict as each of these; conditions and originators of all.

    Raises
    ------
    InputError
        If there are none: what nobody marked is not thereby free.

    Examples
    --------
    >>> strictest([Marking(tlp="red", originator="a"), Marking(pap="amber", originator="b")])
    Marking(gsc='OFFICIAL', tlp='red', pap='amber', handling='P', conditions='', originator='a; b')
    """
    each = tuple(markings)
    if not each:
        raise InputError("Nobody marked this.", "", "Mark it first.")
    steps: dict[str, Any] = {
        name: scale[max(scale.index(getattr(one, name)) for one in each)] for name, scale in SCALES.items()
    }
    return replace(
        each[0],
        **steps,
        conditions="; ".join(_parts(one.conditions for one in each)),
        originator="; ".join(_parts(one.originator for one in each)),
    )


def lowered(marking: Marking, to: Marking, by: Sequence[str]) -> Marking:
    """Return ``to`` in place of ``marking``: to raise is anybody's; to lower, that of every originator together.

    Raises
    ------
    AccessDenied
        If it is lower in any scale, drops a condition or changes the originator, and an originator is not among ``by``.
    """
    owners = _parts([marking.originator])
    kept = set(_parts([marking.conditions])) <= set(_parts([to.conditions])) and owners == _parts(
        [to.originator]
    )
    raised = all(new >= old for new, old in zip(rank(to), rank(marking), strict=True))
    if (raised and kept) or (owners and set(owners) <= set(by)):
        return to
    raise AccessDenied(
        "Only its originator lowers a marking.",
        marking.originator or "nobody is named",
        "Ask them, on the record.",
    )


def refusal(marking: Marking, grade: Marking, agreed: Sequence[str]) -> str:
    """Return why something so marked may not go to somebody of this grade; empty where it may.

    Parameters
    ----------
    agreed
        The conditions that they agreed to.
    """
    for (name, _), has, may in zip(SCALES.items(), rank(marking), rank(grade), strict=True):
        if has > may:
            return f"{name} {getattr(marking, name)} is above their {getattr(grade, name)}"
    if missing := [one for one in _parts([marking.conditions]) if one not in agreed]:
        return f"they did not agree to: {missing[0]}"
    return ""


def _parts(texts: Iterable[str]) -> list[str]:
    """Return the texts between semicolons, each once, sorted: so order and repetition change nothing."""
    return sorted({part.strip() for text in texts for part in text.split(";") if part.strip()})
